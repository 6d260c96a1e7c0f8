"""Power, heat and air that do not add up."""

from __future__ import annotations

from collections.abc import Iterable

from casemate.spec.complaint import Complaint
from casemate.spec.model import CrossingSpec, EnclosureSpec

HEAT_TOLERANCE = 1.05
"""Heat may exceed the power stated by 5 %: figures of datasheets are rounded."""

PASSIVE_W_PER_M2 = 300.0
"""Heat a closed skin sheds by free convection and radiation: 10 W/(m^2 K) at 30 K rise."""

AIR_J_PER_M3_K = 1.2 * 1005
"""Density times specific heat of air at 20 C and sea level."""

AIR_RISE_MAX_K = 40.0
"""Air that leaves more than 40 K warmer than it enters serves no electronics (planning value)."""


def heat(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find heat that exceeds the power or has no way out, and power that has no way in."""
    protected, kinds = spec.protected, _counts(spec.crossings)
    total = protected.heat_to_air_w + protected.heat_to_liquid_w
    if total > protected.power_w * HEAT_TOLERANCE:
        yield Complaint(
            "protected.heat_to_air",
            f"heat to air and liquid is {total:g} W, but the power is only "
            f"{protected.power_w:g} W.",
            "raise protected.power or lower the heat; all heat comes from power.",
            f"{protected.heat_to_air_w:g} W",
        )
    if protected.heat_to_liquid_w > 0 and kinds.get("liquid", 0) < 2:
        yield Complaint(
            "protected.heat_to_liquid",
            "heat goes to a liquid, but fewer than two liquid lines cross the boundary.",
            'add a [[crossings]] with kind = "liquid" and count = 2 (supply and return).',
            f"{protected.heat_to_liquid_w:g} W",
        )
    if protected.power_w > 0 and not kinds.get("power") and not kinds.get("copper"):
        yield Complaint(
            "protected.power",
            "power is drawn, but no power or copper line crosses the boundary.",
            'add a [[crossings]] with kind = "power" (or "copper" for power over Ethernet).',
            f"{protected.power_w:g} W",
        )
    width, depth, height = protected.size_m
    passive = PASSIVE_W_PER_M2 * 2 * (width * depth + depth * height + width * height)
    if not kinds.get("air") and protected.heat_to_air_w > passive:
        yield Complaint(
            "protected.heat_to_air",
            f"a closed skin of this size sheds about {passive:.3g} W, and no air crosses it.",
            'add [[crossings]] with kind = "air" on two faces, or lower the heat.',
            f"{protected.heat_to_air_w:g} W",
        )


def air(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find air that cannot come in and leave, or is too little for its heat."""
    vents = [(at, each) for at, each in enumerate(spec.crossings) if each.kind == "air"]
    if not vents:
        return
    for at, vent in vents:
        if vent.flow_m3_s <= 0:
            yield Complaint(
                f"crossings[{at}].flow",
                "an air crossing needs a flow.",
                'add flow = "0.98 m^3/s" (what passes this opening).',
            )
    if sum(vent.count for _, vent in vents) < 2:
        yield Complaint(
            f"crossings[{vents[0][0]}]",
            "air that enters must leave, but there is only one air opening.",
            'add a second [[crossings]] with kind = "air".',
        )
    through = sum(vent.flow_m3_s * (1 if vent.size_m else vent.count) for _, vent in vents) / 2
    rise = spec.protected.heat_to_air_w / (AIR_J_PER_M3_K * through) if through else 0.0
    if rise > AIR_RISE_MAX_K:
        needed = spec.protected.heat_to_air_w / (AIR_J_PER_M3_K * AIR_RISE_MAX_K)
        yield Complaint(
            f"crossings[{vents[0][0]}].flow",
            f"this air would leave {rise:.0f} K warmer than it enters.",
            f"let at least {needed:.3g} m^3/s through, or lower protected.heat_to_air.",
            f"{vents[0][1].flow_m3_s:g} m^3/s",
        )


def feed(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find feeds whose current and voltage do not carry the power."""
    feeds = [each for each in spec.crossings if each.current_a and each.voltage_v]
    others = [
        each
        for each in spec.crossings
        if each.kind in ("power", "copper") and not (each.current_a and each.voltage_v)
    ]
    carried = sum(each.current_a * each.voltage_v * each.count for each in feeds)
    if feeds and not others and carried * HEAT_TOLERANCE < spec.protected.power_w:
        at = spec.crossings.index(feeds[0])
        yield Complaint(
            f"crossings[{at}].current",
            f"the feeds carry {carried:.4g} W, but {spec.protected.power_w:.4g} W are drawn.",
            "raise current, voltage or count, or lower protected.power.",
            f"{feeds[0].current_a:g} A",
        )


def _counts(crossings: Iterable[CrossingSpec]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in crossings:
        counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts
