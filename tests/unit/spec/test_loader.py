"""Bad input: each is one SpecError that names file, key, value and remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from casemate.core.errors import SpecError
from casemate.spec import load_spec, load_spec_text

ROOT = Path(__file__).parents[3]
TEXT = {
    name: (ROOT / "examples" / name / "enclosure.toml").read_text("utf-8")
    for name in ("nvl72", "camera", "dpa")
}


def refused(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load_spec_text(text, "some.toml")
    error = caught.value
    assert error.exit_code == 2
    assert error.file == "some.toml"
    assert error.message and error.remedy
    assert str(error).startswith("some.toml: ")
    return error


def changed(example: str, old: str, new: str) -> SpecError:
    assert old in TEXT[example], old
    return refused(TEXT[example].replace(old, new, 1))


@pytest.mark.parametrize(
    ("example", "old", "new", "key", "in_message", "in_remedy"),
    [
        # shape: unknown and missing keys, wrong types, wrong values
        ("camera", "tool =", "toool =", "targets.toool", "unknown", 'did you mean "tool"'),
        ("camera", "[budgets]", "[budgetz]", "budgetz", "unknown", 'did you mean "budgets"'),
        ("camera", 'mass = "0.6 kg"', "", "protected.mass", "missing", 'mass = "1500 kg"'),
        ("camera", 'top = "8 mm"', "", "budgets.thickness.top", "missing", "top = "),
        ("camera", 'kind = "window"', 'kind = "windo"', "crossings[0].kind", "known", '"window"'),
        ("camera", 'face = "front"', 'face = "back"', "crossings[0].face", "known", "front"),
        ("camera", 'power = "12.95 W"', "power = 12.95", "protected.power", "string", '"132 kW"'),
        ("camera", '"12.95 W"', '"12.95 m"', "protected.power", "W", '"132 kW"'),
        ("camera", '"12.95 W"', '"nan W"', "protected.power", "number", '"132 kW"'),
        ("camera", '"0.6 kg"', '"-1 kg"', "protected.mass", "out of range", "more than 0"),
        ("camera", '"60 mm", "200 mm"', '"19 mm", "200 mm"', "protected.size[0]", "range", "0.02"),
        ("camera", '"60 mm", "200 mm"', '"3.1 m", "200 mm"', "protected.size[0]", "range", "3 m"),
        ("camera", '["60 mm", "200 mm", "80 mm"]', '["60 mm"]', "protected.size", "3", "size"),
        ("camera", "pod = 0.999", "pod = 1.0", "targets.pod", "out of range", "between 0 and 1"),
        ("camera", "pod = 0.999", "pod = nan", "targets.pod", "out of range", "between 0 and 1"),
        ("camera", "pod = 0.999", "pod = true", "targets.pod", "plain number", "0.999"),
        ("camera", "people = 1000", f"people = {10**30}", "adversary.people",
         "larger than 1000000", "people = 1000"),
        ("camera", "lanes = 2", "lanes = 2.5", "mesh.lanes", "whole number", "lanes = 4"),
        ("camera", 'name = "camera"', 'name = "../x"', "name", "wrong form", "lower-case"),
        ("camera", "format = 1", "format = 2", "format", "known", "use 1"),
        ("camera", "dual_detection = true", 'dual_detection = "yes"', "targets.dual_detection",
         "true or false", "dual_detection = true"),
        # contradictions
        ("camera", 'diameter = "40 mm"', 'diameter = "70 mm"', "crossings[0].diameter",
         "front face is 60 mm x 80 mm", "smaller"),
        ("camera", '["30 mm", "40 mm"]', '["20 mm", "40 mm"]', "crossings[0].position",
         "over the edge", "at least 23 mm"),
        ("camera", 'fab = "hdi-rigid-4l"', 'fab = "hdi-rigid"', "fab", "unknown",
         'did you mean "hdi-rigid-4l"'),
        ("camera", 'tool = "0.6 mm"', 'tool = "0.3 mm"', "targets.tool", "any fab", "0.339 mm"),
        ("camera", "lanes = 2", 'lanes = 2\npitch = "0.19 mm"', "mesh.pitch", "fine", "0.2 mm"),
        ("camera", "lanes = 2", 'lanes = 2\npitch = "0.5 mm"', "mesh.pitch", "0.6 mm", "finer"),
        ("camera", 'clearance = "100 mm"', 'clearance = "89 mm"', "service.doors[0].clearance",
         "90 mm", "lift"),
        ("nvl72", 'clearance = "1.2 m"', 'clearance = "0.7 m"', "service.doors[0].clearance",
         "750 mm", "another swing"),
        ("camera", 'face = "rear"\nrate', 'face = "left"\nrate', "service.swaps[0].face",
         "no door", "[[service.doors]]"),
        ("nvl72", 'heat_to_liquid = "115 kW"', 'heat_to_liquid = "130 kW"',
         "protected.heat_to_air", "147000 W", "raise protected.power"),
        ("nvl72", 'kind = "liquid"', 'kind = "fibre"', "protected.heat_to_liquid",
         "two liquid lines", 'kind = "liquid"'),
        ("nvl72", 'flow = "0.98 m^3/s" ', '# ', "crossings[3]", "flow",
         "0.98 m^3/s"),
        ("nvl72", 'current = "2750 A"', 'current = "1400 A"', "crossings[1].current",
         "6.72e+04 W", "count"),
        ("nvl72", 'id = "air-out"', 'id = "air-in"', "crossings[4].id", "two crossings", "own id"),
        ("nvl72", 'f_max = "1 GHz"', 'f_max = "1 MHz"', "targets.attenuation[0].f_max", "before",
         "above f_min"),
        ("dpa", 'heat_to_air = "5 W"', 'heat_to_air = "0 W"\nx = 1', "protected.x", "unknown",
         "known keys"),
    ],
)  # fmt: skip
def test_refused(
    example: str, old: str, new: str, key: str, in_message: str, in_remedy: str
) -> None:
    error = changed(example, old, new)
    assert error.key.startswith(key)
    assert in_message in error.message
    assert in_remedy in error.remedy


def test_air_without_flow_without_way_out_and_too_little() -> None:
    vent = '[[crossings]]\nid = "vent"\nkind = "air"\nface = "left"\nsize = ["40 mm", "40 mm"]\n'
    head = TEXT["camera"].replace("[[service.doors]]", f"{vent}FLOW\n[[service.doors]]", 1)
    assert "needs a flow" in refused(head.replace("FLOW", "")).message
    assert "only one air opening" in refused(head.replace("FLOW", 'flow = "0.01 m^3/s"')).message
    pair = f'flow = "1e-5 m^3/s"\n{vent.replace("vent", "out")}flow = "1e-5 m^3/s"'
    # 12.95 W / (1.2 kg/m^3 * 1005 J/(kg K) * 1e-5 m^3/s) = 1074 K.
    assert "1074 K warmer" in refused(head.replace("FLOW", pair)).message


def test_heat_that_a_closed_skin_cannot_shed() -> None:
    # 300 W/m^2 on 2 (6*20 + 20*8 + 6*8) cm^2 = 656 cm^2 is 19.7 W.
    hot = TEXT["camera"].replace("12.95 W", "19.6 W").replace("0.35 A", "1 A")
    assert load_spec_text(hot).protected.heat_to_air_w == 19.6
    error = refused(hot.replace("19.6 W", "19.8 W"))
    assert "sheds about 19.7 W" in error.message


def test_overlap_of_given_positions() -> None:
    second = (
        '[[crossings]]\nid = "led"\nkind = "window"\nface = "front"\n'
        'diameter = "5 mm"\nposition = ["{}", "40 mm"]\n[[service.doors]]'
    )
    # 20 + 3 + 2.5 + 3 mm = 28.5 mm from the axis is the least; the face ends at 30 mm.
    text = TEXT["camera"].replace("[[service.doors]]", second, 1)
    error = refused(text.replace("{}", "52 mm"))
    assert "overlap" in error.message and error.key == "crossings[2].position"
    wide = text.replace('"60 mm", "200 mm"', '"70 mm", "200 mm"')
    assert load_spec_text(wide.replace("{}", "58.5 mm"))
    assert "overlap" in refused(wide.replace("{}", "58.4 mm")).message


def test_first_problem_is_shown_and_the_others_counted() -> None:
    text = TEXT["camera"].replace('"0.6 kg"', '"x"').replace('"3 kUSD"', '"y"')
    assert "and 1 more problem" in refused(text).message


def test_chosen_fab_too_coarse_names_one_that_is_not() -> None:
    text = TEXT["camera"].replace('fab = "hdi-rigid-4l"', 'fab = "flex-standard-2l"')
    error = refused(text.replace('tool = "0.6 mm"', 'tool = "0.45 mm"'))
    assert error.key == "targets.tool" and "flex-standard-2l" in error.message
    assert "jlc-rigid-4l" in error.remedy


def test_serpentine_resists_a_finer_tool_than_a_tree() -> None:
    text = TEXT["camera"].replace('tool = "0.6 mm"', 'tool = "0.31 mm"')
    assert refused(text).key == "targets.tool"
    assert load_spec_text(text.replace('pattern = "tree"', 'pattern = "serpentine"'))


def test_digest_is_of_meaning_not_of_layout() -> None:
    first = load_spec_text(TEXT["dpa"])
    lines = [line for line in TEXT["dpa"].splitlines() if not line.startswith("#")]
    assert load_spec_text("\n\n".join(lines)).digest == first.digest
    other = load_spec_text(TEXT["dpa"].replace('"0.3 kg"', '"0.4 kg"'))
    assert other.digest != first.digest


@pytest.mark.parametrize(
    ("content", "in_message"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"name = ", "not TOML"),
        (b"", "missing"),
        (b"a = " + b"[" * 5000, "nests too deeply"),
        (b"a = " + b"9" * 5000, "not TOML"),
        (b"#" * ((1 << 20) + 1), "larger than"),
        (b'name = "a"\nname = "b"', "not TOML"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, in_message: str) -> None:
    path = tmp_path / "enclosure.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=in_message) as caught:
        load_spec(path)
    assert caught.value.file == str(path)


def test_no_file_no_folder_no_device(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b"), Path("/dev/zero")):
        with pytest.raises(SpecError) as caught:
            load_spec(path)
        assert caught.value.remedy
    (tmp_path / "enclosure.toml").write_text(TEXT["dpa"])
    with pytest.raises(SpecError, match=r"did you mean .*enclosure\.toml"):
        load_spec(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "enclosure.toml"
    path.write_text(TEXT["dpa"])
    path.chmod(0)
    with pytest.raises(SpecError, match="cannot be read"):
        load_spec(path)


def test_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "enclosure.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT["dpa"].replace("\n", "\r\n").encode())
    assert load_spec(path).digest == load_spec_text(TEXT["dpa"]).digest


def test_vent_without_extent_is_left_to_the_layout() -> None:
    text = TEXT["nvl72"].replace('size = ["520 mm", "1900 mm"]', "")
    vents = [each for each in load_spec_text(text).crossings if each.kind == "air"]
    assert [(vent.size_m, vent.diameter_m) for vent in vents] == [(None, 0.0)] * 2
    # Any other crossing needs its extent, and only one.
    assert changed("camera", 'diameter = "8 mm"', "").key == "crossings[1]"
    both = 'diameter = "8 mm"\nsize = ["8 mm", "8 mm"]'
    assert "either" in changed("camera", 'diameter = "8 mm"', both).message


def test_crossings_that_fit_alone_but_not_together() -> None:
    # 180 openings of 50 + 2 * 3 mm: 180 * pi / 4 * 56^2 mm^2 = 4433 cm^2 on a face of 13416 cm^2,
    # of which the vent takes 526 * 1906 mm^2 = 10026 cm^2.
    text = TEXT["nvl72"].replace('size = ["120 mm", "40 mm"]', 'diameter = "50 mm"')
    error = refused(text)
    assert error.key == "crossings[3]" and "1.446e+04 cm^2" in error.message
    assert load_spec_text(text.replace("count = 180", "count = 120"))


def test_what_may_be_left_out() -> None:
    text = TEXT["dpa"]
    head, _, rest = text.partition("[adversary]")
    text = head + "[targets]" + rest.partition("[targets]")[2]
    spec = load_spec_text(text.replace('[mesh]\npattern = "tree"\nlanes = 2\n', ""))
    # The reference adversary of PRODUCT.md: 1,000 people, 1 billion USD, several years.
    assert (spec.adversary.profile, spec.adversary.people) == ("state", 1000)
    assert (spec.adversary.budget_usd, spec.adversary.duration_s) == (1e9, 3 * 365.25 * 86400)
    assert (spec.mesh.pattern, spec.mesh.lanes, spec.mesh.pitch_m) == ("tree", 4, 0.0)
