"""The detector of one enclosure: readers' blocks in, one verdict out, whatever comes.

What a reader sends is never trusted: rows that answer no chip that is due, blocks of another
shape, values that are none and clocks that turn back become findings, their windows are lost, and
too little information is DENIED. TAMPER comes by keyed evidence alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemate.core.challenge import Chips
from casemate.core.errors import InputError
from casemate.core.samples import Block
from casemate.detect.anchor import Anchor, AnyAnchor, FieldAnchor, PassiveAnchor, check_signed
from casemate.detect.bank import LEVELS
from casemate.detect.live import FieldLive, KeyedLive, PassiveLive
from casemate.detect.mask import NO_MASK, Mask, left_out
from casemate.detect.onset import MOST, SPEAKS
from casemate.detect.response import Policy
from casemate.detect.stream import overdue
from casemate.detect.verdict import Court, Judged, Verdict

Live = KeyedLive | FieldLive | PassiveLive


class Detector:
    """All detectors of one enclosure; its state is its own and copyable.

    `add` takes a reader's next block with the chips that it answers, `judge` gives the verdict at a
    time of the same timebase. Neither raises on what a reader sent.
    """

    def __init__(
        self,
        anchors: tuple[AnyAnchor, ...],
        policy: Policy,
        *,
        signatures: list[bytes],
        keys: tuple[Ed25519PublicKey, ...],
        levels: int = LEVELS,
    ) -> None:
        """Start with anchors that all of `keys` have signed.

        Raises InputError if a signature does not hold, if no anchor is keyed, if a modality has
        two, or if the policy's mean is over fewer features than the anchors have.
        """
        check_signed(anchors, signatures, keys)
        self._begin(anchors, policy, levels)

    @classmethod
    def unsafe_unsigned(
        cls, anchors: tuple[AnyAnchor, ...], policy: Policy, *, levels: int = LEVELS
    ) -> Detector:
        """Return a detector whose anchors nobody vouches for: for twins and tests."""
        found = cls.__new__(cls)
        found._begin(anchors, policy, levels)
        return found

    def _begin(self, anchors: tuple[AnyAnchor, ...], policy: Policy, levels: int) -> None:
        names = [each.modality for each in anchors]
        keyed = [each for each in anchors if not isinstance(each, PassiveAnchor)]
        count = sum(len(each.names) for each in keyed)
        if len(set(names)) != len(names) or not keyed or not 0 < count <= policy.features:
            raise InputError(
                "a detector needs one anchor a modality, one of them keyed, and a policy over all "
                "of their features.",
                remedy="commission every modality once, and make the policy for all features.",
                value=(names, count, policy.features),
            )
        self.policy = policy
        self.live: dict[str, Live] = {}
        for anchor in anchors:
            self.live[anchor.modality] = _live(anchor, policy, count <= MOST, levels)
        self._court = Court(policy=policy)
        self._now_s = math.nan
        self._waited = dict.fromkeys(names, 0)
        self._findings: tuple[str, ...] = ()
        self._levels, self._single = levels, count <= MOST
        self._backwards = False
        self._noted: dict[str, tuple[str, ...]] = {}

    def copy(self) -> Detector:
        """Return a copy that goes its own way."""
        found = Detector.__new__(Detector)
        found.__dict__.update(self.__dict__)
        found.live = {name: each.copy() for name, each in self.live.items()}
        found._court = self._court.copy()
        found._waited = dict(self._waited)
        return found

    def add(self, modality: str, block: Block, chips: Chips | None = None) -> None:
        """Take in the next block of a modality. chips: all that it may answer; None if passive.

        Chips of a newer epoch begin a new stream at chip 0; those of an older one are refused.
        """
        live = self.live.get(modality)
        if live is None:
            self._findings += (f"{modality}: no such modality was commissioned",)
            return
        wrong = _shape(live, block)
        if wrong:
            live.notes.say(wrong)
        elif isinstance(live, PassiveLive):
            live.add(block)
        elif chips is None:
            live.notes.say("it answers no challenge")
        elif chips.epoch < live.place.epoch:
            live.notes.say("wrong epoch of its challenge")
        else:
            if chips.epoch > live.place.epoch:
                self._renew(live, chips.epoch)
            live.add(block, chips, self._now_s)

    def _renew(self, live: KeyedLive | FieldLive, epoch: int) -> None:
        if live.place.last >= 0 and (live.place.last + 1) % live.place.size:
            live.close()  # what the old epoch has begun; a window that is full is closed already
        live.place.renew(epoch)
        self._waited[live.anchor.modality] = 0

    def judge(self, now_s: float, *, mask: Mask = NO_MASK) -> Judged:
        """Return the verdict at `now_s`. Windows that should have come by then count as lost.

        mask: what is left out of it; all else is judged as ever.
        """
        last_s = self._now_s
        backwards = not math.isfinite(now_s) or now_s < last_s
        if backwards:
            now_s = last_s if math.isfinite(last_s) else 0.0
            self._findings += ("the controller's clock runs backwards or is no number",)
        self._now_s, self._backwards = now_s, backwards
        for name, live in self.live.items():
            if isinstance(live, PassiveLive):
                live.overdue(now_s)
            else:
                self._waited[name] = overdue(live, now_s, self._waited[name])
        self._noted = {name: live.notes.taken() for name, live in self.live.items()}
        self._noted[""], self._findings = self._findings, ()
        seconds = 0.0 if math.isnan(last_s) else now_s - last_s
        return self._judged(self._court, seconds, mask)

    def unmasked(self) -> Judged:
        """Return the verdict at the last one's time with nothing left out; changes nothing."""
        return self._judged(self._court.copy(), 0.0, NO_MASK)

    def _judged(self, court: Court, seconds: float, mask: Mask) -> Judged:
        each = self.live.values()
        shown, passive = left_out(
            tuple(live.shown() for live in each if not isinstance(live, PassiveLive)),
            tuple(live.shown() for live in each if isinstance(live, PassiveLive)),
            tiles=mask.tiles,
            modalities=mask.modalities,
        )
        mute = any(m.lost[0] and bool(m.lost.all()) for m in shown if m.names)
        judged = court.judge(self._now_s, shown, passive, seconds=seconds)
        findings = judged.findings
        for name, noted in self._noted.items():
            if noted and name not in mask.modalities:
                findings += noted
        if findings is not judged.findings:
            judged = replace(judged, findings=findings)
        if (self._backwards or mute) and judged.verdict is not Verdict.TAMPER:
            judged = replace(judged, verdict=Verdict.DENIED)
        return self._dated(judged)

    def pardon(self) -> None:
        """Forget the account of blind time: nothing was guarded while it ran up."""
        self._court.blind_s = 0.0

    def afresh(self, mask: Mask, anchors: Mapping[str, AnyAnchor] | None = None) -> None:
        """Begin anew, without evidence of before, with what `mask` names, and nothing else.

        anchors: that replace those of modalities in the mask, signed by whoever has to. InputError
        for an anchor of another modality, or of other channels and features than before.
        """
        for name, anchor in (anchors or {}).items():
            if name not in mask.modalities or not same_features(self.live[name].anchor, anchor):
                raise InputError(
                    f"the anchor of {name} has other features, or was not to be replaced.",
                    remedy="measure the module again; another design is commissioned anew.",
                    key=name,
                )
        for name, live in tuple(self.live.items()):
            if name in mask.modalities:
                anchor = (anchors or {}).get(name, live.anchor)
                fresh = _live(anchor, self.policy, self._single, self._levels)
                _follow(fresh, live)
                self.live[name] = fresh
            elif mask.tiles:
                live.forget(np.array([tile in mask.tiles for tile in live.anchor.tiles], np.bool_))

    def _dated(self, judged: Judged) -> Judged:
        """Return the verdict with FOCuS's date of the change that speaks loudest, if it has one."""
        if math.isnan(judged.onset_s):
            return judged
        for item in judged.items:
            live = self.live[item.modality]
            assert not isinstance(live, PassiveLive)
            nats, windows, _ = live.onset.since(live.anchor.names.index(item.name))
            if nats >= SPEAKS and math.isfinite(live.ended_s):
                began_s = live.ended_s - windows * live.place.size * live.place.chip_s
                return replace(judged, onset_s=min(began_s, judged.now_s))
        return judged


