"""Evidence against reference values and policy, at a time: findings and continuity of knowledge.

The order: take entries apart; is the log the one that was signed and witnessed; then token by token
who signed it, does it follow the one before, what does it say of state, permits, heartbeats, time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from casemate.attest.claims import Boot
from casemate.attest.reference import Reference, Unit
from casemate.attest.starts import Starts
from casemate.translog.bundle import Bundle
from casemate.translog.policy import Policy
from casemate.verify import log as logs
from casemate.verify import tokens
from casemate.verify.chain import Chain
from casemate.verify.clocks import Clocks, Pulse, Window
from casemate.verify.continuity import Interval, covered
from casemate.verify.findings import Notebook
from casemate.verify.headline import conclude
from casemate.verify.identity import Identity
from casemate.verify.log import LogView
from casemate.verify.permits import Permits
from casemate.verify.result import Result
from casemate.verify.states import States
from casemate.verify.tokens import Entry, Step


def appraise(
    bundle: Bundle,
    reference: Reference,
    policy: Policy,
    *,
    now_s: int,
    since: Sequence[bytes] = (),
    stale_s: int | None = None,
    travels: bool = False,
    step: Callable[[], object] = bool,
) -> Result:
    """Return what the evidence proves.

    policy: witnesses and quorum. since: checkpoints that the inspector kept from before. stale_s:
    that the last thing witnessed may be old; by default as the reference's timing has it. travels:
    reference and policy came with the evidence. step: called after each entry. InputError if the
    reference does not know the enclosure, its serial, or one of `since`.
    """
    unit, book = reference.of(bundle.enclosure, bundle.serial), Notebook()
    entries = tokens.read([*bundle.entries, *bundle.pending])
    if bundle.origin != unit.origin:
        book.add("log.origin", f"{bundle.origin}, not {unit.origin}")
    view = logs.view(bundle, unit, policy, list(tokens.named(entries)), since, book)
    walk = Walk(reference, unit, view, book, now_s)
    for each in entries:
        walk.take(each)
        step()
    book.place(None)
    if bundle.torn_bytes:
        book.add("log.torn", f"{bundle.torn_bytes} bytes")
    if travels:
        book.add("trust.travels")
    allowed_s = reference.timing.batch_s + reference.timing.cosigned_s
    return conclude(walk, bundle, stale_s=allowed_s if stale_s is None else stale_s)


class Walk:
    """What was learnt from the tokens so far."""

    def __init__(
        self, reference: Reference, unit: Unit, log: LogView, book: Notebook, now_s: int
    ) -> None:
        self.reference, self.log, self.book, self.now_s = reference, log, book, now_s
        self.states = States(reference, unit, book)
        self.permits = Permits(reference, unit, log, book)
        self.stretches: list[Interval] = []
        self.last: Step | None = None
        self._identity = Identity(reference, unit, book)
        self._starts = Starts()
        self._chain = Chain(log.roots, unit.origin, book)
        self._window = Window(log)
        self._clocks, self._pulse = Clocks(reference.timing, book), Pulse(reference.timing, book)
        self._broken, self._is_bad = "", False

    def take(self, entry: Entry) -> None:
        """Go on by one entry."""
        alarms, upper_s = self.book.alarms, self.log.by_s(entry.index)
        when_s = self.now_s if upper_s is None else upper_s
        self.book.place(entry.index, when_s)
        signed = self._identity.check(entry, when_s)
        if signed is None:
            self._broken = "evidence that does not hold"
            return
        step = self._window.step(entry, *signed, when_s)
        self.book.place(entry.index, step.at_s)
        if not self._chain.is_new(step):
            self._broken = "evidence that was told twice"
            return
        self._chain.take(step)
        if isinstance(step.token.body, Boot):
            self._identity.last_word = step.token.body.last_word
        state, starts = self.states.state, isinstance(step.token.body, Boot)
        anew = (step.token.state if starts else state) == "COMMISSIONING"
        cover, until_s = self.permits.cover(step)
        cover = cover or ("commissioning" if anew else "")
        self.states.take(step, emergency=self.permits.emergency)
        self.permits.take(step)
        for found in self._starts.take(step.token, step.enrolment):
            self.book.add(*found)
        self._clocks.take(step)
        self.stretches += self._pulse.take(step)
        alarmed = self.book.alarms > alarms
        self._is_bad = alarmed if starts else self._is_bad  # a run that began so proves nothing
        if alarmed or self._is_bad:
            self._broken = self._broken or "evidence that does not hold"
        if self.last is not None:
            kind, cause = self._kind(step, self.last, state, cover)
            if self._broken:
                kind, cause = "interfered", self._broken
            new = Interval(start_s=self.last.at_s, end_s=step.at_s, kind=kind, cause=cause)
            by = "" if kind in ("proven", "interfered") else cover
            self.stretches += covered(new, by, until_s)
            self._broken = ""
        self.last = step

    def _kind(self, step: Step, last: Step, state: str, cover: str) -> tuple[str, str]:
        """Return kind and cause of the time from token `last` to `step`."""
        if isinstance(step.token.body, Boot):  # nobody has watched meanwhile
            if step.token.state != "COMMISSIONING":
                self.book.add("boot.restart", step.token.body.reason)
            return _BY_STATE.get(state, ("unknown", "the controller started anew"))
        quiet_s = step.token.uptime_s - last.token.uptime_s
        if quiet_s > self.reference.timing.batch_s and state != "TAMPERED":
            self.book.add("token.silence", f"{quiet_s} s")
            return "unknown", "no token"
        if state not in ("ARMED", "MAINTENANCE"):
            if state == "UNKNOWN" and not cover and step.at_s > last.at_s:
                self.book.add("state.gap")
            return _BY_STATE.get(state, ("unknown", f"state {state}"))
        if state == "MAINTENANCE" and not cover:
            return "interfered", "maintenance without a permit"
        if self._clocks.halted:
            return "unknown", "the controller was halted"
        if not self._clocks.is_narrow(step):
            if step.upper_s is None:
                return "unknown", "not witnessed yet"
            if step.lower_s is None:
                self.book.add("token.unbound")
            else:
                self.book.add("token.window", f"from {step.lower_s} to {step.upper_s}")
            return "unknown", "not witnessed in time"
        return ("maintenance", "") if cover else ("proven", "")  # whatever the state is called


_BY_STATE = {
    "TAMPERED": ("interfered", "tampered"),
    "COMMISSIONING": ("unknown", "commissioning"),
    "RETIRED": ("unknown", "out of service"),
}
