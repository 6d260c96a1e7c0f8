"""A simulated enclosure for `casemate fleet demo`: the evidence is real, what it tells of is not.

Writer, log, cosigner and signatures are those of `casemate run`. There is no detector: a script
says what detectors would have said. Readings come from whoever starts the demo. Keys lie on the
heap of this process.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from casemate.attest import claims as c
from casemate.attest.keys.unsafe import UnsafeHolder
from casemate.attest.parties import Party
from casemate.attest.token import Judgement, SensorHealth
from casemate.control import trust
from casemate.control.cosigner import Cosigner
from casemate.control.demo_parties import SeedKey
from casemate.control.evidence import BEAT_MS, Beat, Begin, Moment, Place, Say, Writer
from casemate.core.suites import DEFAULT_SUITE, ED25519
from casemate.translog import policy
from casemate.translog.bundle import write_manifest
from casemate.translog.client import Peer
from casemate.translog.log import Log
from casemate.translog.signers import log_key

BATCH_S = 10
"""Longest time between tokens here: short, so that something is to be seen."""
CHANNELS = {"nvl72": 4096, "camera": 702, "dpa": 190}
"""Channels that an enclosure of each kind tells of (planning values)."""
SOFTWARE = hashlib.sha256(b"casemate fleet demo").digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What happens to an enclosure, in seconds from the start; None: it does not.

    disturbed_s: interference begins, and lasts for `for_s`. cut_s: its network fails.
    opened_s: somebody opens it.
    """

    name: str
    serial: str
    kind: str
    site: str
    disturbed_s: int | None = None
    for_s: int = 20
    cut_s: int | None = None
    opened_s: int | None = None


class Readings(Protocol):
    """What tells of channels, a second at a time."""

    def until(
        self, now_s: int, *, disturbed: tuple[float, float] | None, opened_s: float | None
    ) -> bytes:
        """Return what came since it was last asked, as CBOR for the door; b"" if nothing.

        disturbed, opened_s: in seconds from the start; None: it does not happen.
        """


Telling = Callable[[str, int, int], Readings]
"""Makes readings, of a kind, a seed and the Unix time of the start."""


