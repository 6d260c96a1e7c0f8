"""Incidents: what findings ask of people, and what people did about it. Pure; time is passed.

Latch, live value and acknowledgement are three things. What was found stays found (the evidence has
it for good); whether it holds now is said beside it; that somebody has seen it changes neither.
A disposition closes an incident for what stood in it, and for nothing that comes later.

However many findings come, there is one open incident an enclosure: a flood is one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from casemate.core.canonical import digest as canonical_digest
from casemate.fleet.access.people import Person, alike
from casemate.fleet.errors import ConflictError, NotAllowedError, RefusedError
from casemate.verify.findings import KINDS, SEVERITIES, Finding
from casemate.verify.result import Result

OUTCOMES = ("explained", "unresolved", "referred")
"""What a disposition can say: a cause was found, none was, or the adjudicator takes it."""
INSPECTING = ("inspector", "adjudicator")
"""Roles of which one has a part in each disposition."""
WHOLE = -1
"""Stands for the token of a finding about the whole."""
FORKED = "intake.fork"
"""The finding of the fleet itself: two tokens of the enclosure claim one place."""
_QUIET = ("state.commissioning", "log.awaiting")
"""Findings that ask nobody for anything: an enclosure that has not been armed yet says so."""
_MOST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A finding in an incident. at_s: when, by the evidence. first_s, last_s: seen here. live: now.

    times: how often it was found, in all.
    """

    finding: str
    token: int
    severity: str
    what: str
    remedy: str
    at_s: int | None
    first_s: int
    last_s: int
    times: int
    live: bool

    @property
    def key(self) -> tuple[str, int]:
        """Return what tells it from others of its enclosure."""
        return self.finding, self.token


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an appraisal changes: triggers that are new or worse, and others that have changed."""

    new: tuple[Trigger, ...]
    changed: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an appraisal found: the next one need look only at what is not the same any more.

    findings: by identity, for the verifier makes a finding anew where it has changed.
    """

    findings: Mapping[int, Finding]
    quiet: tuple[str, ...]
    forks: tuple[int, ...]


def seen_of(result: Result, forks: Sequence[int], allowed_s: int) -> Seen:
    """Return what an appraisal found."""
    found = {id(each): each for each in result.findings}
    return Seen(findings=found, quiet=_quiet(result, allowed_s), forks=tuple(forks))


def touched(now: Seen, before: Seen) -> set[tuple[str, int]] | None:
    """Return the keys of triggers that may differ from those before; None: look at all.

    What is about the whole is always looked at.
    """
    if now.quiet != before.quiet or now.forks != before.forks:
        return None
    odd = [each for key, each in now.findings.items() if key not in before.findings]
    odd += [each for key, each in before.findings.items() if key not in now.findings]
    odd += [each for each in now.findings.values() if each.token is None]
    return {(each.id, WHOLE if each.token is None else each.token) for each in odd}


def _quiet(result: Result, allowed_s: int) -> tuple[str, ...]:
    begun_s = result.intervals[0].start_s if result.intervals else result.now_s
    proven = any(each.kind in ("proven", "maintenance") for each in result.intervals)
    begins = not proven and result.now_s - begun_s <= allowed_s
    return (*_QUIET, "state.unknown", "log.cosignatures") if begins else _QUIET


def findings_of(
    result: Result, forks: Sequence[int], allowed_s: int,
    only: Collection[tuple[str, int]] | None = None,
) -> tuple[Trigger, ...]:  # fmt: skip
    """Return the findings that ask people for something, worst first.

    allowed_s: for which it may be silent. As long, one that has just begun may have proven nothing.
    only: keys of those that are asked for; all without it.
    """
    quiet = _quiet(result, allowed_s)
    asked: Iterable[Finding] = result.findings
    if only is not None:
        asked = [
            each for each in asked if (each.id, WHOLE if each.token is None else each.token) in only
        ]
        forks = [each for each in forks if (FORKED, each) in only]
    found = [
        Trigger(
            finding=each.id,
            token=WHOLE if each.token is None else each.token,
            severity=each.severity,
            what=each.what[:_MOST_TEXT],
            remedy=each.remedy,
            at_s=each.at_s,
            first_s=result.now_s,
            last_s=result.now_s,
            times=max(each.times, 1),
            live=True,
        )
        for each in asked
        if each.severity != "note" and each.id not in quiet
    ]
    forked = [
        Trigger(
            finding=FORKED, token=number, severity="alarm", at_s=None, first_s=result.now_s,
            last_s=result.now_s, times=1, live=True,
            what="two tokens that the enclosure's keys signed claim the same place in its log",
            remedy="keep all files and have the enclosure inspected: its state was copied.",
        )
        for number in forks
    ]  # fmt: skip
    return (*forked, *_one_each(found))


def _one_each(found: Iterable[Trigger]) -> tuple[Trigger, ...]:
    """Return one trigger a kind and place: the verifier tells findings apart by subject, too."""
    out: dict[tuple[str, int], Trigger] = {}
    for each in found:
        if (held := out.get(each.key)) is not None:
            told = f"{held.what}; {each.what}"[:_MOST_TEXT]
            each = replace(held, what=told, times=held.times + each.times)
        out[each.key] = each
    return tuple(out.values())


