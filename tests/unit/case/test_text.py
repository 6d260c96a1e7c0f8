"""What the command line prints."""

from __future__ import annotations

import math

import pytest
from case_samples import assumption, far, full, move, small, target

from casemate.case import case_text
from casemate.case.results import Doubt
from casemate.core.errors import InputError


def many() -> str:
    return case_text(
        small(
            targets=tuple(target(f"target-{k}", text="x " * 60) for k in range(40)),
            moves=tuple(move(f"m{k}", detected=200) for k in range(30)),
            far=tuple(far(f"cause {k} " + "y" * 40) for k in range(20)),
            doubts=tuple(Doubt(id=f"d{k}", text="z " * 90, targets=()) for k in range(20)),
        ),
        ("out/case.json",),
    )


@pytest.mark.parametrize("text", [case_text(full(), ("out/case.json",)), many()])
def test_it_fits_a_terminal(text: str) -> None:
    lines = text.rstrip("\n").split("\n")
    assert 10 <= len(lines) <= 40
    assert all(len(line) <= 100 and line == line.rstrip() for line in lines)
    assert "\x1b" not in text and lines[-1] == "Files: out/case.json"


def test_the_verdict_comes_first_and_doubts_second() -> None:
    lines = case_text(full()).split("\n")
    assert lines[0] == "✗ rack (R-001): not met. 4 of 8 targets met, 3 of 9 moves met."
    assert lines[1] == "Doubts" and lines[2].startswith("  No board was measured")
    assert lines[4].startswith("Simulated or assumed only: pod, pod.slow, reaction, heat wave")


def test_what_is_left_out_is_counted() -> None:
    text = many()
    assert "and 15 more doubts" in text and "and 30 more targets" in text
    assert "and 25 more, 25 of them not met or in doubt" in text and "and 15 more causes" in text


def test_the_worst_is_told_first() -> None:
    text = case_text(full())
    order = [text.index(f"{s} {id}") for s, id in (("✗", "edge"), ("?", "pod "), ("✓", "far"))]
    assert order == sorted(order)
    assert "search got past" in text and "no bound" in text and "TAMPER in 1 of 400" in text
    assert text.index("slow_walk") < text.index("xray")


def test_the_assumption_that_carries_most_is_named() -> None:
    assert "Without it the whole would\n  be in doubt." in case_text(small())
    idle = small(
        targets=(target(),), moves=(move(rests_on=()),), far=(far(rests_on=()),),
        assumptions=(assumption("spare", "Carries nothing"),),
    )  # fmt: skip
    assert "Carries" not in case_text(idle)


def test_nothing_is_said_to_be_nothing() -> None:
    text = case_text(small(targets=(), moves=(), far=()))
    for words in ("in doubt", "Targets: none", "none were tried", "no cause is stated",
                  "none stated"):  # fmt: skip
        assert words in text


def test_results_that_cannot_be_argued_from_are_refused() -> None:
    with pytest.raises(InputError):
        case_text(small(far=(far(upper=math.nan),)))
