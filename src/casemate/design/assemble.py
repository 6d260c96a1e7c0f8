"""Choice, layout, shielding and air joined into one Enclosure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from casemate.design import air
from casemate.design.amounts import (
    built_amounts,
    corrected_bom,
    corrected_targets,
    corrected_totals,
)
from casemate.design.attenuation import ShieldingResult, shielding_of
from casemate.design.crossings import open_area
from casemate.design.enclosure import CrossingDesign, Doubt, Enclosure, Target
from casemate.design.layout import Layout, lay_out
from casemate.design.plan import plan_doubts, plan_of
from casemate.spec.model import CrossingSpec, EnclosureSpec

if TYPE_CHECKING:
    from casemate.design.choice import Choice
    from casemate.modules.model import Catalogue

SEVERITIES = ("error", "critical", "high", "medium", "low")
"""Doubts are listed in this order; "error" is a finding that the design cannot mend."""


def design_enclosure(
    spec: EnclosureSpec,
    *,
    serial: str,
    catalogue: Catalogue | None = None,
    explained: bool = True,
) -> Enclosure:
    """Return the whole design of a spec. serial: of the unit; catalogue: None for the shipped one.

    explained: say why each module and what else there is, for design.json and the report. The rest
    does not depend on it, and takes a fortieth of the time (dpa: 0.12 of 5.5 s).

    DesignError if no design exists or a crossing does not fit. A design that misses a target is
    returned, with that target unmet.
    """
    from casemate.design.choice import choose
    from casemate.modules import load_catalogue

    known = catalogue if catalogue is not None else load_catalogue()
    choice = choose(spec, known, alternatives=explained)
    return assemble(spec, choice, serial=serial)


def assemble(spec: EnclosureSpec, choice: Choice, *, serial: str) -> Enclosure:
    """Return the Enclosure of a choice of modules."""
    layout = lay_out(plan_of(spec, choice))
    shielding = shielding_of(spec, layout, choice.slots)
    air_result, air_targets, air_doubts = air_of(spec, layout, choice)
    built = built_amounts(choice, layout)
    totals = corrected_totals(choice, built)
    doubts = (*choice.doubts, *plan_doubts(choice), *shielding.doubts, *air_doubts)
    return Enclosure(
        name=spec.name,
        serial=serial,
        spec_digest=spec.digest,
        size_m=layout.size_m,
        modules=choice.modules,
        faces=layout.faces,
        panels=layout.panels,
        tiles=layout.tiles,
        seams=layout.seams,
        edges=layout.edges,
        crossings=tuple(_with_attenuation(row, shielding, spec) for row in layout.crossings),
        targets=(*corrected_targets(choice.targets, totals), *shielding.targets, *air_targets),
        doubts=tuple(sorted(doubts, key=_severity)),
        alternatives=choice.alternatives,
        totals=_totals(totals, layout),
        shielding=shielding.shielding,
        air=air_result,
        bom=corrected_bom(choice, built),
    )


def air_of(
    spec: EnclosureSpec, layout: Layout, choice: Choice
) -> tuple[dict[str, Any], tuple[Target, ...], tuple[Doubt, ...]]:
    """Return pressure drop and temperature of every vent, or the rise of a closed skin."""
    vents = [item for item in spec.crossings if item.kind == "air"]
    if not vents:
        return _closed(spec, layout)
    rows, targets, doubts = [], [], []
    for item in vents:
        row = _vent(item, spec, layout, choice)
        rows.append(row)
        if item.pressure_drop_max_pa > 0:
            targets.append(
                _target(f"pressure_drop.{item.id}", row["limit_pa"], row["pressure_drop_pa"], "Pa")
            )
        if item.inlet_rise_max_k > 0:
            targets.append(
                _target(f"inlet_rise.{item.id}", row["limit_k"], row["inlet_rise_k"], "K")
            )
    doubts.append(
        Doubt(
            id="air.fans",
            claim="the temperature rise of the vents",
            why=f"the fans are taken as fixed, with {air.FAN_STALL_PA:.0f} Pa at no flow; their"
            " curve was not measured, nor was recirculation in the room",
            closes_with="the fans' curve and a flow test with the vents fitted",
            severity="medium",
        )
    )
    worst = max(rows, key=lambda row: float(row["pressure_drop_pa"]))
    result = {key: value for key, value in worst.items() if key not in ("id", "cell_m", "wall_m")}
    result["inlet_rise_k"] = max(row["inlet_rise_k"] for row in rows)
    return {**result, "vents": rows}, tuple(targets), tuple(doubts)


def _vent(
    item: CrossingSpec, spec: EnclosureSpec, layout: Layout, choice: Choice
) -> dict[str, Any]:
    card = choice.slots[f"vent/{item.id}"]
    given = card.parameters
    vent = air.Vent(
        cell_m=given["cell_m"],
        depth_m=given["depth_m"],
        open_share=given["open_share"],
        lamella_open_share=given.get("lamella_open_share", 1.0),
    )
    area = open_area(layout.openings[item.face], item.id)
    drop = air.vent_pa(item.flow_m3_s, area, vent)
    heat = spec.protected.heat_to_air_w
    rise = air.inlet_rise_k(drop, heat, item.flow_m3_s) if item.flow_m3_s > 0 else 0.0
    return {
        "id": item.id,
        "module": card.id,
        "flow_m3_s": item.flow_m3_s,
        "area_m2": area,
        "pressure_drop_pa": drop,
        "limit_pa": item.pressure_drop_max_pa,
        "inlet_rise_k": rise,
        "limit_k": item.inlet_rise_max_k,
        "cell_m": vent.cell_m,
        "wall_m": given.get("wall_m", 0.0),
        "method": "honeycomb: developing laminar flow, lamella: sharp-edged grille"
        " (reference/cad_em.md 5); rise: fixed fans lose flow, dT (Q0/Q1 - 1),"
        " Q1/Q0 = sqrt(a/(a + dp))",
    }


def _closed(
    spec: EnclosureSpec, layout: Layout
) -> tuple[dict[str, Any], tuple[Target, ...], tuple[Doubt, ...]]:
    area = sum(face.width_m * face.height_m for face in layout.faces)
    heat = spec.protected.heat_to_air_w
    rise = air.skin_rise_k(heat, area)
    result = {
        "flow_m3_s": 0.0,
        "pressure_drop_pa": 0.0,
        "skin_rise_k": rise,
        "skin_area_m2": area,
        "method": "closed box: natural convection and radiation, 3.9 W/m^2K over its outside"
        " (reference/cad_em.md 5)",
    }
    if heat <= 0:
        return result, (), ()
    doubt = Doubt(
        id="air.closed",
        claim=f"{heat:.1f} W leave through the closed skin",
        why=f"that takes a skin {rise:.0f} K above the room by the rack's figure; it was not"
        " measured on this box, and mounting conducts heat away too",
        closes_with="a thermal test, or a conducting mount",
        severity="high" if rise > 30 else "medium",
    )
    return result, (), (doubt,)


def _target(id: str, limit: float, found: float, unit: str) -> Target:
    return Target(
        id=id,
        required=limit,
        achieved=found,
        unit=unit,
        met=found <= limit * (1 + 1e-9),
        evidence="formula of reference/cad_em.md 5, areas as laid out; no measurement",
        sense="max",
    )


def _with_attenuation(
    row: CrossingDesign, shielding: ShieldingResult, spec: EnclosureSpec
) -> CrossingDesign:
    for item in spec.crossings:
        if row.id == item.id or row.id.startswith(f"{item.id}-"):
            found = shielding.by_path.get(f"{item.kind}.{item.id}", {})
            return dataclasses.replace(row, attenuation_db=dict(found))
    return row


def _totals(totals: dict[str, float], layout: Layout) -> dict[str, float]:
    boards = sum(tile.width_m * tile.height_m for tile in layout.tiles)
    return {
        **totals,
        "boards": float(len(layout.tiles)),
        "board_area_m2": boards,
        "seam_length_m": seam_length(layout),
    }


def seam_length(layout: Layout) -> float:
    """Return metres of strip, lap and door gasket; the two legs of a strip count once."""
    strips = {edge.module for edge in layout.edges}
    others = sum(seam.length_m for seam in layout.seams if seam.module not in strips)
    return others + sum(edge.length_m for edge in layout.edges)


def _severity(doubt: Doubt) -> tuple[int, str]:
    known = doubt.severity in SEVERITIES
    return (SEVERITIES.index(doubt.severity) if known else len(SEVERITIES), doubt.id)
