"""The fuzz campaign in small, and that it finds what it is there to find."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

import campaign
from parsers import Parser, parsers

from casemate.core.errors import FormatError

ALL = {each.name: each for each in parsers()}


@pytest.mark.parametrize("name", ALL)
def test_only_our_errors_come_out(name: str) -> None:
    done = campaign.fuzz(ALL[name], 120, 7)
    assert done.taken + done.refused == 120 and done.taken


def test_the_same_seed_gives_the_same_cases() -> None:
    parser = ALL["attest.token"]
    assert list(campaign.cases(parser, 60, 3)) == list(campaign.cases(parser, 60, 3))
    assert list(campaign.cases(parser, 60, 3)) != list(campaign.cases(parser, 60, 4))


def _foreign(data: bytes) -> object:
    return {}[data]


def _mute(data: bytes) -> object:
    raise FormatError("", remedy="none")


def _slow(data: bytes) -> object:
    return sum(range(3_000_000))


def _large(data: bytes) -> object:
    return bytearray(60_000_000)


@pytest.mark.parametrize(
    "parse, why",
    [(_foreign, "KeyError"), (_mute, "says nothing"), (_slow, "it took"), (_large, "MB")],
)
def test_what_none_may_do_is_found(
    monkeypatch: pytest.MonkeyPatch, parse: Callable[[bytes], object], why: str
) -> None:
    if parse is _slow:
        monkeypatch.setattr(campaign, "MOST_S", 0.001)
    monkeypatch.setattr(campaign, "MOST_KB", 20_000)
    held = 0

    def sometimes(data: bytes) -> object:
        nonlocal held
        held += 1
        return parse(data) if held == 5 else None

    with pytest.raises(campaign.WrongError, match=rf"bad, seed 1, case 5: .*{why}"):
        campaign.fuzz(Parser(name="bad", parse=sometimes, samples=(b"x",)), 20, 1)


def test_a_parser_that_takes_none_of_its_samples_is_found() -> None:
    def never(data: bytes) -> object:
        raise FormatError("no.", remedy="none.")

    with pytest.raises(campaign.WrongError, match="none of its samples"):
        campaign.fuzz(Parser(name="bad", parse=never, samples=(b"x", b"y")), 20, 1)
