"""Permits as the evidence tells of them: logged, witnessed, used within scope and time, closed."""

from __future__ import annotations

from collections.abc import Callable

from casemate.attest import permit as permits
from casemate.attest.claims import Boot, Change, PermitUse
from casemate.attest.permit import Permit
from casemate.attest.reference import Enrolment, Reference, Unit
from casemate.core.errors import CasemateError
from casemate.core.suites import SUITES
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Step

_REPLACING = ("re-anchor", "replace")


class Permits:
    """Valid permits of the log, by digest, and the one in use."""

    def __init__(
        self, reference: Reference, unit: Unit, roots: dict[int, bytes], book: Notebook
    ) -> None:
        self._reference, self._unit = reference, unit
        self._roots, self._book = roots, book
        self._valid: dict[bytes, tuple[Permit, int]] = {}
        self._done: set[bytes] = set()
        self._enrolment = -1
        self._commissioned = True
        self.open = b""
        self.emergency = False

    def take(self, step: Step, enrolment: Enrolment, when_s: int) -> None:
        """Go on by one token. when_s: by when it was made."""
        token = step.token
        self._enrolled(step, enrolment)
        if isinstance(token.body, Boot):
            self._end(self.open)  # a permit does not outlast the start of the controller
        act = ""
        if isinstance(token.body, PermitUse):
            act = token.body.act
            _ACTS[act](self, step, token.body, when_s)
        if isinstance(token.body, Change) and token.state == "MAINTENANCE":
            self._begin(step, token.permit)
        if token.state == "MAINTENANCE" and act not in ("closed", "expired"):
            self._in_force(step)
        if isinstance(token.body, Change) and token.state == "ARMED":
            self.emergency = False

    def _enrolled(self, step: Step, enrolment: Enrolment) -> None:
        """Check that new keys begin in commissioning, and are permitted before they are used."""
        token = step.token
        if self._enrolment not in (-1, enrolment.sequence):
            self._commissioned = False
            if not (isinstance(token.body, Boot) and token.state == "COMMISSIONING"):
                self._book.add("identity.enrolment", "they do not begin with a start")
        self._enrolment = enrolment.sequence
        if token.state not in ("COMMISSIONING", "TAMPERED", "RETIRED") and not self._commissioned:
            self._commissioned = True
            self._book.add("identity.enrolment", "no permit to recommission was logged")

    def _logged(self, step: Step, use: PermitUse, when_s: int) -> None:
        digest = use.permit
        try:
            allowed, _ = permits.check(
                use.signed,
                self._reference.parties,
                self._reference.rules,
                enclosure=self._reference.enclosure,
                serial=self._unit.serial,
                now_s=when_s,
            )
            payload = permits.encode(allowed)
        except CasemateError as error:
            self._book.add("permit.invalid", error.message, subject=digest.hex())
            return
        suite = SUITES[self._unit.enrolment(step.token.sequence).suite]
        known = allowed.checkpoint
        if permits.identity(payload, suite) != digest:
            self._book.add("permit.invalid", "the token names another", subject=digest.hex())
        elif known.origin != self._unit.origin or self._roots.get(known.size) != known.root:
            self._book.add("permit.invalid", "it is for another history", subject=digest.hex())
        elif digest not in self._valid:
            self._valid[digest] = (allowed, step.index)
            self._commissioned = self._commissioned or "recommission" in allowed.actions

    def _opened(self, step: Step, use: PermitUse, when_s: int) -> None:
        self._begin(step, use.permit)
        allowed, _ = self._valid.get(use.permit, (None, 0))
        places = {*allowed.modules, *allowed.faces} if allowed else set()
        if allowed and use.module and use.module not in places:
            self._book.add("permit.scope", use.module)

    def _closed(self, step: Step, use: PermitUse, when_s: int) -> None:
        self._end(use.permit)

    def _replaced(self, step: Step, use: PermitUse, when_s: int) -> None:
        if use.anchor not in {each.digest for each in self._unit.anchors}:
            self._book.add("anchor.unknown", use.anchor.hex(), subject=use.anchor.hex())
        found = [each.key for each in self._unit.modules if each.name == use.module]
        if use.module and (len(use.keys) != 1 or use.keys[0] not in found):
            self._book.add("module.unknown", use.module, subject=use.module)
        allowed, _ = self._valid.get(use.permit, (None, 0))
        if allowed is None:
            self._book.add("permit.unlogged", "re-anchored")
        elif not set(_REPLACING) & set(allowed.actions) or (
            use.module and use.module not in (*allowed.modules, *allowed.faces)
        ):
            self._book.add("permit.scope", f"re-anchored {use.module}")

    def _emergency(self, step: Step, use: PermitUse, when_s: int) -> None:
        self.emergency = True
        self._book.add("permit.emergency", use.note)

    def _begin(self, step: Step, digest: bytes) -> None:
        """Take a permit into use, if it may be."""
        if digest and digest == self.open:
            return
        if digest in self._done:
            self._book.add("permit.reused", digest.hex()[:16])
            return
        found = self._valid.get(digest)
        if found is None:
            self._book.add("permit.unlogged", digest.hex()[:16])
            return
        known = step.token.checkpoint
        if known is None or known.size <= found[1]:
            self._book.add("permit.unwitnessed", f"entry {found[1]}")
        self._end(self.open)
        self.open = digest

    def _in_force(self, step: Step) -> None:
        """Check that the permit in use allows the time of a token."""
        if not self.open or step.token.permit not in (b"", self.open):
            self._book.add("permit.unlogged", "in maintenance")
            return
        allowed, _ = self._valid[self.open]
        said = (step.lower_s, step.token.time_s, step.upper_s)
        late = any(each is not None and each >= allowed.not_after_s for each in said[:2])
        early = any(each is not None and each < allowed.not_before_s for each in said[1:])
        if late or early:
            self._book.add("permit.expired", self.open.hex()[:16], subject=self.open.hex())

    def _end(self, digest: bytes) -> None:
        if digest:
            self._done.add(digest)
        if digest == self.open:
            self.open = b""


_ACTS: dict[str, Callable[[Permits, Step, PermitUse, int], None]] = {
    "logged": Permits._logged,
    "opened": Permits._opened,
    "closed": Permits._closed,
    "expired": Permits._closed,
    "re-anchored": Permits._replaced,
    "emergency": Permits._emergency,
}
