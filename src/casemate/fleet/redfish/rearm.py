"""Re-arming the intrusion sensor: only after a signed re-seal that stands in the evidence.

A client may write Normal; what decides is not who writes. A re-seal is, later in the enclosure's
log than what latched the sensor: the end of work under a permit that both parties signed, or a
commissioning with keys that this instance's party has enrolled. And what holds now is Normal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, select, update

from casemate.attest import permit as permits
from casemate.attest import token as tokens
from casemate.attest.claims import Boot, PermitUse
from casemate.attest.permit import Permit
from casemate.attest.token import Token
from casemate.core.errors import CasemateError, FormatError
from casemate.core.suites import SUITES
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.redfish import events, standing
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.standing import NORMAL, TAMPERING, Standing
from casemate.fleet.store.schema import REDFISH_LATCHES

_MENDS = {"re-anchor", "replace", "recommission"}
"""Actions of which a permit has one, if its end is to undo tampering."""
_CHUNK = 1000


def rearm(link: Connection, enclosure_id: int, account: str, now_s: int) -> Standing:
    """Re-arm the sensor and return how the enclosure stands then; RedfishError if it may not be.

    Where nothing is latched and all is well, there is nothing to do, and it is not an error.
    """
    now = standing.read(link, enclosure_id, now_s)
    why = refusal(link, now)
    if why:
        raise RedfishError(
            "ReArmNeedsReSeal", str(enclosure_id), why,
            status=409, about=("#/PhysicalSecurity/IntrusionSensor",),
        )  # fmt: skip
    if not now.latch:
        return now
    here = REDFISH_LATCHES.c.enclosure_id == enclosure_id
    before = link.execute(select(REDFISH_LATCHES).where(here)).one()
    link.execute(update(REDFISH_LATCHES).where(here).values(latch="", latched_s=0, entry=0))
    events.tell(link, enclosure_id, now_s, "IntrusionSensorReArmed", enclosure_id, account)
    after = standing.read(link, enclosure_id, now_s)
    events.end_if_well(link, after, before)
    return after


def refusal(link: Connection, now: Standing) -> str:
    """Return why the sensor may not be re-armed, "" if it may."""
    if now.state != "ARMED":
        return f"the evidence does not prove it armed, it is {now.state}"
    if now.severity == "alarm":
        return f"incident {now.incident} stands open with an alarm"
    if now.live != NORMAL:
        return "what holds now is not Normal"
    if now.latch and not is_resealed(link, now):
        return "no signed re-seal came after it was latched"
    return ""


def is_resealed(link: Connection, now: Standing) -> bool:
    """Return whether a signed re-seal stands in the evidence, later than what is latched.

    What mends tampering was signed after it was seen: a permit from before does not count.
    """
    known = evidence.enclosure(link, now.id)
    unit = known.reference.unit(known.serial)
    enrolled = {each.sequence for each in unit.enrolments if each.sequence > 0}
    signed: dict[bytes, Permit] = {}
    opened: set[bytes] = set()
    for number, token in _tokens(link, now.id):
        body, late = token.body, number >= now.entry
        if isinstance(body, Boot) and token.state == "COMMISSIONING":
            if late and number in enrolled:
                return True
        elif isinstance(body, PermitUse):
            if body.act == "logged" and (late or now.latch != TAMPERING):
                _keep(signed, known, number, token, body)
            elif body.act == "opened" and body.permit in signed:
                opened.add(body.permit)
            elif body.act == "closed" and late and body.permit in opened:
                mends = bool(_MENDS & set(signed[body.permit].actions))
                if mends or now.latch != TAMPERING:
                    return True
    return False


def _keep(
    signed: dict[bytes, Permit], known: Enclosure, number: int, token: Token, use: PermitUse
) -> None:
    """Keep a permit that parties of the reference values have signed as its rules ask."""
    if token.time_s is None:
        return
    try:
        allowed, _ = permits.check(
            use.signed, known.reference.parties, known.reference.rules,
            enclosure=known.name, serial=known.serial, now_s=token.time_s,
        )  # fmt: skip
        suite = SUITES[known.reference.unit(known.serial).enrolment(number).suite]
        if permits.identity(permits.encode(allowed), suite) == use.permit:
            signed[use.permit] = allowed
    except CasemateError:
        return


def _tokens(link: Connection, enclosure_id: int) -> Iterator[tuple[int, Token]]:
    """Yield all tokens of an enclosure's log with their numbers. What is none is left out."""
    first = 0
    while found := evidence.entries(link, enclosure_id, first, _CHUNK):
        yield from _read(first, found)
        first += len(found)


def _read(first: int, found: Iterable[bytes]) -> Iterator[tuple[int, Token]]:
    for at, data in enumerate(found):
        try:
            yield first + at, tokens.peek(data)[1]
        except FormatError:
            continue


def asked_value(body: dict[str, Any]) -> object:
    """Return what a PATCH of a chassis asks of its sensor; RedfishError if it asks for else.

    The sensor's value is the one thing that can be written at all.
    """
    bare = {key: value for key, value in body.items() if not key.startswith("@")}
    if not bare:
        raise RedfishError("NoOperation")
    for key in bare:
        if key != "PhysicalSecurity":
            raise RedfishError("PropertyNotWritable", key, about=(f"#/{key}",))
    part = bare["PhysicalSecurity"]
    if not isinstance(part, dict):
        raise RedfishError("PropertyValueError", "PhysicalSecurity", about=("#/PhysicalSecurity",))
    for key in part:
        if key != "IntrusionSensor":
            about = (f"#/PhysicalSecurity/{key}",)
            raise RedfishError("PropertyNotWritable", key, about=about)
    if "IntrusionSensor" not in part:
        raise RedfishError("NoOperation")
    return part["IntrusionSensor"]
