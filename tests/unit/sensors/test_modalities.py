"""Every folder of sensors/ is a registered modality, and every modality passes its kit."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
import pytest

from casemate.core.errors import CardError, InputError
from casemate.sensors.card import load_card
from casemate.sensors.modalities import MODALITIES, fitted_to, modality
from casemate.sensors.modality import Fitted, Reading, Residuals
from casemate.sensors.tdr.fitted import fit as fit_tdr
from casemate.testing.modalities import CHECKS, check_modality
from casemate.twin.assembly import Twin
from casemate.twin.conditions import Conditions, anchor_of
from casemate.twin.effects import Detached, Hole
from casemate.twin.modules import MODALITY_OF

IDS = [each.id for each in MODALITIES]


def test_every_folder_of_sensors_is_registered_and_enrolled() -> None:
    folders = {
        path.name
        for path in resources.files("casemate.sensors").iterdir()
        if path.is_dir()
        and any(path.joinpath(name).is_file() for name in ("card.toml", "physics.py"))
    }
    assert folders == set(IDS) == set(MODALITY_OF.values())
    assert len(set(IDS)) == len(IDS)
    for each in IDS:
        assert modality(each).id == each
    with pytest.raises(InputError, match="no modality 'smell'"):
        modality("smell")


def test_an_unplugged_board_is_seen_without_a_pair_being_solved(dpa_twin: Twin) -> None:
    """Solving all pairs of a large board at every instant cost the rack's matrix half an hour."""
    fitted = fit_tdr(dpa_twin)
    gone = replace(anchor_of(dpa_twin), active=(Detached(tile="front-1-1"),))
    reading = fitted.read(gone)
    mine = np.array([channel.tile == "front-1-1" for channel in fitted.channels])
    residuals = fitted.residuals(
        reading.quantity[None], reading.health[None], 1, np.ones((1, mine.size))
    )
    assert not fitted.solved
    assert (residuals.z[0, mine] > 1e3).all() and (residuals.z[0, ~mine] == 0.0).all()


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", IDS)
def test_modality_keeps_the_kit(
    name: str, check: str, dpa_fitted: dict[str, Fitted], dpa_twin: Twin
) -> None:
    CHECKS[check](dpa_fitted[name], dpa_twin)


def test_a_design_carries_what_its_modules_are(dpa_twin: Twin) -> None:
    assert fitted_to(dpa_twin) == (
        "loop_resistance", "mesh_capacitance", "rf_cavity", "environment",
    )  # fmt: skip


class Spoilt:
    """A modality with one fault, for the kit to find."""

    def __init__(self, sound: Fitted, **wrong: Any) -> None:
        self._sound, self._wrong = sound, wrong

    def __getattr__(self, name: str) -> Any:
        return self._wrong.get(name, getattr(self._sound, name))


def _spoilt(sound: Fitted, fault: str) -> Any:
    def half_noise(*given: Any) -> Residuals:
        found = sound.residuals(*given)
        return replace(found, z=2.0 * found.z)

    def wrong_board(*given: Any) -> Residuals:
        found = sound.residuals(*given)
        return replace(found, tiles=("nowhere", *found.tiles[1:]))

    def sign(conditions: Conditions) -> Reading:
        found = sound.read(conditions)
        return replace(found, quantity=-found.quantity)

    def all_boards(conditions: Conditions) -> Reading:
        found = sound.read(conditions)
        hit = any(isinstance(each, Hole) for each in conditions.active)
        return replace(found, quantity=found.quantity * (1.01 if hit else 1.0))

    def restless(times_s: Any, generator: Any) -> Any:
        return sound.nuisance(times_s, np.random.default_rng())

    twice = (sound.channels[0], *sound.channels[:-1])
    wrong = {
        "two channels of one name": {"channels": twice},
        "noise of 0": {"noise": np.zeros_like(sound.noise)},
        "nominal out of bounds": {"nominal": -sound.nominal},
        "half the noise": {"residuals": half_noise},
        "wrong board": {"residuals": wrong_board},
        "sign": {"read": sign},
        "acts on all boards": {"read": all_boards},
        "nuisance of its own": {"nuisance": restless},
    }
    return Spoilt(sound, **wrong[fault])


@pytest.mark.parametrize(
    "fault",
    [
        "two channels of one name", "noise of 0", "nominal out of bounds", "half the noise",
        "wrong board", "sign", "acts on all boards", "nuisance of its own",
    ],
)  # fmt: skip
def test_the_kit_notices(fault: str, dpa_fitted: dict[str, Fitted], dpa_twin: Twin) -> None:
    with pytest.raises(AssertionError):
        check_modality(_spoilt(dpa_fitted["loop_resistance"], fault), dpa_twin)


def test_cards_know_what_they_lack() -> None:
    card = load_card("loop_resistance")
    assert card["drive"] == 1e-3
    with pytest.raises(CardError, match="no figure 'colour'"):
        card["colour"]