def _live(anchor: AnyAnchor, policy: Policy, single: bool, levels: int) -> Live:
    if isinstance(anchor, Anchor):
        return KeyedLive(anchor, window_s=policy.window_s, single=single, levels=levels)
    if isinstance(anchor, FieldAnchor):
        return FieldLive(anchor, window_s=policy.window_s)
    return PassiveLive(anchor, window_s=policy.window_s)


def same_features(one: AnyAnchor, other: AnyAnchor) -> bool:
    """Return whether two anchors are of one modality and name the same features in one order."""
    return (
        type(one) is type(other)
        and one.modality == other.modality
        and (one.names, one.tiles, one.chip_s) == (other.names, other.tiles, other.chip_s)
    )


def _follow(fresh: Live, before: Live) -> None:
    """Let a live modality go on where the stream of the one before stands."""
    if isinstance(fresh, PassiveLive) and isinstance(before, PassiveLive):
        fresh.last_s = before.last_s
    elif not isinstance(fresh, PassiveLive) and not isinstance(before, PassiveLive):
        fresh.place = before.place.copy()


def _shape(live: Live, block: Block) -> str:
    """Return what is wrong with a block as a whole, "" if nothing is."""
    values, health = np.asarray(block.values), np.asarray(block.health)
    if values.ndim != 2 or values.shape[1] != live.columns():
        return f"{values.shape[-1] if values.ndim else 0} channels, its anchor has {live.columns()}"
    if values.dtype.kind not in "fc" or health.dtype.kind not in "iu":
        return "values or flags that are no numbers"
    return ""
