"""Plans: scenes shift and join without loss, files load or say what is wrong with them."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.attacks.catalogue import MOVES, move
from casemate.attacks.plan_file import (
    NAMED,
    load_plan,
    load_plan_text,
    named_plan,
    named_plans,
)
from casemate.attacks.plans import AttackPlan, PlaceChoice, Step
from casemate.attacks.potential import Potential
from casemate.attacks.shifting import joined, last_s, shifted
from casemate.core.errors import InputError
from casemate.design.enclosure import Enclosure
from casemate.testing.moves_page import page
from casemate.testing.scenes import flaws
from casemate.twin.effects import Light, Scene, Timed

ROOT = Path(__file__).parents[3]
TEXTS = {name: (NAMED / f"{name}.toml").read_text("utf-8") for name in named_plans()}
SHORT = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TIMED = st.builds(
    lambda start, length, rise: Timed(
        effect=Light(lux=1.0), start_s=start, stop_s=start + length, rise_s=rise
    ),
    st.floats(0.0, 1e6),
    st.one_of(st.floats(1.0, 1e6), st.just(math.inf)),
    st.floats(0.0, 1e6),
)
SCENES = st.lists(TIMED, max_size=8).map(lambda rows: joined([tuple(rows)]))


@given(SCENES, st.integers(0, 10_000), st.integers(0, 10_000))
def test_shifts_add_up_and_keep_what_happens(scene: Scene, first: int, second: int) -> None:
    once = shifted(scene, first + second)
    twice = shifted(shifted(scene, first), second)
    assert shifted(scene, 0.0) == scene
    for a, b, old in zip(once, twice, scene, strict=True):
        assert a.start_s == pytest.approx(b.start_s) == pytest.approx(old.start_s + first + second)
        assert a.effect == old.effect and a.rise_s == old.rise_s
        assert math.isinf(a.stop_s) == math.isinf(old.stop_s)
    if scene:
        assert last_s(once) == pytest.approx(last_s(scene) + first + second)


@given(st.lists(SCENES, max_size=5))
def test_joining_loses_nothing_and_keeps_order(scenes: list[Scene]) -> None:
    whole = joined(scenes)
    assert sorted(map(repr, whole)) == sorted(repr(row) for scene in scenes for row in scene)
    assert [row.start_s for row in whole] == sorted(row.start_s for row in whole)
    assert joined([whole]) == whole
    assert last_s(whole) == max((last_s(scene) for scene in scenes), default=0.0)


@given(SCENES, st.floats(0.0, 2e6), st.floats(0.0, 1e4))
def test_a_shifted_scene_does_later_what_it_did(scene: Scene, now: float, by: float) -> None:
    for old, new in zip(scene, shifted(scene, by), strict=True):
        if min(abs(now - old.start_s), abs(now - old.stop_s)) > 1e-3:
            assert new.level(now + by) == pytest.approx(old.level(now), abs=1e-3)


def test_scenes_do_not_begin_before_their_start() -> None:
    with pytest.raises(InputError):
        shifted((Timed(effect=Light(lux=1.0), start_s=1.0),), -2.0)


@pytest.mark.parametrize("name", named_plans())
def test_named_plan_is_sound_on_a_design(name: str, dpa: Enclosure) -> None:
    plan = named_plan(name)
    assert plan.id == name and plan.goal == "intrude"
    for seed in range(5):
        scenes = []
        for _ in range(2):
            where = plan.placed(dpa, np.random.default_rng(seed))
            scenes.append(plan.scene(where))
        assert scenes[0] == scenes[1]
        assert flaws(scenes[0], dpa) == []


def test_potential_prepares_a_move_once_and_takes_the_hardest_factors() -> None:
    drill, needle = move("drill"), move("needle")
    places = (PlaceChoice(id="a"), PlaceChoice(id="b"))
    plan = AttackPlan(
        id="two", about="", places=places,
        steps=(
            Step(move=drill, place="a"), Step(move=drill, place="b"), Step(move=needle, start_s=9.0)
        ),
    )  # fmt: skip
    has: Potential = plan.potential
    assert has.elapsed_s == drill.potential.elapsed_s + needle.potential.elapsed_s
    assert has.on_site_s == 2 * drill.potential.on_site_s + needle.potential.on_site_s
    assert has.cost_usd == drill.potential.cost_usd + needle.potential.cost_usd
    assert has.equipment == "specialised" and has.persons == 2
    noise = AttackPlan(id="noise", about="", steps=(Step(move=move("radio-tone")),))
    assert noise.goal == "discredit" and noise.potential == move("radio-tone").potential


def test_steps_at_one_place_share_it_and_may_follow_each_other(dpa: Enclosure) -> None:
    fixed = PlaceChoice(id="a", tile="front-1-1", at=(0.05, 0.015))
    first = Step(move=move("needle"), place="a")
    plan = AttackPlan(
        id="x", about="", places=(fixed,),
        steps=(first, dataclasses.replace(first, start_s=10.0, after=True)),
    )  # fmt: skip
    where = plan.placed(dpa, np.random.default_rng(0))
    assert where["a"].place == (0.05, 0.015)
    own = move("needle").scene(where["a"], {})
    scene = plan.scene(where)
    assert scene[:2] == own and scene[2:] == shifted(own, last_s(own) + 10.0)


def test_plans_refuse_what_they_cannot_mean() -> None:
    step = Step(move=move("drill"))
    for wrong in (
        {"steps": ()},
        {"steps": (dataclasses.replace(step, place="nowhere"),)},
        {"steps": (step,), "places": (PlaceChoice(id="a"), PlaceChoice(id="a"))},
        {"steps": (dataclasses.replace(step, start_s=-1.0),)},
        {"steps": (dataclasses.replace(step, start_s=math.nan),)},
    ):
        with pytest.raises(InputError) as caught:
            AttackPlan(id="x", about="", **wrong)  # type: ignore[arg-type]
        assert caught.value.remedy and caught.value.key


STEP = 'format = 1\nname = "a"\nabout = "b"\n[[steps]]\nmove = "drill"\n'


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (STEP.replace("1", "2"), "format", "1"),
        (STEP.replace("drill", "dril"), "steps[0].move", "did you mean drill"),
        (STEP + "values = { diametre_m = 1 }", "steps[0].values.diametre_m", "diameter_m"),
        (STEP + 'values = { diameter_m = "1 kg" }', "steps[0].values.diameter_m", "m"),
        (STEP + 'values = { diameter_m = "1 m" }', "steps[0].values.diameter_m", "0.003 m"),
        (STEP + f"values = {{ diameter_m = {'9' * 400} }}", "steps[0].values.diameter_m", "number"),
        (STEP + "values = { diameter_m = true }", "steps[0].values.diameter_m", ""),
        (STEP + 'at = "here"', "steps[0].at", "declare it"),
        (STEP + 'start = "-1 s"', "steps[0].start", "0 to"),
        (STEP + "start = 3", "steps[0].start", "30 s"),
        (STEP + "strat = 3", "steps[0].strat", "start"),
        (STEP + '[[places]]\nid = "p"\nx = "1 mm"', "places[0]", "both or neither"),
        (STEP + '[[places]]\nid = "p"\nx = "1 mm"\ny = "1 mm"', "places[0].tile", "add its tile"),
        (STEP + '[[places]]\nid = "p"\nnear = "rims"', "places[0].near", "rim"),
        (STEP.replace("drill", "relay") + 'values = { ways = "both" }', "steps[0].values.ways",
         "two-way"),
        ("a = [", "", "correct"),
        ("[" * 5_000, "", "correct"),
    ],
)  # fmt: skip
def test_files_say_what_is_wrong(text: str, key: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        load_plan_text(text, "p.toml")
    error = caught.value
    assert error.file == "p.toml" and error.exit_code == 2
    assert error.key == key
    assert words in str(error)


def test_values_read_as_quantities_numbers_or_words() -> None:
    text = STEP.replace("drill", "relay") + (
        'values = { ways = "two-way", gain_db = "20 dB", delay_s = "5 ns", length_m = 0.01 }'
    )
    assert load_plan_text(text).steps[0].values == {
        "ways": 1.0, "gain_db": 20.0, "delay_s": 5e-9, "length_m": 0.01,
    }  # fmt: skip


def test_every_default_and_bound_reads_back_as_a_quantity() -> None:
    for each in MOVES:
        for rule in each.parameters:
            for value in (rule.low, rule.default, rule.high):
                shown = f'"{value!r} {rule.unit}"' if not rule.words else f'"{rule.word(value)}"'
                text = STEP.replace("drill", each.id) + f"values = {{ {rule.name} = {shown} }}"
                assert load_plan_text(text).steps[0].values[rule.name] == value, rule.name


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "big.toml").write_bytes(b"#" * (1 << 19))
    for path in (tmp_path, tmp_path / "none.toml", tmp_path / "b.toml", tmp_path / "big.toml",
                 tmp_path / "nu\0ll.toml"):  # fmt: skip
        with pytest.raises(InputError) as caught:
            load_plan(path)
        assert caught.value.remedy and caught.value.file
    with pytest.raises(InputError, match="did you mean"):
        named_plan("jam-then-dril")


NASTY = st.sampled_from(
    ['"9**9**9**9 m"', "nan", "-inf", "1e400", "9" * 5000, "true", "1979-05-27T07:32:00Z", "[]",
     "{}", "[[1]]", '""', '"{}"', '"%s{0}"', '"\\u0000"', '"1,5 m"', '"-0 m"', '"1e-300 m"',
     '"5 dB"', '"front"', '"../../etc"', "-1", "0", '{ a = 1 }', '{ diameter_m = "1e-300 m" }']
)  # fmt: skip


def outcome(text: str) -> None:
    try:
        assert isinstance(load_plan_text(text, "fuzz.toml"), AttackPlan)
    except InputError as error:
        assert error.exit_code == 2 and error.file == "fuzz.toml"
        assert error.message.strip() and error.remedy.strip() and str(error)


@SHORT
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    outcome(text)


@SHORT
@given(st.data())
def test_mutated_plans(data: st.DataObject) -> None:
    lines = TEXTS[data.draw(st.sampled_from(sorted(TEXTS)))].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["value", "key", "drop", "repeat", "junk", "inner"])):
            case "value":
                lines[at] = f"{lines[at].partition('=')[0]}= {data.draw(NASTY)}"
            case "key":
                lines[at] = data.draw(st.sampled_from('abz_."[{ ')) + lines[at]
            case "drop":
                lines[at] = ""
            case "repeat":
                lines.insert(at, lines[at])
            case "junk":
                lines[at] += data.draw(st.text(max_size=10))
            case "inner":
                head, mark, tail = lines[at].rpartition("= ")
                lines[at] = f"{head}{mark}{data.draw(NASTY)} }}" if "{" in head else tail
    outcome("\n".join(lines))


def test_page_of_moves_is_in_step_with_the_catalogue() -> None:
    written = (ROOT / "docs" / "moves.md").read_text(encoding="utf-8")
    assert written == page(), "run python -m casemate.testing.moves_page docs/moves.md"


def test_example_of_the_format_page_is_the_shipped_plan() -> None:
    text = (ROOT / "docs" / "formats" / "attack-plan.md").read_text(encoding="utf-8")
    shown = text.split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(shown) == tomllib.loads(TEXTS["relay-then-needle"])
