"""Recordings of radio channels as one thing: complex response over frequency, frame by frame.

DW1000 accumulators from the text log of DecaRanging; Intel 5300 channel state from `.dat`, which
csiread 1.4.1 (MIT) reads. Frames are returned raw: gain, phase and delay still vary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from casemate.core.errors import InputError
from casemate.twin.line_materials import Complex, Real

TAP_S = 1.0 / (2 * 499.2e6)
"""One tap of the DW1000's accumulator (Decawave user manual 2.12, 4.7.1)."""
CLOCK_WRAP_S = 2.0**40 / (128 * 499.2e6)
"""Its clock has 40 bits of 1/(128 x 499.2 MHz)."""
BEFORE, AFTER = 40, 160
"""Taps kept before and after the first path that the chip found: 200 ns hold the echoes."""
BAND_HZ = 225e6
"""Half of the 500 MHz channel 2 less its skirts; beyond it the receiver's filter leaves noise."""
CSI_INDEX = np.array([*range(-28, 0, 2), -1, *range(1, 28, 2), 28])
"""Subcarriers that the 5300 reports in 20 MHz (IEEE 802.11n-2009, 7.3.1.27, grouping of 2)."""
SUBCARRIER_HZ = 312.5e3

_TIME = re.compile(r"Rx time\(un\) = ([-+.\de]+)")
_START = re.compile(r"HLP\(([\d.]+)\)")
_TAP = re.compile(r"\s*(-?\d+),\s*(-?\d+)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Frames of one link that nobody touched.

    `times_s` (K,) rising from 0; `f_hz` (N,) from mid-band; `frames` (K, N) in the receiver's own
    units; `floor` is the mean power per bin of its noise before the first path, 0 if unknown.
    """

    times_s: Real
    f_hz: Real
    frames: Complex
    floor: float = 0.0


def part(recording: Recording, chosen: NDArray[np.bool_] | slice) -> Recording:
    """Return the chosen frames, times from the first of them."""
    times = recording.times_s[chosen]
    return Recording(
        times_s=times - times[0],
        f_hz=recording.f_hz,
        frames=recording.frames[chosen],
        floor=recording.floor,
    )


def dw1000(path: Path) -> Recording:
    """Read a DecaRanging accumulator log; frames that are cut short are left out.

    Raises InputError if it holds fewer than two whole frames.
    """
    frames: list[Complex] = []
    clock: list[float] = []
    floors: list[float] = []
    for time_s, first, taps in _accumulators(path):
        start = round(first) - BEFORE
        if start < 200 or start + BEFORE + AFTER > taps.size:
            continue
        window = taps[start : start + BEFORE + AFTER]
        # white noise seen through the same window and transform
        quiet = taps[start - 200 : start]
        frames.append(np.fft.fft(window))
        floors.append(float(np.mean(np.abs(np.fft.fft(quiet)) ** 2)))
        clock.append(time_s)
    if len(frames) < 2:
        raise InputError(
            "No accumulators found.",
            remedy="Give a DecaRanging log with lines RX OK and Accum Len.",
            file=path.name,
        )
    f_hz = np.fft.fftfreq(BEFORE + AFTER, TAP_S)
    inside = np.flatnonzero(np.abs(f_hz) <= BAND_HZ)
    inside = inside[np.argsort(f_hz[inside])]
    steps = np.mod(np.diff(np.asarray(clock)), CLOCK_WRAP_S)
    return Recording(
        times_s=np.concatenate([[0.0], np.cumsum(steps)]),
        f_hz=np.asarray(f_hz[inside], dtype=np.float64),
        frames=np.stack(frames)[:, inside],
        floor=float(np.median(floors)),
    )


def _accumulators(path: Path) -> list[tuple[float, float, Complex]]:
    """Return (time in s, index of the first path, taps) of every whole frame."""
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    found, time_s, first, at = [], 0.0, 0.0, 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if match := _TIME.search(line):
            time_s = float(match[1])
        elif line.startswith("RX OK") and (match := _START.search(line)):
            first = float(match[1])
        elif line.startswith("Accum Len") and first > 0.0:
            count = int(line.split()[-1])
            pairs = [_TAP.fullmatch(each) for each in lines[at : at + count]]
            at += count
            if len(pairs) == count and all(pairs):
                taps = [complex(int(p[1]), int(p[2])) for p in pairs if p]
                found.append((time_s, first, np.asarray(taps)))
            first = 0.0
    return found


def intel5300(path: Path, receiver: int) -> Recording:
    """Read the link from the first transmit stream to one receive antenna (0 to 2).

    Raises InputError if the file holds no packets or csiread is not installed.
    """
    try:
        import csiread
    except ImportError as error:
        raise InputError(
            "Reading Intel 5300 files needs csiread.",
            remedy="Install csiread 1.4.1.",
            file=path.name,
        ) from error
    log = csiread.Intel(str(path), nrxnum=3, ntxnum=2, if_report=False)
    log.read()
    if log.count < 2:
        raise InputError(
            "No channel state found.", remedy="Give a CSI Tool .dat file.", file=path.name
        )
    steps = np.mod(np.diff(np.asarray(log.timestamp_low).astype(np.int64)), 2**32) * 1e-6
    return Recording(
        times_s=np.concatenate([[0.0], np.cumsum(steps)]),
        f_hz=CSI_INDEX * SUBCARRIER_HZ,
        frames=np.asarray(log.get_scaled_csi()[:, :, receiver, 0], dtype=np.complex128),
    )
