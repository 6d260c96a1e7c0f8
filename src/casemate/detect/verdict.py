"""Fusion: from what all modalities show to one verdict, with place, onset, cause and evidence.

The fused evidence is the mean over all features of all modalities, which keeps the bound on false
alarms under any dependence. A shrunk sum beside it gains where many features move a little; it may
alert, never convict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from casemate.core.errors import InputError
from casemate.core.samples import Health
from casemate.detect import _court_kernel as kernel
from casemate.detect.anchor import Real
from casemate.detect.bank import Shown
from casemate.detect.causes import SPEAKS, Cause, causes
from casemate.detect.passive import PassiveShown
from casemate.detect.response import ALERT, LATCH, LOG, SEAL, ZEROISE, Policy

SHRINK = 8.0
"""Nats below which a feature adds nothing to the shrunk sum: a quiet one passes it rarely."""
FORGIVEN = 10.0 / 3600.0
"""Of blind time, by time that is well: ten seconds an hour at most, in one piece or in many
(planning value)."""
TOP = 5
"""Features that a verdict names."""
SHOCKS = ("light", "pressure", "acceleration")
"""Kinds of passive sensor that corroborate an entry (reference/detect.md 2)."""


class Verdict(StrEnum):
    """PRODUCT.md: NORMAL, INTERFERENCE, DENIED, TAMPER, from good to bad."""

    NORMAL = "NORMAL"
    INTERFERENCE = "INTERFERENCE"
    DENIED = "DENIED"
    TAMPER = "TAMPER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A feature that speaks: nats, how far it is off (relative), at which board."""

    modality: str
    name: str
    tile: str
    nats: float
    off: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict at `now_s`. level: of the response. nats: fused. tile: where most evidence lies.

    onset_s: since when, nan while nothing is wrong. blind_s: how long information has been too
    little. causes: most likely first.
    """

    now_s: float
    verdict: Verdict
    level: int
    nats: float
    shrunk: float
    tile: str
    onset_s: float
    blind_s: float
    seen_by: tuple[str, ...]
    causes: tuple[Cause, ...]
    items: tuple[Item, ...]
    findings: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Court:
    """Turns what banks show into verdicts.

    Remembers only since when something is wrong, and the account of blind time, which is forgiven
    slowly: who blinds often and briefly is treated as who blinds for long.
    """

    policy: Policy
    expected: tuple[str, ...] = ()
    """Modalities that have to show something; one that does not is a reason for DENIED."""
    blind_s: float = 0.0
    onset_s: float = math.nan

    def copy(self) -> Court:
        """Return a copy that goes its own way."""
        return Court(
            policy=self.policy,
            expected=self.expected,
            blind_s=self.blind_s,
            onset_s=self.onset_s,
        )

    def judge(
        self,
        now_s: float,
        shown: tuple[Shown, ...],
        passive: tuple[PassiveShown, ...] = (),
        *,
        seconds: float | None = None,
    ) -> Judged:
        """Return the verdict on windows that ended at `now_s`, `seconds` after the last verdict.

        seconds: one window if None. No modality at all is DENIED, and so is what is not a number.

        Raises InputError for a time that runs backwards.
        """
        policy = self.policy
        seen = tuple(_glance(each, policy) for each in shown)
        by_modality = {each.modality: each.nats - math.log(policy.features) for each in seen}
        total = _log_of(tuple(by_modality.values()))
        shrunk = sum(each.over for each in seen)
        blind, mute = _blind(seen, self.expected), _mute(passive)
        passed_s = _passed(now_s, policy.window_s if seconds is None else seconds)
        self.blind_s = max(self.blind_s + (passed_s if blind else -FORGIVEN * passed_s), 0.0)
        loud = [each.modality for each in seen if each.loud]
        bent = _bent(shown, policy)
        alarmed = [each for each in passive if (each.nats >= policy.passive_alert).any()]
        level = _level(
            policy, total, shown, passive, self.blind_s, bool(loud or mute or alarmed or bent),
            shrunk, cut=any(each.cut for each in seen),
        )  # fmt: skip
        verdict = _verdict(total >= policy.nats[SEAL], bool(blind), bool(loud))
        quiet = verdict is Verdict.NORMAL and total < policy.nats[ALERT]
        self._date(quiet, now_s)
        items = _items(tuple(one for one, each in zip(shown, seen, strict=True) if not each.low))
        silent = not (bent or alarmed) and all(each.quiet for each in seen)
        return Judged(
            now_s=now_s,
            verdict=verdict,
            level=level,
            nats=total,
            shrunk=shrunk,
            tile=items[0].tile if items else "",
            onset_s=self.onset_s,
            blind_s=self.blind_s,
            seen_by=_convinced(seen, by_modality, policy.nats[SEAL])
            + tuple(each.modality for each in alarmed),
            causes=() if silent else causes(shown, passive, policy),
            items=items,
            findings=(*blind, *bent, *mute),
        )

    def _date(self, quiet: bool, now_s: float) -> None:
        """Keep the onset of what goes on, forget it once all is quiet."""
        if quiet:
            self.onset_s = math.nan
        elif math.isnan(self.onset_s):
            self.onset_s = now_s - self.policy.window_s


def _passed(now_s: float, passed_s: float) -> float:
    """Return the time since the last verdict, or raise InputError."""
    if math.isfinite(now_s) and math.isfinite(passed_s) and passed_s >= 0.0:
        return passed_s
    raise InputError(
        "the time of a verdict is not later than that of the last.",
        remedy="set the controller's clock, and start it anew.",
        value=(now_s, passed_s),
    )


def _verdict(convicted: bool, blind: bool, loud: bool) -> Verdict:
    if convicted:
        return Verdict.TAMPER
    if blind:
        return Verdict.DENIED
    return Verdict.INTERFERENCE if loud else Verdict.NORMAL


def _fused(shown: Shown, features: int) -> float:
    """Return ln of this modality's part of the mean over all features."""
    return _log_sum(shown.nats) - math.log(features)


