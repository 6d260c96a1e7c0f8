"""Sums and blocks drawn from their exact law against sums of chips."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy import stats

from casemate.campaigns.law import drawn_block, drawn_sums, flagged, offsets, spreads
from casemate.core.samples import Health
from casemate.detect.anchor import NONE, Anchor, FieldAnchor

NOMINAL = np.array([10.0, -4.0, 2.0])
NOISE = np.array([0.03, 0.02, 0.01])
EXTRA = np.array([0.02, 0.01, -0.004])
QUANTITY = np.array([10.1, -4.05, 1.98])


def anchor() -> Anchor:
    """Return three channels, as a mean, a difference and one alone."""
    three = np.ones(3)
    return Anchor(
        modality="loops",
        chip_s=0.005,
        visits=1.0,
        channels=("a", "b", "c"),
        tiles=("", "", ""),
        names=("mean", "ratio", "alone"),
        nominal=NOMINAL,
        first=np.array([0, 0, 2]),
        second=np.array([1, 1, NONE]),
        weight=np.array([[0.5, 0.5], [1.0, -1.0], [1.0, 0.0]]),
        group=np.array([0, NONE, 0]),
        noise=0.001 * three,
        bound=0.01 * three,
        step=0.01 * three,
        must=0.5 * three,
        rate=0.001 * three,
        common=np.array([0.1]),
        common_rate=np.array([1e-3]),
    )


def reading(additive: float = 0.0, health: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        quantity=QUANTITY,
        additive=np.full(3, additive),
        health=np.array([0, health, 0], dtype=np.uint16),
    )


def by_chips(count: int, loud: int, quiet: int, generator: np.random.Generator) -> np.ndarray:
    """Return (count, 3, F): s1, s2 and the power of silent chips, of channels' chips."""
    noise = NOISE * generator.standard_normal((count, loud + quiet, 3))
    share = (QUANTITY + EXTRA + noise[:, :loud]) / NOMINAL
    idle = noise[:, loud:] / NOMINAL

    def features(each: np.ndarray) -> np.ndarray:
        a, b, c = each[..., 0], each[..., 1], each[..., 2]
        return np.stack([(a + b) / 2.0, a - b, c], axis=-1)

    x = features(share) - [1.0, 0.0, 1.0]
    power = (features(idle) ** 2).mean(axis=1) / anchor().noise ** 2
    return np.stack([x.sum(axis=1), (x**2).sum(axis=1), power], axis=1)


def test_drawn_sums_follow_the_law_of_chips() -> None:
    """Marginals and two joint statistics by Kolmogorov-Smirnov, 15 tests at 1e-3 each."""
    generator = np.random.default_rng(3)
    drawn = drawn_sums(anchor(), reading(), NOISE, EXTRA, 0.1, 8000, generator)
    assert drawn.loud[0].tolist() == [18.0] * 3 and drawn.quiet[0].tolist() == [2.0] * 3
    chips = by_chips(8000, 18, 2, generator)
    for f in range(3):
        rows = (
            (drawn.s1[:, f], chips[:, 0, f]),
            (drawn.s2[:, f], chips[:, 1, f]),
            (drawn.quiet_power[:, f], chips[:, 2, f]),
            (drawn.s2[:, f] - drawn.s1[:, f] ** 2 / 18, chips[:, 1, f] - chips[:, 0, f] ** 2 / 18),
            (drawn.s1[:, f] / np.sqrt(drawn.s2[:, f]), chips[:, 0, f] / np.sqrt(chips[:, 1, f])),
        )
        for one, two in rows:
            assert stats.ks_2samp(one, two).pvalue > 1e-3
        error = 5.0 * chips[:, 0, f].std() * np.sqrt(2.0 / 8000)
        assert abs(drawn.s1[:, f].mean() - chips[:, 0, f].mean()) < error
        assert np.isclose(drawn.s2[:, f].var(), chips[:, 1, f].var(), rtol=0.1)


