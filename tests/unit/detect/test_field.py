"""The cavity's evidence: all signs by brute force, gain and drift within bounds, jams, losses."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from casemate.detect.anchor import FieldAnchor
from casemate.detect.field import MEMORY_S, Block, FieldBank

BLOCK_S = 0.5


def anchor_of(generator: np.random.Generator, links: int, tones: int) -> FieldAnchor:
    """Return links of a field like a filled cavity's, drift of 100 s memory and -23 dB."""
    parts = generator.standard_normal((2, links, tones))
    field = parts[0] + 1j * parts[1]
    field = field / np.sqrt(np.mean(np.abs(field) ** 2, axis=1, keepdims=True))
    rows = [field, 1j * field, 1j * field * np.linspace(-1.0, 1.0, tones)]
    flat = np.stack([np.concatenate([each.real, each.imag], axis=1) for each in rows], axis=2)
    spread = math.sqrt(4.5e-3 * chi2.isf(2.0 * norm.sf(8.0), 6) / 6.0)
    behind = math.sqrt(MEMORY_S / (MEMORY_S + 100.0))
    return FieldAnchor(
        modality="rf_cavity",
        chip_s=1e-3,
        visits=1.0 / (2.0 * tones),
        names=tuple(f"link {k}" for k in range(links)),
        field=field,
        shapes=np.stack([np.linalg.qr(each)[0].T for each in flat]),
        noise=np.full(links, 0.0587),
        bound=np.full(links, spread),
        step=np.full(links, 1.5 * behind * spread),
        must=np.full(links, 0.5),
    )


def block_of(chips: np.ndarray, silent_power: float = 1.0) -> Block:
    """Return the block of chips r (L, n, T), already times the conjugate of their challenge."""
    mean = chips.mean(axis=1)
    left = chips - mean[:, None]
    scatter = np.stack(
        [(left.real**2).sum(1), (left.real * left.imag).sum(1), (left.imag**2).sum(1)], axis=-1
    )
    links, loud, tones = chips.shape
    return Block(
        mean=mean,
        scatter=scatter,
        loud=loud,
        quiet_power=np.full(links, silent_power),
        quiet=np.full(links, 2.0 * tones),
        lost=np.zeros(links, bool),
    )


def of_norm(generator: np.random.Generator, size: float, tones: int) -> np.ndarray:
    """Return a complex vector (T,) whose root mean square is `size`, over few tones or many."""
    found = generator.standard_normal(tones) + 1j * generator.standard_normal(tones)
    found *= 10.0 ** generator.uniform(-2, 0, tones)
    return np.asarray(found * size / np.sqrt(np.mean(np.abs(found) ** 2)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([(3, 4), (4, 3), (6, 2)]))
def test_every_pattern_of_signs_keeps_the_mean_at_most_one(
    seed: int, shape: tuple[int, int]
) -> None:
    """Direction from a block before; drift, gain and stretch within bounds; interference at will.

    A link for each pattern: 2^(chips) of them, all alike but for their signs.
    """
    tones, loud = shape
    generator = np.random.default_rng(seed)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=tones * loud)))
    count = signs.shape[0]
    one = anchor_of(generator, 1, tones)
    bank = FieldBank(one, block_s=BLOCK_S, levels=2)  # with one, kernels compile anew
    other = anchor_of(generator, 1, tones)
    bank.add(block_of(other.field[:, None] + 0.3 * generator.standard_normal((1, loud, tones))))
    wide = repeated(one, count)
    many = FieldBank(wide, block_s=BLOCK_S, levels=2)
    many.along = np.repeat(bank.along, count, axis=1)
    many.state = np.repeat(bank.state, count, axis=0)
    gain = one.shapes[0].T @ generator.standard_normal(3)
    many.shift = np.repeat(bank.shift + gain, count, axis=0)
    many.doubt = np.repeat(bank.doubt, count)
    # what surroundings have done: within the bound of the anchor, and of the state and its shift
    whole = bank.state[0] + bank.shift[0] + gain
    small = of_norm(generator, float(generator.uniform(0.0, one.step[0])), tones)
    whole = whole + np.concatenate([small.real, small.imag])
    d = one.field[0] + bank.size[0] * (whole[:tones] + 1j * whole[tones:])
    left = whole - one.shapes[0].T @ (one.shapes[0] @ whole)
    inside = np.sqrt((left**2).sum() / tones) <= one.bound[0]
    w = generator.standard_normal((2, loud, tones)) * 10.0 ** generator.uniform(
        -3, 2, (loud, tones)
    )
    chips = d + signs.reshape(count, loud, tones) * (w[0] + 1j * w[1])
    many.add(block_of(chips))
    assert np.all(many.evidence[1].r.mean(axis=0) <= 1.0 + 1e-9)
    if inside:
        assert np.all(many.evidence[0].r.mean(axis=0) <= 1.0 + 1e-9)


