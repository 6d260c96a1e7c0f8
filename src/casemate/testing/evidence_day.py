"""A day of evidence in minutes: the runtime's own writer, log and cosigner, time passed in.

`python -m casemate.testing.evidence_day` prints what a day costs. Keys are those of tests; what is
signed, written, cosigned and removed is what `casemate run` does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from casemate.attest import claims as c
from casemate.attest.keys.unsafe import UnsafeHolder
from casemate.attest.reference import Reference
from casemate.attest.token import Judgement, SensorHealth
from casemate.control import trust
from casemate.control.adapters import stream
from casemate.control.batches import payload_batch_s
from casemate.control.cosigner import Cosigner
from casemate.control.evidence import (
    BEAT_MS,
    Beat,
    Begin,
    Keep,
    Moment,
    Place,
    Say,
    Writer,
)
from casemate.core import suites
from casemate.core.errors import CasemateError
from casemate.core.suites import DEFAULT_SUITE
from casemate.testing.honest_enclosure import ANCHOR, PARTIES, SOFTWARE, START_S, Key
from casemate.translog import policy
from casemate.translog.bundle import write_manifest
from casemate.translog.client import Asker, Peer
from casemate.translog.disk import FolderDisk
from casemate.translog.errors import WitnessError
from casemate.translog.log import Log
from casemate.translog.policy import Policy
from casemate.translog.signers import log_key
from casemate.translog.witness import Answer, Witness

DAY_S = 86_400
ENCLOSURE, SERIAL, ORIGIN = "day", "UNIT-1", "casemate.invalid/day/UNIT-1"
WITNESSES = ("north", "south")
_SETTLE_S = 60.0


class _Link:
    """The way to a witness, which may be cut, or slow: requests wait while `free` is not set."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self.cut = False
        self.free, self.asked = threading.Event(), threading.Event()
        self.free.set()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Bring a request to the witness; WitnessError while the way is cut."""
        self.asked.set()
        self.free.wait(_SETTLE_S)
        if self.cut:
            raise WitnessError("the network is cut.", remedy="wait.")
        return self._witness.add_checkpoint(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What evidence takes on disk, bytes: the whole, tokens, cosigned checkpoints, hashes."""

    whole: int
    entries: int
    witnessed: int
    hashes: int
    tokens: int
    checkpoints: int


