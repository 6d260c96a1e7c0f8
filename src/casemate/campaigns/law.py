"""What a window of keyed chips sums up to, drawn by its exact law instead of chip by chip.

With normal noise of standard deviation s a chip about an offset o, n chips give sum and sum of
squares n o + s sqrt(n) g and n o^2 + 2 o s sqrt(n) g + s^2 (g^2 + chi2 of n - 1): two draws for any
number of chips. Tests hold it against chips.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Health
from casemate.detect.anchor import NONE, Anchor, FieldAnchor
from casemate.detect.bank import chips_of
from casemate.detect.evidence import Sums
from casemate.detect.field import Block
from casemate.sensors.modality import Reading
from casemate.twin.line_materials import Real

UNUSABLE = np.uint16(0xFFFF & ~int(Health.CLIPPED))
"""Flags with which a sample is no reading at all; an open net clips and is one."""


def offsets(anchor: Anchor, quantity: Real) -> Real:
    """Return each feature's relative change (..., F) of quantities (..., C) in channels' units."""
    share = quantity / anchor.nominal
    second = np.where(anchor.second == NONE, 0, anchor.second)
    found = anchor.weight[:, 0] * share[..., anchor.first]
    found = found + anchor.weight[:, 1] * share[..., second]
    return np.asarray(found - anchor.expected)


def spreads(anchor: Anchor, channel_sd: Real) -> Real:
    """Return each feature's noise of a chip (F,), relative, of channels' (C,) in their units."""
    share = channel_sd / np.abs(anchor.nominal)
    second = np.where(anchor.second == NONE, 0, anchor.second)
    return np.asarray(
        np.hypot(
            anchor.weight[:, 0] * share[anchor.first], anchor.weight[:, 1] * share[second]
        )
    )  # fmt: skip


def flagged(
    anchor: Anchor, health: npt.NDArray[np.uint16], mask: np.uint16
) -> npt.NDArray[np.bool_]:
    """Return whether a channel of each feature (F,) carries a flag of `mask`."""
    bad = (health & mask) != 0
    second = np.where(anchor.second == NONE, anchor.first, anchor.second)
    return np.asarray(bad[anchor.first] | bad[second])


def drawn_sums(
    anchor: Anchor,
    reading: Reading,
    noise: Real,
    extra: Real,
    window_s: float,
    count: int,
    generator: np.random.Generator,
) -> Sums:
    """Return `count` windows of a reading. noise (C,): of a chip.

    extra (C,): what surroundings add by themselves.
    """
    loud, quiet = chips_of(anchor.chip_s, anchor.visits, window_s)
    off = offsets(anchor, np.real(reading.quantity) + extra)
    spread = spreads(anchor, np.hypot(noise, reading.additive))
    shape = (count, off.size)
    lost = np.tile(flagged(anchor, reading.health, UNUSABLE), (count, 1))
    open_ = np.tile(flagged(anchor, reading.health, np.uint16(Health.CLIPPED)), (count, 1))
    drawn = sums_of(
        np.broadcast_to(off, shape), spread / anchor.noise, anchor.noise, (loud, quiet), generator
    )
    heard = np.where(lost, 0.0, 1.0)
    return Sums(
        s1=heard * drawn.s1,
        s2=heard * drawn.s2,
        loud=heard * drawn.loud,
        quiet_power=heard * drawn.quiet_power,
        quiet=heard * drawn.quiet,
        open_=open_,
        lost=lost,
    )


def sums_of(
    off: Real,
    louder: Real,
    noise: Real,
    chips: tuple[int, int],
    generator: np.random.Generator,
    *,
    louder_silent: Real | None = None,
) -> Sums:
    """Return windows (K, F) of sound chips about offsets `off` (K, F), relative.

    louder: the noise of loud chips over `noise` (F,), that of a quiet chip; louder_silent: that of
    silent chips, if an adversary tells them apart; both as broadcast to (K, F). chips: how many are
    loud and silent.
    """
    loud, quiet = chips
    shape = off.shape
    spread = np.broadcast_to(louder * noise, shape)
    silent = louder if louder_silent is None else louder_silent
    g = generator.standard_normal(shape)
    rest = generator.chisquare(loud - 1, shape) if loud > 1 else np.zeros(shape)
    s1 = loud * off + spread * np.sqrt(loud) * g
    s2 = loud * off**2 + 2.0 * off * spread * np.sqrt(loud) * g + spread**2 * (g**2 + rest)
    no = np.zeros(shape, dtype=np.bool_)
    return Sums(
        s1=s1,
        s2=s2,
        loud=np.full(shape, float(loud)),
        quiet_power=silent**2 * generator.chisquare(quiet, shape) / quiet,
        quiet=np.full(shape, float(quiet)),
        open_=no,
        lost=no,
    )


def drawn_block(
    anchor: FieldAnchor,
    reading: Reading,
    noise: Real,
    extra: npt.NDArray[np.complex128],
    block_s: float,
    generator: np.random.Generator,
) -> Block:
    """Return one block of a cavity's reading; arguments as for `drawn_sums`, of L x T channels."""
    links, tones = anchor.field.shape
    loud, quiet = chips_of(anchor.chip_s, anchor.visits, block_s)
    field = (reading.quantity + extra).reshape(links, tones)
    spread = np.hypot(noise, reading.additive).reshape(links, tones)
    lost = ((reading.health & UNUSABLE) != 0).reshape(links, tones).any(axis=1)
    g = generator.standard_normal((3, links, tones))
    mean = field + spread / np.sqrt(loud) * (g[0] + 1j * g[1])
    # sums of squares about the mean: a Wishart matrix of 2 x 2, by Bartlett
    one = np.sqrt(generator.chisquare(loud - 1, (links, tones)))
    two = generator.chisquare(loud - 2, (links, tones))
    scatter = np.stack([one**2, one * g[2], g[2] ** 2 + two], axis=-1) * spread[..., None] ** 2
    power = (spread / noise.reshape(links, tones)) ** 2
    power = power * generator.chisquare(2 * quiet, (links, tones)) / (2 * quiet)
    return Block(
        mean=mean,
        scatter=scatter,
        loud=loud,
        quiet_power=power.mean(axis=1),
        quiet=np.where(lost, 0.0, 2.0 * quiet * tones),
        lost=lost,
    )
