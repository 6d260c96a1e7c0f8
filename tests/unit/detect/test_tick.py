"""Both detectors in one call: the same bits as one after the other, whatever comes."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.core.errors import InputError
from casemate.detect import keyed, pyramid, tick


@pytest.mark.parametrize("features", [1, 16, 530])
@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_both_in_one_call_are_one_after_the_other(features: int, gaps: float) -> None:
    generator = np.random.default_rng(1)
    x = (generator.standard_normal((70, features)) + 0.5).astype(np.float32)
    x[generator.random(x.shape) < gaps] = np.nan
    bets, levels = keyed.start(np.full(features, 0.1)), pyramid.start(features, 6)
    alone, other = bets.copy(), levels.copy()
    got = [tick.advance(bets, levels, x[t : t + 1]) for t in range(40)]
    got.append(tick.advance(bets, levels, np.asfortranarray(x[40:])))
    found = np.concatenate(got, axis=1)
    assert np.array_equal(found[0], keyed.advance(alone, x))
    assert np.array_equal(found[1], pyramid.advance(other, x))
    assert np.array_equal(bets.each(), alone.each()) and bets.chips == 70
    assert np.array_equal(levels.evidence(), other.evidence()) and levels.samples == 70
    assert found[0].max() > 10.0 and found[1].max() > 1.0


def test_what_does_not_fit_is_refused_and_moves_nothing() -> None:
    bets, levels, x = keyed.start([0.0] * 3), pyramid.start(3, 4), np.ones((2, 3), np.float32)
    out = np.empty((2, 2, 3), dtype=np.float32)
    for states, block, room in (
        ((bets, pyramid.start(4, 4)), x, out),
        ((bets, pyramid.start(3, 4, sided=True)), x, out),
        ((bets, levels), x.astype(float), out),
        ((bets, levels), x[:, :2], out),
        ((bets, levels), x[0], out),
        ((bets, levels), x, out[:1]),
        ((bets, levels), x, out.astype(float)),
        ((bets, levels), x, np.empty((2, 3, 2), np.float32).transpose(0, 2, 1)),
    ):
        with pytest.raises(InputError):
            tick.advance(*states, block, room)
    for room in (np.empty((3, 3), np.float32), np.empty((2, 3)), np.empty((2, 4), np.float32)):
        with pytest.raises(InputError):
            keyed.advance(bets, x, room)
        with pytest.raises(InputError):
            pyramid.advance(levels, x, out=room)
    assert bets.chips == levels.samples == 0 and bets.each().max() == 0.0
