"""Windows drawn by their law against windows summed chip by chip."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from casemate.campaigns.law import sums_of

COUNT, LOUD, QUIET = 4000, 88, 12


@pytest.mark.parametrize("louder", [1.0, 7.0])
def test_a_windows_sums_have_the_law_of_summed_chips(louder: float) -> None:
    noise, off = np.array([0.3]), 0.1
    drawn = sums_of(
        np.full((COUNT, 1), off), np.full((COUNT, 1), louder), noise, (LOUD, QUIET),
        np.random.default_rng(1), louder_silent=np.full((COUNT, 1), 2.0),
    )  # fmt: skip
    g = np.random.default_rng(2)
    chips = off + louder * noise[0] * g.standard_normal((COUNT, LOUD))
    silent = 2.0 * g.standard_normal((COUNT, QUIET))
    pairs = [
        (drawn.s1[:, 0], chips.sum(axis=1)),
        (drawn.s2[:, 0], (chips**2).sum(axis=1)),
        (drawn.quiet_power[:, 0], (silent**2).mean(axis=1)),
    ]
    for a, b in pairs:
        assert ks_2samp(a, b).pvalue > 1e-3
    # the two sums hang together as those of chips do
    both = [np.corrcoef(x, y)[0, 1] for x, y in zip(pairs[0], pairs[1], strict=True)]
    assert both[0] == pytest.approx(both[1], abs=0.06)
    assert (drawn.loud == LOUD).all() and (drawn.quiet == QUIET).all()


def test_the_comparison_notices_a_noise_that_is_5_percent_off() -> None:
    g = np.random.default_rng(3)
    one, noise = np.zeros((COUNT, 1)), np.array([1.0])
    right = sums_of(one, np.ones((1, 1)), noise, (LOUD, QUIET), g)
    wrong = sums_of(one, np.full((1, 1), 1.05), noise, (LOUD, QUIET), g)
    assert ks_2samp(right.s2[:, 0], wrong.s2[:, 0]).pvalue < 1e-3
