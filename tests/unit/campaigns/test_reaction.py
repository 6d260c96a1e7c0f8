"""Reaction of chips alone: against the cap of the bet, and its tails."""

from __future__ import annotations

import math

import numpy as np
import pytest

from casemate.campaigns.reaction import needed_nats, reaction_s
from casemate.core.errors import InputError


def test_a_cut_is_known_within_100_ms_at_1_khz() -> None:
    """708 features, one false alarm in 83 years, one chip in 8 silent, tolerance of 27 noises."""
    found = reaction_s(708, 1e-3, 0.012, 0.125, np.random.default_rng(1), 300, tolerance=27.0)
    assert np.percentile(found, 99) < 0.1
    # a loud chip brings ln(31/16) at most, on 4 of 12 processes
    chips = (needed_nats(708, 1e-3, 0.012) + math.log(3.0)) / math.log(31.0 / 16.0)
    assert np.median(found) == pytest.approx(chips / 0.875 * 1e-3, rel=0.08)


def test_it_grows_with_features_and_silence_and_ends_in_never() -> None:
    generator = np.random.default_rng(2)
    few, many, mute = (
        np.median(reaction_s(f, 1e-3, 0.012, s, generator, 100))
        for f, s in ((10, 0.1), (100_000, 0.1), (10, 0.6))
    )
    assert few < many < mute
    assert np.isinf(reaction_s(10, 1e-3, 0.012, 0.1, generator, 20, size=0.0)).all()
    two = np.median(reaction_s(10, 1e-3, 0.012, 0.1, generator, 200, touched=2))
    assert two <= few


def test_figures_out_of_range_are_refused() -> None:
    for args in ((0, 1e-3, 0.01, 0.1), (5, 0.0, 0.01, 0.1), (5, 1e-3, 0.0, 0.1),
                 (5, 1e-3, 0.01, 1.0)):  # fmt: skip
        with pytest.raises(InputError):
            reaction_s(*args, np.random.default_rng(1), 3)
