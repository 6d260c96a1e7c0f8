"""What a heartbeat tells of health: the short way where nothing is flagged, and the long."""

from __future__ import annotations

import numpy as np
import pytest

from casemate.control.readers import Arrived
from casemate.control.watching import Watching
from casemate.core.challenge import Chips
from casemate.core.samples import Block, Health


class _Deaf:
    def add(self, *_given: object) -> None:
        """Take anything."""


def watching() -> Watching:
    """Return the part of a loop that keeps flags, of two modalities, one channel left out."""
    found = Watching.__new__(Watching)
    found._flags = {"loops": np.zeros(3, np.uint16), "nets": np.zeros(2, np.uint16)}
    found._heard = {"loops": np.array([True, True, False]), "nets": np.ones(2, np.bool_)}
    found._flagged, found._window_s = False, 0.1
    found._came_s, found._ended, found._mute = {}, {"loops": 0, "nets": 0}, set()
    found.detector = _Deaf()  # type: ignore[assignment]
    return found


def arrived(name: str, faults: list[int], *, calm: bool) -> Arrived:
    size = len(faults)
    block = Block(
        t_s=np.zeros(1), chip=np.zeros(1, np.int64), values=np.zeros((1, size)),
        health=np.array([faults], np.uint16),
    )  # fmt: skip
    chips = Chips(first=0, drive=np.zeros(1, np.complex128), place=np.zeros(1, np.int64))
    return Arrived(
        modality=name, block=block, chips=chips, at_s=0.0, faults=np.array(faults, np.uint16),
        calm=calm,
    )  # fmt: skip


def test_nothing_flagged_is_told_as_it_is() -> None:
    loop = watching()
    loop._take(arrived("loops", [0, 0, 0], calm=True))
    short = loop._health()
    loop._flagged = True
    assert short == loop._health() == (4, 4, 0)


@pytest.mark.parametrize("channel, told", [(1, (4, 3, int(Health.UNIT))), (2, (4, 4, 0))])
def test_a_flag_is_told_until_it_is_settled(channel: int, told: tuple[int, int, int]) -> None:
    loop = watching()
    faults = [0, 0, 0]
    faults[channel] = int(Health.UNIT)
    loop._take(arrived("loops", faults, calm=False))
    loop._take(arrived("loops", [0, 0, 0], calm=True))
    assert loop._health() == told, "a calm block takes no flag away"
    loop.settle_flags()
    assert loop._health() == (4, 4, 0)