def test_a_wrong_law_is_noticed() -> None:
    """The control: one degree of freedom too many in the scatter."""
    generator = np.random.default_rng(4)
    chips = by_chips(8000, 18, 2, generator)
    scatter = chips[:, 1, 0] - chips[:, 0, 0] ** 2 / 18
    spread = spreads(anchor(), NOISE)[0]
    assert stats.kstest(scatter / spread**2, stats.chi2(17).cdf).pvalue > 1e-3
    assert stats.kstest(scatter / spread**2, stats.chi2(18).cdf).pvalue < 1e-6


def test_offsets_and_spreads_by_hand() -> None:
    change = (QUANTITY - NOMINAL) / NOMINAL
    found = offsets(anchor(), QUANTITY)
    assert np.allclose(found, [change[:2].mean(), change[0] - change[1], change[2]])
    share = NOISE / np.abs(NOMINAL)
    pair = np.hypot(share[0], share[1])
    assert np.allclose(spreads(anchor(), NOISE), [pair / 2.0, pair, share[2]])


def test_health_marks_features_of_a_channel() -> None:
    generator = np.random.default_rng(5)
    lost = drawn_sums(
        anchor(), reading(health=int(Health.MISSING)), NOISE, EXTRA, 0.1, 2, generator
    )
    assert lost.lost[0].tolist() == [True, True, False] and lost.loud[0, 0] == 0.0
    cut = drawn_sums(anchor(), reading(health=int(Health.CLIPPED)), NOISE, EXTRA, 0.1, 2, generator)
    assert cut.open_[0].tolist() == [True, True, False] and not cut.lost.any()
    assert not flagged(anchor(), np.zeros(3, np.uint16), np.uint16(0xFFFF)).any()


def test_interference_is_heard_everywhere() -> None:
    generator = np.random.default_rng(6)
    loud = drawn_sums(anchor(), reading(additive=0.3), NOISE, EXTRA, 0.1, 4000, generator)
    spread = spreads(anchor(), np.hypot(NOISE, 0.3)) / anchor().noise
    assert np.allclose(loud.quiet_power.mean(axis=0), spread**2, rtol=0.1)


def test_drawn_blocks_follow_the_law_of_chips() -> None:
    """One link, three tones: mean, the three sums of the scatter, their mix along a direction."""
    generator = np.random.default_rng(7)
    runs, tones, loud = 4000, 3, 5
    field = np.ones((1, tones)) * (1.0 + 0.5j)
    eye = np.eye(6)[:3][None]
    one = np.ones(1)
    at = FieldAnchor(
        modality="rf_cavity", chip_s=1e-3, visits=0.012, names=("l",), field=field, shapes=eye,
        noise=0.1 * one, bound=one, step=one, must=one,
    )  # fmt: skip
    noise, moved = np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.1j, 0.0])
    read = SimpleNamespace(
        quantity=field.reshape(-1), additive=np.zeros(3), health=np.zeros(3, dtype=np.uint16)
    )
    blocks = [drawn_block(at, read, noise, moved, 0.5, generator) for _ in range(runs)]
    assert blocks[0].loud == loud and blocks[0].quiet[0] == 2.0 * tones
    g = generator.standard_normal((2, runs, loud, tones))
    chips = field + moved + noise * (g[0] + 1j * g[1])
    left = chips - chips.mean(axis=1, keepdims=True)
    mean = np.stack([each.mean[0] for each in blocks])
    scatter = np.stack([each.scatter[0] for each in blocks])
    a, b = 0.6, -0.8
    for t in range(tones):
        x, y = left[..., t].real, left[..., t].imag
        rows = (
            (mean[:, t].real, chips[..., t].mean(axis=1).real),
            (mean[:, t].imag, chips[..., t].mean(axis=1).imag),
            (scatter[:, t, 0], (x**2).sum(axis=1)),
            (scatter[:, t, 1], (x * y).sum(axis=1)),
            (scatter[:, t, 2], (y**2).sum(axis=1)),
            (
                a * a * scatter[:, t, 0] + 2 * a * b * scatter[:, t, 1] + b * b * scatter[:, t, 2],
                ((a * x + b * y) ** 2).sum(axis=1),
            ),
        )
        for drawn, true in rows:
            assert stats.ks_2samp(drawn, true).pvalue > 1e-3
    power = np.stack([each.quiet_power[0] for each in blocks])
    assert power.mean() == np.clip(power.mean(), 0.97, 1.03)
