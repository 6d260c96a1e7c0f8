"""Has the log's checkpoints cosigned by witnesses, in a thread that nobody waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from casemate.attest.token import CheckpointRef
from casemate.control.evidence import Writer
from casemate.core.errors import CasemateError
from casemate.translog import checkpoint as checkpoints
from casemate.translog import client, policy
from casemate.translog.client import Cosigned, Peer
from casemate.translog.errors import QuorumError
from casemate.translog.log import Log
from casemate.translog.policy import Policy

_RETRY_S = 2.0

_TOLD_AGAIN_S = 600.0
"""After which people are told once more of a witness that fails (planning value)."""


class Cosigner:
    """Has the log's checkpoints cosigned, whenever the writer has written.

    witnessed: told (size, time by which the quorum saw it, when the checkpoint was made, monotonic,
    time that the quorum vouches to have been reached). alarm: told
    when a witness knows more of this log than the log does. tell: takes a line for people: why a
    witness does not cosign, and that it does so again.
    """

    def __init__(
        self,
        log: Log,
        writer: Writer,
        peers: Sequence[Peer],
        rule: Policy,
        *,
        witnessed: Callable[[int, float, float, float], None],
        alarm: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        self._log, self._writer, self._peers, self._rule = log, writer, peers, rule
        self._witnessed, self._alarm, self._tell = witnessed, alarm, tell
        self._told: dict[str, tuple[str, float]] = {}  # by witness: what of it, and when
        self._sizes: dict[str, int] = {}
        self._stop = False
        self.failed = ""
        self._thread = threading.Thread(target=self._run, name="cosigner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Try once more, and end."""
        self._stop = True
        self._writer.fresh.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._writer.fresh.wait()
            self._writer.fresh.clear()
            if self._log.next_index > 0 and not self._once() and not self._stop:
                time.sleep(_RETRY_S)
                self._writer.fresh.set()
            if self._stop and not self._writer.fresh.is_set():
                return

    def _tell_of(self, found: Cosigned) -> None:
        """Tell people which witness does not cosign and what mends it, once while it is so."""
        now_s = time.monotonic()
        for name, error in found.failed.items():
            kind = f"{type(error).__name__} {getattr(error, 'status', '')}"  # no sizes: these grow
            told, at_s = self._told.get(name, ("", now_s))
            if told != kind or now_s - at_s >= _TOLD_AGAIN_S:
                self._told[name] = (kind, now_s)
                self._tell(str(error))
        for name in found.gave:
            if self._told.pop(name, None) is not None:
                self._tell(f"witness {name} cosigns again")

    def _once(self) -> bool:
        """Return whether a quorum has cosigned."""
        known = self._writer.known
        if known is not None and known.size == self._log.next_index and not self.failed:
            return True  # a round before this one covered it; lines of another would be kept too
        made_s = time.monotonic()
        try:
            found = client.cosign(self._log, self._peers, self._sizes)
        except CasemateError as error:
            self.failed = error.message
            return False
        self._sizes = dict(found.sizes)
        self._tell_of(found)
        if (rollback := found.rolled_back(self._rule)) is not None:
            self._alarm(rollback.message)
        stated, note = checkpoints.parse(found.checkpoint)
        try:
            met = policy.check(self._rule, note)
        except QuorumError as error:
            self.failed = error.message
            return False
        self.failed = ""
        self._writer.known = CheckpointRef(
            origin=stated.origin, size=stated.size, root=stated.root, note=note.digest
        )
        self._witnessed(stated.size, float(met.by_s or 0), made_s, float(met.after_s or 0))
        return True
