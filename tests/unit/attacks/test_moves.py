"""Every registered move keeps the conformance kit; the kit itself finds planted faults."""

from __future__ import annotations

import dataclasses
import math
from typing import get_args

import pytest

from casemate.attacks.catalogue import MOVES, move
from casemate.attacks.door import DOOR, WIPE_M
from casemate.attacks.drill import DRILL
from casemate.attacks.move import Move
from casemate.attacks.places import plan_at
from casemate.attacks.radio_tone import RADIO_TONE
from casemate.core.errors import InputError
from casemate.design.enclosure import Enclosure
from casemate.testing.moves import CHECKS, generator_of, plans
from casemate.testing.scenes import flaws
from casemate.twin.effects import Aperture, Bridge, Contact, Detached, Effect, Hole, Spot, Timed


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("each", MOVES, ids=lambda each: each.id)
def test_move_keeps_the_kit(each: Move, check: str, dpa: Enclosure) -> None:
    CHECKS[check](each, dpa)


def test_every_kind_of_effect_is_used_by_some_move(dpa: Enclosure) -> None:
    used = set()
    for each in MOVES:
        generator = generator_of(each)
        for plan, _ in zip(plans(dpa, generator), range(8), strict=False):
            used |= {type(row.effect) for row in each.scene(plan, each.drawn(generator))}
    assert used == set(get_args(Effect))


def test_both_goals_have_moves_with_names_of_their_own() -> None:
    assert len({each.id for each in MOVES}) == len(MOVES) >= 40
    assert {each.goal for each in MOVES} == {"intrude", "discredit"}


def test_unknown_move_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean drill"):
        move("dril")


def test_kit_finds_planted_faults(dpa: Enclosure) -> None:
    first = DRILL.parameters[0]
    outside = dataclasses.replace(first, default=1.0)
    planted: dict[str, Move] = {
        "described": dataclasses.replace(DRILL, source=""),
        "parameters": dataclasses.replace(DRILL, parameters=(outside,)),
        "refusals": dataclasses.replace(
            DRILL, parameters=(dataclasses.replace(first, high=math.inf),)
        ),
        "potential": dataclasses.replace(
            DRILL, potential=dataclasses.replace(DRILL.potential, persons=0)
        ),
        "scenes": dataclasses.replace(DRILL, effects=lambda plan, values: ()),
        "goal": dataclasses.replace(DRILL, goal="discredit"),
    }
    for name, faulty in planted.items():
        with pytest.raises(AssertionError):
            CHECKS[name](faulty, dpa)
    with pytest.raises(AssertionError):
        CHECKS["goal"](dataclasses.replace(RADIO_TONE, goal="intrude"), dpa)


def test_flaws_of_a_scene_are_named(dpa: Enclosure) -> None:
    off = Spot(tile="front-1-1", layer="In1.Cu", x_m=9.0, y_m=0.0)
    wrong = (
        Hole(at=off, diameter_m=1e-3),
        Hole(at=dataclasses.replace(off, layer="F.Cu", x_m=0.01), diameter_m=0.0),
        Contact(at=dataclasses.replace(off, tile="none"), farad=math.nan),
    )
    found = flaws(tuple(Timed(effect=each, start_s=1.0) for each in wrong), dpa)
    text = " ".join(found)
    for words in ("not on front-1-1", "no mesh on 'F.Cu'", "not above 0", "none", "finite"):
        assert words in text


def test_drill_meets_layers_in_turn_and_may_ground_and_bridge(dpa: Enclosure) -> None:
    plan = plan_at(dpa, "front-1-1", (0.05, 0.015))
    scene = DRILL.scene(plan, {"bit_ohm": 1.0, "swarf_ohm": 0.5, "tilt_rad": 1.0})
    holes = [row for row in scene if isinstance(row.effect, Hole)]
    assert [row.effect.at.layer for row in holes] == ["In1.Cu", "In2.Cu"]  # type: ignore[union-attr]
    assert holes[0].start_s < holes[1].start_s
    touches = [row.effect for row in scene if isinstance(row.effect, Contact)]
    assert [each.ohm for each in touches] == [1.0, 1.0]
    swarf = [row for row in scene if isinstance(row.effect, Bridge)]
    assert len(swarf) == 2 and all(math.isinf(row.stop_s) for row in swarf)
    quiet = DRILL.scene(plan, {})
    assert not any(isinstance(row.effect, Bridge) for row in quiet)
    assert all(math.isinf(row.effect.ohm) for row in quiet if isinstance(row.effect, Contact))


def test_slanted_drill_leaves_the_board_at_its_rim(dpa: Enclosure) -> None:
    plan = plan_at(dpa, "front-1-1", (1e-4, 0.015))
    scene = DRILL.scene(plan, {"tilt_rad": 1.2, "azimuth_rad": math.pi})
    assert not any(isinstance(row.effect, Hole) for row in scene)


def test_a_door_parts_its_contacts_once_it_stands_off_by_more_than_their_wipe(
    dpa: Enclosure,
) -> None:
    plan = plan_at(dpa, "front-1-1", (0.05, 0.015))
    values = DOOR.defaults()
    parted = [row for row in DOOR.scene(plan, values) if isinstance(row.effect, Detached)]
    assert [row.effect.tile.split("-")[0] for row in parted] == ["top"]
    wide = next(row for row in DOOR.scene(plan, values) if isinstance(row.effect, Aperture))
    assert wide.start_s < parted[0].start_s < wide.start_s + values["swing_s"]
    assert parted[0].stop_s == wide.stop_s
    ajar = DOOR.scene(plan, {**values, "ajar_m": WIPE_M})
    assert not any(isinstance(row.effect, Detached) for row in ajar)
