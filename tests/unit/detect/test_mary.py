"""The M-ary detector: whichever challenge is the true one, the mean share is at most one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.challenge import Challenge, points
from casemate.core.errors import InputError
from casemate.detect import mary


def challenges(generator: np.random.Generator, m: int, n: int, silent: float = 0.1) -> np.ndarray:
    drawn = generator.choice(points("phase", 8), (m, n))
    return np.where(generator.random((m, n)) < silent, 0.0, drawn)


def noise(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(2, 9), st.integers(1, 12),
    st.sampled_from([0.0, 0.1, 1.0, 20.0]), st.sampled_from([0.05, 1.0, 10.0]), st.booleans(),
)  # fmt: skip
def test_the_mean_over_which_challenge_is_true_is_at_most_one(
    seed: int, m: int, n: int, eps: float, bet: float, steady: bool
) -> None:
    """Brute force: given any M challenges, each is the true one alike often. Interference of six
    decades, a replay of one challenge among it; drift anywhere in the tolerance."""
    generator = np.random.default_rng(seed)
    drive = challenges(generator, m, n)
    x = noise(generator, n, 4) * 10.0 ** generator.uniform(-3, 3, (n, 4))
    x[:, 1] = 5.0 * drive[0]
    group = np.array([0, 0, 1, 1])
    e = np.empty((m, 2))
    for true in range(m):
        turn = np.exp(2j * np.pi * generator.random((1 if steady else n, 4)))
        drift = eps * turn * generator.choice([0.5, 1.0], (1, 4))
        order = np.r_[true, np.delete(np.arange(m), true)]
        residual = drive[true][:, None] * drift + x
        energy = mary.energies(drive[order], residual, np.full(4, eps), group, steady=steady)
        e[true] = np.exp(mary.log_e(energy, bet))
        free = np.abs(np.conj(drive[order]) @ x / n) ** 2
        free = np.stack([free[:, :2].sum(axis=1), free[:, 2:].sum(axis=1)], axis=1)
        room = 1e-9 * (1.0 + free + eps**2)
        assert np.all(energy[0] <= free[0] + room[0])
        assert np.all(energy[1:] >= free[1:] - room[1:])
    assert np.all(e.mean(axis=0) <= 1.0 + 1e-9)
    if eps == 0.0:
        assert np.allclose(e.mean(axis=0), 1.0)


def test_drift_without_its_tolerance_breaks_the_bound() -> None:
    generator = np.random.default_rng(1)
    e = []
    for _ in range(300):
        drive = challenges(generator, 16, 32)
        residual = 0.7 * drive[0][:, None] + noise(generator, 32, 1)
        for eps in (0.0, 0.7):
            got = mary.energies(drive, residual, np.array([eps]), np.array([0]))
            e.append(np.exp(mary.log_e(got, 5.0))[0])
    assert np.mean(e[::2]) > 2.0 and np.mean(e[1::2]) < 1.0


def test_log_e_is_safe_and_capped() -> None:
    energy = np.zeros((256, 3))
    energy[0, 0], energy[1, 1], energy[:, 2] = 1e300, 1e300, 1e300
    with np.errstate(all="raise", under="ignore"):
        got = mary.log_e(energy, 1.0)
    assert got[0] == pytest.approx(math.log(256.0)) and got[1] < -1e299
    assert got[2] == pytest.approx(0.0, abs=1e-12)


def run(shift: float, windows: int, seed: int, eps: float = 0.0, m: int = 32) -> np.ndarray:
    """Return evidence after each window of 64 chips, two tones of one link, shape (windows,)."""
    generator = np.random.default_rng(seed)
    state, out = mary.start(1), np.empty(windows)
    turn = np.exp(2j * np.pi * generator.random(2))
    for w in range(windows):
        drive = challenges(generator, m, 64)
        residual = shift * turn * drive[0][:, None] + noise(generator, 64, 2)
        if w % 3 == 0:
            residual += 30.0 * np.exp(0.3j * np.arange(64))[:, None] * (w % 2)
        energy = mary.energies(drive, residual, np.full(2, eps), np.zeros(2, dtype=np.int64))
        out[w] = mary.advance(state, energy)[0]
    return out


def test_it_sees_a_change_and_keeps_the_bound_with_a_jammer_going() -> None:
    quiet = [run(0.05, 40, seed, eps=0.05).max() for seed in range(30)]
    assert np.mean(np.array(quiet) > math.log(40 * 15)) <= 1 / 15
    loud = [run(1.0, 40, seed, eps=0.05)[-1] for seed in range(5)]
    assert min(loud) > math.log(1e16)


def test_states_copy_and_missing_windows_leave_evidence() -> None:
    state = mary.start(2)
    energy = np.random.default_rng(2).exponential(size=(32, 2))
    assert np.all(mary.advance(state, energy) == -np.inf)
    energy[0] = 9.0
    first = mary.advance(state, energy)
    copy = state.copy()
    energy[3, 0] = np.nan
    second = mary.advance(state, energy)
    assert second[0] == pytest.approx(first[0]) and second[1] > first[1]
    assert np.all(copy.logs[..., 1] < state.logs[..., 1])


def test_decoys_are_chips_of_other_keys_and_can_be_drawn_anew() -> None:
    challenge = Challenge(key=bytes(32), modality="rf", epoch=3, chip_s=1e-3, symbols=16,
                          constellation="phase")  # fmt: skip
    drive = mary.drives(challenge, 15, 100, 4000)
    assert drive.shape == (16, 4000)
    like = np.abs(np.conj(drive) @ drive.T) / 4000
    assert np.max(like - np.diag(np.diag(like))) < 0.08 and np.min(np.diag(like)) > 0.85
    assert np.array_equal(mary.drives(challenge, 15, 107, 10), drive[:, 7:17])


def test_what_does_not_fit_is_refused() -> None:
    drive, residual = np.ones((3, 4), complex), np.ones((4, 2), complex)
    for d, r, t in ((drive[:1], residual, 2), (drive[:, :3], residual, 2), (drive, residual, 3)):
        with pytest.raises(InputError):
            mary.energies(d, r, np.zeros(t), np.zeros(2, dtype=np.int64))
