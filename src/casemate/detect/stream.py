"""How a stream of chips moves on: by windows, past gaps, and by the clock when it stays away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Chips
from casemate.core.samples import Block
from casemate.detect import _keyed_kernel as keyed_kernel
from casemate.detect import keyed
from casemate.detect.blocks import Place
from casemate.detect.evidence import Evidence
from casemate.detect.notes import Notes


class ChipsLive(Protocol):
    """What this module asks of a modality that answers chips."""

    place: Place
    notes: Notes
    grace_s: float
    ended_s: float

    def close(self) -> None:
        """End the window that is being filled."""
        ...

    def lose(self, count: int) -> None:
        """Take in windows of which nothing came."""
        ...


def windows(
    live: ChipsLive, block: Block, chips: Chips, now_s: float
) -> Iterator[tuple[slice, npt.NDArray[np.bool_], npt.NDArray[np.int64]]]:
    """Yield rows of a block window by window: which, which of them count, and their chips.

    Closes each window that the stream has left behind.
    """
    place = live.place
    flags = place.align(block, chips, now_s)
    number = np.asarray(block.chip, dtype=np.int64)
    if number.size and not flags.any():
        # rows that are all due have rising numbers: one window holds them if it holds both ends
        mine, first = int(number[-1]) // place.size, int(number[0])
        if mine == first // place.size and mine >= place.window:
            leave(live, mine)
            yield slice(0, number.size), np.ones(number.size, dtype=np.bool_), number - chips.first
            if (place.last + 1) % place.size == 0:
                live.close()
            return
    live.notes.rows(flags)
    use = flags == 0
    if not use.any():
        return
    at = np.where(use, number - chips.first, 0)
    window = np.maximum.accumulate(np.where(use, number // place.size, -1))
    first = int(window[use][0])
    if first < place.window:
        place.window = first
        live.notes.say("clock set back")
    begin = int(np.argmax(use))
    while begin < number.size:
        mine = int(window[begin])
        end = begin + int(np.searchsorted(window[begin:], mine, side="right"))
        leave(live, mine)
        yield slice(begin, end), use[begin:end], at[begin:end]
        begin = end
    if (place.last + 1) % place.size == 0:
        live.close()


def leave(live: ChipsLive, window: int) -> None:
    """Close windows before `window`; those of which nothing came count as lost."""
    place = live.place
    if place.window >= window:
        return
    live.close()
    gap = window - place.window
    if gap > 0:
        live.lose(gap)
        place.window = window
        live.ended_s = place.end_s() - place.size * place.chip_s


def overdue(live: ChipsLive, now_s: float, waited: int) -> int:
    """Close windows that should be full by `now_s`; return how many were lost while waiting.

    waited: lost so far while no chip of the epoch has come, since `place.last_s`, then.
    """
    place = live.place
    length_s = place.size * place.chip_s
    if place.last >= 0:
        since_s = now_s - live.grace_s - place.start_s()
        leave(live, int(min(max(since_s, 0.0) / length_s, 2.0**52)))
        return 0
    if math.isnan(place.last_s):
        place.last_s = now_s
    due = int(min(max(now_s - live.grace_s - place.last_s, 0.0) / length_s, 2.0**52))
    if due > waited:
        live.lose(due - waited)
        live.ended_s = now_s
    return max(due, waited)


def wipe(evidence: Evidence, which: npt.NDArray[np.bool_]) -> None:
    """Let features (F,) begin anew without evidence: a bet of e = 0, valid at any time."""
    evidence.r[which] = 0.0
    evidence.held[which] = 0.0
    evidence.spent[which] = 0.0
    evidence.tails[:, which] = 0.0


def wipe_chips(state: keyed.KeyedState, which: npt.NDArray[np.bool_]) -> None:
    """The same for chips' evidence."""
    tiles = state.processes.reshape(-1, keyed_kernel.PROCESSES, keyed_kernel.TILE)
    for f in np.flatnonzero(which).tolist():
        tiles[f // keyed_kernel.TILE, :, f % keyed_kernel.TILE] = 0.0
