"""Readers without an end: slow change keeps its law across stretches, and seeds give streams."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from casemate.campaigns.live import STRETCH_S, SlowChange, live_reader
from casemate.core.challenge import Challenge
from casemate.core.samples import Block
from casemate.sensors.modalities import modality
from casemate.twin.assembly import Twin
from casemate.twin.effects import Hole, Timed
from casemate.twin.stage import Stage
from casemate.twin.walks import ou
from on_boards import along

COLUMNS = 3000


class Walks:
    """A modality whose slow change is unit walks."""

    id = "walks"

    def nuisance(self, times_s: Any, generator: np.random.Generator) -> Any:
        return ou(1800.0, times_s, generator, COLUMNS)


def test_slow_change_keeps_its_spread_and_never_jumps() -> None:
    slow = SlowChange(Walks(), seed=1)  # type: ignore[arg-type]
    last = slow.at(0.0)
    for now_s in np.arange(0.0, 2.2 * STRETCH_S, 97.0):
        found = slow.at(float(now_s))
        # the standard error of a spread of 3000 normals is 1.3 %
        assert abs(float(found.std()) - 1.0) < 0.06
    for edge_s in (3.0 * STRETCH_S, 4.0 * STRETCH_S):
        last = slow.at(edge_s - 0.05)
        moved = slow.at(edge_s + 0.05) - last
        # a walk moves sqrt(2 x 0.1 s / 1800 s) = 1 % in a window
        assert float(moved.std()) < 0.015


def blocks(twin: Twin, stage: Stage, seed: int, count: int) -> list[Block]:
    fitted = modality("loop_resistance").fit(twin)
    reader = live_reader(twin, fitted, stage, seed=seed)
    asked = Challenge(key=b"k" * 32, modality=fitted.id, epoch=1, chip_s=fitted.chip_s)
    return list(itertools.islice(reader.configure(asked), count))


def test_a_scene_that_begins_later_changes_the_stream_from_there_on(dpa_twin: Twin) -> None:
    quiet = blocks(dpa_twin, Stage(dpa_twin, seed=1), 1, 6)
    again = blocks(dpa_twin, Stage(dpa_twin, seed=1), 1, 6)
    stage = Stage(dpa_twin, seed=1)
    board = dpa_twin.board("top-1-1")
    stage.begin((Timed(effect=Hole(at=along(board, 0, 0.5), diameter_m=2e-3), start_s=0.0),), 0.35)
    cut = blocks(dpa_twin, stage, 1, 6)
    for k in range(6):
        assert np.array_equal(quiet[k].values, again[k].values, equal_nan=True)
        same = np.array_equal(quiet[k].values, cut[k].values, equal_nan=True)
        assert same == (k < 3)
