"""Module cards: the shipped catalogue is sound, and every kind of bad card is one clear error."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.core.errors import CardError
from casemate.modules import Card, load_catalogue
from casemate.modules.loader import SHIPPED, load_card
from casemate.modules.model import FUNCTIONS, PARAMETER_UNITS
from casemate.modules.schema import json_schema
from outside_programs import package

CATALOGUE = load_catalogue()
FORMS = {
    "mesh_skin": {"rigid-4l", "flex-2l", "rigid-flex-wall", "coarse-bulk"},
    "seam": {"lap", "folded-flex-corner", "gasketed-door"},
    "window": {"wire-grid", "ito"},
    "shield": {"board-plane-gasket", "foil", "steel-frame"},
    "volume_sensing": {"rf-cavity"},
    "skin_sensing": {"loop-r", "capacitance", "tdr"},
    "aux_sensing": {"temperature", "humidity", "pressure", "light", "acceleration"},
    "key_store": {"tpm2", "secure-element", "hsm"},
}


def card_text(id: str) -> str:
    return (SHIPPED / f"{id}.toml").read_text()


def broken(tmp_path: Path, old: str, new: str, id: str = "sense-loop-r") -> CardError:
    text = card_text(id)
    assert old in text
    path = tmp_path / f"{id}.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CardError) as caught:
        load_card(path)
    return caught.value


def test_catalogue_serves_every_function_and_form_of_the_issue() -> None:
    assert len(CATALOGUE) >= 32
    assert {card.function for card in CATALOGUE} == set(FUNCTIONS)
    for function, forms in FORMS.items():
        assert forms <= {card.form for card in CATALOGUE.serving(function)}
    assert len(CATALOGUE.serving("vent")) >= 2


@pytest.mark.parametrize("card", CATALOGUE.cards, ids=lambda card: card.id)
def test_card_is_named_after_its_file_and_says_where_its_figures_come_from(card: Card) -> None:
    assert (SHIPPED / f"{card.id}.toml").exists()
    assert card.source and card.weaknesses


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_card_obeys_the_exported_schema(path: Path) -> None:
    jsonschema = package("jsonschema")
    jsonschema.validate(tomllib.loads(path.read_text()), json_schema())


def test_quantities_are_si_and_keys_carry_the_unit() -> None:
    skin = CATALOGUE.get("skin-rigid-4l")
    assert skin is not None
    assert skin.parameters["board_thickness_m"] == pytest.approx(0.8e-3)
    assert skin.parameters["mesh_depth_m"] == pytest.approx((0.15e-3, 0.2e-3))
    assert skin.parameters["copper"] == ("F.Cu", "In1.Cu", "In2.Cu", "B.Cu")
    assert skin.mtbf_s == pytest.approx(80 * 365.25 * 86400)
    assert set(skin.parameters) & set(PARAMETER_UNITS) == set()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('power = "0.25 W/m^2"', 'power = "0.25 V/m^2"', "power"),
        ('power = "0.25 W/m^2"', "power = 0.25", "power"),
        ('power = "0.25 W/m^2"', 'power = "-1 W/m^2"', "power"),
        ("source = ", "sauce = ", "source"),
        ('maturity = "performing"', 'maturity = "fine"', "maturity"),
        ('roadmap = "at target"', 'roadmap = ""', "roadmap"),
        ('net_length_max = "30 m"', 'net_length_max = "30 s"', "parameters.net_length_max"),
        ("interface_standard = true", "interface_standard = false", "interface_reason"),
    ],
)
def test_bad_card_is_one_error_with_file_key_and_remedy(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    error = broken(tmp_path, old, new)
    assert error.key in (key, "sauce")
    assert error.file == "sense-loop-r.toml" and error.remedy and "Remedy" in str(error)


def test_unknown_key_is_met_with_the_nearest_known_one(tmp_path: Path) -> None:
    error = broken(tmp_path, "mtbf = ", 'mtbff = "1 s"\nmtbf = ')
    assert error.key == "mtbff" and "mtbf" in error.remedy


def test_skin_whose_layers_disagree_is_refused(tmp_path: Path) -> None:
    error = broken(tmp_path, '"0.15 mm", "0.20 mm"', '"0.20 mm", "0.15 mm"', "skin-rigid-4l")
    assert error.key == "parameters.mesh"


def test_skipped_module_must_state_its_risk(tmp_path: Path) -> None:
    error = broken(tmp_path, 'maturity = "performing"', 'maturity = "skipped"')
    assert error.key == "risk"


def test_reference_to_a_module_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = card_text("sense-loop-r").replace('"sense-loop-r"', '"mine"', 1)
    (tmp_path / "mine.toml").write_text(text.replace("requires = []", 'requires = ["seam/none"]'))
    with pytest.raises(CardError) as caught:
        load_catalogue(tmp_path)
    assert caught.value.key == "requires"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_card_error(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("card") / "x.toml"
    path.write_bytes(raw)
    with pytest.raises(CardError):
        load_card(path)


_LINES = card_text("vent-honeycomb-3.2").splitlines()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, len(_LINES) - 1),
    st.sampled_from(['""', "-1", "1e999", "[]", '"1 m"', '"nan W"', "true", '"9**9**9 m"', "{}"]),
)
def test_any_broken_line_gives_a_card_error_or_a_card(
    tmp_path_factory: pytest.TempPathFactory, index: int, value: str
) -> None:
    lines = list(_LINES)
    lines[index] = lines[index].split(" = ")[0] + " = " + value
    path = tmp_path_factory.mktemp("card") / "x.toml"
    path.write_text("\n".join(lines))
    try:
        load_card(path)
    except CardError as error:
        assert error.remedy
