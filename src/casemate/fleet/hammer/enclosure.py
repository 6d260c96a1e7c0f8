"""A simulated enclosure for `casemate fleet hammer`: its evidence is real, and made ahead.

Keys, tokens, checkpoints and cosignatures are those of an enclosure that runs; nothing of it
touches a disk. Time is passed in: who makes evidence ahead says when it will have been signed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from casemate.attest import beats
from casemate.attest import claims as c
from casemate.attest import token as tokens
from casemate.attest.parties import Party
from casemate.attest.reference import Anchor, Digest, Enrolment, Reference, Required, Timing, Unit
from casemate.attest.reference_write import as_json
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth, Token
from casemate.control import trust
from casemate.control.demo_parties import SeedKey
from casemate.core.suites import DEFAULT_SUITE, ML_DSA_44
from casemate.fleet.intake.ingest import Submission
from casemate.translog import cosignature, merkle
from casemate.translog.checkpoint import Checkpoint
from casemate.translog.note import Note, NoteKey
from casemate.translog.signers import log_key, witness_key

WITNESSES = ("north", "south", "west")
QUORUM = 2
NAME, CHANNELS = "hammer", 702
COSIGNED_S = 300
"""In which witnesses have to have cosigned (planning value)."""
BEFORE_S, WATCHED_S = 60, 10
"""Of an enclosure's life before what it brings first ends; of these, armed."""
SOFTWARE, ANCHOR = (hashlib.sha256(x).digest() for x in (b"hammer software", b"hammer anchor"))
_BEAT = beats.Beat(late_ms=3, verdict="NORMAL", health=0, centinats=3, information=900)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness that signs what it is given: it plays one of a rival state."""

    name: str
    key: SeedKey
    public: NoteKey


def witnesses(seeds: Sequence[bytes]) -> tuple[Witness, ...]:
    """Return the witnesses whose keys come from `seeds`, 32 bytes each."""
    made = [(name, SeedKey(ML_DSA_44, seed)) for name, seed in zip(WITNESSES, seeds, strict=True)]
    return tuple(Witness(name=n, key=k, public=witness_key(n, k.public)) for n, k in made)


class HammerEnclosure:
    """An enclosure whose controller heartbeats once a second and signs a token each `period_s`."""

    def __init__(
        self, number: int, seen_by: Sequence[Witness], parties: Sequence[Party], period_s: int
    ) -> None:
        self.serial, self.origin = f"HAM-{number:06d}", f"casemate.invalid/hammer/{number:06d}"
        self.period_s, self._witnesses = period_s, tuple(seen_by)
        seed = secrets.token_bytes(32)
        self._keys, self._log = (
            [SeedKey(alg, hashlib.sha256(b"%s %d " % (use, alg) + seed).digest())
             for alg in DEFAULT_SUITE.algorithms]
            for use in (b"evidence", b"log")
        )  # fmt: skip
        self._last_word = [
            SeedKey(alg, hashlib.sha256(b"last word %d " % alg + seed).digest()).public
            for alg in DEFAULT_SUITE.algorithms
        ]
        self._parties = tuple(parties)
        self._edge = merkle.Frontier()
        self._previous, self._head, self._beats = b"", b"", 0
        self._known: CheckpointRef | None = None
        self._begun_s = self._last_s = 0

    @property
    def size(self) -> int:
        """Return how many entries its log has."""
        return self._edge.size

    def reference(self) -> bytes:
        """Return its reference values, as both parties would sign them."""
        publics = tuple(each.public for each in self._keys)
        since_s = self._begun_s - 86_400
        values = Reference(
            id=f"{NAME}-{self.serial}",
            version=1,
            enclosure=NAME,
            units=(
                Unit(
                    serial=self.serial, origin=self.origin,
                    anchors=(Anchor(name="commissioning", digest=ANCHOR),), modules=(),
                    enrolments=(Enrolment(sequence=0, suite=DEFAULT_SUITE.name, keys=publics),),
                ),
            ),
            software=(Digest(name="controller", digest=SOFTWARE),),
            parties=self._parties,
            rules=trust.rules(),
            suites=(Required(suite=DEFAULT_SUITE.name, since_s=since_s, until_s=None),),
            timing=Timing(
                heartbeat_ms=1000, late_ms=trust.LATE_MS, batch_s=self.period_s + BEFORE_S,
                cosigned_s=COSIGNED_S, emergency_s=trust.EMERGENCY_S,
            ),
        )  # fmt: skip
        return as_json(values).encode()

    def policy(self) -> bytes:
        """Return its policy: its log's keys, and two of three witnesses."""
        rows = [f"log {log_key(self.origin, each.public).vkey()}" for each in self._log]
        rows += [f"witness {each.name} {each.public.vkey()}" for each in self._witnesses]
        rows += [f"group q {QUORUM} {' '.join(WITNESSES)}", "quorum q", ""]
        return "\n".join(rows).encode()

    def commission(self, at_s: int) -> Submission:
        """Begin, and have been armed for some seconds at a time; return what is brought."""
        self._begun_s, self._last_s = at_s - BEFORE_S, at_s - WATCHED_S
        boot = c.Boot(
            suite=DEFAULT_SUITE.name, keys=tuple(each.public for each in self._keys),
            last_word=tuple(self._last_word), reason="commissioned for the hammer",
            components=(("controller", SOFTWARE),),
        )  # fmt: skip
        first = self._token(boot, "COMMISSIONING", self._begun_s)
        self._head = beats.start(first)
        seen = self._seal(self._begun_s + 1)
        change = c.Change(before="COMMISSIONING", after="ARMED", reason="commissioned by both")
        second = self._token(change, "ARMED", self._last_s)
        batch = self.batch(at_s)
        return Submission(
            first=0, entries=(first, second, *batch.entries), notes=(seen, *batch.notes)
        )

    def batch(self, at_s: int) -> Submission:
        """Sign the heartbeats up to a time, and have them witnessed; return what is brought."""
        count = at_s - self._last_s
        start_ms = 1000 * (self._last_s + 1 - self._begun_s)
        body = beats.batch(
            [_BEAT] * count, first=self._beats, start_ms=start_ms, period_ms=1000, head=self._head
        )
        self._head, self._beats, self._last_s = body.head, self._beats + count, at_s
        first = self.size
        entry = self._token(body, "ARMED", at_s)
        return Submission(first=first, entries=(entry,), notes=(self._seal(at_s),))

    def another(self, at_s: int) -> bytes:
        """Return a second token for the last place, signed by the same keys: a copied state."""
        copy = replace(self._said, uptime_s=at_s - self._begun_s, time_s=at_s)
        return tokens.sign(copy, self._keys)

    def _token(self, body: c.Body, state: str, at_s: int) -> bytes:
        armed = state == "ARMED"
        said = Token(
            enclosure=NAME, serial=self.serial, boot=1, sequence=self.size,
            previous=self._previous, uptime_s=at_s - self._begun_s, time_s=at_s, state=state,
            software=SOFTWARE, anchor=ANCHOR, permit=b"", checkpoint=self._known, body=body,
            verdict=Judgement(
                verdict="NORMAL", level=0, millinats=30, information_millinats=90_000
            ) if armed else None,
            health=SensorHealth(channels=CHANNELS, healthy=CHANNELS, flags=0) if armed else None,
        )  # fmt: skip
        self._said = said
        data = tokens.sign(said, self._keys)
        self._previous = DEFAULT_SUITE.digest(data)
        self._edge.push(merkle.leaf_hash(data))
        return data

    def _seal(self, at_s: int) -> bytes:
        stated = Checkpoint(origin=self.origin, size=self.size, root=self._edge.root())
        text = stated.text()
        lines = [cosignature.sign(log_key(self.origin, k.public), k, text, at_s) for k in self._log]
        seen = [cosignature.sign(each.public, each.key, text, at_s) for each in self._witnesses]
        note = Note(text=text, lines=tuple(lines)).with_lines(tuple(seen))
        self._known = CheckpointRef(
            origin=self.origin, size=stated.size, root=stated.root, note=note.digest
        )
        return note.encode()
