"""The machine's quick change against `dataclasses.replace`."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from casemate.control.states import Keys, Machine, State
from casemate.control.turn import Turn, _changed


def machine() -> Machine:
    return Machine(
        enclosure="camera", serial="UNIT-1", faces=frozenset(("front",)),
        modules=frozenset(("loops",)), boot=bytes(16), keys=Keys.LIVE, used=((b"permit", 1.0),),
    )  # fmt: skip


def test_a_change_is_what_replace_makes_of_it() -> None:
    before = machine()
    changes = {"state": State.ARMED, "stale_at_s": 3.0, "seal_challenge": b"", "last_word": False}
    kept = replace(before)
    found = _changed(before, changes)
    assert found == replace(before, **changes) and before == kept
    assert type(found) is Machine
    assert all(
        getattr(found, each.name) is not None or each.name == "work" for each in fields(found)
    )
    with pytest.raises(AttributeError):
        found.now_s = 1.0  # type: ignore[misc]


def test_a_machine_has_no_field_that_is_made_of_others() -> None:
    assert all(each.init for each in fields(Machine))
    assert not hasattr(Machine, "__post_init__")


def test_a_change_of_what_is_no_field_is_refused() -> None:
    with pytest.raises(AttributeError):
        Turn(machine(), 1.0).set(colour="red")
