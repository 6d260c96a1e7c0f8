"""What a host does to the state and what it sees."""

from __future__ import annotations

from casemate.attest import claims as c
from casemate.attest.token import Judgement, SensorHealth
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown, Table, show, story
from casemate.testing.honest_enclosure import Story

STATE = Table()


@STATE.attack("state.tampered", "open the enclosure")
def open_it() -> Shown:
    told = story()
    told.token(
        c.LastWord(reason="loop/left opened", erased_us=400),
        state="TAMPERED",
        signers=told.last_word,
    )
    told.seal()
    return show(told)


@STATE.attack("state.tampered", "open the enclosure, and keep its last word from the witnesses")
def withhold_the_last_word() -> Shown:
    told = story()
    told.token(
        c.LastWord(reason="loop/left opened", erased_us=400),
        state="TAMPERED",
        signers=told.last_word,
    )
    return show(told, entries=told.entries[:-1], pending=told.entries[-1:])


@STATE.attack("state.after-tampered", "go on with keys that should be gone")
def go_on_after_the_end() -> Shown:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.watch()
    told.seal()
    return show(told)


@STATE.attack("state.after-tampered", "start again after tampering as if nothing had been")
def start_after_the_end() -> Shown:
    told = story()
    told.change("TAMPERED", "opened")
    told.start("restarted")
    told.change("ARMED")
    told.seal()
    return show(told)


@STATE.attack("state.after-tampered", "arm again after tampering")
def arm_after_the_end() -> Shown:
    told = story()
    told.change("TAMPERED", "opened")
    told.change("ARMED")
    told.seal()
    return show(told)


@STATE.attack("state.after-tampered", "commission the same keys anew after tampering")
def commission_after_the_end() -> Shown:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told)


@STATE.attack("state.jump", "be armed at once after a start")
def start_armed() -> Shown:
    told = story()
    told.start("restarted", "ARMED")
    told.seal()
    return show(told)


@STATE.attack("state.jump", "commission again what is retired")
def leave_retirement() -> Shown:
    told = story()
    told.change("RETIRED", "retire")
    told.change("ARMED")
    told.seal()
    return show(told)


@STATE.attack("state.jump", "change the state without saying so")
def change_quietly() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.state = "ARMED"
    honest.watch(told)
    return show(told)


@STATE.attack("state.jump", "begin the log once more in its midst, with number 0 and as if new")
def begin_once_more() -> Shown:
    told = story()
    told.start("commissioned", "COMMISSIONING", sequence=0, previous=b"", boot=1)
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told)


@STATE.attack("state.jump", "lie about the state before")
def lie_about_before() -> Shown:
    told = story()
    told.token(c.Change(before="UNKNOWN", after="ARMED", reason="x"))
    told.seal()
    return show(told)


@STATE.attack("verdict.ignored", "stay armed through a verdict of tampering")
def ignore_a_verdict() -> Shown:
    told = story()
    told.frames(
        verdict=Judgement(verdict="TAMPER", level=2, millinats=30_000, information_millinats=9)
    )
    told.seal()
    return show(told)


@STATE.attack("verdict.ignored", "stay armed through heartbeats that tell of tampering")
def ignore_heartbeats() -> Shown:
    told = story()
    normal = Judgement(verdict="NORMAL", level=0, millinats=3, information_millinats=9)
    told.watch(verdict="TAMPER", judged=normal)
    told.seal()
    return show(told)


@STATE.attack("verdict.ignored", "only seal keys at a verdict that latches")
def latch_nothing() -> Shown:
    told = story()
    told.change("UNKNOWN", "verdict TAMPER, level 4")
    told.frames(
        verdict=Judgement(verdict="TAMPER", level=4, millinats=60_000, information_millinats=9)
    )
    told.seal()
    return show(told)


@STATE.attack("verdict.tamper", "disturb what one modality sees, and no other")
def disturb_one_modality() -> Shown:
    told = story()
    told.change("UNKNOWN", "verdict TAMPER, level 2")
    told.watch(
        verdict="TAMPER",
        judged=Judgement(verdict="TAMPER", level=2, millinats=30_000, information_millinats=9),
    )
    told.seal()
    return show(told)


@STATE.attack("verdict.interference", "inject noise")
def inject_noise() -> Shown:
    told = story()
    told.watch(verdict="INTERFERENCE")
    told.seal()
    return show(told)


@STATE.attack("verdict.denied", "jam the readers")
def jam() -> Shown:
    told = story()
    told.watch(verdict="DENIED")
    told.seal()
    return show(told)


@STATE.attack("sensor.fault", "cut a sensor off")
def cut_a_sensor() -> Shown:
    told = story()
    told.watch(health=SensorHealth(channels=8, healthy=7, flags=4))
    told.seal()
    return show(told)


@STATE.attack("sensor.fault", "cut all sensors off, and count none")
def count_no_sensor() -> Shown:
    told = story()
    told.watch(health=SensorHealth(channels=0, healthy=0, flags=0))
    told.seal()
    return show(told)


@STATE.attack("state.unknown", "keep the controller from knowing")
def keep_it_unknown() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.seal()
    return show(told)


@STATE.attack("state.unknown", "show a log with nothing in it")
def show_nothing() -> Shown:
    told = Story()
    told.seal()
    return show(told)


@STATE.attack("state.commissioning", "(no attack) ask before it is armed")
def ask_too_early() -> Shown:
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    return show(told)


@STATE.attack("state.retired", "(no attack) ask after its service")
def ask_too_late() -> Shown:
    told = story()
    told.change("RETIRED", "retire")
    told.seal()
    return show(told)


@STATE.attack("state.gap", "(no attack) have the keys opened again after a time unwatched")
def look_away() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.now_s += 100
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    return show(told)
