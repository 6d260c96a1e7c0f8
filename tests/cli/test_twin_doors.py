"""Doors of a twin: the switch follows the scene, on the stage's time; and trays in their places."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casemate.cli.twin_doors import Doors
from casemate.cli.twin_modules import SPREAD, VOLUME, WIDEST, Modules
from casemate.cli.twin_trays import Trays
from casemate.control import module_identity
from casemate.control.adapters import made_up_rack, redfish
from casemate.control.anchor_file import anchors_of
from casemate.core.errors import InputError, SignatureError
from casemate.core.suites import ED25519, PublicKey
from casemate.detect.anchor import FieldAnchor
from casemate.twin.effects import Aperture, Light, Timed

sys.path.append(str(Path(__file__).parents[1] / "unit" / "control"))
from small_enclosure import COUNT, anchor


def opening(face: str, width_m: float, start_s: float, stop_s: float, rise_s: float) -> Timed:
    gap = Aperture(face=face, length_m=2.0, width_m=width_m)
    return Timed(effect=gap, start_s=start_s, stop_s=stop_s, rise_s=rise_s)


def test_a_switch_says_when_its_door_stands_open() -> None:
    said: list[Any] = []
    doors = Doors({"front", "rear"}, said.append)
    light = Timed(effect=Light(lux=300.0), start_s=1.0, stop_s=9.0)
    doors.begin((opening("front", 0.02, 1.0, 9.0, 1.0), light), 100.0)
    doors.tick(101.05)  # ajar by 1 mm
    assert said == []
    doors.tick(101.1)
    assert said == [{"face": "front", "open": True}]
    doors.tick(108.9)
    doors.tick(109.0)
    assert said[1:] == [{"face": "front", "open": False}]


def test_what_is_no_door_or_too_little_says_nothing() -> None:
    said: list[Any] = []
    doors = Doors({"front"}, said.append)
    doors.begin((opening("top", 0.5, 0.0, 1.0, 0.0), opening("front", 1e-3, 0.0, 1.0, 0.0)), 0.0)
    doors.tick(5.0)
    assert said == []


def test_a_door_that_two_hold_open_closes_once() -> None:
    said: list[Any] = []
    doors = Doors({"front"}, said.append)
    doors.begin((opening("front", 0.5, 0.0, 4.0, 0.0),), 0.0)
    doors.begin((opening("front", 0.5, 0.0, 4.0, 0.0),), 2.0)
    for k in range(60):
        doors.tick(0.1 * k)
    assert [each["open"] for each in said] == [True]
    doors.tick(6.0)
    assert [each["open"] for each in said] == [True, False]


def volume() -> FieldAnchor:
    """What sees the whole volume, of as many links as the other modalities have channels."""
    field = np.ones((COUNT, 3), np.complex128)
    one = np.ones(COUNT)
    shapes = np.repeat(np.eye(3, 6)[None], COUNT, axis=0)
    return FieldAnchor(
        modality=VOLUME, chip_s=1e-3, visits=1.0, names=tuple(f"rf/{k}" for k in range(COUNT)),
        field=field, shapes=shapes, noise=1e-3 * one, bound=0.02 * one, step=0.01 * one,
        must=0.3 * one,
    )  # fmt: skip


def made(folder: Path, said: list[dict[str, Any]]) -> Modules:
    return Modules(
        (anchor("loops"), volume()), enclosure="small", serial="UNIT-1", secret=b"s" * 32,
        file=folder / "fitted.json", say=said.append, trays=Trays(folder / "redfish", seed=3),
    )  # fmt: skip


def serial(folder: Path, path: str) -> str:
    file = folder / "redfish" / path.lstrip("/") / made_up_rack.FILE
    return str(json.loads(file.read_text())["SerialNumber"])


def test_a_tray_that_is_put_in_has_other_serial_numbers_a_key_and_moves_the_volume(
    tmp_path: Path,
) -> None:
    said: list[dict[str, Any]] = []
    modules = made(tmp_path, said)
    seventh, eighth = (f"{redfish.ROOT}/Systems/Tray_{k}/Processors/GPU_2" for k in (7, 8))
    modules.swap("tray-7", alien=False)
    others = serial(tmp_path, seventh), serial(tmp_path, eighth)
    delivered = made_up_rack.tree(seed=3)
    assert others[0] != delivered[seventh]["SerialNumber"]
    assert others[1] == delivered[eighth]["SerialNumber"]
    assert said == [{"announced": "tray-7"}]
    nonce = module_identity.new_nonce()
    modules.take({"identify": "tray-7", "nonce": nonce.hex()})
    known = [PublicKey(ED25519, bytes.fromhex(k)) for name, k in modules.identities()
             if name == "tray-7"]  # fmt: skip
    asked = module_identity.message("small", "UNIT-1", "tray-7", nonce)
    assert module_identity.prover(known, asked, bytes.fromhex(said[-1]["signature"])) == known[1]
    modules.take({"measure": "tray-7"})
    loops, field = anchors_of(said[-1]["measured"].encode())
    assert isinstance(field, FieldAnchor)
    moved = np.abs(field.field - 1.0).max()
    assert 0.0 < moved <= SPREAD * WIDEST
    assert np.array_equal(loops.nominal, anchor("loops").nominal)  # type: ignore[union-attr]


def test_a_tray_that_nobody_knows_proves_nothing_and_stays_over_a_restart(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    made(tmp_path, said).swap("tray-2", alien=True)
    modules = made(tmp_path, said)
    nonce = module_identity.new_nonce()
    modules.take({"identify": "tray-2", "nonce": nonce.hex()})
    known = [PublicKey(ED25519, bytes.fromhex(k)) for _, k in modules.identities()]
    asked = module_identity.message("small", "UNIT-1", "tray-2", nonce)
    with pytest.raises(SignatureError):
        module_identity.prover(known, asked, bytes.fromhex(said[-1]["signature"]))
    with pytest.raises(InputError, match="tray-19"):
        modules.swap("tray-19", alien=False)
