"""A scene chip by chip: the twin's readers, the health monitor, the detector of the enclosure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from casemate.attacks.board import spot
from casemate.attacks.move import Plan
from casemate.campaigns.commission import commissioned
from casemate.campaigns.reader import TwinReader
from casemate.core.challenge import Challenge, chips
from casemate.core.watch import watched
from casemate.detect.detector import Detector
from casemate.detect.response import Policy
from casemate.detect.verdict import Judged, Verdict
from casemate.sensors.modalities import modality
from casemate.twin.assembly import Twin
from casemate.twin.conditions import WINDOW_S, course
from casemate.twin.effects import Hole, Pocket, Scene, Timed

QUIET_S = 1.5
"""Before the window in which a scene begins: a second to settle, and half of one at rest."""
START_S = QUIET_S + 0.5 * WINDOW_S
"""Of scenes, in the midst of a window: it then holds for the whole of it."""


class Stand:
    """Modalities of a twin with their anchors, made once."""

    def __init__(self, twin: Twin, names: tuple[str, ...]) -> None:
        self.twin = twin
        self.fitted = [modality(name).fit(twin) for name in names]
        self.anchors = tuple(commissioned(twin, each) for each in self.fitted)

    def detector(
        self, policy: Policy, scene: Scene, *, seed: int, duration_s: float
    ) -> Iterator[tuple[Detector, Judged]]:
        """Yield the detector and its verdict after each window of chips."""
        detector = Detector.unsafe_unsigned(self.anchors, policy, levels=7)
        streams = []
        for fitted in self.fitted:
            reader = TwinReader(self.twin, fitted, scene, seed=seed, duration_s=duration_s)
            key = np.random.default_rng([seed, 7]).bytes(32)
            asked = Challenge(key=key, modality=fitted.id, epoch=1, chip_s=fitted.chip_s,
                              order=reader.order)  # fmt: skip
            streams.append((watched(reader.configure(asked), reader.channels, asked), asked))
        for k in range(int(duration_s / WINDOW_S)):
            for stream, asked in streams:
                block = next(stream)
                count = block.t_s.size
                detector.add(asked.modality, block, chips(asked, k * count, count))
            yield detector, detector.judge((k + 1) * WINDOW_S)

    def first_tamper_s(
        self, policy: Policy, scene: Scene, *, seed: int, duration_s: float
    ) -> tuple[float, list[float]]:
        """Return from QUIET_S to TAMPER, nan if never, and the fused nats after each window."""
        at_s, nats = float("nan"), []
        for _, judged in self.detector(policy, scene, seed=seed, duration_s=duration_s):
            nats.append(judged.nats)
            if judged.verdict is Verdict.TAMPER and np.isnan(at_s):
                at_s = judged.now_s - QUIET_S
        return at_s, nats


def drill(plan: Plan, diameter_m: float = 3e-4) -> Scene:
    """Return a drill through the outermost layer onto a trace."""
    return (
        Timed(effect=Hole(at=spot(plan, plan.tile.stackup.mesh[0]), diameter_m=diameter_m),
              start_s=START_S),
    )  # fmt: skip


def pocket(plan: Plan, diameter_m: float) -> Scene:
    """Return a pocket over the outermost layer."""
    at = spot(plan, plan.tile.stackup.mesh[0])
    return (Timed(effect=Pocket(at=at, diameter_m=diameter_m), start_s=START_S),)


def relative(stand: Stand, scene: Scene) -> float:
    """Return the largest relative change of a capacitance that a scene makes."""
    times_s = np.array([0.0, QUIET_S + 1.0])
    run = course(stand.twin, scene, times_s, np.random.default_rng(0))
    fitted = next(each for each in stand.fitted if each.id == "mesh_capacitance")
    before = fitted.read(run.steps[0]).quantity.real
    return float(np.abs(fitted.read(run.steps[1]).quantity.real / before - 1.0).max())
