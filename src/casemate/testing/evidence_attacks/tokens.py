"""What a host does to the order and the bytes of tokens."""

from __future__ import annotations

from casemate.attest.token import CheckpointRef, SensorHealth
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import (
    ZERO,
    Shown,
    Table,
    again,
    resign,
    show,
    story,
    swap,
)
from casemate.testing.honest_enclosure import Story

TOKENS = Table()


@TOKENS.attack("token.malformed", "put bytes into the log that are no token")
def put_in_garbage() -> Shown:
    told = story()
    return show(again(told, (*told.entries, b"\xd8\x62\x80")))


@TOKENS.attack("token.malformed", "write a token in another form of CBOR")
def write_otherwise() -> Shown:
    told = story()
    data = told.entries[5]
    return show(again(told, swap(told.entries, 5, data[:2] + b"\x98\x04" + data[3:])))


@TOKENS.attack("token.foreign", "put in a token of another enclosure with the same keys")
def borrow_a_token() -> Shown:
    told = story()
    told.watch(enclosure="safe")
    told.seal()
    return show(told)


@TOKENS.attack("token.replayed", "put an old token in again")
def replay_a_token() -> Shown:
    told = story()
    return show(again(told, (*told.entries, told.entries[6])))


@TOKENS.attack("token.order", "leave a token out before witnesses have seen it")
def leave_one_out() -> Shown:
    told = story()
    return show(again(told, told.entries[:7] + told.entries[8:]))


@TOKENS.attack("token.order", "let two tokens change places before witnesses have seen them")
def reorder_tokens() -> Shown:
    told = story()
    a, b = told.entries[6:8]
    return show(again(told, swap(swap(told.entries, 6, b), 7, a)))


@TOKENS.attack("token.chain", "replace a token, with captured keys, before witnesses have seen it")
def replace_a_token() -> Shown:
    told = story()
    data = resign(told.entries[7], told.evidence, uptime_s=91)
    return show(again(told, swap(told.entries, 7, data)))


@TOKENS.attack("token.fork", "copy the device, and put what the copy says into the log too")
def clone_the_device() -> Shown:
    told, copy = story(), story()
    told.watch()
    copy.watch(health=SensorHealth(channels=9, healthy=9, flags=0))
    told.entries += copy.entries[-1:]
    told.seal()
    return show(told)


@TOKENS.attack("token.rollback", "restore the device from a snapshot that knew less of the log")
def restore_a_snapshot() -> Shown:
    told = story()
    told.known = CheckpointRef(origin=honest.ORIGIN, size=1, root=told.stated(1).root)
    told.watch()
    told.seal()
    return show(told)


@TOKENS.attack("token.split", "show the enclosure another log than the inspector")
def split_the_view() -> Shown:
    told = story()
    told.known = CheckpointRef(origin=honest.ORIGIN, size=len(told.entries), root=ZERO)
    told.watch()
    told.seal()
    return show(told)


@TOKENS.attack("token.split", "let a token name a checkpoint that is larger than the log was")
def know_the_future() -> Shown:
    told, ahead = story(), story()
    ahead.watch(2)
    told.watch(checkpoint=CheckpointRef(origin=honest.ORIGIN, size=99, root=ahead.stated().root))
    told.seal()
    return show(told)


@TOKENS.attack("token.window", "make tokens ahead with captured keys and have them witnessed later")
def record_ahead() -> Shown:
    told = story()
    told.watch(10)
    told.now_s += 3600
    told.seal()
    return show(told)


@TOKENS.attack("token.unbound", "make all tokens ahead, and let each name the checkpoint to come")
def foresee_checkpoints() -> Shown:
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    for go_on in (lambda: told.change("ARMED", "commissioned"), told.watch, told.watch):
        stated = told.stated()
        told.known = CheckpointRef(origin=honest.ORIGIN, size=stated.size, root=stated.root)
        go_on()
        told.seal()
    return show(told)


@TOKENS.attack("token.silence", "halt the controller for an hour and let it go on")
def say_nothing() -> Shown:
    told = story()
    told.now_s += 600
    told.watch(miss=0)
    told.seal()
    return show(told)
