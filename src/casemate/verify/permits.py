"""Permits as the evidence tells of them: logged, witnessed, used within scope and time, closed."""

from __future__ import annotations

from casemate.attest import permit as permits
from casemate.attest.claims import Boot, Change, Heartbeats, PermitUse
from casemate.attest.permit import Permit
from casemate.attest.reference import Reference, Unit
from casemate.core.errors import CasemateError
from casemate.core.suites import SUITES
from casemate.verify.findings import Notebook
from casemate.verify.log import LogView
from casemate.verify.tokens import Step

_ENDS = ("closed", "expired")
_WORK = {"open", "service", "update", "re-anchor", "replace"}
"""Actions that somebody carries out on the enclosure while the rest stays armed."""


class Permits:
    """Valid permits of the log, by digest, and the one in use."""

    def __init__(self, reference: Reference, unit: Unit, log: LogView, book: Notebook) -> None:
        self._reference, self._unit, self._log, self._book = reference, unit, log, book
        self._valid: dict[bytes, tuple[Permit, int]] = {}
        self._done: set[bytes] = set()
        self._enrolment = -1
        self._commissioned = True
        self.open = self._ended = b""
        self.emergency, self._until_s = False, 0

    def take(self, step: Step) -> None:
        """Go on by one token."""
        token, body = step.token, step.token.body
        self._enrolled(step)
        if isinstance(body, Boot):
            self._end(self.open)  # a permit does not outlast the start of the controller
        if isinstance(body, PermitUse):
            self._act(step, body)
        if isinstance(body, Change) and token.state == "MAINTENANCE":
            self._begin(step, token.permit, "", _WORK)
        ends = isinstance(body, PermitUse) and body.act in _ENDS
        if token.state == "MAINTENANCE" and not ends:
            self._in_force(step)
        elif isinstance(body, PermitUse) and body.permit and body.permit == self.open:
            self._is_timely(step, self.open)
        if token.state == "ARMED" and isinstance(body, Change | Heartbeats):
            if self.open:
                self._book.add("permit.unclosed", self.open.hex()[:16])
            self._end(self.open)
            self.emergency, self._ended = False, b""
        if token.state == "COMMISSIONING":
            self.emergency = False  # what is begun anew is covered by that

    def _enrolled(self, step: Step) -> None:
        """Check that new keys begin with a start, and that who commissions anew is permitted."""
        token, begun = step.token, step.enrolment.sequence
        if self._enrolment not in (-1, begun):
            self._commissioned = False
            self._done.update(self._valid)
            if not (isinstance(token.body, Boot) and token.state == "COMMISSIONING"):
                self._book.add("identity.enrolment", "they do not begin with a start")
        if isinstance(token.body, Change) and token.state == "COMMISSIONING":
            self._commissioned = False
        self._enrolment = begun
        if token.state not in ("COMMISSIONING", "TAMPERED", "RETIRED") and not self._commissioned:
            self._commissioned = True
            self._book.add("identity.enrolment", "no permit to recommission was logged")

    def _act(self, step: Step, use: PermitUse) -> None:
        if use.act == "logged":
            self._take(step, use)
        elif use.act == "opened":
            allowed, _ = self._valid.get(use.permit, (None, 0))
            needs = "open" if allowed and use.module in allowed.faces else "replace"
            self._begin(step, use.permit, use.module or "no place", {needs})
        elif use.act in _ENDS:
            self._end(use.permit)
        elif use.act == "re-anchored":
            self._replace(use)
        else:
            if not self.emergency:  # told again, it is the same one
                self._until_s = step.at_s + self._reference.timing.emergency_s
            self.emergency = True
            self._book.add("permit.emergency", use.note)

    def _take(self, step: Step, use: PermitUse) -> None:
        """Take a permit that the log holds, if it is valid."""
        digest, why = use.permit, ""
        try:
            allowed, _ = permits.check(
                use.signed,
                self._reference.parties,
                self._reference.rules,
                enclosure=self._reference.enclosure,
                serial=self._unit.serial,
                now_s=step.when_s,
            )
            known, payload = allowed.checkpoint, permits.encode(allowed)
            if permits.identity(payload, SUITES[step.enrolment.suite]) != digest:
                why = "the token names another"
            elif known.origin != self._unit.origin or self._log.roots.get(known.size) != known.root:
                why = "it is for another history"
            elif not known.size:
                why = "it is for any history"
        except CasemateError as error:
            why = error.message
        if why:
            self._book.add("permit.invalid", why, subject=digest.hex())
        elif digest not in self._valid:
            self._valid[digest] = (allowed, step.index)
            if "recommission" in allowed.actions and not self._commissioned:
                self._commissioned = self._is_timely(step, digest)

    def _within(self, digest: bytes, place: str, actions: set[str], what: str) -> None:
        """Check that a permit, if valid, allows one of `actions` there, "" being the whole."""
        allowed, _ = self._valid.get(digest, (None, 0))
        if allowed and not (
            place in ("", *allowed.modules, *allowed.faces) and actions & set(allowed.actions)
        ):
            self._book.add("permit.scope", what)

    def _replace(self, use: PermitUse) -> None:
        if use.anchor not in {each.digest for each in self._unit.anchors}:
            self._book.add("anchor.unknown", use.anchor.hex(), subject=use.anchor.hex())
        found = [each.key for each in self._unit.modules if each.name == use.module]
        if use.module and (len(use.keys) != 1 or use.keys[0] not in found):
            self._book.add("module.unknown", use.module, subject=use.module)
        if use.permit not in (self.open, self._ended):
            kind = "permit.reused" if use.permit in self._done else "permit.unlogged"
            self._book.add(kind, "re-anchored")
        self._within(use.permit, use.module, {"re-anchor"}, f"re-anchored {use.module}")

    def _begin(self, step: Step, digest: bytes, place: str, actions: set[str]) -> None:
        """Take a permit into use, if it may be."""
        self._within(digest, place, actions, place or "work on the enclosure")
        if digest and digest == self.open:
            return
        if digest in self._done:
            self._book.add("permit.reused", digest.hex()[:16])
            return
        found = self._valid.get(digest)
        if found is None:
            self._book.add("permit.unlogged", digest.hex()[:16])
            return
        known = self._log.known(step.token.checkpoint)
        if known is None or known[0] <= found[1]:
            self._book.add("permit.unwitnessed", f"entry {found[1]}")
        self._end(self.open)
        self.open = digest

    def _in_force(self, step: Step) -> None:
        """Check that the permit in use allows the time of a token."""
        if not self.open or step.token.permit not in (b"", self.open):
            self._book.add("permit.unlogged", "in maintenance")
            return
        self._is_timely(step, self.open)

    def cover(self, step: Step) -> tuple[str, int]:
        """Return what explains the time that ends with a token, "" if nothing does; until when."""
        room_s = self._reference.timing.batch_s  # the token that says that it expired comes after
        if self.open and not self._is_late(step, self._valid[self.open][0], room_s):
            return f"permit {self.open.hex()[:16]}", step.at_s
        if not self.emergency:
            return "", step.at_s
        if step.at_s > self._until_s:
            self._book.add("permit.emergency-overdue", f"by {step.at_s - self._until_s} s")
        return "declared emergency", min(step.at_s, self._until_s)

    def _is_late(self, step: Step, allowed: Permit, room_s: int = 0) -> bool:
        said = (step.lower_s, step.token.time_s)
        return any(each is not None and each >= allowed.not_after_s + room_s for each in said)

    def _is_timely(self, step: Step, digest: bytes) -> bool:
        """Return whether a token lies in a permit's window; note it if not."""
        allowed, _ = self._valid[digest]
        said = (step.token.time_s, step.upper_s)
        early = any(each is not None and each < allowed.not_before_s for each in said)
        if early or self._is_late(step, allowed):
            self._book.add("permit.expired", digest.hex()[:16], subject=digest.hex())
            return False
        return True

    def _end(self, digest: bytes) -> None:
        if digest:
            self._done.add(digest)
        if digest == self.open:
            self.open, self._ended = b"", digest
