"""The state of the enclosure through its tokens: what may follow what, and what it has to say."""

from __future__ import annotations

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest.claims import Boot, Change, LastWord, Payload, PermitUse
from casemate.attest.reference import Reference, Unit
from casemate.attest.token import Token
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Step

NEXT = {
    "COMMISSIONING": ("ARMED", "UNKNOWN", "TAMPERED", "RETIRED"),
    "ARMED": ("MAINTENANCE", "UNKNOWN", "TAMPERED", "RETIRED", "COMMISSIONING"),
    "MAINTENANCE": ("ARMED", "UNKNOWN", "TAMPERED", "RETIRED", "COMMISSIONING"),
    "UNKNOWN": ("ARMED", "MAINTENANCE", "TAMPERED", "RETIRED", "COMMISSIONING"),
    "TAMPERED": (),
    "RETIRED": (),
}
"""What a state may become under the same keys. TAMPERED and RETIRED end them."""
AFTER_START = {each: each for each in NEXT} | {"ARMED": "UNKNOWN", "MAINTENANCE": "UNKNOWN"}
"""State in which a controller starts anew: nobody has watched meanwhile."""
_SEAL = 2
"""The highest level of response that one modality reaches by itself: keys sealed, state UNKNOWN."""
_REASONED = Boot | Change | LastWord
_GUARDED = ("ARMED", "MAINTENANCE")
_NOT_RELIED_ON = ("UNKNOWN", "COMMISSIONING", "RETIRED")


class States:
    """The state in force, latched where it has to be."""

    def __init__(self, reference: Reference, unit: Unit, book: Notebook) -> None:
        self._book = book
        self._software = {each.digest for each in reference.software}
        self._parts = {(each.name, each.digest) for each in reference.software}
        self._anchors = {each.digest: each.unwatched for each in unit.anchors}
        self._inventories = {each.digest for each in unit.inventories}
        self._said: tuple[str, ...] = ()
        self.unwatched: list[str] = []
        self._running = self._anchor = self._inventory = b""
        self._over = False
        self._streams: dict[str, int] = {}
        self.state = self.why = ""

    def take(self, step: Step, *, emergency: bool = False) -> None:
        """Go on by one token. emergency: one was declared, so that what is seen was to be seen."""
        token, first = step.token, step.enrolment.sequence
        anew = isinstance(token.body, Boot) and token.state == "COMMISSIONING" and (
            not self.state or token.sequence == first > 0
        )  # fmt: skip
        self._software_of(token)
        self._anchor_of(token)
        self._inventory_of(token)
        self._watch_of(token)
        self._verdict_of(token, emergency=emergency)
        if self._over and not anew:
            self._book.add("state.after-tampered", f"{token.state}, kind {token.kind}")
            return
        self._over = isinstance(token.body, LastWord)
        if not anew and not self._over:
            self._follow(token)
        if token.state != self.state:
            self.why = token.body.reason if isinstance(token.body, _REASONED) else ""
        self.state = token.state
        self._payload(token)
        if token.state == "TAMPERED":
            self._book.add("state.tampered", self.why, subject=str(first))

    def _follow(self, token: Token) -> None:
        """Check that the state of a token can follow the one in force."""
        body, before = token.body, self.state
        if before == "TAMPERED" and token.state != "TAMPERED":
            self._over = True
            self._book.add("state.after-tampered", f"{token.state}, kind {token.kind}")
            return
        if isinstance(body, Change):
            right = body.before == before and body.after in NEXT.get(before, ())
        elif isinstance(body, Boot):
            right = token.state == AFTER_START.get(before)
        else:
            right = token.state == before
        if not right:
            self._book.add("state.jump", f"{before or 'nothing'} to {token.state}")

    def _software_of(self, token: Token) -> None:
        if token.software not in self._software:
            self._book.add("software.unknown", token.software.hex(), subject=token.software.hex())
        if isinstance(token.body, Boot):
            self._running = token.software
            for name, digest in token.body.components:
                if (name, digest) not in self._parts:
                    self._book.add("software.unknown", f"{name} {digest.hex()}", subject=name)
        elif token.software != self._running:
            self._book.add("software.changed")
            self._running = token.software

    def _anchor_of(self, token: Token) -> None:
        found = token.anchor
        if not found:
            if token.state in _GUARDED:
                self._book.add("anchor.absent")
            return
        if found not in self._anchors:
            self._book.add("anchor.unknown", found.hex(), subject=found.hex())
        if isinstance(token.body, PermitUse) and token.body.anchor:
            self._anchor = token.body.anchor  # permits.py asks whether it may be
            return
        if self._anchor and found != self._anchor and token.state != "COMMISSIONING":
            self._book.add("anchor.changed", found.hex())
        self._anchor = found

    def _inventory_of(self, token: Token) -> None:
        """Check that both parties signed what a rack consists of, from its commissioning on."""
        body = token.body
        named = body.inventory if isinstance(body, Change | PermitUse) else b""
        self._inventory = now = named or self._inventory if token.state != "COMMISSIONING" else b""
        if now and now not in self._inventories:  # for as long as it is in force
            self._book.add("inventory.unknown", now.hex(), subject=now.hex())
        tells = isinstance(body, Payload) and body.stream == c.RACK
        if not self._inventory and (tells or (self._inventories and token.state in _GUARDED)):
            self._book.add("inventory.unsigned")

    def _watch_of(self, token: Token) -> None:
        """Check that what a start says is not watched is what the parties know of its anchor."""
        if isinstance(token.body, Boot):
            self._said = token.body.unwatched
        known = self._anchors.get(token.anchor, self._said)
        if known != self._said:
            said, true = (", ".join(each) or "nothing" for each in (self._said, known))
            self._book.add("watch.claimed", f"not watched: {said}; by reference values: {true}")
        self.unwatched = sorted({*known, *self._said})
        if self.unwatched:
            self._book.add("watch.partial", ", ".join(self.unwatched))

    def _verdict_of(self, token: Token, *, emergency: bool) -> None:
        said = {token.verdict.verdict} if token.verdict else set()
        beaten = beats.of(token.body)
        if beaten is not None:
            said |= {c.VERDICTS[each] for each in set(beaten.beats[2 :: beats.BEAT_BYTES])}
            high, low = (set(beaten.beats[at :: beats.BEAT_BYTES]) for at in (3, 4))
            for bit, kind in ((0x80, "supply.cut"), (0x40, "inventory.differs")):
                if any(each & bit for each in high):
                    self._book.add(kind)
            if any(each & 0x3F for each in high) or any(low):
                self._book.add("sensor.passing")
        if "TAMPER" in said and token.state != "TAMPERED":
            latches = token.verdict is not None and token.verdict.level > _SEAL and not emergency
            answered = token.state in _NOT_RELIED_ON and not latches
            kind = "verdict.tamper" if answered else "verdict.ignored"
            self._book.add(kind, f"state {token.state}")
        for each in ("INTERFERENCE", "DENIED"):
            if each in said:
                self._book.add(f"verdict.{each.lower()}")
        if token.health is not None and token.health.healthy < max(token.health.channels, 1):
            lost = token.health.channels - token.health.healthy
            self._book.add("sensor.fault", f"{lost} of {token.health.channels}")

    def _payload(self, token: Token) -> None:
        body = token.body
        if not isinstance(body, Payload):
            return
        if token.state not in _GUARDED:
            self._book.add("key.state", f"{body.stream}, {token.state}")
        expected = self._streams.get(body.stream, 0)
        if body.first != expected:
            self._book.add("payload.order", f"{body.stream}: {body.first}, {expected} comes next")
        self._streams[body.stream] = body.first + body.count