def repeated(anchor: FieldAnchor, count: int) -> FieldAnchor:
    return FieldAnchor(
        modality=anchor.modality,
        chip_s=anchor.chip_s,
        visits=anchor.visits,
        names=tuple(str(k) for k in range(count)),
        field=np.repeat(anchor.field, count, axis=0),
        shapes=np.repeat(anchor.shapes, count, axis=0),
        noise=np.repeat(anchor.noise, count),
        bound=np.repeat(anchor.bound, count),
        step=np.repeat(anchor.step, count),
        must=np.repeat(anchor.must, count),
    )


Jam = Callable[[int], float]


def nulls(seed: int, blocks: int, jam: Jam, *, one_tone: bool = False, lost: int = 0) -> FieldBank:
    """Play drift of the anchor's own figures, gain that swings by 30 %, and a jam over noise."""
    generator = np.random.default_rng(seed)
    links, tones, loud = 6, 48, 4
    anchor = anchor_of(generator, links, tones)
    bank = FieldBank(anchor, block_s=BLOCK_S)
    f_hz = np.linspace(3e9, 9e9, tones)
    ways = np.exp(1j * (generator.uniform(0, 6.28, (links, 3, 1)) + 2 * np.pi * f_hz * generator.uniform(0, 2e-9, (links, 3, 1))))  # fmt: skip # noqa: E501
    walk = generator.standard_normal((2, links, 3))
    rho = math.exp(-BLOCK_S / 100.0)
    bank.most = -np.inf  # type: ignore[attr-defined]
    for k in range(blocks):
        walk = rho * walk + math.sqrt(1 - rho**2) * generator.standard_normal(walk.shape)
        drift = np.einsum("ls,lst->lt", walk[0] + 1j * walk[1], ways) * math.sqrt(4.5e-3 / 6.0)
        field = anchor.field * (1.0 + 0.3 * math.sin(k / 200.0)) + drift
        if k == 0:
            bank.settle(field)
        noise = anchor.noise[0] * generator.standard_normal((2, links, loud + 1, tones))
        extra = np.full((links, loud + 1, tones), jam(k) * anchor.noise[0])
        if one_tone:
            extra[:, :, 1:] = 0.0
        heard = (
            noise[0] + 1j * noise[1] + extra * np.exp(2j * np.pi * generator.random(extra.shape))
        )
        silent = (np.abs(heard[:, -1]) ** 2).mean() / (2.0 * anchor.noise[0] ** 2)
        block = block_of(field[:, None] + heard[:, :loud], silent)
        if lost and k % 200 >= 200 - lost:
            block.lost[:] = True
        shown = bank.add(block)
        bank.most = max(bank.most, float(np.logaddexp.reduce(shown.nats)) - math.log(links))  # type: ignore[attr-defined]
        bank.last = shown  # type: ignore[attr-defined]
        bank.field = field  # type: ignore[attr-defined]
    return bank


@pytest.mark.parametrize("times", [1.0, 3.0, 1e4])
@pytest.mark.parametrize("one_tone", [False, True])
def test_noise_alone_convicts_nobody(times: float, one_tone: bool) -> None:
    bank = nulls(3, 150, lambda k: times * (k % 40 < 20), one_tone=one_tone)
    assert bank.most < math.log(1000.0 * 150)  # type: ignore[attr-defined]


def test_losses_convict_nobody_and_a_change_does() -> None:
    bank = nulls(4, 450, lambda k: 0.0, lost=100)
    assert bank.most < math.log(1000.0 * 450)  # type: ignore[attr-defined]
    generator = np.random.default_rng(5)
    other = anchor_of(generator, 6, 48)
    changed = bank.field + 0.7 * other.field  # type: ignore[attr-defined]
    for _ in range(12):
        noise = 0.0587 * generator.standard_normal((2, 6, 4, 48))
        shown = bank.add(block_of(changed[:, None] + noise[0] + 1j * noise[1]))
    assert np.all(shown.nats > 24.0)


def test_gain_and_stretch_are_no_change_and_not_finite_is_lost() -> None:
    bank = nulls(6, 60, lambda k: 0.0)
    fresh = FieldBank(bank.anchor, block_s=BLOCK_S)
    assert not fresh.beyond(1.4 * bank.anchor.field)
    assert fresh.beyond(bank.anchor.field[::-1])
    block = block_of(np.repeat(bank.anchor.field[:, None], 4, axis=1))
    block.mean[2, 5] = np.nan
    shown = bank.add(block)
    assert shown.lost.tolist() == [k == 2 for k in range(6)] and shown.information[2] == 0.0
    assert np.all(np.isfinite(shown.nats))


def test_copies_go_their_own_way() -> None:
    bank = nulls(7, 5, lambda k: 0.0)
    twin = bank.copy()
    held = twin.state.copy(), twin.along.copy(), twin.evidence[1].r.copy()
    bank.add(block_of(1.5 * np.repeat(bank.anchor.field[::-1][:, None], 4, axis=1)))
    assert np.array_equal(held[0], twin.state) and np.array_equal(held[1], twin.along)
    assert np.array_equal(held[2], twin.evidence[1].r)