class Day:
    """An enclosure that is ARMED, watched, and has frames signed, at `now_s` of its own.

    folder: gets evidence/ and witnesses/. batch_s: of heartbeats; per_s: frames a second.
    """

    def __init__(self, folder: Path, *, batch_s: int = 360, per_s: float = 25.0) -> None:
        self.folder, self._batch_s, self._per_s = folder, batch_s, per_s
        self.now_s, self._frames = float(START_S), 0
        self.wall_s = 0
        """By which the enclosure's wall clock is wrong."""
        self.told: list[str] = []
        self.holder = UnsafeHolder()
        key = Key(suites.ED25519, "log of the day")
        named = log_key(ORIGIN, key.public)
        self.evidence = folder / "evidence"
        self.log = Log(self.evidence, ORIGIN, key, clock=self._clock)
        write_manifest(self.evidence, enclosure=ENCLOSURE, serial=SERIAL, origin=ORIGIN)
        self._witnesses = [self._witness(name, {ORIGIN: (named,)}) for name in WITNESSES]
        self.links = [_Link(each) for each in self._witnesses]
        peers = [
            Peer(name=name, keys=each.keys, asker=_asker(link))
            for name, each, link in zip(WITNESSES, self._witnesses, self.links, strict=True)
        ]
        self.rule: Policy = policy.parse(trust.policy_text(named, peers).encode())
        place = Place(enclosure=ENCLOSURE, serial=SERIAL, software=SOFTWARE)
        self.writer = Writer(
            self.log, place, previous=b"", boots=0, batch_s=batch_s, tell=self.told.append
        )
        self.rollbacks: list[str] = []
        self.said: list[str] = []
        """What people are told of witnesses."""
        self._cosigner = Cosigner(
            self.log, self.writer, peers, self.rule,
            witnessed=lambda *_told: None, alarm=self.rollbacks.append, tell=self.said.append,
        )  # fmt: skip
        self._begin()

    def close(self) -> None:
        """Write what waits, and end all threads."""
        self.writer.close()
        self._cosigner.close()
        self.log.close()
        for each in self._witnesses:
            each.close()

    def reference(self) -> Reference:
        """Return the reference values of this enclosure."""
        return trust.reference(
            enclosure=ENCLOSURE, serial=SERIAL, origin=ORIGIN, anchor=ANCHOR,
            software=[("controller", SOFTWARE)], holder=self.holder, tpm=None, suite=DEFAULT_SUITE,
            parties=tuple(PARTIES.values()), batch_s=self._batch_s, now_s=START_S,
        )  # fmt: skip

    @property
    def frames_s(self) -> float:
        """Return for how long frames wait: the time of a batch, or until a token holds no more."""
        return min(payload_batch_s(self._batch_s), stream.BATCH / max(self._per_s, 1e-9))

    def watch(self, seconds: int) -> None:
        """Let time pass: a heartbeat a second, and frames under a token whenever they are due."""
        due_s = self.now_s + self.frames_s
        for _ in range(seconds):
            self.now_s += 0.001 * BEAT_MS
            tokens = self.writer.tokens
            self.writer.put(
                Beat(verdict="NORMAL", health=0, centinats=3, information=900, at=self.moment())
            )
            if self._per_s and self.now_s >= due_s:
                self.frames()
                due_s = self.now_s + self.frames_s
            if self._waits() or tokens != self.writer.tokens:
                self.settle()

    def frames(self) -> None:
        """Have the frames of a batch signed, written and cosigned."""
        self.sign_frames()
        self.settle()

    def frames_while_cosigned(self) -> None:
        """Have two batches of frames signed, the second before the first's checkpoint is known."""
        way = self.links[0]
        way.free.clear()
        way.asked.clear()
        self.sign_frames()
        if not way.asked.wait(_SETTLE_S):
            raise TimeoutError("no witness is asked")
        self.sign_frames()
        self.written()
        way.free.set()
        self.settle()

    def sign_frames(self) -> None:
        """Have the frames of a batch signed, and wait for nothing."""
        count = round(self._per_s * self.frames_s)
        body = c.Payload(stream="camera", first=self._frames, count=count, root=b"\x12" * 32)
        self._frames += count
        self.writer.put(Say(body=body, at=self.moment()))

    def written(self) -> None:
        """Wait until all is written."""
        done = threading.Event()
        self.writer.put(Keep(done.set))
        if not done.wait(_SETTLE_S):
            raise TimeoutError("the writer does not come after")

    def settle(self) -> None:
        """Wait until all is written and, unless the way is cut, cosigned: it takes no time here."""
        self.written()
        until_s = time.monotonic() + _SETTLE_S
        while not any(each.cut for each in self.links) and self._behind():
            if time.monotonic() > until_s:
                raise TimeoutError(self._cosigner.failed or "witnesses do not come after")
            time.sleep(0.001)

    def cost(self) -> Cost:
        """Return what the evidence takes now."""
        files = [each for each in self.evidence.rglob("*") if each.is_file()]
        sizes = {each.relative_to(self.evidence).as_posix(): each.stat().st_size for each in files}

        def below(head: str) -> int:
            return sum(size for name, size in sizes.items() if name.startswith(head))

        entries = below("tile/entries/") + below("pending/")
        return Cost(
            whole=sum(sizes.values()),
            entries=entries,
            witnessed=below("witnessed/"),
            hashes=below("tile/") - below("tile/entries/"),
            tokens=self.writer.tokens,
            checkpoints=sum(name.startswith("witnessed/") for name in sizes),
        )

    def moment(self, state: str = "ARMED") -> Moment:
        """Return what holds now."""
        return Moment(
            state=state,
            anchor=ANCHOR,
            uptime_ms=round(1000.0 * (self.now_s - START_S)),
            time_s=int(self.now_s) + self.wall_s,
            verdict=Judgement(
                verdict="NORMAL", level=0, millinats=30, information_millinats=90_000
            ),
            health=SensorHealth(channels=702, healthy=702, flags=0),
        )

    def _begin(self) -> None:
        start = self.moment("COMMISSIONING")
        self.writer.put(Begin(holder=self.holder, reason="commissioning", at=start))
        self.settle()
        body = c.Change(before="COMMISSIONING", after="ARMED", reason="commissioned by both")
        self.writer.put(Say(body=body, at=self.moment()))
        self.settle()

    def _behind(self) -> bool:
        known = self.writer.known
        return self.writer.fresh.is_set() or known is None or known.size != self.log.next_index

    def _waits(self) -> bool:
        """Return whether the writer is about to have a batch of heartbeats: it is let do so."""
        return round(self.now_s - START_S) % 10 == 0

    def _witness(self, name: str, logs: dict[str, tuple[object, ...]]) -> Witness:
        folder = self.folder / "witnesses" / name
        folder.mkdir(parents=True)
        signer = Key(suites.ML_DSA_44, name)
        return Witness(FolderDisk(folder), name, (signer,), logs, clock=self._clock)  # type: ignore[arg-type]

    def _clock(self) -> float:
        return self.now_s


def _asker(link: _Link) -> Asker:
    return link


def main(arguments: list[str]) -> int:
    """Print what a day costs."""
    parser = argparse.ArgumentParser(prog="python -m casemate.testing.evidence_day")
    parser.add_argument("--seconds", type=int, default=DAY_S)
    parser.add_argument("--batch", type=int, default=360)
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        day = Day(Path(temporary), batch_s=args.batch)
        try:
            day.watch(args.seconds)
            found = day.cost()
        except CasemateError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            day.close()
    share = DAY_S / args.seconds / 1e6
    print(
        f"{found.whole * share:.2f} MB a day: {found.tokens} tokens {found.entries * share:.2f}, "
        f"{found.checkpoints} checkpoints {found.witnessed * share:.2f}, "
        f"hashes {found.hashes * share:.2f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
