"""Frames of a still link as a fitted receiver would report them."""

from __future__ import annotations

import numpy as np

from casemate.twin.line_materials import Complex, Real
from casemate.twin.receiver_model import MEMORIES_S, Receiver
from casemate.twin.walks import ou

LEVEL_MEMORY_S = 30.0
"""Memory of the slow part of the noise level (planning value; recordings hold 0.2 to 0.6 of its
variance over 10 frames and more)."""


def still_frames(
    receiver: Receiver, response: Complex, times_s: Real, f_hz: Real, generator: np.random.Generator
) -> Complex:
    """Return frames (K, N) of a response (N,) with noise, drift and outliers, gains taken away.

    The same generator state gives the same frames. Noise that is not additive follows the
    response's own magnitude bin by bin.
    """
    power = float(np.mean(np.abs(response) ** 2))
    shape: Real = np.asarray(np.abs(response) ** 2 / power)
    own = receiver.noise - receiver.additive
    per_bin: Real = np.asarray(power * (receiver.additive + own * shape))
    level: Real = np.asarray(10.0 ** (_levels(receiver, times_s, generator) / 20.0))
    noise = _normal(generator, (times_s.size, response.size))
    frames = response[None] + level[:, None] * np.sqrt(per_bin[None]) * noise
    for share, memory_s in zip(receiver.drift, MEMORIES_S, strict=True):
        if share > 0.0:
            frames = frames + np.sqrt(share * power) * _drift(
                receiver.shapes, memory_s, times_s, f_hz, generator
            )
    odd = generator.random(times_s.size) < receiver.outlier_rate
    far = _normal(generator, frames.shape) * np.sqrt(power * 10.0 ** (receiver.outlier_db / 10.0))
    return np.asarray(frames + odd[:, None] * far)


def with_gain(
    receiver: Receiver, frames: Complex, f_hz: Real, generator: np.random.Generator
) -> Complex:
    """Return frames with random phase, gain and delay put back, as unsynchronised radios have."""
    count: int = frames.shape[0]
    level_db = receiver.gain_db * generator.standard_normal(count)
    gain = np.asarray(10.0 ** (level_db / 20.0))
    turn = 2.0 * np.pi * generator.random(count)
    delay_s = receiver.delay_s * generator.standard_normal(count)
    phase = turn[:, None] - 2.0 * np.pi * f_hz[None] * delay_s[:, None]
    return np.asarray(gain[:, None] * np.exp(1j * phase) * frames)


def _levels(receiver: Receiver, times_s: Real, generator: np.random.Generator) -> Real:
    """Return the noise level in dB around one whose mean power is 1, shape (K,)."""
    slow = ou(LEVEL_MEMORY_S, times_s, generator)[:, 0] * np.sqrt(receiver.level_slow)
    fast = generator.standard_normal(times_s.size) * np.sqrt(1.0 - receiver.level_slow)
    bias = 0.5 * receiver.level_db**2 * np.log(10.0) / 10.0  # mean of a log-normal
    return np.asarray(receiver.level_db * (slow + fast) - bias)


def _drift(
    shapes: float, memory_s: float, times_s: Real, f_hz: Real, generator: np.random.Generator
) -> Complex:
    """Return a unit drift, shape (K, N): `shapes` random smooth directions over the band."""
    count = max(1, round(shapes))
    band = float(np.ptp(f_hz)) + float(np.diff(f_hz).min())
    delay_s = (generator.random((count, count)) - 0.5) * count / band
    waves = np.exp(-2j * np.pi * delay_s[:, :, None] * f_hz[None, None, :])
    directions = (_normal(generator, (count, count))[:, :, None] * waves).sum(axis=1)
    directions /= np.sqrt(np.mean(np.abs(directions) ** 2, axis=1, keepdims=True))
    walks = ou(memory_s, times_s, generator, 2 * count)
    moved = (walks[:, :count] + 1j * walks[:, count:]) / np.sqrt(2.0 * count)
    return np.asarray(moved @ directions)


def _normal(generator: np.random.Generator, shape: tuple[int, ...]) -> Complex:
    parts = generator.standard_normal((2, *shape)) / np.sqrt(2.0)
    return np.asarray(parts[0] + 1j * parts[1])
