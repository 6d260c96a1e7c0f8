"""Contradictions that no single value shows. Each is one SpecError with key, value and remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from casemate.core.errors import SpecError
from casemate.spec.fab import FabProfileCard, load_fab_profiles
from casemate.spec.model import CrossingSpec, Door, EnclosureSpec
from casemate.spec.problems import closest

FACE_AXES = {
    "front": (0, 2),
    "rear": (0, 2),
    "left": (1, 2),
    "right": (1, 2),
    "top": (0, 1),
    "bottom": (0, 1),
}
"""Which edges of (width, depth, height) are the width and height of a face seen from outside."""

RING_MARGIN_M = 3e-3
"""Skin that stays round an opening for its meshed ring and collar (planning value)."""

HEAT_TOLERANCE = 1.05
"""Heat may exceed the power stated by 5 %: figures of datasheets are rounded."""

PASSIVE_W_PER_M2 = 300.0
"""Heat a closed skin sheds by free convection and radiation: 10 W/(m^2 K) at 30 K rise."""

AIR_J_PER_M3_K = 1.2 * 1005
"""Density times specific heat of air at 20 C and sea level."""

AIR_RISE_MAX_K = 40.0
"""Air that leaves more than 40 K warmer than it enters serves no electronics (planning value)."""

HANDLING_M = 0.05
"""Room for hands and tools in front of a face that lifts or slides off (planning value)."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What contradicts what: dotted key, message, remedy and the value given."""

    key: str
    message: str
    remedy: str
    value: object = None


def check(spec: EnclosureSpec, file: str) -> None:
    """Raise SpecError for the first contradiction; the message counts the others."""
    found = [complaint for rule in RULES for complaint in rule(spec)]
    if not found:
        return
    first = found[0]
    message, more = first.message, len(found) - 1
    if more:
        message = f"{message[:-1]} (and {more} more {'problem' if more == 1 else 'problems'})."
    raise SpecError(message, remedy=first.remedy, file=file, key=first.key, value=first.value)


def face_size_m(size_m: tuple[float, float, float], face: str) -> tuple[float, float]:
    """Return (width, height) in metres of a face of a box seen from outside."""
    across, up = FACE_AXES[face]
    return size_m[across], size_m[up]