def _log_of(nats: tuple[float, ...]) -> float:
    """Return `_log_sum` of a few values: without a call of numpy, each of which takes longer."""
    known = [each for each in nats if each == each]
    most = max((-700.0, *known))
    if most == math.inf:
        return most
    total = sum(math.exp(each - most) for each in known)
    return most + math.log(total + 2.0 * math.exp(-700.0 - most))


def _log_sum(nats: Real) -> float:
    """Return ln of the sum of evidence, at least -700; what is no number counts as none."""
    most = max(float(np.fmax.reduce(nats, initial=-700.0)), -700.0)
    if most == math.inf:
        return most
    return most + math.log(float(np.nansum(np.exp(nats - most))) + math.exp(-700.0 - most))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What a modality's features come to: `_court_kernel.glance`.

    names: whether it has features. dark, mute: how many tell too little, and nothing at all.
    """

    modality: str
    names: bool
    nats: float
    over: float
    dark: int
    mute: int
    loud: bool
    cut: bool
    lost: bool
    quiet: bool
    low: bool
    size: int


def _glance(shown: Shown, policy: Policy) -> _Seen:
    """Look at all features once.

    Information is too little for an attack of `attack_s`; a modality that is slower by its nature
    is blind below half of what it brings when it is well. A conductor that stands open is excused
    if it speaks: one that noise drives to its end is not.
    """
    need = (policy.nats[SEAL] + math.log(2.0 * policy.features)) * shown.window_s / policy.attack_s
    nats, over, dark, mute, loud, cut, lost, quiet, low = kernel.glance(
        shown.nats, shown.interference, shown.information, shown.healthy, shown.open_, shown.lost,
        need, policy.interference, SPEAKS, SHRINK,
    )  # fmt: skip
    return _Seen(
        modality=shown.modality, names=bool(shown.names), nats=nats, over=over, dark=dark,
        mute=mute, loud=loud, cut=cut, lost=lost, quiet=quiet, low=low, size=shown.nats.size,
    )  # fmt: skip


def _convinced(
    seen: tuple[_Seen, ...], by_modality: dict[str, float], seal: float
) -> tuple[str, ...]:
    """Return the modalities that would seal by themselves, or have lost a net."""
    return tuple(e.modality for e in seen if by_modality[e.modality] >= seal or e.lost)


def _bent(shown: tuple[Shown, ...], policy: Policy) -> tuple[str, ...]:
    """Return what does not answer in proportion: its budget is that of interference."""
    counts = {
        each.modality: int((each.nonlinear >= policy.interference).sum())
        for each in shown
        if each.nonlinear is not None
    }
    return tuple(
        f"{name}: {n} features answer out of proportion" for name, n in counts.items() if n
    )


def _mute(passive: tuple[PassiveShown, ...]) -> tuple[str, ...]:
    """Return which passive sensors say nothing: a finding, for they convict nobody."""
    return tuple(
        f"{each.modality}: {int(each.lost.sum())} of {each.lost.size} sensors mute"
        for each in passive
        if each.lost.any()
    )


def _blind(seen: tuple[_Seen, ...], expected: tuple[str, ...]) -> tuple[str, ...]:
    """Return what cannot be seen: too little information for an attack of `attack_s`."""
    there = {each.modality for each in seen if each.names}
    found = [] if there else ["no modality delivers anything"]
    found += [f"{name}: delivers nothing" for name in expected if name not in there]
    for each in seen:
        if each.dark:
            found.append(
                f"{each.modality}: {each.dark} of {each.size} features tell too little"
                + (f", {each.mute} of them nothing" if each.mute else "")
            )
    return tuple(found)


def _level(
    policy: Policy,
    total: float,
    shown: tuple[Shown, ...],
    passive: tuple[PassiveShown, ...],
    blind_s: float,
    noticed: bool,
    shrunk: float,
    *,
    cut: bool,
) -> int:
    """Return the level of response; beyond sealing only with a second modality, and not by heat."""
    worth = noticed or cut or blind_s > 0.0 or shrunk >= policy.nats[SEAL]
    level = ALERT if worth else LOG
    if total >= policy.nats[ALERT]:
        level = ALERT
    if blind_s > policy.blind_s or total >= policy.nats[SEAL]:
        level = SEAL
    if total < min(policy.nats[LATCH], policy.nats[ZEROISE]):
        return level
    second = len([each for each in shown if _own(each) >= policy.corroborates]) >= 2
    entered = any(_entered(each, policy.passive_entry) for each in passive)
    lasting = any(_by_itself(each) >= policy.corroborates for each in shown)
    if total >= policy.nats[LATCH] and lasting and (second or entered):
        level = LATCH
    if total >= policy.nats[ZEROISE] and lasting and second and (cut or entered):
        level = ZEROISE
    return level


def _own(shown: Shown) -> float:
    """Return ln of a modality's mean evidence over its own features."""
    return _fused(shown, max(len(shown.names), 1))


def _by_itself(shown: Shown) -> float:
    """Return the same of features that follow no common mode, or stand open; others count as 0.

    Heat and humidity move all of a board, in two modalities as well as in one: that is one witness.
    """
    return _log_sum(shown.nats[~shown.shared | shown.open_]) - math.log(max(len(shown.names), 1))


def _entered(shown: PassiveShown, nats: float) -> bool:
    mine = np.array([each in SHOCKS for each in shown.kind], dtype=np.bool_)
    return bool((mine & (shown.nats >= nats)).any())


def _items(shown: tuple[Shown, ...]) -> tuple[Item, ...]:
    """Return the features that speak loudest, of modalities in which any does."""
    rows = []
    for each in shown:
        for f in np.argsort(-each.nats)[:TOP].tolist():
            if each.nats[f] > SHRINK:
                rows.append(
                    Item(
                        modality=each.modality,
                        name=each.names[f],
                        tile=each.tiles[f],
                        nats=float(each.nats[f]),
                        off=float(each.off[f]),
                    )
                )
    return tuple(sorted(rows, key=lambda row: -row.nats)[:TOP])


def unheard(health: int) -> bool:
    """Return whether a sample of this health must not be used at all."""
    return (health & ~int(Health.CLIPPED)) != 0
