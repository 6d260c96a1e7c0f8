"""Crossings that are malformed or do not fit on their face."""

from __future__ import annotations

import math
from collections.abc import Iterable

from casemate.spec.complaint import Complaint, face_size_m, mm
from casemate.spec.model import CrossingSpec, EnclosureSpec

RING_MARGIN_M = 3e-3
"""Skin that stays round an opening for its meshed ring and collar (planning value)."""


def crossing_shape(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find crossings named twice, without extent, with two, or with keys of another kind."""
    seen: set[str] = set()
    for at, each in enumerate(spec.crossings):
        key = f"crossings[{at}]"
        if each.id in seen:
            yield Complaint(
                f"{key}.id", "two crossings have this id.", "give each its own id.", each.id
            )
        seen.add(each.id)
        open_vent = each.kind == "air" and not each.diameter_m and each.size_m is None
        if not open_vent and (each.diameter_m > 0) == (each.size_m is not None):
            yield Complaint(
                key,
                "give either a diameter or a size.",
                'write diameter = "50 mm" or size = ["100 mm", "40 mm"], not both.',
                each.id,
            )
        if each.kind != "air" and (
            each.flow_m3_s or each.pressure_drop_max_pa or each.inlet_rise_max_k
        ):
            yield Complaint(
                key,
                "flow, pressure_drop_max and inlet_rise_max belong to air.",
                'take them away, or set kind = "air".',
                each.kind,
            )
        if each.kind not in ("power", "copper") and (each.current_a or each.voltage_v):
            yield Complaint(
                key,
                "current and voltage belong to power and copper.",
                'take them away, or set kind = "power".',
                each.kind,
            )
        if each.position_m and each.count > 1 and each.size_m is None:
            yield Complaint(
                f"{key}.position",
                "a position is that of one opening, but this crossing has more.",
                "give each line its own [[crossings]], or leave the position to the layout.",
                each.count,
            )


def crossing_fit(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find crossings that do not fit on their face with the ring of skin they need."""
    area: dict[str, float] = {}
    for at, each in enumerate(spec.crossings):
        width, height = face_size_m(spec.protected.size_m, each.face)
        wide, high = _footprint(each)
        if not each.diameter_m and each.size_m is None:
            continue  # a vent that takes what the other crossings leave
        if wide > width * (1 + 1e-9) or high > height * (1 + 1e-9):
            yield Complaint(
                f"crossings[{at}].{'size' if each.size_m else 'diameter'}",
                f"{each.id} needs {mm(wide)} x {mm(high)} with its ring of {mm(RING_MARGIN_M)}, "
                f"but the {each.face} face is {mm(width)} x {mm(height)}.",
                "make the opening smaller or move it to a larger face.",
                mm(max(wide, high) - 2 * RING_MARGIN_M),
            )
            continue
        round_one = each.size_m is None
        one = wide * high * (math.pi / 4 if round_one else 1.0)
        area[each.face] = area.get(each.face, 0.0) + one * (each.count if round_one else 1)
        if area[each.face] > width * height:
            yield Complaint(
                f"crossings[{at}]",
                f"the crossings of the {each.face} face need {area[each.face] * 1e4:.4g} cm^2 with "
                f"their rings, but the face has {width * height * 1e4:.4g} cm^2.",
                "make them smaller, bundle lines in one opening (size), or use another face.",
                each.id,
            )
        if each.position_m and not _inside(each, width, height):
            yield Complaint(
                f"crossings[{at}].position",
                f"with its ring {each.id} reaches over the edge of the {each.face} face "
                f"({mm(width)} x {mm(height)}).",
                f"keep the centre at least {mm(wide / 2)} from the sides and {mm(high / 2)} "
                "from top and bottom.",
                [mm(value) for value in each.position_m],
            )


def crossing_overlap(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find two crossings with given positions whose rings overlap."""
    placed = [(at, each) for at, each in enumerate(spec.crossings) if each.position_m]
    for index, (_, first) in enumerate(placed):
        for at, second in placed[index + 1 :]:
            if first.face == second.face and _overlap(first, second):
                yield Complaint(
                    f"crossings[{at}].position",
                    f"with their rings {second.id} and {first.id} overlap.",
                    "move one of them, or leave its position to the layout.",
                    [mm(value) for value in second.position_m or ()],
                )


def _footprint(each: CrossingSpec) -> tuple[float, float]:
    wide, high = each.size_m or (each.diameter_m, each.diameter_m)
    return wide + 2 * RING_MARGIN_M, high + 2 * RING_MARGIN_M


def _inside(each: CrossingSpec, width: float, height: float) -> bool:
    x, y = each.position_m or (0.0, 0.0)
    wide, high = _footprint(each)
    slack = 1e-9
    return (
        wide / 2 - slack <= x <= width - wide / 2 + slack
        and high / 2 - slack <= y <= height - high / 2 + slack
    )


def _overlap(first: CrossingSpec, second: CrossingSpec) -> bool:
    (x1, y1), (x2, y2) = first.position_m or (0.0, 0.0), second.position_m or (0.0, 0.0)
    (w1, h1), (w2, h2) = _footprint(first), _footprint(second)
    if first.size_m is None and second.size_m is None:
        return math.hypot(x1 - x2, y1 - y2) < (w1 + w2) / 2 - 1e-9
    return abs(x1 - x2) < (w1 + w2) / 2 - 1e-9 and abs(y1 - y2) < (h1 + h2) / 2 - 1e-9
