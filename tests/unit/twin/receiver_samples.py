"""What the tests of receivers share: the recordings, and a fit once per link."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from casemate.twin.receiver_model import Receiver, fit
from casemate.twin.receiver_records import Recording, dw1000, intel5300
from outside_programs import needs
from truths import recorded

UWB = ("2", "16", "20")
WIFI = ("1", "2", "3")


def uwb(name: str) -> Recording:
    """Return one DW1000 geometry."""
    return _uwb(recorded("uwb_cir"), name)


def wifi(name: str, receiver: int) -> Recording:
    """Return one antenna of one Intel 5300 recording."""
    needs("csiread")
    return _wifi(recorded("wifi_csi"), name, receiver)


@cache
def _uwb(home: Path, name: str) -> Recording:
    return dw1000(home / f"{name}.log")


@cache
def _wifi(home: Path, name: str, receiver: int) -> Recording:
    return intel5300(home / f"d98_background0{name}.dat", receiver)


_fits: dict[int, tuple[Recording, Receiver]] = {}


def fitted(recording: Recording) -> Receiver:
    """Return the fit of a recording, made once."""
    if id(recording) not in _fits:
        _fits[id(recording)] = (recording, fit(recording))
    return _fits[id(recording)][1]
