"""Causes that the findings of an incident speak for, ranked, with what speaks for each. Pure.

The order is by the severity of the findings and by how many kinds there are; no probability is
claimed, and of equal ones the hostile cause comes first: nothing here rules an attack out. What
speaks for a harmless cause is said by the host's own machine, and a host can lie by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from casemate.fleet.alarms.incidents import FORKED, Trigger
from casemate.fleet.story.told import Event
from casemate.verify.findings import SEVERITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause in general. findings: ids that speak for it, or beginnings of ids, with a dot.

    events: kinds of event that do. runbook: what to do, who first.
    """

    id: str
    text: str
    hostile: bool
    findings: tuple[str, ...]
    events: tuple[str, ...] = ()
    site: bool = False
    runbook: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A cause of an incident, with what speaks for it, worst first."""

    cause: Cause
    severity: str
    speaks: tuple[str, ...]


CAUSES = (
    Cause(
        id="opened", text="Somebody opened it, or got at what it protects", hostile=True,
        findings=("state.tampered", "state.after-tampered", "verdict.tamper", "verdict.ignored",
                  "module.", "anchor.", "inventory."),
        events=("last word",),
        runbook=(
            "Operator: take its work away, touch nothing, and keep people from it.",
            "Operator: note who was near, and keep camera and door records of the hour before.",
            "Inspector: export the evidence and verify it offline, with your own reference values.",
            "Both parties: inspect the place that is named; photograph seals and boards first.",
            "Both parties: commission it anew, or retire it. Nothing else ends TAMPERED.",
        ),
    ),
    Cause(
        id="copied", text="Keys or state were copied, or evidence was forged", hostile=True,
        findings=(FORKED, "token.fork", "token.rollback", "token.replayed", "token.split",
                  "log.equivocation", "log.rollback", "signature.", "identity.", "key.",
                  "quote.reset", "boot.counter", "boot.absent", "suite.", "token.foreign"),
        runbook=(
            "Inspector: export the evidence, and compare it with the other party's instance.",
            "Both parties: revoke the certificate of its controller, and rely on no token of it.",
            "Both parties: inspect the key store; replace the module that holds the keys.",
        ),
    ),
    Cause(
        id="changed", text="Evidence was changed or held back on its way", hostile=True,
        findings=("log.altered", "log.origin", "log.signature", "log.malformed",
                  "log.witness-line", "token.malformed",
                  "token.order", "token.chain", "token.silence", "beats.", "payload.order",
                  "token.window", "token.unbound"),
        runbook=(
            "Operator: bring the evidence again from the controller's own disk.",
            "Inspector: ask witnesses for the last checkpoint that each has seen.",
            "If it comes so again: treat it as interference.",
        ),
    ),
    Cause(
        id="software", text="Other software runs than was agreed", hostile=True,
        findings=("software.", "quote.", "watch.claimed", "state.jump", "key.state"),
        runbook=(
            "Operator: say what was installed, when, and under which permit.",
            "Inspector: compare digests with the release that both parties built.",
        ),
    ),
    Cause(
        id="unpermitted", text="Work without a valid permit", hostile=True,
        findings=("permit.",),
        runbook=(
            "Operator: name who worked there, and under which permit.",
            "Inspector: compare the permits in the log with those that your party signed.",
            "Both parties: inspect the faces and modules that the work reached.",
        ),
    ),
    Cause(
        id="disturbed", text="Detection was disturbed: by a nuisance, or to blind it", hostile=True,
        findings=("verdict.interference", "verdict.denied"), events=("disturbed",),
        runbook=(
            "Operator: look for what began at that time: fans, doors, welding, radio, heat, lifts.",
            "Operator: compare with other enclosures there: a nuisance seldom meets one alone.",
            "Inspector: ask for a look at the place if nothing explains it, or if it comes again.",
        ),
    ),
    Cause(
        id="power", text="Power failed, or the controller started anew", hostile=False,
        findings=("boot.restart", "supply.cut", "quote.starts", "state.gap"),
        events=("start",), site=True,
        runbook=(
            "Operator: see to the supply, and give the record of the feed for that time.",
            "Inspector: compare the time of the start with the site's records.",
        ),
    ),
    Cause(
        id="network", text="The network or witnesses failed", hostile=False,
        findings=("time.stale", "log.cosignatures", "log.absent"), site=True,
        runbook=(
            "Operator: see that the controller runs, and reaches witnesses and this service.",
            "Operator: bring what waits: `casemate fleet push`.",
            "If nothing comes within the hour: go there. Silence is how a bad token is hidden.",
        ),
    ),
    Cause(
        id="clock", text="A clock is wrong", hostile=False,
        findings=("clock.", "time.ahead", "time.witness-order"),
        runbook=(
            "Operator: see to the time of the controller and of this service.",
            "Inspector: ask witnesses for their times: only theirs count.",
        ),
    ),
    Cause(
        id="sensor", text="A sensor has a fault, or is not fitted", hostile=False,
        findings=("sensor.", "watch.partial"),
        runbook=(
            "Operator: ask for a permit to replace the reader whose channels have faults.",
            "Inspector: weigh the time as unwatched, where that reader alone watches.",
        ),
    ),
)  # fmt: skip
"""Hostile ones first. Every finding that opens an incident speaks for one, by a test."""
_OTHER = Cause(
    id="unknown", text="None that is known here", hostile=True, findings=(),
    runbook=(
        "Operator: say what happened at that time.", "Inspector: verify the evidence offline.",
    ),
)  # fmt: skip


def rank(triggers: Sequence[Trigger], told: Iterable[Event], site: str = "") -> list[Ranked]:
    """Return the causes that something speaks for, the first one first.

    told: events near the triggers. site: what is the same at other enclosures there, "" if nothing.
    """
    events = tuple(told)
    out = []
    for cause in CAUSES:
        found = sorted(
            (each for each in triggers if speaks_for(each.finding, cause)),
            key=lambda each: SEVERITIES.index(each.severity),
        )
        if not found:
            continue
        said = [f"{each.finding}: {each.what}" for each in found]
        said += [f"token {each.number} tells of it: {each.text or each.act}" for each in events
                 if each.kind in cause.events][:3]  # fmt: skip
        if cause.site and site:
            said.append(site)
        severity = found[0].severity
        out.append(Ranked(cause=cause, severity=severity, speaks=tuple(dict.fromkeys(said))))
    kinds = {each.cause.id: len({t.finding for t in triggers if speaks_for(t.finding, each.cause)})
             for each in out}  # fmt: skip
    out.sort(key=lambda x: (SEVERITIES.index(x.severity), not x.cause.hostile, -kinds[x.cause.id]))
    if not out and triggers:
        said = [f"{each.finding}: {each.what}" for each in triggers]
        out = [Ranked(cause=_OTHER, severity=triggers[0].severity, speaks=tuple(said))]
    return out


def speaks_for(finding: str, cause: Cause) -> bool:
    """Return whether a finding speaks for a cause."""
    return any(
        finding.startswith(each) if each.endswith(".") else finding == each
        for each in cause.findings
    )
