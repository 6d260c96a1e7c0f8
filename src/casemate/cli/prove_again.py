"""One part of a case done again from nothing, and held against what case.json has."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from casemate.attacks.catalogue import MOVES
from casemate.campaigns.engines.store import Store
from casemate.case import move_document
from casemate.cli.prove_run import Proving
from casemate.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A figure done again beside what case.json has."""

    name: str
    now: Any
    then: Any

    @property
    def same(self) -> bool:
        """Return whether they are equal, to the last digit."""
        return bool(self.now == self.then)

    def told(self) -> str:
        """Return the comparison in a line."""
        if self.same:
            return f"{self.name}: {_short(self.now)}"
        return f"{self.name}: {_short(self.now)}, but case.json has {_short(self.then)}"

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        return {"name": self.name, "now": self.now, "case": self.then, "same": self.same}


def _short(value: Any) -> str:
    """Return a value, or how many there are if it is a table."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value)} rows"
    return str(value)


def again(work: Proving, part: str) -> tuple[Compared, ...]:
    """Do a part again from nothing; return its figures beside those of case.json."""
    path = work.folder / "case.json"
    if not path.exists():
        raise InputError("the folder holds no case.json.", file=str(path),
                         remedy="run `casemate prove` without --rerun first.")  # fmt: skip
    case = json.loads(path.read_text(encoding="utf-8"))
    parts = {"false-alarms": _far_again, "reaction": _reaction_again,
             "red-team": _red_again}  # fmt: skip
    if part in parts:
        return parts[part](work, case)
    moves = {move.id: move for move in MOVES}
    if part not in moves:
        raise InputError(
            f"a case has no part {part!r}.", key="--rerun",
            remedy=f"parts: {', '.join([*parts, *moves])}.",
        )  # fmt: skip
    return _move_again(work, case, part)


def _move_again(work: Proving, case: dict[str, Any], name: str) -> tuple[Compared, ...]:
    from casemate.campaigns.move_results import move_result

    work.ready  # noqa: B018  (boards are summed up before workers load them)
    with tempfile.TemporaryDirectory() as fresh, work.engine() as engine:
        store = Store(folder=Path(fresh), context=work.context)
        moves = tuple(move for move in MOVES if move.id == name)
        (trials,) = replace(work.campaign(engine, store), moves=moves).carry_out()
    targets = work.spec.targets
    result = move_result(
        trials, tool_m=targets.tool_m, pod=targets.pod, confidence=targets.pod_confidence,
        rerun="again",
    )  # fmt: skip
    now = move_document(result)
    then = next(row for row in case["moves"] if row["id"] == name)
    told = [key for key in now if key != "rerun"]
    return tuple(Compared(name=f"{name} {key}", now=now[key], then=then.get(key)) for key in told)


def _far_again(work: Proving, case: dict[str, Any]) -> tuple[Compared, ...]:
    """Causes that only one of both has differ: recordings need CASEMATE_DATA both times."""
    then = {row["cause"]: row["upper"] for row in case["far"]}
    now = {row.cause: _plain(row.upper) for row in work.false_alarms()}
    return tuple(
        Compared(name=cause, now=now.get(cause), then=then.get(cause))
        for cause in dict.fromkeys((*now, *then))
    )


def _reaction_again(work: Proving, case: dict[str, Any]) -> tuple[Compared, ...]:
    delays = work.reaction()
    now = float(np.quantile(np.array(delays), 0.99)) if delays else None
    then = next(row for row in case["targets"] if row["id"] == "reaction.cut")
    return (Compared(name="reaction.cut", now=now, then=then["achieved"]),)


def _red_again(work: Proving, case: dict[str, Any]) -> tuple[Compared, ...]:
    from casemate.campaigns.red_team import red_team_figures

    figures = red_team_figures(
        work.ready,
        seed=work.args.seed,
        rerun="again",
        learns=work.setup.learns,
        say=work.progress.step,
    )
    then = {row["id"]: row for row in case["plots"]}
    return tuple(
        Compared(
            name=f"{plot.id}: {series.name}",
            now=_plain(list(series.y)),
            then=next(
                (
                    row["y"]
                    for row in then.get(plot.id, {}).get("series", ())
                    if row["name"] == series.name
                ),
                None,
            ),
        )
        for plot in figures.plots
        for series in plot.series
    )


def _plain(value: Any) -> Any:
    """Return a value as it reads back from JSON: nan and inf are null there."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
