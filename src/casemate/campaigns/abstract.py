"""An abstract attack: one feature of a real anchor is displaced, and noise is injected besides.

It says what an adversary would have to do to the sensed quantity, whatever the tool. Detectors,
policy and weights are the real ones; windows come by their law; only one board is simulated, the
others' features keep their weight. Long attacks are looked at in stretches, as in `trial`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from casemate.campaigns.copies import SOUND, Copies, Weakness, part_of
from casemate.campaigns.ready import Ready
from casemate.campaigns.search.goals import Figures
from casemate.core.errors import CampaignError
from casemate.detect.anchor import NONE, Anchor, Real
from casemate.detect.bank import Shown, sound_sums
from casemate.detect.response import ALERT, SEAL, Policy
from casemate.detect.silence import information
from casemate.detect.tracked import Tracked
from casemate.detect.verdict import Court, Judged, Verdict

BOARD_MODALITIES = ("loop_resistance", "mesh_capacitance")
LEAD = 10
"""Windows before the attack."""
TAIL = 10
"""Windows after it."""
FULL = 240
"""Windows of an attack that is seen whole; longer ones are looked at in stretches."""
STRETCH = 16
LOOKS = (0, 1, 4, 16, 48, 96, 144)
"""Windows after each turn of an attack at which a verdict is asked for, so at the turn itself."""
STRETCH_LOOKS = (4,)
"""The same in stretches, besides their ends."""
RAMP_LOOKS = 2
"""Stretches within a ramp."""
PEERS = 2
"""Features of the same common mode that are simulated besides: enough for its median."""
LONGEST = 700.0
"""Nats at which the account of blind time is cut, as evidence is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One board's anchors; `which` of them is attacked, at `feature`."""

    tile: str
    anchors: tuple[Anchor, ...]
    which: int
    feature: int
    policy: Policy

    @property
    def anchor(self) -> Anchor:
        """Return the anchor that is attacked."""
        return self.anchors[self.which]

    @property
    def bound(self) -> float:
        """Return what surroundings may do to the feature: U_env."""
        return float(self.anchor.bound[self.feature])

    @property
    def step(self) -> float:
        """Return how far the feature may jump."""
        return float(self.anchor.step[self.feature])

    @property
    def peers(self) -> list[int]:
        """Return the feature and a few of its common mode: enough for its median."""
        anchor, group = self.anchor, self.anchor.group[self.feature]
        found = np.flatnonzero((anchor.group == group) & (group != NONE)).tolist()
        return [self.feature, *[each for each in found if each != self.feature][:PEERS]]

    def lean(self) -> Target:
        """Return the target with what decides alone: the feature, its peers, and of each anchor

        the feature that is blinded first. All others are quiet and add nothing but their weight.
        """
        anchors = []
        for k, each in enumerate(self.anchors):
            dim = int(np.argmax(each.noise / np.maximum(each.must - each.bound, 1e-12)))
            kept = [*(self.peers if k == self.which else []), dim]
            anchors.append(part_of(each, np.array(list(dict.fromkeys(kept)), dtype=np.int64)))
        return replace(self, anchors=tuple(anchors), feature=0)

    def shift(self, whole: bool) -> Real:
        """Return what a displacement of 1 does to the attacked anchor's features, (F,).

        whole: all features of its common mode move alike, as temperature would move them.
        """
        anchor = self.anchor
        found = np.zeros(len(anchor.names))
        found[self.feature] = 1.0
        group = anchor.group[self.feature]
        if whole and group != NONE:
            found = np.where(anchor.group == group, anchor.expected, found)
        return found


