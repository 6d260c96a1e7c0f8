"""An enclosure in memory that writes honest evidence, with its parties and witnesses.

Keys come from seeds, time is passed, nothing touches a disk. `malicious_host` begins where this
ends; `write_bundle` puts evidence into a folder as a log would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from casemate.attest import beats, permit
from casemate.attest import claims as c
from casemate.attest import token as tokens
from casemate.attest.parties import Need, Party, Rule
from casemate.attest.permit import Permit
from casemate.attest.reference import (
    Anchor,
    Digest,
    Enrolment,
    Module,
    Reference,
    Required,
    Timing,
    Unit,
)
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth, Token
from casemate.core import suites
from casemate.core.private_keys import from_seed
from casemate.core.suites import SUITES, PublicKey
from casemate.testing.unsafe_tpm import UnsafeTpm
from casemate.translog import bundle as bundles
from casemate.translog import cosignature, merkle, pending, tiles
from casemate.translog.bundle import Bundle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import Note
from casemate.translog.policy import Policy
from casemate.translog.policy import parse as parse_policy
from casemate.translog.signers import log_key, witness_key

START_S = 1_800_000_000
"""15 January 2027, 08:00 UTC."""
BATCH_S = 60
ENCLOSURE, SERIAL, ORIGIN = "camera", "UNIT-0001", "example.org/camera/UNIT-0001"
SOFTWARE, ANCHOR, NEW_ANCHOR = b"\x0a" * 32, b"\x0e" * 32, b"\x1e" * 32
READER, NEW_READER = b"\x0d" * 32, b"\x2d" * 32
TIMING = Timing(heartbeat_ms=1000, late_ms=200, batch_s=120, cosigned_s=300, emergency_s=1800)
SUITE = suites.DEFAULT_SUITE.name


class Key:
    """A private key made from a name, for tests and shows alone."""

    def __init__(self, alg: int, name: str) -> None:
        self._private = from_seed(alg, hashlib.sha256(f"{alg} {name}".encode()).digest())
        self.public = PublicKey(alg, self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return bytes(self._private.sign(message))

    def verifier(self) -> Any:
        """Return the library's own public key, which checks signatures without our rules."""
        return self._private.public_key()


def keys(name: str, suite: str = SUITE) -> tuple[Key, ...]:
    """Return the keys of a suite that belong to `name`."""
    return tuple(Key(alg, name) for alg in SUITES[suite].algorithms)


def publics(held: Sequence[Key]) -> tuple[PublicKey, ...]:
    """Return their public halves."""
    return tuple(each.public for each in held)


WITNESSES = {name: Key(suites.ML_DSA_44, name) for name in ("north", "south", "west")}
LOG = keys("log")
PARTIES = {
    name: Party(name=name, role=role, bloc=bloc, suite=SUITE, keys=publics(keys(name)))
    for name, role, bloc in (("hostland", "host", "a"), ("peerland", "inspector", "b"))
}
MODULE = Key(suites.ED25519, "reader-loop")


def policy() -> Policy:
    """Return the policy: the log's keys, and two of three witnesses."""
    return parse_policy(policy_text())


def policy_text() -> bytes:
    """Return the policy as a file."""
    rows = [f"log {log_key(ORIGIN, key.public).vkey()}" for key in LOG]
    rows += [f"witness {n} {witness_key(n, k.public).vkey()}" for n, k in WITNESSES.items()]
    return "\n".join([*rows, f"group q 2 {' '.join(WITNESSES)}", "quorum q", ""]).encode()


def reference(*enrolments: Enrolment) -> Reference:
    """Return the reference values of the enclosure; its first keys are enrolled by default."""
    needs = (Need(role="host", least=1), Need(role="inspector", least=1))
    first = Enrolment(sequence=0, suite=SUITE, keys=publics(keys("evidence")))
    unit = Unit(
        serial=SERIAL,
        origin=ORIGIN,
        anchors=(Anchor(name="first", digest=ANCHOR), Anchor(name="second", digest=NEW_ANCHOR)),
        enrolments=(first, *enrolments),
        modules=(Module(name="reader-loop", key=MODULE.public),),
    )
    return Reference(
        id="camera-reference",
        version=3,
        enclosure=ENCLOSURE,
        units=(unit,),
        software=(
            Digest(name="controller", digest=SOFTWARE),
            Digest(name="reader", digest=READER),
        ),
        parties=tuple(PARTIES.values()),
        rules=tuple(Rule(action=each, needs=needs, blocs=2) for each in permit.ACTIONS),
        suites=(Required(suite=SUITE, since_s=START_S - 86_400, until_s=None),),
        timing=TIMING,
        file="reference.json",
    )


