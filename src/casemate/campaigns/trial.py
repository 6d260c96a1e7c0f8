"""One trial: a scene on a twin before its detectors, from the first effect to the verdict.

Detectors look at stretches of windows, one after each change of the scene, and start each stretch
without evidence from before; between stretches the tracked states go on. A real controller never
stops looking, so it sees no later than this. Verdicts come at LOOKS of a stretch.

A trial that ends when keys are sealed goes on for SECOND_S at most, until a second modality
notices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from casemate.campaigns.drawn import Drawn
from casemate.campaigns.play import instants
from casemate.campaigns.ready import Ready, Sensed
from casemate.detect.anchor import Anchor, AnyAnchor
from casemate.detect.bank import Bank, Shown
from casemate.detect.blocks import BLOCK_S
from casemate.detect.field import FieldBank
from casemate.detect.passive import PassiveShown
from casemate.detect.response import SEAL
from casemate.detect.verdict import Court, Judged, Verdict
from casemate.sensors.modality import Fitted, Reading
from casemate.sensors.standing_in import delivered
from casemate.twin.conditions import WINDOW_S, Conditions, course
from casemate.twin.effects import Scene
from casemate.twin.line_materials import Real

LOOKS = (1, 2, 3, 4, 6, 8, 16, 32, 64)
"""Windows of a stretch after which a verdict is asked for; the last is its length."""
FEW = 4
"""Windows of a stretch in which nothing goes beyond what is followed: no evidence can grow."""
EVEN = 6
"""Instants spread evenly over a scene, beside those at its changes."""
MOST_BLOCKS = 20
"""Blocks of a cavity that one stretch may take, if the scene stands still for so long."""
LAST_S = 60.0
"""For which the last state of a scene stands still."""
SHORT_S = 2.5 * WINDOW_S
"""Between instants that are no further apart, as those around the end of an effect, states follow
as they do from window to window: what ends at once is seen, not followed."""
SECOND_S = 1.0
"""Play goes on for it after keys are sealed: two modalities notice alike if the second does by then
(planning value: a tool that drills at 0.1 mm/s has come 0.1 mm further)."""
PAIR = 2
"""Modalities that have to notice alike."""
LEVELS = 7
"""Levels that a stretch can fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a trial ended. margin: most fused evidence less the threshold of TAMPER, nats.

    verdict, level: the worst reached. delay_s: from the first effect to TAMPER, or to the sealing
    that follows long DENIED; nan if neither came. judged: at that time, or the last. alerted: any
    response above logging. seen_by: which modalities noticed by themselves, in design order.
    soon: those of them that did so before SECOND_S after keys were sealed.
    """

    verdict: Verdict
    level: int
    margin: float
    delay_s: float
    judged: Judged
    seen_by: tuple[str, ...]
    soon: tuple[str, ...]
    interference: bool
    denied: bool

    @property
    def detected(self) -> bool:
        """Return whether keys were sealed, or more."""
        return self.level >= SEAL


class _Live:
    """One modality of a trial: its detector, what it reads now, and until when it was looked at."""

    def __init__(self, sensed: Sensed, scene_times: Real, generator: np.random.Generator) -> None:
        self.drawn = Drawn(sensed, scene_times, generator, levels=LEVELS)
        self.reading: Reading | None = None
        self.began_s = self.ended_s = 0.0

    def move_on(self, k: int, reading: Reading, now_s: float) -> None:
        """Come to instant `k`: states follow from the last one, evidence begins anew if time was
        left out. What was looked at stood still meanwhile, so states have all of it to follow in.
        """
        since_s = now_s - self.began_s
        if self.reading is not None and since_s > SHORT_S:
            self.drawn.pass_time(k - 1, self.reading, reading, since_s)
        if self.reading is not None and now_s > self.ended_s:
            self.drawn.afresh()
        self.reading, self.began_s = reading, now_s
        if k == 0:
            self.drawn.settle(k, reading)

    def windows(self, k: int, first: int, last: int) -> None:
        """Take in windows first .. last - 1 of a stretch at instant `k`."""
        assert self.reading is not None
        bank = self.drawn.bank
        count = last - first
        if isinstance(bank, Bank):
            every = round(self.drawn.window_s / WINDOW_S)
            count = -(-last // every) - -(-first // every)
        elif isinstance(bank, FieldBank):
            count = 1 if first == 0 else 0
        self.drawn.take(k, self.reading, count)

    def speaks(self, k: int) -> bool:
        """Return whether evidence can grow at instant `k`."""
        assert self.reading is not None
        return self.drawn.speaks(k, self.reading)

    def block(self, k: int) -> None:
        """Take in a cavity's block at instant `k`."""
        assert self.reading is not None
        self.drawn.take(k, self.reading, 1)


