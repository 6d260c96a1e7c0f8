"""What a permit leaves out is left out, and what it does not is judged as ever."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from casemate.detect.bank import Shown
from casemate.detect.mask import left_out
from casemate.detect.passive import PassiveShown
from casemate.detect.response import LOG, ZEROISE, policy
from casemate.detect.verdict import Court, Judged, Verdict

COUNT = 10
POLICY = policy(far_per_year=0.1, features=2 * COUNT, window_s=0.1)


def quiet(modality: str) -> Shown:
    """Ten features, five on each of two boards."""
    zero, no = np.zeros(COUNT), np.zeros(COUNT, bool)
    return Shown(
        modality=modality,
        names=tuple(f"f{k}" for k in range(COUNT)),
        tiles=tuple("ab"[k // 5] for k in range(COUNT)),
        anchored=zero - 1.0, step=zero - 1.0, interference=zero, information=zero + 60.0,
        healthy=zero + 60.0, window_s=0.1, open_=no, lost=no, off=zero, at_bound=no, shared=no,
    )  # fmt: skip


def opened(each: Shown, feature: int) -> Shown:
    """The same with a conductor that stands open and speaks."""
    nats, cut = np.full(COUNT, -1.0), np.zeros(COUNT, bool)
    nats[feature], cut[feature] = 40.0 + math.log(4.0 * COUNT), True
    return replace(each, anchored=nats, open_=cut)


LIGHT = PassiveShown(
    modality="environment", names=("in", "out"), tiles=("a", ""), kind=("light", "light"),
    z=np.array([9.0, 0.0]), lost=np.array([False, False]), nats=np.array([60.0, 0.0]),
)  # fmt: skip


def judged(feature: int, tiles: str, modalities: tuple[str, ...] = ()) -> Judged:
    """The court's verdict on an opening at a feature of two modalities, so much left out."""
    shown = tuple(opened(quiet(name), feature) for name in ("loops", "plates"))
    kept, passive = left_out(shown, (LIGHT,), tiles=tiles, modalities=modalities)
    return Court(policy=POLICY).judge(1.0, kept, passive)


@pytest.mark.parametrize(
    ("feature", "tiles", "level"),
    [(2, "", ZEROISE), (2, "a", LOG), (7, "a", ZEROISE), (7, "b", 1), (2, "z", ZEROISE)],
)
def test_boards(feature: int, tiles: str, level: int) -> None:
    """Board a left out: an opening on a is nothing, one on b is all that it was."""
    assert judged(feature, tiles).level == level


def test_modalities() -> None:
    """One left out: the other still convicts; all left out is blindness, never NORMAL."""
    assert judged(2, "", ("plates",)).verdict is Verdict.TAMPER
    assert judged(2, "", ("plates", "loops")).verdict is Verdict.DENIED


def test_the_bound_stays() -> None:
    """What stays has the evidence that it had: the mean is over all features still."""
    alone = judged(7, "a").nats
    assert alone == pytest.approx(judged(7, "").nats, abs=1e-9)
