"""Whatever a user writes, the spec loader gives an EnclosureSpec or a SpecError with a remedy."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casemate.core.errors import SpecError
from casemate.spec import load_spec, load_spec_text
from casemate.spec.model import EnclosureSpec

ROOT = Path(__file__).parents[2]
LINES = {
    name: (ROOT / "examples" / name / "enclosure.toml").read_text("utf-8").splitlines()
    for name in ("nvl72", "camera", "dpa")
}
SHORT = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NASTY = st.sampled_from(
    ['"9**9**9**9 m"', '"1 m^9^9^9^9"', "nan", "-inf", "1e400", "99999999999999999999999", "true",
     "1979-05-27T07:32:00Z", "[]", "{}", "[[1]]", '""', '"{}"', '"%s{0}"', '"\\u0000"', '"1,5 m"',
     '"1 lightyear"', '"-0 m"', '"1e-300 m"', '"1e300 m"', '"20 degC"', '"5 dB"', '["1 m"]',
     '"front"', '"../../etc"', "-1", "0", '"1 kg m"', '"1e308 kUSD"', '"0.45 mm"', '{a = 1}']
)  # fmt: skip


def outcome(text: str) -> None:
    try:
        assert isinstance(load_spec_text(text, "fuzz.toml"), EnclosureSpec)
    except SpecError as error:
        assert error.exit_code == 2
        assert error.message.strip() and error.remedy.strip()
        assert error.file == "fuzz.toml"
        assert str(error)


@SHORT
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    outcome(text)


@SHORT
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "enclosure.toml"
    path.write_bytes(content)
    try:
        load_spec(path)
    except SpecError as error:
        assert error.remedy


@SHORT
@given(st.data())
def test_mutated_examples(data: st.DataObject) -> None:
    lines = list(LINES[data.draw(st.sampled_from(sorted(LINES)))])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(
            st.sampled_from(["value", "key", "drop", "repeat", "swap", "junk", "text"])
        ):
            case "value":
                lines[at] = f"{lines[at].partition('=')[0]}= {data.draw(NASTY)}"
            case "text":
                value = data.draw(st.text(st.characters(exclude_characters="'\n\r"), max_size=20))
                lines[at] = f"{lines[at].partition('=')[0]}= '{value}'"
            case "key":
                lines[at] = data.draw(st.sampled_from('abz_."[{ ')) + lines[at]
            case "drop":
                del lines[at]
            case "repeat":
                lines.insert(at, lines[at])
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "junk":
                lines[at] += data.draw(st.text(max_size=10))
    outcome("\n".join(lines))


@SHORT
@given(
    st.sampled_from(["m", "W", "kg", "mm^2", "%", "°C", "hour", "USD", "dB", "m**9", "/", "per"]),
    st.one_of(st.floats(), st.integers(), st.text("0123456789eE+-.*^() ", max_size=12)),
)
def test_any_quantity(unit: str, number: object) -> None:
    text = "\n".join(LINES["camera"])
    outcome(text.replace('mass = "0.6 kg"', f'mass = "{number} {unit}"'))
    outcome(text.replace('["30 mm", "40 mm"]', f'["{number} {unit}", "40 mm"]'))
