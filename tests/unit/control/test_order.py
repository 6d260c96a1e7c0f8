"""Keys first, then memory, then what has effect; and a memory that the disk does not take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from machines import START

from casemate.control import actions as do
from casemate.control import memory_file
from casemate.control.actions import Action, Record, Signer
from casemate.control.order import Keeper, carry_out
from casemate.control.scope import NOTHING
from casemate.control.states import State
from casemate.core.errors import OutputError
from casemate.testing.unsafe_disk import PowerCut, UnsafeDisk

RECORD = Record(kind="state", before="ARMED", after="TAMPERED", reason="cut", at_s=0.0)
SAID = do.Evidence(record=RECORD, by=Signer.LAST_WORD)
DOOR = do.Unlock(faces=frozenset({"front"}))
MADE = do.MakeKeys(anchor=b"a" * 32)


def carried(*actions: Action) -> list[str]:
    """What was done, in order; memory as keep or KEEP, which waits for the disk."""
    found: list[str] = []
    carry_out(
        actions,
        lambda each: found.append(type(each).__name__),
        lambda wait: found.append("KEEP" if wait else "keep"),
    )
    return found


@pytest.mark.parametrize(
    ("actions", "order"),
    [
        ((), []),
        ((do.Zeroise(),), ["Zeroise"]),
        ((do.Zeroise(), SAID), ["Zeroise", "keep", "Evidence"]),
        ((do.Seal(), SAID, do.Mask(scope=NOTHING)), ["Seal", "keep", "Evidence", "Mask"]),
        ((SAID, do.Seal()), ["keep", "Evidence", "Seal"]),
        ((MADE, SAID), ["KEEP", "MakeKeys", "Evidence"]),
        ((do.Unseal(document=b"d"), SAID), ["KEEP", "Unseal", "Evidence"]),
        ((SAID, DOOR), ["KEEP", "Evidence", "Unlock"]),
        ((DOOR, do.Seal(), SAID), ["Unlock", "Seal", "keep", "Evidence"]),  # an emergency
    ],
)
def test_keys_then_memory_then_effect(actions: tuple[Action, ...], order: list[str]) -> None:
    assert carried(*actions) == order


def test_what_has_effect_is_left_out_if_the_disk_does_not_take_the_memory() -> None:
    disk, done = UnsafeDisk(room_bytes=10), []
    keeper = Keeper(Path("machine.cbor"), lambda: 0, disk=disk)
    assert keeper.note(START)

    def keep(_wait: bool) -> None:
        keeper.write()

    with pytest.raises(OutputError, match="no space left"):
        carry_out([do.Seal(), MADE], done.append, keep)
    assert done == [do.Seal()]
    disk.room_bytes = None
    keeper.write()  # what was not written is tried again
    assert memory_file.recall(Path("machine.cbor"), START, disk=disk)[0] is not None


def test_a_memory_is_written_once_for_each_change() -> None:
    disk = UnsafeDisk()
    keeper = Keeper(Path("machine.cbor"), lambda: 3, disk=disk)
    assert keeper.note(START)
    keeper.write()
    steps = disk.steps
    assert not keeper.note(replace(START, now_s=5.0, stale_at_s=6.0))
    keeper.write()
    assert disk.steps == steps
    assert keeper.note(replace(START, state=State.TAMPERED))
    keeper.write()
    assert disk.steps > steps


def test_a_door_is_never_open_that_memory_does_not_know_of() -> None:
    """The power is cut at every step: either nothing was done, or memory knows the state."""
    path, opened = Path("machine.cbor"), replace(START, state=State.MAINTENANCE)
    step, cuts, done = 0, 0, []
    while True:
        step += 1
        disk, done = UnsafeDisk(cut_at=step), []
        keeper = Keeper(path, lambda: 0, disk=disk)
        try:
            keeper.note(opened)
            carry_out([DOOR, SAID][::-1], done.append, lambda _wait, k=keeper: k.write())
        except PowerCut:
            cuts += 1
            assert DOOR not in done
            continue
        break
    assert cuts > 3 and DOOR in done
    found, _ = memory_file.recall(path, START, disk=disk)
    assert found is not None and found.state is State.MAINTENANCE