def trial(
    ready: Ready,
    scene: Scene,
    tiles: tuple[str, ...],
    *,
    seed: tuple[int, ...],
    leaked: bool = False,
    learns: bool = False,
    until_detected: bool = True,
) -> Outcome:
    """Return how a scene that works on `tiles` ends. Same seed, same outcome.

    leaked: the adversary knows the chips in advance and answers each in its place as the untouched
    enclosure would. learns: detectors follow whatever comes, without bounds, as adaptive baselines
    do; both weaknesses are planted. until_detected: stop after the stretch that sealed keys, or
    up to SECOND_S later, when a second modality notices.
    """
    times_s = instants(scene, count=EVEN)
    run = course(ready.twin, scene, times_s, np.random.default_rng([*seed, 0]))
    sensed = ready.sensed(tiles)
    if learns:
        sensed = tuple(replace(each, anchor=_unbounded(each.anchor)) for each in sensed)
    live = [
        _Live(each, times_s, np.random.default_rng([*seed, 1, number]))
        for number, each in enumerate(sensed)
    ]
    court = Court(policy=ready.policy)
    onset_s = min((row.start_s for row in scene), default=0.0)
    told = _Told(onset_s=onset_s, threshold=ready.policy.nats[SEAL])
    ended = False
    for k, now in enumerate(run.steps):
        start_s = float(times_s[k])
        if ended and (len(told.noticed_s) >= PAIR or start_s >= told.late_s):
            break
        gap_s = float(times_s[k + 1] - times_s[k]) if k + 1 < times_s.size else LAST_S
        for each in live:
            reading = _read(each.drawn.fitted, now, ready.twin.seed, leaked)
            each.move_on(k, reading, start_s)
        for judged in _stretch(live, court, k, start_s, gap_s):
            if ended and judged.now_s > told.late_s:
                break
            told.notice(judged, start_s)
            if not ended:
                told.weigh(judged)
        ended = until_detected and not math.isnan(told.sealed_s)
    return told.outcome(ready.names)


class _Told:
    """What verdicts of a trial come to. sealed_s: when keys were sealed first, nan if never."""

    def __init__(self, *, onset_s: float, threshold: float) -> None:
        self.onset_s, self.threshold = onset_s, threshold
        self.worst: Judged | None = None
        self.most, self.sealed_s = -math.inf, math.nan
        self.noticed_s: dict[str, float] = {}
        self.interference = self.denied = False

    @property
    def late_s(self) -> float:
        """Return after what time a modality notices too late to count as a second."""
        return math.inf if math.isnan(self.sealed_s) else self.sealed_s + SECOND_S + 1e-9

    def notice(self, judged: Judged, start_s: float) -> None:
        """Remember which modalities notice by themselves, in a stretch that begins at `start_s`."""
        if start_s >= self.onset_s:
            for name in judged.seen_by:
                self.noticed_s.setdefault(name, judged.now_s)

    def weigh(self, judged: Judged) -> None:
        """Remember the worst verdict, and when keys were sealed."""
        self.most = max(self.most, judged.nats - self.threshold)
        self.interference |= judged.verdict is Verdict.INTERFERENCE
        self.denied |= judged.verdict is Verdict.DENIED
        worst = self.worst
        if worst is None or (judged.level, judged.nats) > (worst.level, worst.nats):
            self.worst = judged
        if judged.level >= SEAL and math.isnan(self.sealed_s):
            self.sealed_s = judged.now_s

    def outcome(self, names: tuple[str, ...]) -> Outcome:
        """Return how the trial ended; `names` are the modalities in the design's order."""
        assert self.worst is not None
        return Outcome(
            verdict=self.worst.verdict,
            level=self.worst.level,
            margin=self.most,
            delay_s=self.sealed_s - self.onset_s,
            judged=self.worst,
            seen_by=tuple(name for name in names if name in self.noticed_s),
            soon=tuple(n for n in names if self.noticed_s.get(n, math.inf) <= self.late_s),
            interference=self.interference,
            denied=self.denied,
        )