def fab_profile(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find a fab profile that is unknown."""
    known = load_fab_profiles()
    if spec.fab not in known:
        remedy = f"{closest(spec.fab, known)}known profiles: {', '.join(sorted(known))}."
        yield Complaint("fab", "this fab profile is unknown.", remedy, spec.fab)


def tool(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find a tool finer than the fab can resist, and a pitch too fine or too coarse."""
    profiles = load_fab_profiles()
    fab = profiles.get(spec.fab)
    if fab is None:
        return
    pattern, asked = spec.mesh.pattern, spec.targets.tool_m
    pitch = spec.mesh.pitch_m
    if pitch and pitch < fab.meander_pitch_m * (1 - 1e-9):
        yield Complaint(
            "mesh.pitch",
            f"{fab.id} cannot draw a meander this fine.",
            f"give at least {_mm(fab.meander_pitch_m)}, or leave the key out.",
            _mm(pitch),
        )
        return
    reach = fab.tool_min_m(pattern)
    if asked < reach:
        yield _tool_too_fine(profiles.values(), fab, pattern, asked)
    elif pitch and asked < fab.tool_min_m(pattern, pitch):
        yield Complaint(
            "mesh.pitch",
            f"at this pitch no tool finer than {_mm(fab.tool_min_m(pattern, pitch))} is resisted, "
            f"but targets.tool asks {_mm(asked)}.",
            "give a finer pitch, or leave the key out.",
            _mm(pitch),
        )


def _tool_too_fine(
    profiles: Iterable[FabProfileCard], fab: FabProfileCard, pattern: str, asked_m: float
) -> Complaint:
    finest = min(profiles, key=lambda each: each.tool_min_m(pattern))
    limit = finest.tool_min_m(pattern)
    if asked_m >= limit:
        return Complaint(
            "targets.tool",
            f"finer than {fab.id} can resist: {_mm(fab.tool_min_m(pattern))} with two layers.",
            f'give at least that, or set fab = "{finest.id}", which reaches {_mm(limit)}.',
            _mm(asked_m),
        )
    return Complaint(
        "targets.tool",
        "finer than any fab profile can resist: a tool passes between the open points of the "
        "finest meander.",
        f'give at least {_mm(math.ceil(limit * 1e6 - 1e-6) / 1e6)} ("{finest.id}", two layers).',
        _mm(asked_m),
    )


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
        if (each.diameter_m > 0) == (each.size_m is not None):
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


def crossing_fit(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find crossings that do not fit on their face with the ring of skin they need."""
    area: dict[str, float] = {}
    for at, each in enumerate(spec.crossings):
        width, height = face_size_m(spec.protected.size_m, each.face)
        wide, high = _footprint(each)
        if wide > width * (1 + 1e-9) or high > height * (1 + 1e-9):
            yield Complaint(
                f"crossings[{at}].{'size' if each.size_m else 'diameter'}",
                f"{each.id} needs {_mm(wide)} x {_mm(high)} with its ring of {_mm(RING_MARGIN_M)}, "
                f"but the {each.face} face is {_mm(width)} x {_mm(height)}.",
                "make the opening smaller or move it to a larger face.",
                _mm(max(wide, high) - 2 * RING_MARGIN_M),
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
                f"({_mm(width)} x {_mm(height)}).",
                f"keep the centre at least {_mm(wide / 2)} from the sides and {_mm(high / 2)} "
                "from top and bottom.",
                [_mm(value) for value in each.position_m],
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
                    [_mm(value) for value in second.position_m or ()],
                )


def doors(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find doors named twice or without room to open, and swaps through no door."""
    seen: set[str] = set()
    for at, door in enumerate(spec.service.doors):
        key = f"service.doors[{at}]"
        if door.face in seen:
            yield Complaint(
                f"{key}.face", "two doors are on this face.", "keep one of them.", door.face
            )
        seen.add(door.face)
        needed = door_room_m(spec, door)
        if door.clearance_m < needed:
            yield Complaint(
                f"{key}.clearance",
                f"this door ({door.swing}) on the {door.face} face needs {_mm(needed)} of free "
                "space to open.",
                f"give {_mm(needed)} or more, or another swing (lift needs least).",
                _mm(door.clearance_m),
            )
    for at, swap in enumerate(spec.service.swaps):
        if swap.face not in seen:
            yield Complaint(
                f"service.swaps[{at}].face",
                f"{swap.part} is swapped through the {swap.face} face, which has no door.",
                f'add a [[service.doors]] with face = "{swap.face}", or name a face with a door.',
                swap.face,
            )


def door_room_m(spec: EnclosureSpec, door: Door) -> float:
    """Return the free space in metres that a door needs: hinged along its longer edge."""
    thickness = spec.budgets.thickness_m[door.face]
    if door.swing == "hinged":
        return min(face_size_m(spec.protected.size_m, door.face)) + thickness
    return thickness + HANDLING_M


def bands(spec: EnclosureSpec) -> Iterable[Complaint]:
    """Find attenuation bands named twice or turned round."""
    seen: set[str] = set()
    for at, band in enumerate(spec.targets.attenuation):
        key = f"targets.attenuation[{at}]"
        if band.id in seen:
            yield Complaint(f"{key}.id", "two bands have this id.", "rename one.", band.id)
        seen.add(band.id)
        if band.f_min_hz >= band.f_max_hz:
            yield Complaint(
                f"{key}.f_max",
                "the band ends before it begins.",
                "give an f_max above f_min.",
                f"{band.f_max_hz:g} Hz",
            )


RULES: tuple[Callable[[EnclosureSpec], Iterable[Complaint]], ...] = (
    fab_profile,
    tool,
    crossing_shape,
    crossing_fit,
    crossing_overlap,
    doors,
    heat,
    air,
    feed,
    bands,
)
"""Every rule, in the order in which its complaints are shown."""


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


def _counts(crossings: Iterable[CrossingSpec]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in crossings:
        counts[each.kind] = counts.get(each.kind, 0) + each.count
    return counts


def _mm(length_m: float) -> str:
    return f"{length_m * 1e3:.4g} mm"
