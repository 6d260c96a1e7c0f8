"""The hot loop: blocks to a verdict, the verdict to the machine, keys first, then the rest.

One thread, which alone steps the machine. It waits for blocks and for nothing else: signatures,
disks, sockets and witnesses are behind queues. Events from elsewhere come in by `inbox`.
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from casemate.control import events, machine, order
from casemate.control.actions import Action
from casemate.control.blind_account import BlindAccount
from casemate.control.bounded import Bounded
from casemate.control.events import Event
from casemate.control.haste import Haste
from casemate.control.readers import CPU_EVERY, Arrived
from casemate.control.response import judgement
from casemate.control.scope import NOTHING, Scope
from casemate.control.states import Keys, Machine, State
from casemate.core.errors import CasemateError
from casemate.detect.bank import Shown
from casemate.detect.detector import Detector
from casemate.detect.mask import NO_MASK, Mask
from casemate.detect.response import SEAL
from casemate.detect.verdict import Judged, Verdict

LATE_S = 0.15
"""After the end of a window, at which it is judged with what has come (planning value)."""
SILENT_S = 1.0
"""Without a block, after which a reader counts as silent (planning value)."""
MISSED_S = 1.5
"""Between two verdicts, beyond which the loop has missed its time (planning value)."""
TICK_S = 0.25
"""Of a wait for a window, after which deadlines are looked after all the same (planning value)."""
KEPT = 36_000
"""Latencies that are kept for percentiles: an hour of windows."""


@dataclass(slots=True)
class Figures:
    """What is measured, s. verdict: from the last sample of a window to its verdict.

    gone: from the verdict that asked for it until keys are unusable; verified: until that was seen
    to be so, and the holder's memory was free. slipped_s: for which
    the time of simulated readers stood still.
    """

    verdict: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    windows: int = 0
    incomplete: int = 0
    cpu_s: float = 0.0
    gone: float | None = None
    verified: float | None = None
    slipped_s: float = 0.0

    def quantile(self, share: float) -> float | None:
        """Return a quantile of the latency to a verdict."""
        held = list(self.verdict)
        return float(np.quantile(held, share)) if held else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the loop knows after a window: for heartbeats, tokens and the status."""

    machine: Machine
    judged: Judged
    information: float
    channels: int
    healthy: int
    flags: int