def target_of(ready: Ready, modality: str) -> Target:
    """Return the feature of median bound on the board with the median number of features.

    CampaignError if no board has the modality.
    """
    rows = []
    for tile in ready.twin.boards:
        anchors = tuple(
            each.anchor
            for each in ready.sensed((tile,))
            if isinstance(each.anchor, Anchor) and each.anchor.modality in BOARD_MODALITIES
        )
        if modality in [each.modality for each in anchors]:
            rows.append((sum(len(each.names) for each in anchors), tile, anchors))
    if not rows:
        raise CampaignError(
            f"no board is sensed by {modality}.", remedy="ask for a modality that is fitted."
        )
    rows.sort(key=lambda row: row[:2])
    _, tile, anchors = rows[len(rows) // 2]
    which = [each.modality for each in anchors].index(modality)
    order = np.argsort(anchors[which].bound, kind="stable")
    return Target(
        tile=tile,
        anchors=anchors,
        which=which,
        feature=int(order[order.size // 2]),
        policy=ready.policy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """size: relative change that is reached in `rise_s` (0: a step) and held for `hold_s`.

    undone: taken back as fast as it came, else left in place. The board is watched for a second
    more. louder: noise of every chip of the board over its own, 1 for no injection, from LEAD/2
    windows before the change until the end of `hold_s` (of undoing), in `duty` of all windows,
    evenly spread. spared: share of the injected power that misses silent chips, because the
    adversary tells them apart. whole: as `shift`.
    """

    size: float = 0.0
    rise_s: float = 0.0
    hold_s: float = 1.0
    undone: bool = False
    louder: float = 1.0
    duty: float = 1.0
    spared: float = 0.0
    whole: bool = False

    @property
    def lasts_s(self) -> float:
        """Return the time from its start to its end."""
        return self.rise_s * (2.0 if self.undone else 1.0) + self.hold_s

    @property
    def energy(self) -> float:
        """Return what is injected: in noise powers of one chip, times seconds."""
        return (self.louder**2 - 1.0) * self.duty * (self.lasts_s + 0.05 * LEAD)

    def moved(self, now_s: float) -> float:
        """Return the displacement at a time from its start."""
        if now_s < 0.0 or (self.undone and now_s >= self.lasts_s):
            return 0.0
        up = 1.0 if self.rise_s == 0.0 else min(now_s / self.rise_s, 1.0)
        left_s = self.lasts_s - now_s
        down = 1.0 if not self.undone or self.rise_s == 0.0 else min(left_s / self.rise_s, 1.0)
        return self.size * min(up, down)

    def factors(self, first: int, count: int, window_s: float) -> tuple[Real, Real]:
        """Return the noise of loud and of silent chips over their own in windows, (K,) each."""
        k = np.arange(first, first + count)
        ends = round(self.lasts_s / window_s)
        on = (k >= -LEAD // 2) & (k < ends)
        on &= np.floor((k + 1) * self.duty) > np.floor(k * self.duty)
        power = np.where(on, self.louder**2 - 1.0, 0.0)
        return np.sqrt(1.0 + power), np.sqrt(1.0 + power * (1.0 - self.spared))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What detectors made of an attack. margin: most fused nats over the seal's threshold.

    shut: the same for the account of blind time: minus the threshold while it is empty, 0 where
    it seals. delay_s: from the change to sealing, nan if none. information: least nats that any
    second truly left to detect with, over the need, whatever the meter thinks. notice: what is
    known of the attack, over the least at which anybody is told. energy: see `Attack`.
    """

    margin: float
    shut: float
    verdict: Verdict
    level: int
    delay_s: float
    information: float
    notice: float
    energy: float

    @property
    def sealing(self) -> float:
        """Return the greater of both ways to sealed keys, nats."""
        return max(self.margin, self.shut)

    @property
    def figures(self) -> Figures:
        """Return the figures of the three goals; effort in noise powers of a chip times seconds."""
        return Figures(
            tamper=self.sealing,
            nuisance=self.sealing,
            notice=self.notice,
            information=self.information,
            effort_j=self.energy,
        )


def stretches(
    attack: Attack, window_s: float, *, standing: int = STRETCH
) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
    """Return (first window, windows, looks) of each stretch, window 0 where the attack starts.

    standing: windows of the stretch that starts where the change is complete.
    """
    rise, hold = round(attack.rise_s / window_s), round(attack.hold_s / window_s)
    end = round(attack.lasts_s / window_s) + TAIL
    turns = sorted({0, rise, rise + hold, end - TAIL})
    turns = [each for each in turns if each < end]
    if end <= FULL:
        looks = {turn + each for turn in turns for each in LOOKS if turn + each < end} | {0, end}
        return ((-LEAD, end + LEAD, tuple(sorted(looks))),)
    starts = [-LEAD, *turns[1:]]
    for k in range(1, RAMP_LOOKS + 1):
        starts += [rise * k // RAMP_LOOKS - STRETCH]
        starts += [rise + hold + rise * k // RAMP_LOOKS - STRETCH] if attack.undone else []
    found: list[tuple[int, int, tuple[int, ...]]] = []
    last = -LEAD
    for start in sorted(set(starts)):
        first = max(start, last)
        count = min(standing if start == rise else STRETCH, end - first)
        if count <= 0 or (found and count < STRETCH // 2 and first + count < end):
            continue
        looks = {first + each for each in STRETCH_LOOKS if each < count} | {first + count}
        found.append((first, count, tuple(sorted(looks))))
        last = first + count
    return tuple(found)


def play(
    target: Target, attack: Attack, *, seed: tuple[int, ...], weakness: Weakness = SOUND
) -> Told:
    """Return what the detectors make of an attack. Same seed, same result."""
    live = [
        Copies(
            anchor,
            target.shift(attack.whole) if k == target.which else np.zeros(len(anchor.names)),
            1,
            np.random.default_rng([*seed, k]),
            weakness,
        )
        for k, anchor in enumerate(target.anchors)
    ]
    court = Court(policy=target.policy)
    worst, notice, shut, margin, sealed_s = (
        Verdict.NORMAL,
        -math.inf,
        -math.inf,
        -math.inf,
        math.nan,
    )
    level, order = 0, list(Verdict)
    need = target.policy.nats[SEAL]
    for now_s, judged, shown in _looks(live, attack, court):
        margin = max(margin, judged.nats - need)
        shut = max(shut, min(need * (court.blind_s / target.policy.blind_s - 1.0), LONGEST))
        notice = max(notice, _noticed(target.policy, judged, shown))
        worst = max(worst, judged.verdict, key=order.index)
        level = max(level, judged.level)
        if judged.level >= SEAL and math.isnan(sealed_s):
            sealed_s = now_s
    return Told(
        margin=margin,
        shut=shut,
        verdict=worst,
        level=level,
        delay_s=sealed_s,
        information=left(target, attack),
        notice=notice,
        energy=attack.energy,
    )


def _looks(
    live: list[Copies], attack: Attack, court: Court
) -> Iterator[tuple[float, Judged, tuple[Shown, ...]]]:
    """Yield time, verdict and what is shown at each look."""
    window_s = court.policy.window_s
    shown: tuple[Shown, ...] = ()
    ended: int | None = None
    for first, count, looks in stretches(attack, window_s):
        if ended is not None and first > ended:
            gap_s = (first - ended) * window_s
            for each in live:
                each.follow(
                    lambda now_s: np.array([attack.moved(now_s)]),
                    ended * window_s, first * window_s,
                )  # fmt: skip
                each.afresh()
            yield first * window_s, court.judge(first * window_s, shown, seconds=gap_s), shown
        at = first
        for look in looks:
            if look <= at:
                continue
            moved = np.array([[attack.moved((k + 0.5) * window_s)] for k in range(at, look)])
            loud, silent = attack.factors(at, look - at, window_s)
            shown = tuple(each.watch(moved, loud, silent) for each in live)
            judged = court.judge(look * window_s, shown, seconds=(look - at) * window_s)
            yield look * window_s, judged, shown
            at = look
        ended = first + count


def _need(policy: Policy, healthy: Real, window_s: float) -> Real:
    """Return nats that each feature has to bring in a window, as `verdict` asks for them, (F,)."""
    need = policy.nats[SEAL] + math.log(2.0 * policy.features)
    return np.minimum(need * window_s / policy.attack_s, 0.5 * healthy)


def _noticed(policy: Policy, judged: Judged, shown: tuple[Shown, ...]) -> float:
    """Return by how much anything passes the least threshold at which somebody is told."""
    rows = [judged.nats - policy.nats[ALERT], judged.shrunk - policy.nats[SEAL]]
    for each in shown:
        need = _need(policy, each.healthy, each.window_s)
        rows.append(float(each.interference.max()) - policy.interference)
        rows.append(float((need - each.information).max()))
    if judged.level >= ALERT:
        rows.append(0.0)
    return max(rows)


def left(target: Target, attack: Attack) -> float:
    """Return nats that the worst `attack_s` truly leaves to its worst feature, over the need."""
    policy = target.policy
    windows = round(policy.attack_s / policy.window_s)
    longest = round(attack.lasts_s / policy.window_s) + LEAD // 2
    on = min(math.ceil(attack.duty * windows), windows, longest)
    least = math.inf
    for anchor in target.anchors:
        sums = sound_sums(anchor, policy.window_s)
        ones = np.ones(len(anchor.names))
        quiet = Tracked.settled(anchor)
        calm = information(anchor, sums, ones, quiet)
        loud = information(anchor, sums, attack.louder * ones, quiet)
        need = windows * _need(policy, calm, policy.window_s)
        least = min(least, float((on * loud + (windows - on) * calm - need).min()))
    return least
