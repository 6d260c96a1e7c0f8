"""A detector with something left out: what is left out, what is not, and how it begins anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_box import Box
from test_detector import cut, settled

from casemate.core.errors import InputError
from casemate.detect.mask import NO_MASK, Mask
from casemate.detect.verdict import Judged, Verdict

LOOPS = Mask(modalities=frozenset({"loops"}))


def go_on(box: Box, mask: Mask, seconds: float = 1.0, only: str = "") -> Judged:
    """Let time pass; `only`: a modality that is cut. Return the verdict under the mask."""
    judged = box.step(100, cut if only else None, only)
    for _ in range(round(seconds / 0.1) - 1):
        box.step(100, cut if only else None, only)
        judged = box.detector.judge(box.now_s, mask=mask)
    return judged


def test_what_is_left_out_says_nothing_and_the_rest_all_that_it_did() -> None:
    box = settled()
    assert go_on(box, LOOPS, only="loops").verdict is Verdict.NORMAL
    assert go_on(box, LOOPS, only="plates").verdict is Verdict.TAMPER


def test_unmasked_tells_the_whole_and_changes_nothing() -> None:
    box = settled()
    masked = go_on(box, LOOPS, only="loops")
    whole = box.detector.unmasked()
    assert (masked.verdict, whole.verdict) == (Verdict.NORMAL, Verdict.TAMPER)
    again = box.detector.judge(box.now_s, mask=LOOPS)
    assert (again.verdict, again.nats, again.blind_s) == (
        masked.verdict, masked.nats, masked.blind_s
    )  # fmt: skip


def test_evidence_of_before_ends_with_afresh_alone() -> None:
    """After it is mended the evidence stays; begun anew it is gone, and a second cut is seen."""
    box = settled()
    go_on(box, LOOPS, only="loops")
    box.step(500)
    assert box.detector.unmasked().verdict is Verdict.TAMPER
    box.detector.afresh(LOOPS)
    box.step(500)
    assert box.step(2500).verdict is Verdict.NORMAL
    assert go_on(box, NO_MASK, only="loops").verdict is Verdict.TAMPER


@pytest.mark.slow
def test_a_board_begins_anew_and_its_neighbour_does_not() -> None:
    box = settled()
    tile = box.anchors["loops"].tiles[1]
    other = next(each for each in (*box.anchors["plates"].tiles, "none") if each != tile)
    go_on(box, LOOPS, only="loops")
    box.step(500)
    box.detector.afresh(Mask(tiles=frozenset({other})))
    assert box.detector.unmasked().verdict is Verdict.TAMPER
    box.detector.afresh(Mask(tiles=frozenset({tile})))
    box.step(500)
    assert box.step(500).verdict is Verdict.NORMAL


@pytest.mark.slow
def test_another_anchor_takes_its_place() -> None:
    """A module reads 5 % more: against its own anchor it is quiet, against the old one not."""
    box = settled()
    box.gain["loops"] = 1.05
    go_on(box, LOOPS)
    new = replace(box.anchors["loops"], nominal=1.05 * box.anchors["loops"].nominal)
    assert box.detector.unmasked().verdict is Verdict.TAMPER
    box.detector.afresh(LOOPS, {"loops": new})
    box.step(500)
    assert box.step(2500).verdict is Verdict.NORMAL
    assert go_on(box, NO_MASK, only="loops").verdict is Verdict.TAMPER


@pytest.mark.parametrize("wrong", ["plates", "names"])
def test_anchors_of_others_are_refused(wrong: str) -> None:
    box = settled()
    new = box.anchors["plates"]
    if wrong == "names":
        names = tuple(f"other {each}" for each in box.anchors["loops"].names)
        new = replace(box.anchors["loops"], names=names)
    with pytest.raises(InputError):
        box.detector.afresh(LOOPS, {"loops": new})
    with pytest.raises(InputError):
        box.detector.afresh(LOOPS, {"plates": box.anchors["plates"]})


def test_all_left_out_is_blind() -> None:
    box = settled()
    names = frozenset(box.anchors)
    assert box.detector.judge(box.now_s, mask=Mask(modalities=names)).verdict is Verdict.DENIED
    assert np.isfinite(box.detector.judge(box.now_s).nats)
