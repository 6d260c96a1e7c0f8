"""What a host does with power and clocks."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest import claims as c
from casemate.attest.token import CheckpointRef
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown, Table, show, story
from casemate.testing.honest_enclosure import Story, keys
from casemate.translog import cosignature
from casemate.translog.note import Note
from casemate.translog.signers import log_key

CLOCKS = Table()


@CLOCKS.attack("boot.absent", "withhold the start of the evidence")
def withhold_the_start() -> Shown:
    told = Story(boot=1, state="ARMED", evidence=keys("evidence"))
    told.watch()
    told.seal()
    return show(told)


@CLOCKS.attack("boot.counter", "start twice and tell of one start")
def hide_a_start() -> Shown:
    told = story()
    told.boot += 1
    told.start("restarted")
    told.seal()
    return show(told)


@CLOCKS.attack("boot.counter", "tell the same start twice, as two copies of a device do")
def tell_a_start_twice() -> Shown:
    told = story()
    told.start("restarted")
    told.boot -= 1
    told.start("restarted")
    told.seal()
    return show(told)


@CLOCKS.attack("boot.counter", "go on with a token of an earlier run")
def go_back_a_run() -> Shown:
    told = story()
    told.start("restarted")
    told.token(c.Change(before="UNKNOWN", after="ARMED", reason="x"), boot=1, state="ARMED")
    told.seal()
    return show(told)


@CLOCKS.attack("boot.restart", "cut the power and let the controller start again")
def restart() -> Shown:
    told = story()
    told.now_s += 40
    told.start("restarted")
    told.change("ARMED")
    honest.watch(told, 2)
    return show(told)


@CLOCKS.attack("clock.back", "turn the monotonic clock back")
def turn_back() -> Shown:
    told = story()
    told.boot_s += 300
    told.frames()
    told.seal()
    return show(told)


@CLOCKS.attack("clock.fast", "let the enclosure live through five minutes in one")
def run_fast() -> Shown:
    told = story()
    told.boot_s -= 240
    told.frames(time_s=told.now_s)
    told.seal()
    return show(told)


@CLOCKS.attack("clock.slow", "freeze the controller for minutes so that its clock stands still")
def run_slow() -> Shown:
    told = story()
    told.watch()
    told.now_s += 300
    told.boot_s += 300
    told.seal()
    honest.watch(told)
    return show(told)


@CLOCKS.attack("clock.slow", "start with a clock of a hundred years, whose drift hides a halt")
def age_the_clock() -> Shown:
    told = story()
    aged_s = 100 * 365 * 86_400
    told.start("restarted", uptime_s=aged_s)
    told.boot_s -= aged_s
    told.change("ARMED", "released")
    told.seal()
    told.watch()
    told.now_s += 300
    told.boot_s += 300
    told.seal()
    honest.watch(told)
    return show(told)


@CLOCKS.attack("clock.step", "set the wall clock while it runs")
def set_the_clock() -> Shown:
    told = story()
    told.clock_s = 40
    honest.watch(told)
    return show(told)


@CLOCKS.attack("clock.wall", "let the wall clock be wrong by a year")
def wrong_clock() -> Shown:
    told = story()
    told.clock_s = -365 * 86_400
    honest.watch(told)
    return show(told)


@CLOCKS.attack("clock.wall", "set the clock a year ahead, and keep the last word from witnesses")
def date_ahead() -> Shown:
    told = story()
    word = c.LastWord(reason="opened", erased_us=400)
    told.token(word, state="TAMPERED", signers=told.last_word, time_s=told.now_s + 365 * 86_400)
    return show(told, entries=told.entries[:-1], pending=told.entries[-1:])


@CLOCKS.attack(
    "token.window", "make tokens ahead that name a note with made-up lines, signed later"
)
def make_lines_up() -> Shown:
    told = story()
    told.watch(5)
    now_s, stated = told.now_s, told.stated()
    signed = tuple(
        cosignature.sign(log_key(honest.ORIGIN, key.public), key, stated.text(), now_s)
        for key in honest.LOG
    )
    made_up = tuple(
        replace(honest.cosign(name, stated, now_s), blob=bytes(2428)) for name in ("north", "west")
    )
    ahead = Note(text=stated.text(), lines=signed + made_up)
    told.known = CheckpointRef(
        origin=honest.ORIGIN, size=stated.size, root=stated.root, note=ahead.digest
    )
    told.watch(9)  # nobody but the host has signed anything of it yet
    lines = tuple(honest.cosign(name, stated, now_s) for name in ("north", "west"))
    told.notes += (ahead.with_lines(lines).encode(),)
    told.seal()
    return show(told)
