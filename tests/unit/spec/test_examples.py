"""The shipped examples: identical copies, valid, with the figures of the reference."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from casemate.spec import json_schema, load_spec

ROOT = Path(__file__).parents[3]
EXAMPLES = ("nvl72", "camera", "dpa")


def example_path(name: str) -> Path:
    return ROOT / "examples" / name / "enclosure.toml"


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_equals_packaged_master(name: str) -> None:
    master = ROOT / "src" / "casemate" / "spec" / "examples" / f"{name}.toml"
    assert example_path(name).read_bytes() == master.read_bytes()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_loads(name: str) -> None:
    spec = load_spec(example_path(name))
    assert spec.name == name
    assert len(spec.digest) == 64
    assert set(spec.budgets.thickness_m) == {"front", "rear", "left", "right", "top", "bottom"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_figure_has_its_source(name: str) -> None:
    # A figure without a comment repeats a key that has one, or is named by its table's comment.
    free = {"right", "top", "bottom", "people", "budget", "duration", "f_min", "f_max", "id"}
    free |= {"name", "format", "lanes", "count", "pod_confidence"}
    said: set[str] = set()
    for line in example_path(name).read_text("utf-8").splitlines():
        key, _, rest = line.partition(" = ")
        value, _, comment = rest.partition("#")
        if comment.strip():
            said.add(key)
        elif any(char.isdigit() for char in value):
            assert key in said | free, line


def test_nvl72_figures() -> None:
    spec = load_spec(example_path("nvl72"))
    assert spec.protected.size_m == (0.6, 1.068, 2.236)
    assert (spec.protected.power_w, spec.protected.heat_to_air_w) == (132e3, 17e3)
    by_kind = {kind: [c for c in spec.crossings if c.kind == kind] for kind in ("liquid", "fibre")}
    assert sum(c.count for c in by_kind["liquid"]) == 2
    assert sum(c.count for c in by_kind["fibre"]) == 180
    vents = [c for c in spec.crossings if c.kind == "air"]
    assert {v.face for v in vents} == {"front", "rear"}
    assert all((v.flow_m3_s, v.pressure_drop_max_pa) == (0.98, 15) for v in vents)
    assert all(v.inlet_rise_max_k == 1 for v in vents)
    assert spec.budgets.thickness_m["left"] == spec.budgets.thickness_m["right"] == 0.005
    assert {door.face for door in spec.service.doors} == {"front", "rear"}
    # 0.3 (mature) to 1.0 (ramp) openings a rack and month.
    assert 0.3 * 12 <= sum(s.rate_per_year for s in spec.service.swaps) <= 1.0 * 12 + 1e-9
    # One unexplained alarm per 1,000 racks and month.
    assert spec.targets.far_per_year == pytest.approx(12 / 1000)


def test_camera_and_dpa_figures() -> None:
    camera = load_spec(example_path("camera"))
    assert camera.protected.size_m == (0.06, 0.2, 0.08)
    window = next(c for c in camera.crossings if c.kind == "window")
    assert (window.face, window.diameter_m) == ("front", 0.04)
    assert [c.count for c in camera.crossings if c.kind == "copper"] == [1]
    dpa = load_spec(example_path("dpa"))
    assert dpa.protected.size_m == (0.1, 0.07, 0.025)
    assert [c.count for c in dpa.crossings if c.kind == "fibre"] == [1]


@pytest.mark.parametrize("name", EXAMPLES)
def test_json_schema_accepts_example(name: str) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(tomllib.loads(example_path(name).read_text("utf-8")), schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('power = "12.95 W"', "power = 12.95"),
        ('mass = "0.6 kg"', 'mass = "0,6 kg"'),
        ('kind = "window"', 'kind = "glass"'),
        ("lanes = 2", "lanes = 1"),
        ("pod = 0.999", "pod = 1.0"),
        ('tool = "0.6 mm"', 'toool = "0.45 mm"'),
        ('top = "8 mm"\n', ""),
    ],
)
def test_json_schema_refuses_what_the_loader_refuses(old: str, new: str) -> None:
    text = example_path("camera").read_text("utf-8")
    assert old in text
    raw = tomllib.loads(text.replace(old, new, 1))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(raw, json_schema())