class Watching:
    """The loop and its thread.

    tiles: board of each channel, by modality. start_s: of the readers' timebase, monotonic.
    slow_s: for which readers may be late, 0 unless they are simulated on a busy computer: their
    time then stands still, and `slipped` is told for how long. act: carries out an action, first of
    all what is done to keys. failed: told when one could not be. seen: told after each window; must
    not wait.
    anchor: digest of the anchors that the detector has.
    keep: has the machine's memory kept, and waits for the disk if it is told to.
    """

    def __init__(
        self,
        detector: Detector,
        now: Machine,
        blocks: Bounded[Arrived],
        tiles: Mapping[str, Sequence[str]],
        *,
        window_s: float,
        start_s: float,
        slow_s: float,
        slipped: Callable[[float], None],
        boot_s: float,
        act: Callable[[Action, Machine], None],
        failed: Callable[[], None],
        seen: Callable[[Seen], None],
        keep: Callable[[Machine, bool], None],
        tell: Callable[[str], None],
        anchor: bytes,
    ) -> None:
        self.machine, self.figures = now, Figures()
        self.stepping = False
        """Whether the machine has taken a step whose actions are not all carried out yet."""
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: deque[Event] = deque()
        self.anchor, self.scope, self._mask = anchor, NOTHING, NO_MASK
        self.finishing = False
        self.judged_s = 0.0
        self.judged: Judged | None = None
        self.detector, self._blocks = detector, blocks
        self._tiles = {name: np.array(each, np.str_) for name, each in tiles.items()}
        self._window_s, self._start_s, self._boot_s = window_s, start_s, boot_s
        self._slipped, self._simulated = slipped, slow_s > 0.0
        self._slow_s, self._patience_s = slow_s, LATE_S + slow_s
        self._act, self._failed, self._seen, self._tell = act, failed, seen, tell
        self._keep, self._blind = keep, BlindAccount(detector, tell)
        self._flags = {name: np.zeros(each.size, np.uint16) for name, each in self._tiles.items()}
        self._flagged = False
        self._heard = self._unmasked(NO_MASK)
        self._came_s = dict.fromkeys(tiles, start_s)
        self._ended = dict.fromkeys(tiles, 0)
        self._mute: set[str] = set()
        self._stop = False
        self._thread = threading.Thread(target=self._guarded, name="detection", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._haste = Haste.begin()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Return whether the loop runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End after the window under way."""
        self._stop = True
        self._thread.join()
        self._haste.end()

    def leave_out(self, scope: Scope, mask: Mask) -> None:
        """Leave `mask`, which is the permit's `scope`, out of detection. In this thread alone."""
        self.scope, self._mask, self.finishing = scope, mask, False
        self._heard = self._unmasked(mask)

    def afresh(self, mask: Mask) -> None:
        """Let what `mask` names begin without evidence of before. In this thread alone."""
        self.detector.afresh(mask)
        for name, heard in self._unmasked(mask).items():
            self._flags[name][~heard] = 0

    def _unmasked(self, mask: Mask) -> dict[str, npt.NDArray[np.bool_]]:
        """Return which channels of each modality (C,) are not left out."""
        left_out = np.array(sorted(mask.tiles), np.str_)
        return {
            name: np.full(tiles.size, name not in mask.modalities) & ~np.isin(tiles, left_out)
            for name, tiles in self._tiles.items()
        }

    def _guarded(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self._run()
        except Exception as error:  # whatever it is, people have to know that nobody watches
            self._tell(f"detection has ended: {error!r}")
            raise

    def _run(self) -> None:
        last_s, number = time.monotonic(), 0
        while not self._stop:
            end_s = self._start_s + (number + 1) * self._window_s
            whole, came_s = self._gather(number + 1, end_s + self._patience_s)
            if whole and self._simulated and came_s > end_s + LATE_S:
                self._slip(came_s - end_s)
                end_s = came_s
            # a whole window is judged as of its end: what was late is this loop, not the readers
            self._window(whole, came_s, end_s if whole else max(end_s, time.monotonic()))
            now_s = time.monotonic()
            if now_s - last_s > MISSED_S + self._slow_s:
                self._step(events.Watchdog())
            last_s = now_s
            behind = int((now_s - self._start_s - self._patience_s) / self._window_s)
            number = max(number + 1, behind)
            if number % CPU_EVERY == 0:
                self.figures.cpu_s = time.thread_time()

    def _slip(self, late_s: float) -> None:
        self.figures.slipped_s += late_s
        self._start_s += late_s
        with suppress(CasemateError):  # readers that have ended are silent, and that is told
            self._slipped(late_s)

    def _gather(self, number: int, until_s: float) -> tuple[bool, float]:
        """Take in blocks until window `number` has come from all; return whether, and when."""
        came_s = time.monotonic()
        due = [name for name in self._ended if name not in self._mask.modalities]
        tick_s = time.monotonic() + TICK_S
        while missing := sum(self._ended[name] < number for name in due):
            now_s = time.monotonic()
            if now_s >= tick_s:  # readers may be late; deadlines and people are not
                tick_s = now_s + TICK_S
                self._between()
            # a block of each that is missing: to be woken for every one, while the next is being
            # watched, costs more than it brings
            self._blocks.wait_for(missing, max(min(until_s, tick_s) - now_s, 0.0))
            if not self._blocks.qsize() and time.monotonic() >= until_s:
                return False, came_s
            while self._blocks.qsize() and any(self._ended[name] < number for name in due):
                found = self._blocks.get()
                came_s = found.at_s
                self._take(found)
        return True, came_s

    def _take(self, found: Arrived) -> None:
        name = found.modality
        self.detector.add(name, found.block, found.chips)
        self._came_s[name] = time.monotonic()
        self._mute.discard(name)
        if not found.calm and found.faults.shape == self._flags[name].shape:
            self._flags[name] |= found.faults
            self._flagged = True
        if found.block.t_s.size and np.isfinite(found.block.t_s[-1]):
            t_s = float(found.block.t_s[-1])
            # the last chip of a window begins within it
            self._ended[name] = max(self._ended[name], int(t_s / self._window_s + 1e-6) + 1)

    def _window(self, whole: bool, came_s: float, now_s: float) -> None:
        while not self.calls.empty():
            self.calls.get()()
        judged = self.detector.judge(now_s - self._start_s, mask=self._mask)
        self.judged, self.judged_s = judged, time.monotonic()
        self._blind.settle(judged, self.machine)
        self._step(judgement(judged, masked=self.scope))
        figures = self.figures
        figures.windows += 1
        figures.incomplete += not whole
        if whole:
            figures.verdict.append(self.judged_s - came_s)
        self._silences(time.monotonic())
        self._heed()
        if self._sound(judged):
            self._step(events.Checked(passed=True, anchor=self.anchor, masked=self.scope))
        if self.finishing:
            self._finish()
        channels, healthy, flags = self._health()
        self._seen(
            Seen(
                machine=self.machine,
                judged=judged,
                information=self._information(),
                channels=channels,
                healthy=healthy,
                flags=flags,
            )
        )

    def _health(self) -> tuple[int, int, int]:
        """Return how many channels are not left out, how many carry no flag, and all flags."""
        if not self._flagged:
            channels = sum(map(np.count_nonzero, self._heard.values()))
            return int(channels), int(channels), 0
        flags = np.concatenate([row[self._heard[name]] for name, row in self._flags.items()])
        bad = int(np.count_nonzero(flags))
        return flags.size, flags.size - bad, int(np.bitwise_or.reduce(flags, initial=np.uint16(0)))

    def _between(self) -> None:
        """Within a window that is late: deadlines, and what may take keys away. The rest waits."""
        while not self.inbox.empty():
            event = self.inbox.get()
            if machine.urgent(event) or isinstance(event, events.SupplyLost):
                self._step(event)
            else:
                self._waiting.append(event)
        self._step(events.Tick())

    def _heed(self) -> None:
        """Take what others say."""
        while self._waiting:
            self._step(self._waiting.popleft())
        while not self.inbox.empty():
            self._step(self.inbox.get())

    def settle_flags(self) -> None:
        """Forget flags: a heartbeat has told them."""
        self._flagged = False
        for row in self._flags.values():
            row[:] = 0

    def _silences(self, now_s: float) -> None:
        for name, came_s in self._came_s.items():
            if now_s - came_s > SILENT_S + self._slow_s and name not in self._mute:
                self._mute.add(name)
                self._tell(f"{name} says nothing")
                self._step(events.Silent(module=name))

    def _finish(self) -> None:
        """Under a permit: if all is well with nothing left out, end the work."""
        whole = self.detector.unmasked()
        if not self.machine.in_use:
            self.finishing = False
        elif self.machine.whole and _quiet(whole) and not self._mute:
            self._step(events.Checked(passed=True, anchor=self.anchor))
            self._step(events.Finish())

    def _sound(self, judged: Judged) -> bool:
        """Return whether this is a self-test that has passed, where one is waited for."""
        now = self.machine
        waiting = now.state in (State.COMMISSIONING, State.UNKNOWN) and now.keys in (
            Keys.LIVE, Keys.SEALED,
        )  # fmt: skip
        return waiting and _quiet(judged) and not self._mute - self._mask.modalities

    def _information(self) -> float:
        """Return what an attack of the reaction time could show at the worst place, nats."""
        least = []
        for name, live in self.detector.live.items():
            shown = live.shown()
            if name in self._mask.modalities:
                continue
            if isinstance(shown, Shown) and shown.information.size:
                told = float(shown.information.min())  # nan if one is
                scale = self.detector.policy.attack_s / shown.window_s
                least.append((told if told == told else 0.0) * scale)
        return min(least, default=0.0)

    def _step(self, event: Event) -> None:
        before, self.stepping = self.machine, True
        self.machine, actions = machine.step(before, event, time.monotonic() - self._boot_s)
        now = self.machine
        try:
            order.carry_out(
                actions, lambda each: self._act(each, now), lambda wait: self._keep(now, wait)
            )
        except CasemateError as error:
            self._tell(f"what {type(event).__name__} asks for failed: {error}")
            self._failed()  # what was to follow would say what is not so
        finally:
            self.stepping = False


def _quiet(judged: Judged) -> bool:
    """Return whether a verdict is a self-test that has passed."""
    return judged.verdict is Verdict.NORMAL and judged.level < SEAL and not judged.findings
