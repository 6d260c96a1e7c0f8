"""What the verifier can find: each kind with its id, severity, meaning and what to do about it.

alarm: no honest party makes this. warning: continuity is broken, or a rule of watching is. unknown:
how it stands now is not known. note: to be known, nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

SEVERITIES = ("alarm", "unknown", "warning", "note")
"""Worst first."""

CLAIMS = ("instance-identity", "configuration", "executables", "hardware", "sourced-data")
"""Claims of the trustworthiness vector (AR4SI) that a finding can bear on."""
_IDENTITY, _SETUP, _SOFTWARE, _HARDWARE, _DATA = CLAIMS

_KEEP = "keep all files and tell the log's parties; have the enclosure inspected."
_COPY = "ask the host for the evidence again; if it comes so again, treat it as interference."
_VISIT = "inspect the enclosure before anything of it is relied on again."
_ASK = "ask the host for the cause and have the gap disposed by people of both sides."
_PERMIT = "ask the parties named in reference values what they signed; inspect the enclosure."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of finding. claim: of the trustworthiness vector it bears on."""

    id: str
    severity: str
    claim: str
    meaning: str
    remedy: str


def _kinds() -> Iterator[Kind]:
    for claim, severity, remedy, rows in _TABLE:
        for id_, meaning in rows:
            yield Kind(id=id_, severity=severity, claim=claim, meaning=meaning, remedy=remedy)


