"""The cavity's compiled block against numpy step by step: the same to 1e-12 in calm, noise, loss.

And the filling that makes blocks of chips. What is planted: a link lost, one that is no number, a
jam, a change, and a kernel that forgets one step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from slow_field import SlowField, slow_close
from test_field import anchor_of, block_of

from casemate.detect import _field_kernel as kernel
from casemate.detect.anchor import FieldAnchor
from casemate.detect.bank import Shown
from casemate.detect.blocks import FieldFilling
from casemate.detect.field import Block, FieldBank

LINKS, TONES, CHIPS, BLOCK_S = 4, 12, 7, 0.5
FIGURES = ("anchored", "step", "interference", "information", "healthy", "off")
STATES = ("state", "shift", "along", "doubt", "heard")


def blocks(anchor: FieldAnchor, scene: str, count: int) -> list[Block]:
    """Return blocks in which a scene begins in the middle."""
    generator = np.random.default_rng(7)
    found = []
    for number in range(count):
        shape = (LINKS, CHIPS, TONES)
        noise = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
        scene_now = scene if number >= count // 2 else "calm"
        power = 30.0 if scene_now == "jam" else 1.0
        chips = anchor.field[:, None, :] + power * anchor.noise[0] * noise
        if scene_now == "change":
            chips = chips + 1.5 * np.cos(3.0 * np.arange(TONES))
        block = block_of(chips, power**2)
        if scene_now == "lost" and number % 3 == 0:
            block = replace(block, lost=np.arange(LINKS) % 2 == 0)
        if scene_now == "no number" and number % 3 == 0:
            mean = block.mean.copy()
            mean[1, 3] = np.nan
            block = replace(block, mean=mean)
        if scene_now == "empty" and number % 3 == 0:
            block = replace(block, loud=0, lost=np.ones(LINKS, np.bool_))
        found.append(block)
    return found


def apart(one: Shown, other: Shown) -> float:
    """Return how far two figures are apart at most, relative to 1 or more."""
    worst = 0.0
    for name in FIGURES:
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        gap = np.abs(a - b) / np.maximum(np.abs(b), 1.0)
        worst = max(worst, float(np.nanmax(gap, initial=0.0)))
    return worst


@pytest.mark.parametrize("scene", ["calm", "jam", "change", "lost", "no number", "empty"])
def test_a_block_is_the_same_in_one_call_as_step_by_step(scene: str) -> None:
    anchor = anchor_of(np.random.default_rng(3), LINKS, TONES)
    quick, slow = FieldBank(anchor, block_s=BLOCK_S), SlowField(anchor, block_s=BLOCK_S)
    spoke = -np.inf
    for block in blocks(anchor, scene, 24):
        one, other = quick.add(block), slow.add(block)
        assert apart(one, other) < 1e-12
        np.testing.assert_array_equal(one.lost, other.lost)
        np.testing.assert_array_equal(one.at_bound, other.at_bound)
        for name in STATES:
            np.testing.assert_allclose(
                getattr(quick, name), getattr(slow, name), rtol=1e-12, atol=1e-13
            )
        spoke = max(spoke, float(one.nats.max()))
    assert (spoke > 20.0) is (scene == "change")  # so that scenes are what they are called


def test_a_step_that_is_left_out_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    anchor = anchor_of(np.random.default_rng(3), LINKS, TONES)
    quick, slow = FieldBank(anchor, block_s=BLOCK_S), SlowField(anchor, block_s=BLOCK_S)
    whole = kernel.turn

    def forgets(*given: object) -> None:
        whole(*given)
        quick.shift[:] = 0.0

    monkeypatch.setattr(kernel, "turn", forgets)
    far = [apart(quick.add(each), slow.add(each)) for each in blocks(anchor, "calm", 24)]
    assert max(far) > 1e-9


@pytest.mark.parametrize("blurred", [(), (2,), tuple(range(LINKS))])
def test_a_filling_closes_as_step_by_step(blurred: tuple[int, ...]) -> None:
    generator = np.random.default_rng(5)
    anchor = anchor_of(generator, LINKS, TONES)
    filling = FieldFilling.start(anchor, CHIPS * TONES)
    shape = filling.heard.shape
    filling.heard[:] = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    filling.count[:] = generator.integers(2, shape[2], filling.count.shape)
    filling.power[:], filling.quiet[:] = generator.random(LINKS), [2.0, 0.0, 4.0, 6.0]
    filling.blurred[list(blurred)] = True
    filling.count[1, 3] = 0  # a tone of this link was never heard
    wanted = slow_close(filling)
    found, told, _ = filling.close()
    assert found.loud == wanted.loud
    np.testing.assert_array_equal(found.lost, wanted.lost)
    np.testing.assert_array_equal(np.flatnonzero(told), np.array(blurred, dtype=np.int64))
    for name in ("mean", "scatter", "quiet_power", "quiet"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(wanted, name), rtol=1e-13, atol=1e-14
        )
    assert not filling.count.any() and not filling.heard.any() and not filling.blurred.any()
