"""Fab profiles against the figures of the reference."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.core.errors import InputError
from casemate.spec.fab import load_fab_profiles, parse_fab_profiles

PROFILES = load_fab_profiles()


def test_profiles_of_the_reference() -> None:
    assert PROFILES["jlc-rigid-4l"].max_board_m == (0.67, 0.6)
    assert PROFILES["jlc-rigid-4l"].via_drill_m == pytest.approx(0.15e-3)
    assert PROFILES["generic-rigid-large"].max_board_m == (0.5, 1.1)
    flex = PROFILES["flex-standard-2l"]
    assert flex.trace_min_m == pytest.approx(0.076e-3)
    assert flex.meander_trace_min_m == pytest.approx(0.152e-3)
    assert flex.meander_space_min_m == pytest.approx(0.157e-3)
    assert PROFILES["flex-large-2l"].max_board_m == (0.5, 0.34)


@pytest.mark.parametrize("card", PROFILES.values(), ids=str)
def test_every_profile_is_sound(card: object) -> None:
    card = PROFILES[card.id]  # type: ignore[attr-defined]
    assert card.source
    assert card.meander_trace_min_m >= card.trace_min_m
    assert card.meander_space_min_m >= card.space_min_m
    assert card.via_pad_m > card.via_drill_m
    assert 0 < card.width_tolerance < 1


def test_finest_tool_against_the_published_bound() -> None:
    jlc = PROFILES["jlc-rigid-4l"]
    # mesh.md 6b.3: two layers 0.05 mm apart, p 0.2, w 0.1: 0.339 mm; a serpentine p + w = 0.300.
    assert jlc.tool_min_m() == pytest.approx(0.339e-3)
    assert jlc.tool_min_m("serpentine") == pytest.approx(0.300e-3)
    # One layer alone severs at sqrt(2) (p + w); two layers must do better.
    assert jlc.tool_min_m() < math.sqrt(2) * 0.3e-3


GOOD = """
[one]
max_board = ["1 m", "1 m"]
trace_min = "0.1 mm"
space_min = "0.1 mm"
meander_trace_min = "0.1 mm"
meander_space_min = "0.1 mm"
via_drill = "0.2 mm"
via_pad = "0.4 mm"
edge_clearance = "0.2 mm"
width_tolerance = 0.2
registration = "0.2 mm"
board_thickness = "0.8 mm"
layers = 4
blind_vias = false
source = "a page"
"""


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('source = "a page"', 'source = " "', "one.source"),
        ('trace_min = "0.1 mm"', "trace_min = 0.1", "one.trace_min"),
        ('via_pad = "0.4 mm"', "", "one.via_pad"),
        ('via_pad = "0.4 mm"', 'via_pad = "0 mm"', "one.via_pad"),
        ('max_board = ["1 m", "1 m"]', 'max_board = ["1 m"]', "one.max_board"),
        ("layers = 4", 'layers = "many"', "one.layers"),
        ("layers = 4", "layers = 0", "one.layers"),
        ("width_tolerance = 0.2", "width_tolerance = nan", "one.width_tolerance"),
        ("blind_vias = false", 'blind_vias = "no"', "one.blind_vias"),
        ('space_min = "0.1 mm"', 'space_min = "0.2 mm"', "one.trace_min"),
        ("[one]", "one = 1", "one."),
        ("[one]", "[one", ""),
    ],
)
def test_malformed_profile(old: str, new: str, key: str) -> None:
    assert "one" in parse_fab_profiles(GOOD)
    with pytest.raises(InputError) as caught:
        parse_fab_profiles(GOOD.replace(old, new, 1))
    assert caught.value.key.startswith(key) and caught.value.remedy


@given(
    st.sampled_from([line.partition(" =")[0] for line in GOOD.splitlines() if " = " in line]),
    st.sampled_from(
        ["nan", "[]", "{}", '""', "true", '"9**9 m"', '"-1 m"', '["1 m", 1]', "0", "x"]
    ),
)
def test_any_value_gives_a_profile_or_one_error(key: str, value: str) -> None:
    lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line
             for line in GOOD.splitlines()]  # fmt: skip
    try:
        assert parse_fab_profiles("\n".join(lines))["one"].source
    except InputError as error:
        assert error.exit_code == 2 and error.remedy
