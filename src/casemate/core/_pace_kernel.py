"""Compiled half of `watch_order`: whether samples follow one another at the pace they should."""

from __future__ import annotations

from typing import Any

from numba import njit

from casemate.core._watch_kernel import follow


@njit(cache=True)
def paced(
    t_s: Any, chip: Any, last_s: float, last: int, chip_s: float, slack_s: float, from_s: float,
    from_chip: int, count: int, share: float,
) -> Any:  # fmt: skip
    """Return whether samples (K,) follow the last one and their rate is right, and from when on the
    next rate is measured, in time and number.

    from_s, from_chip: from when on this one is, over `count` chips; share: by which it may be off.
    """
    if not follow(t_s, chip, last_s, last, chip_s, slack_s):
        return False, from_s, from_chip
    for k in range(t_s.size):
        if chip[k] - from_chip >= count:
            measured = (t_s[k] - from_s) / (chip[k] - from_chip)
            if abs(measured / chip_s - 1.0) > share:
                return False, from_s, from_chip
            from_s, from_chip = t_s[k], chip[k]
    return True, from_s, from_chip
