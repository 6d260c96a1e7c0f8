"""Contradictions that no single value shows. Each is one SpecError with key, value and remedy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from casemate.core.errors import SpecError
from casemate.spec.check_crossings import crossing_fit, crossing_overlap, crossing_shape
from casemate.spec.check_energy import air, feed, heat
from casemate.spec.complaint import Complaint, face_size_m, mm
from casemate.spec.fab import FabProfileCard, load_fab_profiles
from casemate.spec.model import Door, EnclosureSpec
from casemate.spec.problems import closest

HANDLING_M = 0.05
"""Room for hands and tools in front of a face that lifts or slides off (planning value)."""


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
            f"give at least {mm(fab.meander_pitch_m)}, or leave the key out.",
            mm(pitch),
        )
        return
    reach = fab.tool_min_m(pattern)
    if asked < reach:
        yield _tool_too_fine(profiles.values(), fab, pattern, asked)
    elif pitch and asked < fab.tool_min_m(pattern, pitch):
        yield Complaint(
            "mesh.pitch",
            f"at this pitch no tool finer than {mm(fab.tool_min_m(pattern, pitch))} is resisted, "
            f"but targets.tool asks {mm(asked)}.",
            "give a finer pitch, or leave the key out.",
            mm(pitch),
        )


def _tool_too_fine(
    profiles: Iterable[FabProfileCard], fab: FabProfileCard, pattern: str, asked_m: float
) -> Complaint:
    finest = min(profiles, key=lambda each: each.tool_min_m(pattern))
    limit = finest.tool_min_m(pattern)
    if asked_m >= limit:
        return Complaint(
            "targets.tool",
            f"finer than {fab.id} can resist: {mm(fab.tool_min_m(pattern))} with two layers.",
            f'give at least that, or set fab = "{finest.id}", which reaches {mm(limit)}.',
            mm(asked_m),
        )
    return Complaint(
        "targets.tool",
        "finer than any fab profile can resist: a tool passes between the open points of the "
        "finest meander.",
        f'give at least {mm(math.ceil(limit * 1e6 - 1e-6) / 1e6)} ("{finest.id}", two layers).',
        mm(asked_m),
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
                f"this door ({door.swing}) on the {door.face} face needs {mm(needed)} of free "
                "space to open.",
                f"give {mm(needed)} or more, or another swing (lift needs least).",
                mm(door.clearance_m),
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
