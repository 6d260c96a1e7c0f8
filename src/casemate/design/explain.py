"""Explains a choice: why each module, what the runner-up was, what binds, what else there is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from casemate.design.choice_base import Model
from casemate.design.choice_model import FAMILIES, ORDER_SPAN, build
from casemate.design.choice_solve import UNMET, Solution, feasible, solve
from casemate.design.enclosure import Alternative, ModuleChoice
from casemate.design.needs import Slot
from casemate.design.totals import Chosen, totals_of
from casemate.modules import Card, Catalogue
from casemate.spec.model import EnclosureSpec

_Asked = TypeVar("_Asked")
_Found = TypeVar("_Found")
_WORDS = {
    "doubts": ("doubt", 1.0, "points of doubt"),
    "space": ("space", 1e-2, "mm over the six faces"),
    "integration": (
        "integration",
        1 / 60,
        "min of install, service, custom interfaces and kinds of module",
    ),
    "cost": ("cost", 1e-2, "USD a unit"),
    "development": ("development", 1 / ORDER_SPAN, "USD of development"),
}
"""Level -> what it is called, factor from its integer scale, unit in words."""


def reasons(model: Model, best: Solution) -> dict[str, tuple[str, str, str]]:
    """Return slot key -> (reason, runner-up, what binds).

    The runner-up is the card in that slot of the best design that must do without the chosen
    one; all other slots are free to change with it.
    """

    def one(key: str) -> tuple[str, str, str]:
        card = best.chosen[key][1]
        other = solve(model, forbid=(key, card.id))
        ruled_out = _ruled_out(model, key, card.id)
        if other is None:
            reason = "only this module serves the slot with the rest of the catalogue and pins"
            return reason, "none", ruled_out or "structure"
        runner = other.chosen[key][1].id if key in other.chosen else "left empty"
        reason, level = _compare(best, other, runner)
        return reason, runner, ruled_out or level

    return dict(zip(best.chosen, _side_by_side(one, best.chosen), strict=True))


def _side_by_side(work: Callable[[_Asked], _Found], each: Iterable[_Asked]) -> list[_Found]:
    """Return what `work` makes of each, in order; solving leaves the interpreter alone."""
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    try:
        return list(pool.map(work, each))
    finally:
        pool.shutdown(cancel_futures=True)


def _compare(best: Solution, other: Solution, runner: str) -> tuple[str, str]:
    for name, value in best.levels.items():
        more = other.levels[name] - value
        if more == 0 or (name == "development" and abs(more) < ORDER_SPAN):
            continue  # within a dollar of development only the catalogue's order differs
        if name.startswith("unmet"):
            missed = [id for id in other.unmet if id not in best.unmet] or list(other.unmet)
            return f"without it not met: {in_words(missed)} ({runner})", in_words(missed)
        if name in _WORDS:
            word, factor, unit = _WORDS[name]
            return f"{word}: {runner} takes {more * factor:.6g} {unit} more", word
    return f"equal to {runner} in every level; catalogue order decides", "none"


def _ruled_out(model: Model, key: str, chosen: str) -> str:
    """Return which requirements rule out the other cards of a slot, in words."""
    found: dict[str, list[str]] = {}
    for card in model.options[key]:
        if card.id == chosen:
            continue
        forced = solve(model, order=UNMET, force=(key, card.id))
        broken = ("what it requires, or a pin",) if forced is None else forced.unmet
        for id in broken:
            found.setdefault(id, []).append(card.id)
    grouped: dict[tuple[str, ...], list[str]] = {}
    for id, cards in sorted(found.items()):
        grouped.setdefault(tuple(cards), []).append(id)
    return "; ".join(f"{in_words(ids)} rules out {', '.join(c)}" for c, ids in grouped.items())


def in_words(ids: Sequence[str]) -> str:
    """Return requirement ids in words; many paths of one requirement are counted."""
    families: dict[str, list[str]] = {}
    for id in ids:
        head = ".".join(id.split(".")[:2]) if id.startswith("targets.d") else id
        families.setdefault(head, []).append(id)
    return ", ".join(
        rows[0] if len(rows) == 1 else f"{head} on {len(rows)} paths"
        for head, rows in families.items()
    )


def rows(chosen: Chosen, explained: dict[str, tuple[str, str, str]]) -> tuple[ModuleChoice, ...]:
    """Return the module rows of design.json, outside first."""
    result = []
    for key, (slot, card, amount) in chosen.items():
        reason, runner, binding = explained.get(key, ("not explained", "not searched", ""))
        result.append(
            ModuleChoice(
                id=card.id,
                function=card.function,
                face=slot.face,
                count=amount,
                maturity=card.maturity,
                reason=reason,
                runner_up=runner,
                binding=binding,
            )
        )
    return tuple(result)


def alternatives(
    spec: EnclosureSpec, catalogue: Catalogue, best: Solution, conflict: tuple[str, ...]
) -> tuple[Alternative, ...]:
    """Return the slimmest secure design, what relaxing buys, and the nearest if any is unmet."""
    result = []
    model = build(spec, catalogue)
    order = ("unmet security", "space", "unmet integration", "unmet cost", "integration", "cost")
    slim = solve(model, order=order)
    if slim is not None:
        result.append(_slimmest(slim, best, spec))
    relaxed = relaxations(spec)
    others = _side_by_side(lambda row: solve(build(row[2], catalogue)), relaxed)
    for (id, words, _), other in zip(relaxed, others, strict=True):
        if other is None:
            continue
        gain = _gain(best, other, spec)
        if gain:
            result.append(
                Alternative(
                    id=f"relaxed.{id}",
                    kind="relaxed",
                    description=f"{words}: {gain}",
                    changes=_changes(best, other),
                    totals=totals_of(other.chosen, spec),
                )
            )
    if best.unmet:
        result.append(
            Alternative(
                id="nearest",
                kind="nearest",
                description="no design meets all; this one misses least, security first: "
                + in_words(best.unmet),
                changes=tuple(f"cannot be met together: {id}" for id in conflict),
                totals=totals_of(best.chosen, spec),
            )
        )
    return tuple(result)


def _slimmest(slim: Solution, best: Solution, spec: EnclosureSpec) -> Alternative:
    then, now = totals_of(slim.chosen, spec), totals_of(best.chosen, spec)
    thinner = (now["thickness_sum_m"] - then["thickness_sum_m"]) * 1e3
    price = then["unit_cost_usd"] - now["unit_cost_usd"]
    missed = [id for id in slim.unmet if id not in best.unmet]
    words = (
        f"slimmest that meets security as well: {thinner:.2f} mm less over the six faces"
        f" for {price:+.0f} USD a unit"
    )
    if missed:
        words += f"; it breaks {in_words(missed)}"
    if thinner < 0.005:
        words = "the chosen design is the slimmest that meets security as well"
    return Alternative(
        id="slimmest",
        kind="slimmest",
        description=words,
        changes=_changes(best, slim),
        totals=then,
    )


def relaxations(spec: EnclosureSpec) -> list[tuple[str, str, EnclosureSpec]]:
    """Return (id, words, spec) with one target or budget relaxed at a time."""
    budgets, targets = spec.budgets, spec.targets
    result = []
    for name in ("install_s", "service_s", "unavailability_s_per_year", "unit_cost_usd"):
        wider = replace(budgets, **{name: getattr(budgets, name) * 2})
        result.append((name, f"twice budgets.{name}", replace(spec, budgets=wider)))
    wider = replace(budgets, own_power_w=budgets.own_power_w * 2)
    result.append(("own_power_w", "twice budgets.own_power_w", replace(spec, budgets=wider)))
    wider = replace(budgets, hold_up_s=budgets.hold_up_s / 2)
    result.append(("hold_up_s", "half budgets.hold_up_s", replace(spec, budgets=wider)))
    for face, depth in sorted(budgets.thickness_m.items()):
        wider = replace(budgets, thickness_m={**budgets.thickness_m, face: depth * 2})
        words = f"twice budgets.thickness.{face}"
        result.append((f"thickness.{face}", words, replace(spec, budgets=wider)))
    for name, factor in (("tool_m", 1.5), ("reaction_s", 10.0)):
        lower = replace(targets, **{name: getattr(targets, name) * factor})
        result.append((name, f"{factor:g} times targets.{name}", replace(spec, targets=lower)))
    if targets.dual_detection:
        lower = replace(targets, dual_detection=False)
        words = "one detection a path instead of two"
        result.append(("dual_detection", words, replace(spec, targets=lower)))
    for band in targets.attenuation:
        less = tuple(
            replace(row, attenuation_db=max(row.attenuation_db - 20, 0.0)) if row is band else row
            for row in targets.attenuation
        )
        lower = replace(targets, attenuation=less)
        words = f"20 dB less in {band.id}"
        result.append((f"attenuation.{band.id}", words, replace(spec, targets=lower)))
    return result


def _gain(best: Solution, other: Solution, spec: EnclosureSpec) -> str:
    """Return in words what another solution does better, "" if it is the same."""
    parts = []
    met = [id for id in best.unmet if id not in other.unmet]
    if met:
        parts.append(f"{in_words(met)} met")
    if any(best.levels[f"unmet {f}"] > other.levels[f"unmet {f}"] for f in FAMILIES) and not met:
        parts.append("misses shrink")
    for name, (word, factor, unit) in _WORDS.items():
        change = other.levels[name] - best.levels[name]
        if change and (name != "development" or abs(change) >= ORDER_SPAN):
            parts.append(f"{word} {change * factor:+.6g} {unit}")
    better = met or any(
        other.levels[name] < value
        for name, value in best.levels.items()
        if name != "development" or value - other.levels[name] >= ORDER_SPAN
    )
    return "; ".join(parts) if better else ""


def _changes(best: Solution, other: Solution) -> tuple[str, ...]:
    result = []
    for key in sorted(set(best.chosen) | set(other.chosen)):
        names = [_name(solution.chosen.get(key)) for solution in (best, other)]
        if names[0] != names[1]:
            result.append(f"{key}: {names[0]} -> {names[1]}")
    return tuple(result)


def _name(row: tuple[Slot, Card, float] | None) -> str:
    return "nothing" if row is None else row[1].id


def soft_conflict(model: Model) -> tuple[str, ...]:
    """Return an irreducible set of requirements and pins that no design meets together.

    Deletion filter from both ends; the smaller result. Dropping any one member of it leaves a
    set that some design meets. () if all can be met.
    """
    ids = sorted(id for id, row in model.requirements.items() if row.slacks)
    everything = [*ids, *(f"pins.{key}" for key in sorted(model.pins))]
    if _meets(model, everything):
        return ()
    found = [_filter(model, everything), _filter(model, everything[::-1])]
    return tuple(sorted(found[0] if len(found[0]) <= len(found[1]) else found[1]))


def hard_conflict(model: Model) -> tuple[str, ...]:
    """Return the slots that no card fits, else an irreducible set of contradicting pins."""
    empty = [s.key for s in model.slots if not s.optional and not model.options[s.key]]
    if empty:
        return tuple(f"slots.{key}" for key in empty)
    pins = [f"pins.{key}" for key in sorted(model.pins)]
    if not _meets(model, []):
        return ("catalogue.requires",)
    found = [_filter(model, pins), _filter(model, pins[::-1])]
    return tuple(sorted(found[0] if len(found[0]) <= len(found[1]) else found[1]))


def _filter(model: Model, ids: list[str]) -> list[str]:
    kept = list(ids)
    for id in ids:
        fewer = [other for other in kept if other != id]
        if not _meets(model, fewer):
            kept = fewer
    return kept


def _meets(model: Model, ids: list[str]) -> bool:
    pins = frozenset(id[5:] for id in ids if id.startswith("pins."))
    return feasible(model, frozenset(id for id in ids if not id.startswith("pins.")), pins)