def _unbounded(anchor: AnyAnchor) -> AnyAnchor:
    """Return an anchor whose states may go anywhere at any rate, and are all that counts."""
    if not isinstance(anchor, Anchor):
        return anchor
    return replace(anchor, bound=np.full(anchor.bound.size, 1e6),
                   rate=np.full(anchor.rate.size, 1e6), common=np.full(anchor.common.size, 1e6),
                   common_rate=np.full(anchor.common.size, 1e6))  # fmt: skip


def _read(fitted: Fitted, now: Conditions, seed: int, leaked: bool) -> Reading:
    if leaked and fitted.excited:
        count = fitted.nominal.size
        return Reading(
            quantity=fitted.nominal,
            additive=np.zeros(count),
            health=np.zeros(count, dtype=np.uint16),
        )
    return delivered(fitted, fitted.read(now), now, seed)


def _stretch(
    live: list[_Live], court: Court, k: int, now_s: float, gap_s: float
) -> Iterator[Judged]:
    """Yield the verdicts of one stretch: windows as long as the scene stands still, and no more."""
    speaks = any(each.speaks(k) for each in live)
    windows = max(1, min(LOOKS[-1] if speaks else FEW, int(gap_s / WINDOW_S + 1e-9)))
    last = 0
    looks = {each for each in LOOKS if each < windows} if speaks else set()
    for look in sorted({*looks, windows}):
        for each in live:
            each.windows(k, last, look)
        yield _judge(live, court, now_s + look * WINDOW_S, look - last)
        last = look
    for each in live:
        each.ended_s = now_s + windows * WINDOW_S
    fields = [each for each in live if isinstance(each.drawn.bank, FieldBank) and each.speaks(k)]
    blocks = int(min(gap_s / BLOCK_S, MOST_BLOCKS))
    for number in range(1, blocks if fields else 1):
        for each in fields:
            each.block(k)
            each.ended_s = now_s + (number + 1) * BLOCK_S
        ended_s = now_s + max((number + 1) * BLOCK_S, windows * WINDOW_S)
        yield _judge(live, court, ended_s, round(BLOCK_S / WINDOW_S))
    done_s = max(blocks * BLOCK_S if fields else 0.0, windows * WINDOW_S)
    left_s = court.policy.blind_s - court.blind_s + WINDOW_S
    if court.blind_s > 0.0 and left_s > 0.0 and done_s + left_s < gap_s:
        # nothing changes until the next instant, so blindness lasts past its limit
        yield _judge(live, court, now_s + done_s + left_s, math.ceil(left_s / WINDOW_S))


def _judge(live: list[_Live], court: Court, now_s: float, windows: int) -> Judged:
    seen = [each.drawn.shown for each in live]
    shown = tuple(each for each in seen if isinstance(each, Shown))
    passive = tuple(each for each in seen if isinstance(each, PassiveShown))
    return court.judge(now_s, shown, passive, seconds=windows * WINDOW_S)