@dataclass(slots=True)
class Story:
    """An enclosure's evidence as it grows. What it does is up to the caller.

    now_s: the true time. boot_s: when the controller started. known: latest checkpoint with a
    quorum. tpm: quotes each start. All may be set by who plays a malicious host.
    """

    now_s: int = START_S
    boot_s: int = START_S
    boot: int = 0
    state: str = "COMMISSIONING"
    anchor: bytes = ANCHOR
    software: bytes = SOFTWARE
    permit: bytes = b""
    known: CheckpointRef | None = None
    evidence: tuple[Key, ...] = ()
    last_word: tuple[Key, ...] = ()
    suite: str = SUITE
    entries: tuple[bytes, ...] = ()
    pending: tuple[bytes, ...] = ()
    notes: tuple[bytes, ...] = ()
    head: bytes = b""
    beats: int = 0
    beat_ms: int = 0
    items: int = 0
    clock_s: int = 0
    tpm: UnsafeTpm | None = None

    def copy(self) -> Story:
        """Return a copy that goes on by itself."""
        return replace(self)

    def token(self, body: c.Body, **changes: Any) -> bytes:
        """Sign a token with the enclosure's keys and put it into the log; return its bytes."""
        last = self.entries[-1] if self.entries else b""
        given: dict[str, Any] = {
            "enclosure": ENCLOSURE,
            "serial": SERIAL,
            "boot": self.boot,
            "sequence": len(self.entries),
            "previous": SUITES[self.suite].digest(last) if last else b"",
            "uptime_s": self.now_s - self.boot_s,
            "time_s": self.now_s + self.clock_s,
            "state": self.state,
            "software": self.software,
            "anchor": self.anchor,
            "permit": self.permit,
            "checkpoint": self.known,
            "body": body,
        }
        signers = changes.pop("signers", self.evidence)
        said = Token(**{**given, **changes})
        if isinstance(body, c.Boot) and body.quote is None and self.tpm is not None:
            said = self.tpm.quoted(said)
        data = tokens.sign(said, signers)
        self.entries += (data,)
        return data

    def start(self, reason: str, state: str = "UNKNOWN", **changes: Any) -> None:
        """Start the controller."""
        self.boot, self.boot_s, self.state = self.boot + 1, self.now_s, state
        self.evidence = self.evidence or keys("evidence", self.suite)
        self.last_word = keys(f"last word {self.boot}", self.suite)
        body = c.Boot(
            suite=self.suite,
            keys=publics(self.evidence),
            last_word=publics(self.last_word),
            reason=reason,
            components=(("reader", READER),),
        )
        body = replace(body, **changes.pop("body", {}))
        data = self.token(body, **changes)
        self.head, self.beats, self.permit = beats.start(data), 0, b""
        self.beat_ms = 0

    def change(self, after: str, reason: str = "checks have passed", **changes: Any) -> None:
        """Go to another state."""
        before, self.state = self.state, after
        if before not in ("ARMED", "MAINTENANCE"):
            self.beat_ms = 1000 * (self.now_s - self.boot_s)
        self.token(c.Change(before=before, after=after, reason=reason), **changes)

    def watch(
        self,
        batches: int = 1,
        *,
        verdict: str = "NORMAL",
        miss: int = 0,
        flags: int = 0,
        heartbeats: dict[str, Any] | None = None,
        judged: Judgement | None = None,
        **changes: Any,
    ) -> None:
        """Let time pass, with a heartbeat a second; the first `miss` of each batch are missing.

        flags: Health flags that the heartbeats tell of.
        """
        for _ in range(batches):
            self.now_s += BATCH_S
            start_ms = self.beat_ms + 1000 * (1 + miss)
            count = (1000 * (self.now_s - self.boot_s) - self.beat_ms) // 1000 - miss
            beat = beats.Beat(
                late_ms=3, verdict=verdict, health=flags, centinats=3, information=900
            )
            given = {"first": self.beats, "start_ms": start_ms, "period_ms": 1000}
            body = beats.batch([beat] * count, **{**given, "head": self.head, **(heartbeats or {})})
            self.head, self.beats = body.head, self.beats + count
            self.beat_ms = start_ms + 1000 * (count - 1)
            said = judged or Judgement(
                verdict=verdict, level=0, millinats=30, information_millinats=9000
            )
            well = SensorHealth(channels=8, healthy=8, flags=0)
            self.token(body, **{"verdict": said, "health": well, **changes})

    def frames(self, count: int = 25, **changes: Any) -> None:
        """Sign what the protected thing made."""
        body = c.Payload(stream="frames", first=self.items, count=count, root=b"\x12" * 32)
        self.items += count
        self.token(replace(body, **changes.pop("body", {})), **changes)

    def stated(self, size: int | None = None) -> Checkpoint:
        """Return what the log states."""
        entries = self.entries[:size] if size is not None else self.entries
        root = merkle.root_of(merkle.leaf_hash(each) for each in entries)
        return Checkpoint(origin=ORIGIN, size=len(entries), root=root)

    def seal(
        self,
        witnesses: Sequence[str] = tuple(WITNESSES),
        *,
        at_s: int | None = None,
        stated: Checkpoint | None = None,
        signers: Sequence[Key] = LOG,
    ) -> bytes:
        """Sign a checkpoint, have it cosigned, and tell the enclosure."""
        stated = stated or self.stated()
        at_s = self.now_s if at_s is None else at_s
        note = Note(
            text=stated.text(),
            lines=tuple(
                cosignature.sign(log_key(ORIGIN, key.public), key, stated.text(), at_s)
                for key in signers
            ),
        ).with_lines(tuple(cosign(name, stated, at_s) for name in witnesses))
        self.notes += (note.encode(),)
        self.known = CheckpointRef(
            origin=ORIGIN, size=stated.size, root=stated.root, note=note.digest
        )
        return note.encode()

    def bundle(self, **changes: Any) -> Bundle:
        """Return the evidence as it is read."""
        given: dict[str, Any] = {
            "enclosure": ENCLOSURE,
            "serial": SERIAL,
            "origin": ORIGIN,
            "checkpoint": self.notes[-1] if self.notes else b"",
            "witnessed": self.notes,
            "entries": self.entries,
            "pending": self.pending,
            "torn_bytes": 0,
        }
        return Bundle(**{**given, **changes})

    def allow(self, *, parties: Sequence[str] = tuple(PARTIES), **changes: Any) -> bytes:
        """Have a permit signed and put it into the log; return its digest."""
        stated = self.stated()
        given: dict[str, Any] = {
            "enclosure": ENCLOSURE,
            "serial": SERIAL,
            "faces": ("front",),
            "modules": ("reader-loop",),
            "actions": ("open", "re-anchor", "replace"),
            "not_before_s": self.now_s - 60,
            "not_after_s": self.now_s + 3600,
            "checkpoint": CheckpointRef(origin=ORIGIN, size=stated.size, root=stated.root),
            "nonce": hashlib.sha256(len(self.entries).to_bytes(8, "big")).digest()[:16],
            "technician": b"\x07" * 32,
            "reason": "reader is noisy",
        }
        allowed = Permit(**{**given, **changes})
        signed = permit.build(allowed, [key for name in parties for key in keys(name)])
        digest = permit.identity(permit.encode(allowed), SUITES[self.suite])
        self.token(c.PermitUse(act="logged", permit=digest, signed=signed))
        return digest

    def open_up(self, digest: bytes, module: str = "reader-loop", **changes: Any) -> None:
        """Begin maintenance under a permit."""
        self.token(c.PermitUse(act="opened", permit=digest, module=module), **changes)
        self.permit = digest
        self.change("MAINTENANCE", "permit begins", **changes)

    def close_up(self, digest: bytes, act: str = "closed") -> None:
        """End maintenance."""
        self.token(c.PermitUse(act=act, permit=digest))
        self.permit = b""
        self.change("ARMED", f"permit {act}")