def news(found: Iterable[Trigger], known: Mapping[tuple[str, int], Trigger], now_s: int) -> News:
    """Return what is new against all triggers that the enclosure ever had, open or disposed.

    A finding is new each time that it begins to hold; one about a token also when it is found more
    often than before. One that is found less often, because evidence came late or is judged by
    other reference values, is counted from there: nobody has what comes later pass as seen.
    """
    new, changed, seen = [], [], set()
    for each in found:
        seen.add(each.key)
        before = known.get(each.key)
        whole = each.token == WHOLE
        if before is None:
            new.append(each)
        elif not before.live:  # counted on, so that the incident is no more the one that was seen
            new.append(replace(each, times=before.times + each.times) if whole else each)
        elif whole:
            changed.append(replace(before, last_s=now_s, what=each.what))
        elif each.times > before.times:
            new.append(each)
        elif each.times < before.times:
            changed.append(replace(before, times=each.times, last_s=now_s, what=each.what))
    for key, each in known.items():
        if each.live and key not in seen:
            changed.append(replace(each, live=False, last_s=now_s))
    return News(new=tuple(new), changed=tuple(changed))


def worst(severities: Iterable[str]) -> str:
    """Return the worst of severities."""
    return min(severities, key=SEVERITIES.index)


def digest(triggers: Iterable[Trigger]) -> str:
    """Return what a person has seen of an incident: who decides names it."""
    return digest_of((each.finding, each.token, each.times) for each in triggers)


def digest_of(rows: Iterable[tuple[str, int, int]]) -> str:
    """Return the same of finding, token and times of each trigger, in any order."""
    return canonical_digest([list(each) for each in sorted(rows)])


def voids_acknowledgement(new: Iterable[Trigger], kinds: Collection[str]) -> bool:
    """Return whether who acknowledged has to look again: an alarm, or another kind of finding.

    So nobody can have a harmless one acknowledged first, and the true one ride along. kinds: of
    finding that stood in the incident.
    """
    return any(each.severity == "alarm" or each.finding not in kinds for each in new)


def alarm_text(finding: str) -> str:
    """Return the text of an alarm for machines that act on words in it.

    Infrastructure controllers take "chassis intrusion" for an alarm, and some words for its end:
    the text is of our own words alone, never of what the evidence says of itself.
    """
    return f"chassis intrusion monitoring: {meaning(finding)}"


def meaning(finding: str) -> str:
    """Return in words what a kind of finding means."""
    if finding == FORKED:
        return "two signed stories of one enclosure"
    return KINDS[finding].meaning if finding in KINDS else "a finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person did with an incident."""

    at_s: int
    person: str
    role: str
    party: str
    act: str
    outcome: str
    reason: str
    seen: str


def act_digest(incident_id: int, act: Act) -> str:
    """Return what the audit log keeps of an act: who changes it in the store is seen."""
    return canonical_digest({**asdict(act), "incident": incident_id})


def check_seen(seen: str, triggers: Sequence[Trigger]) -> None:
    """Raise ConflictError unless `seen` names these triggers: more may have come meanwhile."""
    if seen != digest(triggers):
        raise ConflictError(
            "the incident has changed since you read it.", remedy="read it again, then decide."
        )


def needs_two(severity: str) -> bool:
    """Return whether two persons have to agree on a disposition."""
    return severity == "alarm"


def propose(
    person: Person,
    outcome: str,
    reason: str,
    *,
    severity: str,
    triggers: Sequence[Trigger],
    seen: str,
    now_s: int,
) -> Act:
    """Return what a person proposes; RefusedError or ConflictError if it cannot be.

    Where one person is enough, a host cannot be that one: NotAllowedError.
    """
    if outcome not in OUTCOMES:
        raise RefusedError("there is no such outcome.", remedy=f"choose of {', '.join(OUTCOMES)}.")
    told = reason.strip()
    plain = all(each.isprintable() or each in "\r\n\t" for each in told)
    if not plain or len(told) < 10 or len(told) > 2000:
        raise RefusedError(
            "a reason has 10 to 2,000 printable characters.", remedy="say what was found, and how."
        )
    if not needs_two(severity) and person.role not in INSPECTING:
        raise NotAllowedError(
            "the host does not dispose of its own incidents.", remedy="ask an inspector."
        )
    check_seen(seen, triggers)
    return _act(person, "propose", outcome, told, seen, now_s)


def confirm(
    person: Person, acts: Sequence[Act], *, triggers: Sequence[Trigger], seen: str, now_s: int
) -> Act:
    """Return the act by which a second person agrees.

    acts: of people who are let in by now. NotAllowedError unless they are of two parties, and one
    of them inspects or adjudicates.
    ConflictError if nothing is proposed for what stands in the incident now.
    """
    check_seen(seen, triggers)
    last = next((each for each in reversed(acts) if each.act == "propose"), None)
    if last is None or last.seen != seen:
        raise ConflictError(
            "nobody has proposed a disposition of this incident as it stands.",
            remedy="propose one, and have a person of another party confirm it.",
        )
    if last.person == person.name or alike(last.party, person.party):
        raise NotAllowedError(
            "who confirms is another person, of another party.",
            remedy="ask somebody of another party.",
        )
    if not {last.role, person.role} & set(INSPECTING):
        raise NotAllowedError("one of the two has to inspect.", remedy="ask an inspector.")
    return _act(person, "confirm", last.outcome, last.reason, seen, now_s)


def acknowledge(person: Person, *, triggers: Sequence[Trigger], seen: str, now_s: int) -> Act:
    """Return the act by which a person says to have seen an incident; it changes nothing else."""
    check_seen(seen, triggers)
    return _act(person, "acknowledge", "", "", seen, now_s)


def _act(person: Person, act: str, outcome: str, reason: str, seen: str, now_s: int) -> Act:
    return Act(
        at_s=now_s, person=person.name, role=person.role, party=person.party, act=act,
        outcome=outcome, reason=reason, seen=seen,
    )  # fmt: skip
