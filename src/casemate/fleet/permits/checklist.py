"""What stands in the way of an enclosure that is to be armed, and why. Pure.

The controller decides by itself, on the machine; this is what its evidence lets others see of that.
What the evidence does not say is UNKNOWN here, and stands in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemate.attest.token import Token
from casemate.fleet.story.told import Event
from casemate.verify.result import Result

HOWS = ("met", "blocks", "unknown")
_STALE = ("log.absent", "log.cosignatures", "time.stale", "time.ahead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. how: one of HOWS. why: what was seen. remedy: what to do, "" if it is met."""

    id: str
    text: str
    how: str
    why: str
    remedy: str = ""


def before_arming(
    result: Result, told: Sequence[Event], last: Token | None, forks: Sequence[int]
) -> tuple[Check, ...]:
    """Return the checks before an enclosure is armed, in the order in which to see to them."""
    return (
        _fresh(result), _whole(result, forks), _latch(result), _permit(told), _put_in(told),
        _watched(told), _healthy(last), _quiet(last),
    )  # fmt: skip


def blocking(checks: Sequence[Check]) -> int:
    """Return how many checks stand in the way: what is not known does too."""
    return sum(each.how != "met" for each in checks)


def _fresh(result: Result) -> Check:
    text = "Witnesses have seen its evidence lately"
    wrong = [each for each in result.findings if each.id in _STALE]
    if wrong:
        return Check(id="fresh", text=text, how="blocks", why=wrong[0].what, remedy=wrong[0].remedy)
    if result.seen_s is None:
        return Check(id="fresh", text=text, how="unknown", why="nothing has come yet",
                     remedy="have the controller bring its evidence.")  # fmt: skip
    return Check(id="fresh", text=text, how="met", why=f"{result.proven} tokens are witnessed")


def _whole(result: Result, forks: Sequence[int]) -> Check:
    text = "Its evidence holds"
    wrong = [each for each in result.findings
             if each.severity == "alarm" and each.id != "state.tampered"]  # fmt: skip
    if forks or wrong:
        why = wrong[0].what if wrong else "two signed tokens claim one place in its log"
        remedy = wrong[0].remedy if wrong else "have the enclosure inspected."
        return Check(id="whole", text=text, how="blocks", why=why, remedy=remedy)
    return Check(id="whole", text=text, how="met", why="the appraisal has no alarm about it")


def _latch(result: Result) -> Check:
    text = "It is not TAMPERED"
    if result.state == "TAMPERED":
        return Check(id="latch", text=text, how="blocks", why=result.headline,
                     remedy="inspect it; both parties commission it anew.")  # fmt: skip
    unknown = next((each for each in result.findings if each.id == "state.unknown"), None)
    if unknown is not None or not result.tokens:
        why = unknown.what if unknown is not None else "nothing has come yet"
        return Check(id="latch", text=text, how="unknown", why=why,
                     remedy="have the controller bring its evidence; find why it is UNKNOWN.",
        )  # fmt: skip
    return Check(id="latch", text=text, how="met", why=f"it stands at {result.state}")


def open_permit(told: Sequence[Event]) -> Event | None:
    """Return the event by which the permit in use was opened; None if none is in use."""
    found: Event | None = None
    for each in told:
        if each.kind == "start" or each.act in ("closed", "expired"):
            found = None
        elif each.kind == "permit" and each.act == "opened":
            found = each
    return found


def _permit(told: Sequence[Event]) -> Check:
    text = "Work under a permit has ended"
    found = open_permit(told)
    if found is not None:
        return Check(
            id="permit", text=text, how="blocks",
            why=f"permit {found.permit[:16]} is in use since token {found.number}",
            remedy="end the work: `casemate permit close`, signed by a party.",
        )  # fmt: skip
    return Check(id="permit", text=text, how="met", why="no permit is in use")


def _put_in(told: Sequence[Event]) -> Check:
    text = "What was put in is signed by both parties"
    begun = open_permit(told)
    if begun is None or not begun.place:
        return Check(id="put-in", text=text, how="met", why="no module is being replaced")
    anew = [each for each in told if each.number > begun.number and each.act == "re-anchored"]
    if anew:
        return Check(
            id="put-in", text=text, how="met", why=f"re-anchored at token {anew[-1].number}"
        )
    return Check(
        id="put-in", text=text, how="unknown",
        why=f"work at {begun.place} goes on, and nothing was re-anchored since",
        remedy="if a module was put in, both parties sign it: `casemate permit re-anchor`.",
    )  # fmt: skip


def _watched(told: Sequence[Event]) -> Check:
    text = "Every place is watched"
    start = next((each for each in reversed(told) if each.kind == "start"), None)
    if start is None:
        return Check(id="watched", text=text, how="unknown", why="no start is in its evidence",
                     remedy="have the controller bring its evidence.")  # fmt: skip
    if start.unwatched:
        return Check(
            id="watched", text=text, how="blocks",
            why=f"nothing watches {', '.join(start.unwatched)}",
            remedy="fit the modules that watch there, or accept it in reference values.",
        )  # fmt: skip
    return Check(id="watched", text=text, how="met", why=f"said at start, token {start.number}")


def _healthy(last: Token | None) -> Check:
    text = "Every channel is without a fault"
    health = last.health if last is not None else None
    if health is None:
        return Check(id="healthy", text=text, how="unknown", why="no token since its start says",
                     remedy="wait for heartbeats.")  # fmt: skip
    why = f"{health.healthy} of {health.channels} channels are"
    if health.healthy < health.channels or not health.channels:
        return Check(id="healthy", text=text, how="blocks", why=why,
                     remedy="see to the readers whose channels have faults.")  # fmt: skip
    return Check(id="healthy", text=text, how="met", why=why)


def _quiet(last: Token | None) -> Check:
    text = "Detection is not disturbed"
    verdict = last.verdict if last is not None else None
    if verdict is None:
        return Check(id="quiet", text=text, how="unknown", why="no token since its start says",
                     remedy="wait for heartbeats.")  # fmt: skip
    if verdict.verdict != "NORMAL":
        why = f"the last verdict is {verdict.verdict}"
        return Check(id="quiet", text=text, how="blocks", why=why,
                     remedy="find what disturbs it, or move the work away from it.")  # fmt: skip
    return Check(id="quiet", text=text, how="met", why="the last verdict is NORMAL")
