"""What the layout really takes of skins and seams, and the sums of the choice put right by it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from casemate.design.enclosure import Target
from casemate.design.layout import Layout

if TYPE_CHECKING:
    from casemate.design.choice import Choice

_SHARES = (
    ("mass_kg", "mass_kg", 1.0),
    ("unit_cost_usd", "unit_cost_usd", 1.0),
    ("install_h", "install_s", 1 / 3600),
    ("power_w", "power_w", 1.0),
    ("hold_up_power_w", "hold_up_power_w", 1.0),
)
"""Key of `totals`, attribute of a card, factor."""

_TARGETS = {"unit_cost": ("unit_cost_usd", 1.0), "install": ("install_h", 3600.0),
            "own_power": ("power_w", 1.0)}  # fmt: skip


def built_amounts(choice: Choice, layout: Layout) -> dict[str, float]:
    """Return slot key -> square metres of board or metres of seam as laid out.

    Skins count whole boards, laps included; edge strips count metres of edge, once. A seam module's
    metres are shared among its slots as the choice estimated them. Other slots are absent.
    """
    found: dict[str, float] = {}
    for key, card in choice.slots.items():
        if key.startswith("mesh_skin/") and card.per == "m^2":
            face = key.partition("/")[2]
            boards = [tile for tile in layout.tiles if tile.face == face and tile.bend is None]
            found[key] = sum(tile.width_m * tile.height_m for tile in boards)
    lengths: dict[str, float] = {}
    strips = {edge.module for edge in layout.edges}
    for edge in layout.edges:
        lengths[edge.module] = lengths.get(edge.module, 0.0) + edge.length_m
    for seam in layout.seams:
        if seam.module in strips:
            continue
        lengths[seam.module] = lengths.get(seam.module, 0.0) + seam.length_m
    for module, length in lengths.items():
        keys = [k for k, card in choice.slots.items() if card.id == module and card.per == "m"]
        planned = sum(choice.amounts[key] for key in keys)
        for key in keys:
            share = choice.amounts[key] / planned if planned > 0 else 1 / len(keys)
            found[key] = share * length
    return found


def corrected_totals(choice: Choice, built: Mapping[str, float]) -> dict[str, float]:
    """Return the choice's totals with the built amounts in place of the estimated ones."""
    totals = dict(choice.totals)
    for key, amount in built.items():
        more, card = amount - choice.amounts[key], choice.slots[key]
        for total, attribute, factor in _SHARES:
            totals[total] += more * getattr(card, attribute) * factor
    if choice.totals["hold_up_power_w"] > 0:
        share = choice.totals["hold_up_power_w"] / totals["hold_up_power_w"]
        totals["hold_up_s"] = choice.totals["hold_up_s"] * share
    return totals


def corrected_targets(targets: Iterable[Target], totals: Mapping[str, float]) -> tuple[Target, ...]:
    """Return the rows of the choice with install, cost and power as built."""
    rows = []
    for row in targets:
        if row.id in _TARGETS:
            key, factor = _TARGETS[row.id]
            found = totals[key] * factor
            row = dataclasses.replace(
                row,
                achieved=found,
                met=found <= row.required * (1 + 1e-9) + 1e-12,
                evidence=f"{row.evidence}; boards and seams as laid out",
            )
        elif row.id == "hold_up":
            found = totals["hold_up_s"]
            row = dataclasses.replace(row, achieved=found, met=found >= row.required * (1 - 1e-9))
        rows.append(row)
    return tuple(rows)


def corrected_bom(choice: Choice, built: Mapping[str, float]) -> tuple[dict[str, Any], ...]:
    """Return the bill of materials with the built amounts."""
    more: dict[str, float] = {}
    for key, amount in built.items():
        id = choice.slots[key].id
        more[id] = more.get(id, 0.0) + amount - choice.amounts[key]
    cards = {card.id: card for card in choice.slots.values()}
    rows = []
    for row in choice.bom:
        changed = dict(row)
        if row["id"] in more:
            card = cards[row["id"]]
            quantity = row["quantity"] + more[row["id"]]
            changed["quantity"] = round(quantity, 6)
            changed["cost_usd"] = round(card.unit_cost_usd * quantity, 2)
            changed["mass_kg"] = round(card.mass_kg * quantity, 6)
        rows.append(changed)
    return tuple(rows)