class DemoEnclosure:
    """An enclosure that plays a script. folder: gets evidence/ and trust/.

    telling: of its channels; None: it tells of none.
    """

    def __init__(self, script: Script, folder: Path, telling: Telling | None = None) -> None:
        self.script, self.folder, self._telling = script, folder, telling
        self._readings: Readings | None = None
        self.evidence, self.trust = folder / "evidence", folder / "trust"
        self.origin = f"casemate.invalid/demo/{script.name}/{script.serial}"
        key = SeedKey(ED25519, secrets.token_bytes(32))
        self.key = log_key(self.origin, key.public)
        self.log = Log(self.evidence, self.origin, key)
        write_manifest(
            self.evidence, enclosure=script.name, serial=script.serial, origin=self.origin
        )
        self.told: list[str] = []
        self._anchor = hashlib.sha256(self.origin.encode()).digest()
        self._state = "COMMISSIONING"
        self._permit = b""
        self._start_s = time.monotonic()
        self._writer: Writer | None = None
        self._cosigner: Cosigner | None = None

    def begin(self, peers: tuple[Peer, ...], parties: tuple[Party, ...]) -> None:
        """Be commissioned and armed; write the files of trust that parties would hand over."""
        rule = trust.policy_text(self.key, peers)
        place = Place(enclosure=self.script.name, serial=self.script.serial, software=SOFTWARE)
        self._holder = UnsafeHolder(seed=secrets.token_bytes(32))
        values = trust.reference(
            enclosure=place.enclosure, serial=place.serial, origin=self.origin,
            anchor=self._anchor, software=[("controller", SOFTWARE)], holder=self._holder,
            tpm=None, suite=DEFAULT_SUITE, parties=parties, batch_s=BATCH_S, now_s=int(time.time()),
        )  # fmt: skip
        trust.write(self.trust, values, rule)
        writer = Writer(
            self.log, place, previous=b"", boots=0, batch_s=BATCH_S, tell=self.told.append
        )
        self._writer = writer
        self._cosigner = Cosigner(
            self.log, writer, peers, policy.parse(rule.encode()),
            witnessed=lambda *_told: None, alarm=self.told.append, tell=self.told.append,
        )  # fmt: skip
        self._start_s = time.monotonic()
        if self._telling is not None:
            seed = int.from_bytes(self._anchor[:4], "big")
            self._readings = self._telling(self.script.kind, seed, int(time.time()))
        writer.put(Begin(holder=self._holder, reason="commissioned for a demo", at=self._moment()))

    @property
    def state(self) -> str:
        """Return the state that it tells of."""
        return self._state

    def log_permit(self, digest: bytes, signed: bytes) -> None:
        """Put a permit that the parties have signed into the log."""
        self._say(c.PermitUse(act="logged", permit=digest, signed=signed))

    def open_up(self, digest: bytes, place: str) -> None:
        """Begin work on a module or face under a permit that is in the log."""
        self._say(c.PermitUse(act="opened", permit=digest, module=place))
        self._permit = digest
        self._change("MAINTENANCE", "permit begins")

    def close_up(self) -> None:
        """End the work, and be armed again."""
        self._say(c.PermitUse(act="closed", permit=self._permit))
        self._permit = b""
        self._change("ARMED", "permit closed")

    @property
    def is_cut(self) -> bool:
        """Return whether its network has failed: it goes on, and nobody hears of it."""
        return self._has_come(self.script.cut_s)

    def tick(self) -> None:
        """Say what there is to say this second."""
        writer = self._writer
        assert writer is not None
        if self._state == "COMMISSIONING":
            if writer.seen:
                self._change("ARMED", "commissioned by both")
            return
        if self._state not in ("ARMED", "MAINTENANCE"):
            return
        if self._has_come(self.script.opened_s):
            self._open(writer)
            return
        verdict = "INTERFERENCE" if self._is_disturbed() else "NORMAL"
        at = self._moment(verdict)
        writer.put(Beat(verdict=verdict, health=0, centinats=3, information=900, at=at))

    def readings(self) -> bytes:
        """Return readings since it was last asked, as the door takes them; b"" if there are none.

        They follow the script.
        """
        if self._readings is None:
            return b""
        begun, opened = self.script.disturbed_s, self.script.opened_s
        loud = None if begun is None else (float(begun), float(begun + self.script.for_s))
        return self._readings.until(
            int(time.time()), disturbed=loud, opened_s=None if opened is None else float(opened)
        )

    def close(self) -> None:
        """Write what waits, and end."""
        if self._writer is not None:
            self._writer.close()
        if self._cosigner is not None:
            self._cosigner.close()
        self.log.close()

    def _open(self, writer: Writer) -> None:
        begun = time.perf_counter()
        self._holder.zeroise()
        erased_us = int(1e6 * (time.perf_counter() - begun))
        self._state = "TAMPERED"
        body = c.LastWord(reason="the front was opened, without a permit", erased_us=erased_us)
        writer.put(Say(body=body, at=self._moment("TAMPER")))

    def _change(self, after: str, reason: str) -> None:
        body = c.Change(before=self._state, after=after, reason=reason)
        self._state = after
        self._say(body)

    def _say(self, body: c.Body) -> None:
        assert self._writer is not None
        self._writer.put(Say(body=body, at=self._moment()))

    def _has_come(self, at_s: int | None) -> bool:
        return at_s is not None and time.monotonic() - self._start_s >= at_s

    def _is_disturbed(self) -> bool:
        at_s = self.script.disturbed_s
        return self._has_come(at_s) and not self._has_come((at_s or 0) + self.script.for_s)

    def _moment(self, verdict: str = "NORMAL") -> Moment:
        """Return what holds now."""
        channels = CHANNELS[self.script.kind]
        level = {"NORMAL": 0, "INTERFERENCE": 1, "TAMPER": 4}[verdict]
        return Moment(
            state=self._state,
            anchor=self._anchor,
            uptime_ms=int(1000 * (time.monotonic() - self._start_s)),
            time_s=int(time.time()),
            verdict=Judgement(
                verdict=verdict, level=level, millinats=30, information_millinats=90_000
            ),
            health=SensorHealth(channels=channels, healthy=channels, flags=0),
            permit=self._permit,
        )


BEAT_S = BEAT_MS / 1000
"""Between two ticks."""