_TABLE = (
    (_DATA, "alarm", _KEEP, (
        ("log.origin", "the checkpoint is of another log"),
        ("log.signature", "the checkpoint is not signed by every key of the log"),
        ("log.altered", "the entries are not those that the checkpoint states"),
        ("log.equivocation", "the log has signed two stories that cannot both be true"),
        ("log.rollback", "the log stands behind a checkpoint that it signed"),
        ("log.malformed", "a checkpoint is none"),
    )),
    (_DATA, "unknown", "ask the host for evidence that witnesses have seen.", (
        ("log.absent", "there is no checkpoint"),
        ("log.cosignatures", "too few witnesses have cosigned"),
        ("time.stale", "what witnesses saw last is too old to say how it stands now"),
        ("time.ahead", "witnesses name a time that is yet to come: their clocks or this one err"),
    )),
    (_DATA, "warning", _KEEP, (
        ("log.witness-line", "a line in a witness's name does not fit"),
        ("time.witness-order", "witnesses saw a larger log before a smaller one"),
    )),
    (_DATA, "note", "nothing.", (
        ("log.awaiting", "the newest entries wait for witnesses"),
        ("log.torn", "bytes of an entry that was never acknowledged lie at the end"),
    )),
    (_DATA, "alarm", _COPY, (
        ("token.malformed", "an entry is no token"),
        ("token.foreign", "a token is of another enclosure"),
        ("token.replayed", "a token stands in the log a second time"),
        ("token.order", "a number in the sequence of tokens is left out or comes too late"),
        ("token.chain", "a token does not follow the one before it"),
        ("token.fork", "two tokens follow the same one: the state was copied"),
        ("token.rollback", "the enclosure knew less of the log than before"),
        ("token.split", "the enclosure knew another log than this one"),
    )),
    (_IDENTITY, "alarm", _VISIT, (
        ("signature.forged", "a signature does not fit"),
        ("signature.stripped", "a signature that the suite asks for is missing"),
        ("signature.key", "a key that nobody enrolled has signed"),
        ("identity.takeover", "the enclosure names keys that the parties did not enrol"),
        ("identity.superseded", "keys that an enrolment has replaced sign on"),
        ("identity.enrolment", "new keys were not commissioned by the parties in the log"),
        ("key.misused", "a key signed what is not its to sign"),
        ("key.state", "payload was signed in a state in which the keys may not sign any"),
    )),
    (_SETUP, "alarm", _VISIT, (
        ("suite.downgraded", "keys are of another suite than is asked for at that time"),
    )),
    (_DATA, "alarm", _VISIT, (
        ("boot.absent", "evidence does not begin with a start of the controller"),
        ("boot.counter", "a start of the controller was left out, or is told twice"),
        ("clock.back", "the monotonic clock ran backwards"),
        ("clock.fast", "more time passed inside than witnesses leave room for"),
        ("beats.chain", "heartbeats are not those of the chain"),
    )),
    (_DATA, "warning", _ASK, (
        ("boot.restart", "the controller started anew"),
        ("quote.starts", "the TPM was started or resumed without a start in the log"),
        ("clock.slow", "less time passed inside than outside: it was halted"),
        ("clock.step", "the wall clock was set"),
        ("clock.wall", "the wall clock is not what witnesses say"),
        ("token.window", "a token may have been made long before it was witnessed"),
        ("token.unbound", "tokens name no cosigned checkpoint: they may have been made ahead"),
        ("token.silence", "no token came for longer than agreed"),
        ("beats.missing", "heartbeats are missing or late"),
        ("beats.period", "heartbeats have another period than agreed"),
        ("payload.order", "items of a stream are left out or told twice"),
    )),
    (_SOFTWARE, "alarm", _VISIT, (
        ("software.unknown", "software is not among that expected"),
        ("software.changed", "software changed without a start"),
    )),
    (_SOFTWARE, "alarm", _VISIT, (
        ("quote.absent", "a start lacks the quote of the TPM that the parties enrolled"),
        ("quote.invalid", "the TPM's quote of a start does not hold"),
        ("quote.reset", "the TPM's counters went back: an older state was restored"),
    )),
    (_HARDWARE, "alarm", _VISIT, (
        ("anchor.unknown", "the anchor is not among those that the parties signed"),
        ("anchor.absent", "it is armed without an anchor"),
        ("anchor.changed", "the anchor changed without re-anchoring"),
        ("module.unknown", "a module is not among those expected, or has not its key"),
        ("state.tampered", "tampering was detected"),
        ("state.after-tampered", "evidence goes on after tampering, without new commissioning"),
        ("state.jump", "the state changed in a way that it cannot"),
        ("verdict.ignored", "tampering was detected, and the state does not say so"),
    )),
    (_HARDWARE, "unknown", _ASK, (
        ("state.unknown", "how the enclosure stands is not known"),
        ("state.commissioning", "the enclosure is not armed yet"),
        ("state.retired", "the enclosure is out of service"),
    )),
    (_HARDWARE, "warning", _ASK, (
        ("verdict.tamper", "tampering was suspected by one modality: keys were sealed for it"),
        ("verdict.interference", "detection was interfered with"),
        ("verdict.denied", "detection had too little information"),
        ("sensor.fault", "channels have faults"),
    )),
    (_SETUP, "alarm", _PERMIT, (
        ("permit.unlogged", "it was opened or changed without a valid permit in the log"),
        ("permit.unwitnessed", "a permit was used before witnesses had it"),
        ("permit.scope", "a permit was used for what it does not allow"),
        ("permit.expired", "a permit was used outside its time"),
        ("permit.reused", "a permit was used again"),
    )),
    (_SETUP, "warning", _PERMIT, (
        ("permit.invalid", "a permit in the log does not hold"),
        ("permit.emergency", "it was opened in an emergency"),
    )),
    (_SETUP, "warning", "use reference values and policy that you hold yourself: --trust DIR.", (
        ("trust.travels", "trust that travels with the evidence proves nothing to a rival"),
    )),
)  # fmt: skip
KINDS = {kind.id: kind for kind in _kinds()}
"""By id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something found, with its first token (None: of the whole) and time, and how often."""

    id: str
    what: str
    token: int | None = None
    at_s: int | None = None
    times: int = 1
    last_token: int | None = None

    @property
    def severity(self) -> str:
        """Return one of SEVERITIES."""
        return KINDS[self.id].severity

    @property
    def claim(self) -> str:
        """Return one of CLAIMS."""
        return KINDS[self.id].claim

    @property
    def remedy(self) -> str:
        """Return what to do."""
        return KINDS[self.id].remedy


class Notebook:
    """Findings as they come. Equal ones of one kind and subject become one that counts them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}
        self._token: int | None = None
        self._at_s: int | None = None

    def place(self, token: int | None, at_s: int | None = None) -> None:
        """Say which token, at which time, the next findings are about; None: the whole."""
        self._token, self._at_s = token, at_s

    def add(self, kind: str, detail: str = "", *, subject: str = "") -> None:
        """Note a finding of `kind` (KeyError if there is none). subject: what tells it apart."""
        meaning = KINDS[kind].meaning
        before = self._found.get((kind, subject))
        if before is not None:
            self._found[kind, subject] = replace(
                before, times=before.times + 1, last_token=self._token
            )
            return
        self._found[kind, subject] = Finding(
            id=kind,
            what=f"{meaning}: {detail}" if detail else meaning,
            token=self._token,
            at_s=self._at_s,
            last_token=self._token,
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return all, worst first, then in the order of the log."""
        return tuple(
            sorted(
                self._found.values(),
                key=lambda each: (
                    SEVERITIES.index(each.severity),
                    -1 if each.token is None else each.token,
                ),
            )
        )
