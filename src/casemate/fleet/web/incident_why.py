"""What an incident means: its place, causes with evidence, capacity, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from casemate.fleet.access.people import Person
from casemate.fleet.access.roles import may
from casemate.fleet.alarms import incidents
from casemate.fleet.alarms.decisions import Incident, Shown
from casemate.fleet.alarms.incidents import WHOLE
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.appraisal.shown import shown_state
from casemate.fleet.drawing import scene
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS
from casemate.fleet.story import causes
from casemate.fleet.story.told import Event
from casemate.fleet.web.scene_part import place_events

CAPACITY = {"nvl72": (72, "GPUs"), "camera": (1, "cameras"), "dpa": (1, "sensors")}
"""What an enclosure of each kind holds: a GB200 NVL72 has 72 GPUs."""
_NEAR = 2
"""Tokens before and after a trigger in which events are looked for (planning value)."""
PROVEN = ("ARMED", "MAINTENANCE")


def of(
    link: Connection, known: Enclosure, shown: Shown, told: tuple[Event, ...], person: Person,
    design: Mapping[str, Any] | None, now_s: int,
) -> dict[str, Any]:  # fmt: skip
    """Return what the alarm story says beside the triggers. design: None if none is known."""
    found = shown.incident
    near = near_events(found, told)
    site = _site(link, known, now_s)
    alike = site["same"] if site["same"] > 1 else 0
    same = f"{alike} of {site['all']} enclosures of {known.site} are UNKNOWN or stale too"
    ranked = causes.rank(found.triggers, near, same if alike else "")
    return {
        "place": _place(design, near),
        "causes": [
            {"text": each.cause.text, "hostile": each.cause.hostile, "severity": each.severity,
             "speaks": list(each.speaks)}
            for each in ranked
        ],
        "runbook": list(ranked[0].cause.runbook) if ranked else [],
        "capacity": _capacity(link, known, now_s),
        "for_you": next_step(found, shown.seen, person),
    }  # fmt: skip


def next_step(found: Incident, seen: str, person: Person) -> str:
    """Return what a person can do next, by role and by what others did. seen: digest of all."""
    if found.disposed_s is not None:
        return "Nothing: it was disposed of. What holds now is said above."
    if may(person.role, "acknowledge") and found.acknowledged_by is None:
        return "Acknowledge it, so that others know that somebody looks into it."
    last = next((each for each in reversed(found.acts) if each.act == "propose"), None)
    stands = last is not None and last.seen == seen
    two = incidents.needs_two(found.severity)
    if two and last is not None and stands:
        if may(person.role, "confirm") and person.party != last.party:
            return f"Confirm what {last.person} of {last.party} proposed, or propose otherwise."
        return f"Wait for a person of another party than {last.party} to confirm the proposal."
    if may(person.role, "propose") and (two or person.role in incidents.INSPECTING):
        return "Find the cause by the runbook, then propose a disposition with its reason."
    if person.role == "host-operator":
        return "Carry out the runbook, and tell the inspector what you found."
    return "Read on: your role decides nothing here."


def near_events(found: Incident, told: tuple[Event, ...]) -> tuple[Event, ...]:
    """Return the events near the triggers' tokens; near the end, for a trigger about the whole."""
    end = told[-1].number if told else 0
    places = {end if each.token == WHOLE else each.token for each in found.triggers}
    near = {at + off for at in places for off in range(-_NEAR, _NEAR + 1)}
    return tuple(each for each in told if each.number in near)


def _place(design: Mapping[str, Any] | None, near: tuple[Event, ...]) -> dict[str, Any]:
    """Return the tiles that the enclosure's own words name, and these words."""
    said = [each.text for each in place_events(near)]
    tiles: list[str] = []
    if design is not None:
        marked = scene.marks(design, said=said)
        tiles = [name for name, mark in marked.items() if mark == "event"]
    return {"said": said, "tiles": tiles, "drawn": design is not None}


def _site(link: Connection, known: Enclosure, now_s: int) -> dict[str, int]:
    shown = shown_state(now_s)
    here = (ENCLOSURES.c.site == known.site) & (ENCLOSURES.c.id != known.id)
    asked = select(shown, func.count()).select_from(ENCLOSURES.outerjoin(VERDICTS))
    rows = {str(row[0]): int(row[1]) for row in link.execute(asked.where(here).group_by(shown))}
    return {"same": rows.get("UNKNOWN", 0), "all": sum(rows.values())}


def _capacity(link: Connection, known: Enclosure, now_s: int) -> dict[str, Any]:
    """Return how much of this kind is proven now, at the site and in the fleet."""
    each, unit = CAPACITY.get(known.kind, (1, "enclosures"))
    shown = shown_state(now_s)
    out: dict[str, Any] = {"each": each, "unit": unit, "kind": known.kind}
    for name, here in (("site", ENCLOSURES.c.site == known.site), ("fleet", None)):
        asked = select(shown, func.count()).select_from(ENCLOSURES.outerjoin(VERDICTS))
        asked = asked.where(ENCLOSURES.c.kind == known.kind).group_by(shown)
        rows = link.execute(asked if here is None else asked.where(here)).all()
        count = {str(row[0]): int(row[1]) for row in rows}
        well = sum(count.get(state, 0) for state in PROVEN)
        out[name] = {"proven": each * well, "all": each * sum(count.values())}
    return out