def cosign(name: str, stated: Checkpoint, at_s: int) -> Any:
    """Return a witness's line on a checkpoint."""
    key = WITNESSES[name]
    return cosignature.sign(witness_key(name, key.public), key, stated.text(), at_s)


def armed(batches: int = 6, story: Story | None = None, **start: Any) -> Story:
    """Return the evidence of an enclosure that was commissioned and watched for some minutes.

    story: to begin with. start: as `Story.start` takes it.
    """
    story = story or Story()
    story.start("commissioned", "COMMISSIONING", **start)
    story.seal()
    story.now_s += 30
    story.change("ARMED", "commissioned")
    story.seal()
    watch(story, batches)
    return story


def watch(story: Story, batches: int = 1) -> None:
    """Let an honest enclosure go on: heartbeats, frames, checkpoints."""
    for _ in range(batches):
        story.watch()
        story.frames()
        story.seal()


def write_bundle(bundle: Bundle, folder: Path) -> None:
    """Write evidence into a folder, as much of it as `read_bundle` reads."""
    bundles.write_manifest(
        folder, enclosure=bundle.enclosure, serial=bundle.serial, origin=bundle.origin
    )
    if bundle.checkpoint:
        (folder / "checkpoint").write_bytes(bundle.checkpoint)
    for number, data in enumerate(bundle.witnessed):
        path = folder / "witnessed" / f"{number:020d}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    for tile in tiles.tiles_of(len(bundle.entries)):
        if tile.level == tiles.ENTRIES:
            begin = tile.index * tiles.WIDTH
            path = folder / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tiles.pack_entries(bundle.entries[begin : begin + tile.width]))
    if bundle.pending:
        first, mark = len(bundle.entries), b"\x05" * pending.MARK_BYTES
        data = pending.header(first, mark)
        data += pending.frame(mark, len(data), bundle.pending)
        path = folder / "pending" / pending.segment_name(first)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
