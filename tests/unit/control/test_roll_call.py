"""All modules are asked who they are: who was swapped and said nothing is found."""

from __future__ import annotations

import time
from typing import Any

import pytest
from small_enclosure import identities, module_key

from casemate.control import module_identity as identity
from casemate.control.roll_call import RollCall
from casemate.core.errors import PermitError


class Here:
    enclosure, serial = "small", "UNIT-1"


class Play:
    """Two places, the module in each by its number; None says nothing."""

    def __init__(self, answer_s: float = 60.0) -> None:
        self.fitted: dict[str, int | None] = {"loops": 0, "plates": 0}
        self.asked: list[dict[str, Any]] = []
        self.replays: list[tuple[str, bytes, bytes]] = []
        self.roll = RollCall(
            Here(), places=lambda: self.fitted, ask=self._ask, answer_s=answer_s,
            known=lambda name: tuple(each.key for each in identities() if each.name == name),
        )  # fmt: skip

    def _ask(self, question: dict[str, Any]) -> None:
        self.asked.append(question)
        name, nonce = question["identify"], bytes.fromhex(question["nonce"])
        number = self.fitted[name]
        if number is None:
            return
        asked = identity.message("small", "UNIT-1", name, nonce)
        answer = name, nonce, module_key(name, number).sign(asked)
        self.replays.append(answer)
        assert self.roll.answered(*answer)


def test_the_same_modules_answer_again() -> None:
    play = Play()
    play.roll.learn()
    play.roll.check()
    assert len({each["nonce"] for each in play.asked}) == 4  # each asked anew


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (9, "plates does not prove who it is"),
        (1, "another module than before is in the place of plates"),
        (None, "plates does not prove who it is"),
    ],
)
def test_one_that_was_swapped_and_said_nothing_is_named(number: int | None, says: str) -> None:
    play = Play(answer_s=60.0 if number is not None else 0.05)
    play.roll.learn()
    play.fitted["plates"] = number
    began_s = time.monotonic()
    with pytest.raises(PermitError, match=says):
        play.roll.check()
    assert time.monotonic() - began_s < 30.0  # a wrong answer is one: nobody waits for another
    play.fitted["plates"] = 0
    play.roll.check()


def test_nobody_is_commissioned_who_does_not_answer() -> None:
    play = Play(answer_s=0.05)
    play.fitted["loops"] = None
    with pytest.raises(PermitError, match="loops does not prove"):
        play.roll.learn()
    assert play.roll.fitted == {}


def test_what_both_parties_have_signed_is_the_one_from_then_on() -> None:
    play = Play()
    play.roll.learn()
    keys = {each.key for each in identities() if each.name == "plates"}
    (spare,) = keys - {play.roll.fitted["plates"]}
    play.fitted["plates"] = 1
    play.roll.replaced({"plates": spare})
    play.roll.check()
    play.fitted["plates"] = 0  # the old one is put back
    with pytest.raises(PermitError, match="another module"):
        play.roll.check()


def test_after_a_start_known_keys_are_learnt_and_held() -> None:
    play = Play()
    play.fitted["plates"] = 1
    play.roll.check()
    play.fitted["plates"] = 0
    with pytest.raises(PermitError, match="another module"):
        play.roll.check()


def test_an_answer_of_before_or_for_another_place_counts_nowhere() -> None:
    play = Play(answer_s=0.05)
    play.roll.learn()
    (_, nonce, signature), *_ = play.replays
    assert not play.roll.answered("loops", nonce, signature)  # it was answered
    play.fitted["loops"] = None
    with pytest.raises(PermitError):
        play.roll.check()
    assert not play.roll.answered("plates", bytes.fromhex(play.asked[-2]["nonce"]), signature)
    assert not play.roll.answered("loops", bytes(32), signature)
