"""Who a module is: only a fresh answer with a key known for its place counts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from small_enclosure import identities, module_key

from casemate.control import module_identity as identity
from casemate.control.events import Event, Replaced
from casemate.control.module_watch import ModuleWatch
from casemate.core.errors import SignatureError


@dataclass(frozen=True)
class Here:
    enclosure: str = "small"
    serial: str = "UNIT-1"


class Play:
    """A watch, what it asked and what the machine was told."""

    def __init__(self, answer_s: float = 60.0) -> None:
        self.asked: list[dict[str, Any]] = []
        self.posted: list[Event] = []
        self.watch = ModuleWatch(
            Here(), ask=self.asked.append, post=self.posted.append, answer_s=answer_s,
            known=lambda name: tuple(each.key for each in identities() if each.name == name),
        )  # fmt: skip

    def answer(self, place: str = "plates", number: int = 1, **changes: Any) -> None:
        """Let a module answer the last question."""
        nonce = bytes.fromhex(self.asked[-1]["nonce"])
        said = {"enclosure": "small", "serial": "UNIT-1", "module": "plates", "nonce": nonce}
        asked = identity.message(**{**said, **changes})
        self.watch.answered("plates", nonce, module_key(place, number).sign(asked))


def test_a_spare_proves_itself_and_is_measured() -> None:
    play = Play()
    play.watch.announced("plates")
    play.answer()
    assert play.posted == [Replaced(module="plates", proven=True)]
    assert play.asked[-1] == {"measure": "plates"}
    assert list(play.watch.proven) == ["plates"]
    play.watch.forget()
    assert play.watch.proven == {}


@pytest.mark.parametrize(
    ("answer", "changes"),
    [
        ({"number": 9}, {}),
        ({"place": "coils"}, {}),
        ({}, {"enclosure": "other"}),
        ({}, {"serial": "UNIT-2"}),
        ({}, {"module": "coils"}),
        ({}, {"nonce": b"\0" * 32}),
    ],
)
def test_wrong_answers_prove_nothing(answer: dict[str, Any], changes: dict[str, Any]) -> None:
    play = Play()
    play.watch.announced("plates")
    play.answer(**answer, **changes)
    assert play.posted == [Replaced(module="plates", proven=False)]
    assert play.watch.proven == {}


def test_an_answer_counts_once_and_to_its_question_alone() -> None:
    """A replay, and one that comes after another module was put in."""
    play = Play()
    play.watch.announced("plates")
    first = bytes.fromhex(play.asked[-1]["nonce"])
    signature = module_key("plates", 1).sign(identity.message("small", "UNIT-1", "plates", first))
    play.watch.announced("plates")
    play.watch.answered("plates", first, signature)
    assert play.posted == []
    play.answer()
    play.watch.answered("plates", first, signature)
    assert play.posted == [Replaced(module="plates", proven=True)]


def test_no_answer_proves_nothing() -> None:
    play = Play(answer_s=0.05)
    play.watch.announced("plates")
    until_s = time.monotonic() + 5.0
    while not play.posted and time.monotonic() < until_s:
        time.sleep(0.01)
    assert play.posted == [Replaced(module="plates", proven=False)]
    play.watch.close()


def test_a_nonce_has_its_size() -> None:
    with pytest.raises(SignatureError):
        identity.message("small", "UNIT-1", "plates", b"short")
    assert len({identity.new_nonce() for _ in range(8)}) == 8
