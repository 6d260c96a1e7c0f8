"""The keyed detector and the pyramid at every chip, in one call: what a live loop has time for.

To the bit what `keyed.advance` and `pyramid.advance` give one after the other; a call costs as much
as a fifth of the arithmetic of 4096 channels.
"""

from __future__ import annotations

import numpy as np

from casemate.core.errors import InputError
from casemate.detect import _tick_kernel as kernel
from casemate.detect.keyed import FLOAT, KeyedState, Single
from casemate.detect.pyramid import PyramidState


def advance(bets: KeyedState, levels: PyramidState, x: Single, out: Single | None = None) -> Single:
    """Advance both by K chips; return (2, K, F): the evidence M, and the pyramid's scores.

    x (K, F) float32: `keyed.keyed`, in units in which the pyramid's z is x. levels: started with
    mirrored sides. out: (2, K, F) float32, C-contiguous, to spare an allocation.

    Raises InputError for a block, an `out` or a pyramid of another kind.
    """
    shape = (2, *x.shape)
    if out is None:
        out = np.empty(shape, dtype=FLOAT)
    alike = x.ndim == 2 and bets.features == levels.features == shape[-1] and out.shape == shape
    sound = x.dtype == FLOAT and out.dtype == FLOAT and out.flags.c_contiguous
    if levels.sided or not alike or not sound:
        raise InputError(
            "a tick of both detectors needs float32 chips (K, F), and room for (2, K, F).",
            remedy="give both states and the block the same channels, and the pyramid one series.",
            value=(x.shape, str(x.dtype), out.shape, bets.features, levels.features),
        )
    dense = x if x.flags.c_contiguous else np.ascontiguousarray(x)
    kernel.advance(
        dense, out, bets._room, bets.chips, levels._room, levels.levels, levels.samples
    )  # fmt: skip
    bets.chips += shape[1]
    levels.samples += shape[1]
    return out
