"""What a malicious host does to evidence, and what the verifier has to find.

Each attack begins with the evidence of an honest enclosure. Some need no key; some suppose that the
host has got the enclosure's keys, or the log's, or that it owns a copy of the whole device.
`attack_page` writes the table of docs/formats/verdict.md from a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from casemate.attest import claims as c
from casemate.attest import cose
from casemate.attest import token as tokens
from casemate.attest.reference import Enrolment, Reference, Required
from casemate.attest.token import CheckpointRef, Judgement, SensorHealth
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Key, Story, keys, publics
from casemate.translog.bundle import Bundle
from casemate.translog.checkpoint import Checkpoint

ZERO = b"\x99" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an inspector gets to see, and when."""

    bundle: Bundle
    now_s: int
    reference: Reference = field(default_factory=honest.reference)
    since: tuple[bytes, ...] = ()
    travels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: what is done, by `run`, and the finding that it must lead to."""

    name: str
    does: str
    finds: str
    run: Callable[[], Shown]


@lru_cache(maxsize=1)
def _start() -> Story:
    return honest.armed()


def story() -> Story:
    """Return evidence of an honest enclosure that was armed and watched, to go on from."""
    return _start().copy()


def show(told: Story, *, later_s: int = 20, **changes: Any) -> Shown:
    """Show a story as it is, some seconds after its last event."""
    shown = {key: changes.pop(key) for key in ("reference", "since", "travels") if key in changes}
    return Shown(bundle=told.bundle(**changes), now_s=told.now_s + later_s, **shown)


ATTACKS: dict[str, Attack] = {}


def _attack(finds: str, does: str) -> Callable[[Callable[[], Shown]], Callable[[], Shown]]:
    def enter(run: Callable[[], Shown]) -> Callable[[], Shown]:
        name = run.__name__.replace("_", "-")
        ATTACKS[name] = Attack(name=name, does=does, finds=finds, run=run)
        return run

    return enter


def _swap(entries: tuple[bytes, ...], index: int, data: bytes) -> tuple[bytes, ...]:
    return (*entries[:index], data, *entries[index + 1 :])


def _resign(data: bytes, signers: tuple[Key, ...], **changes: Any) -> bytes:
    _, found = tokens.peek(data)
    return tokens.sign(replace(found, **changes), signers)


def _again(told: Story, entries: tuple[bytes, ...]) -> Story:
    """Put other entries into the log, sign and cosign it anew: witnesses never saw it before."""
    told.entries, told.notes, known = entries, (), told.known
    told.seal()
    told.known = known
    return told


# The log


@_attack("log.absent", "hand over entries without a checkpoint")
def no_checkpoint() -> Shown:
    return show(story(), checkpoint=b"", witnessed=())


@_attack("log.altered", "change one bit of an entry")
def alter_an_entry() -> Shown:
    told = story()
    data = told.entries[5]
    return show(
        told, entries=_swap(told.entries, 5, data[:-1] + bytes([data[-1] ^ 1])), witnessed=()
    )


@_attack("log.altered", "drop an entry")
def drop_an_entry() -> Shown:
    told = story()
    return show(told, entries=told.entries[:5] + told.entries[6:])


@_attack("log.altered", "let two entries change places")
def reorder_entries() -> Shown:
    told = story()
    a, b = told.entries[5:7]
    return show(told, entries=_swap(_swap(told.entries, 5, b), 6, a), witnessed=())


@_attack("log.altered", "cut the end off and keep the checkpoint")
def truncate() -> Shown:
    told = story()
    return show(told, entries=told.entries[:-3], witnessed=told.notes[:2])


@_attack("log.rollback", "cut the end off and show an older checkpoint, though a later one is left")
def roll_back_the_files() -> Shown:
    told = story()
    size = len(told.entries) - 2
    return show(told, entries=told.entries[:size], checkpoint=told.notes[-2])


@_attack("log.rollback", "go back to a state before the checkpoint that the inspector kept")
def roll_back_past_the_inspector() -> Shown:
    told = story()
    kept = told.notes[-1]
    size = len(told.entries) - 2
    return show(
        told,
        entries=told.entries[:size],
        checkpoint=told.notes[-2],
        witnessed=told.notes[:-1],
        since=(kept,),
    )


@_attack("log.equivocation", "tell the inspector another story than before, with the log's keys")
def tell_two_stories() -> Shown:
    told, other = story(), story()
    other.watch()
    told.frames()
    kept = other.seal()
    told.now_s = other.now_s
    told.seal()
    return show(told, since=(kept,))


@_attack("log.equivocation", "keep two checkpoints of one size in the bundle")
def two_checkpoints() -> Shown:
    told = story()
    size = len(told.entries)
    other = Checkpoint(origin=honest.ORIGIN, size=size, root=ZERO)
    forged = told.copy().seal(stated=other)
    return show(told, witnessed=(*told.notes, forged))


@_attack("log.origin", "show the checkpoint of another log")
def another_log() -> Shown:
    told = story()
    stated = replace(told.stated(), origin="example.org/other")
    return show(told, checkpoint=told.copy().seal(stated=stated))


@_attack("log.origin", "name another log in the bundle")
def another_origin() -> Shown:
    return show(story(), origin="example.org/other")


@_attack("log.signature", "sign the checkpoint with a key of the host's own")
def sign_the_log_oneself() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(signers=keys("host")), witnessed=())


@_attack("log.signature", "strip one of the log's two signatures")
def strip_the_log() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(signers=honest.LOG[:1]), witnessed=())


@_attack("log.malformed", "damage the checkpoint")
def damage_the_checkpoint() -> Shown:
    told = story()
    return show(told, witnessed=(told.notes[0].replace(b"\n", b" "), *told.notes))


@_attack("log.cosignatures", "let one witness of three cosign, where two are asked for")
def too_few_witnesses() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(["north"]), witnessed=())


@_attack("log.cosignatures", "strip all cosignatures")
def strip_cosignatures() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal([]), witnessed=())


@_attack("log.witness-line", "forge the line of a third witness")
def forge_a_witness() -> Shown:
    told = story()
    stated = told.stated()
    wrong = honest.cosign("west", replace(stated, root=ZERO), told.now_s)
    text = told.copy().seal(["north", "south"]) + wrong.text().encode()
    return show(told, checkpoint=text)


@_attack("time.witness-order", "have an early checkpoint cosigned after a later one")
def cosign_late() -> Shown:
    told = story()
    stated = told.stated(len(told.entries) - 4)
    late = told.copy().seal(stated=stated, at_s=told.now_s + 10)
    return show(told, witnessed=(late, told.notes[-1]))


@_attack("time.stale", "freeze: show evidence that ended an hour ago")
def freeze() -> Shown:
    return show(story(), later_s=3600)


@_attack("time.stale", "go on without the witnesses")
def cut_off_witnesses() -> Shown:
    told = story()
    told.watch(10)
    told.seal([])
    return show(told)


@_attack("time.ahead", "have witnesses cosign with a time that is yet to come")
def future_witnesses() -> Shown:
    told = story()
    told.watch()
    told.seal(at_s=told.now_s + 86_400)
    return show(told)


@_attack("log.awaiting", "(no attack) ask while the newest checkpoint is not cosigned yet")
def ask_at_once() -> Shown:
    told = story()
    told.watch()
    told.seal([])
    return show(told)


@_attack("log.torn", "(no attack) cut the power while an entry is written")
def cut_the_power() -> Shown:
    return show(story(), torn_bytes=17)


# Tokens


@_attack("token.malformed", "put bytes into the log that are no token")
def put_in_garbage() -> Shown:
    told = story()
    return show(_again(told, (*told.entries, b"\xd8\x62\x80")))


@_attack("token.malformed", "write a token in another form of CBOR")
def write_otherwise() -> Shown:
    told = story()
    data = told.entries[5]
    return show(_again(told, _swap(told.entries, 5, data[:2] + b"\x98\x04" + data[3:])))


@_attack("token.foreign", "put in a token of another enclosure with the same keys")
def borrow_a_token() -> Shown:
    told = story()
    told.watch(enclosure="safe")
    told.seal()
    return show(told)


@_attack("token.replayed", "put an old token in again")
def replay_a_token() -> Shown:
    told = story()
    return show(_again(told, (*told.entries, told.entries[6])))


@_attack("token.order", "leave a token out before witnesses have seen it")
def leave_one_out() -> Shown:
    told = story()
    return show(_again(told, told.entries[:7] + told.entries[8:]))


@_attack("token.chain", "replace a token, with the enclosure's keys, before witnesses have seen it")
def replace_a_token() -> Shown:
    told = story()
    data = _resign(told.entries[7], told.evidence, uptime_s=91)
    return show(_again(told, _swap(told.entries, 7, data)))


@_attack("token.fork", "copy the device, and put what the copy says into the log too")
def clone_the_device() -> Shown:
    told, copy = story(), story()
    told.watch()
    copy.watch(health=SensorHealth(channels=9, healthy=9, flags=0))
    told.entries += copy.entries[-1:]
    told.seal()
    return show(told)


@_attack("token.rollback", "restore the device from a snapshot that knew less of the log")
def restore_a_snapshot() -> Shown:
    told = story()
    told.known = CheckpointRef(origin=honest.ORIGIN, size=1, root=told.stated(1).root)
    told.watch()
    told.seal()
    return show(told)


@_attack("token.split", "show the enclosure another log than the inspector")
def split_the_view() -> Shown:
    told = story()
    told.known = CheckpointRef(origin=honest.ORIGIN, size=len(told.entries), root=ZERO)
    told.watch()
    told.seal()
    return show(told)


@_attack("token.split", "let a token name a checkpoint that is larger than the log was")
def know_the_future() -> Shown:
    told, ahead = story(), story()
    ahead.watch(2)
    told.watch(checkpoint=CheckpointRef(origin=honest.ORIGIN, size=99, root=ahead.stated().root))
    told.seal()
    return show(told)


@_attack("token.window", "make tokens ahead with captured keys, and have them witnessed later")
def record_ahead() -> Shown:
    told = story()
    told.watch(10)
    told.now_s += 3600
    told.seal()
    return show(told)


@_attack("token.silence", "halt the controller for an hour and let it go on")
def say_nothing() -> Shown:
    told = story()
    told.now_s += 600
    told.watch(miss=0)
    told.seal()
    return show(told)


# Signatures and identity


@_attack("signature.forged", "change a claim and keep the signatures")
def change_a_claim() -> Shown:
    told = story()
    item, found = tokens.peek(told.entries[6])
    payload = tokens.encode(replace(found, anchor=honest.NEW_ANCHOR))
    data = cose.write(replace(item, payload=payload))
    return show(_again(told, _swap(told.entries, 6, data)))


@_attack("signature.stripped", "strip the signature that quantum computers cannot forge")
def strip_a_signature() -> Shown:
    told = story()
    told.watch(signers=told.evidence[:1])
    told.seal()
    return show(told)


@_attack("signature.key", "sign with keys of the host's own")
def sign_oneself() -> Shown:
    told = story()
    told.watch(signers=keys("host"))
    told.seal()
    return show(told)


@_attack("signature.key", "replace one of two signatures by one of another algorithm")
def swap_the_algorithm() -> Shown:
    told = story()
    told.watch(signers=(told.evidence[0], keys("host", "cnsa2")[0]))
    told.seal()
    return show(told)


@_attack("identity.takeover", "start another device under the same name")
def take_the_name() -> Shown:
    told = story()
    told.evidence = keys("another device")
    told.start("restarted")
    told.seal()
    return show(told)


@_attack("identity.takeover", "let the enclosure vouch for keys that are the host's")
def name_other_keys() -> Shown:
    told = story()
    told.start("restarted", body={"keys": publics(keys("host"))})
    told.seal()
    return show(told)


def _enrolled(told: Story, name: str = "second") -> Reference:
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys(name)))
    return honest.reference(new)


@_attack("identity.superseded", "go on with keys that were replaced")
def use_old_keys() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.watch()
    told.seal()
    return show(told, reference=reference)


@_attack("identity.enrolment", "go on with new keys without a start")
def slip_in_new_keys() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.watch()
    told.seal()
    return show(told, reference=reference)


@_attack("identity.enrolment", "arm new keys without a permit to recommission")
def recommission_alone() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told, reference=reference)


@_attack("key.misused", "sign something else with the key of the last word")
def use_the_last_word() -> Shown:
    told = story()
    told.watch(signers=told.last_word)
    told.seal()
    return show(told)


@_attack("key.misused", "sign a last word with keys that should be gone")
def fake_the_last_word() -> Shown:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED")
    told.seal()
    return show(told)


@_attack("key.state", "sign frames while the state is UNKNOWN")
def sign_while_unknown() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.frames()
    told.seal()
    return show(told)


@_attack("suite.downgraded", "go on with a suite after its end")
def use_an_old_suite() -> Shown:
    told = story()
    base = honest.reference()
    end_s = honest.START_S + 60
    suites = (
        Required(suite=honest.SUITE, since_s=0, until_s=end_s),
        Required(suite="cnsa2", since_s=end_s, until_s=None),
    )
    return show(told, reference=replace(base, suites=suites))


# Starts and clocks


@_attack("boot.absent", "withhold the start of the evidence")
def withhold_the_start() -> Shown:
    told = Story(boot=1, state="ARMED", evidence=keys("evidence"))
    told.watch()
    told.seal()
    return show(told)


@_attack("boot.counter", "start twice and tell of one start")
def hide_a_start() -> Shown:
    told = story()
    told.boot += 1
    told.start("restarted")
    told.seal()
    return show(told)


@_attack("boot.counter", "tell the same start twice, as two copies of a device do")
def tell_a_start_twice() -> Shown:
    told = story()
    told.start("restarted")
    told.boot -= 1
    told.start("restarted")
    told.seal()
    return show(told)


@_attack("boot.counter", "go on with a token of an earlier run")
def go_back_a_run() -> Shown:
    told = story()
    told.start("restarted")
    told.token(c.Change(before="UNKNOWN", after="ARMED", reason="x"), boot=1, state="ARMED")
    told.seal()
    return show(told)


@_attack("boot.restart", "cut the power and let the controller start again")
def restart() -> Shown:
    told = story()
    told.now_s += 40
    told.start("restarted")
    told.change("ARMED")
    honest.watch(told, 2)
    return show(told)


@_attack("clock.back", "turn the monotonic clock back")
def turn_back() -> Shown:
    told = story()
    told.boot_s += 300
    told.frames()
    told.seal()
    return show(told)


@_attack("clock.fast", "let the enclosure live through five minutes in one")
def run_fast() -> Shown:
    told = story()
    told.boot_s -= 240
    told.frames(time_s=told.now_s)
    told.seal()
    return show(told)


@_attack("clock.slow", "freeze the controller for minutes so that its clock stands still")
def run_slow() -> Shown:
    told = story()
    told.watch()
    told.now_s += 300
    told.boot_s += 300
    told.seal()
    honest.watch(told)
    return show(told)


@_attack("clock.step", "set the wall clock while it runs")
def set_the_clock() -> Shown:
    told = story()
    told.clock_s = 40
    honest.watch(told)
    return show(told)


@_attack("clock.wall", "let the wall clock be wrong by a year")
def wrong_clock() -> Shown:
    told = story()
    told.clock_s = -365 * 86_400
    honest.watch(told)
    return show(told)


# Heartbeats and payload


@_attack("beats.chain", "make heartbeats up that do not follow from those before")
def make_up_heartbeats() -> Shown:
    told = story()
    told.head = b"\x01" * 32
    honest.watch(told)
    return show(told)


@_attack("beats.chain", "leave a batch of heartbeats out and number on")
def skip_heartbeats() -> Shown:
    told = story()
    told.watch(heartbeats={"first": told.beats + 60})
    told.seal()
    return show(told)


@_attack("beats.missing", "stop the heartbeats for ten seconds")
def miss_heartbeats() -> Shown:
    told = story()
    told.watch(miss=10)
    told.seal()
    return show(told)


@_attack("beats.missing", "sign frames, and no heartbeats any more")
def only_frames() -> Shown:
    told = story()
    for _ in range(4):
        told.now_s += 60
        told.frames()
        told.seal()
    return show(told)


@_attack("beats.period", "beat every ten seconds only")
def beat_slowly() -> Shown:
    told = story()
    told.watch(heartbeats={"period_ms": 10_000})
    told.seal()
    return show(told)


@_attack("payload.order", "sell frames of before as new ones")
def repeat_frames() -> Shown:
    told = story()
    told.items -= 10
    told.frames()
    told.seal()
    return show(told)


# What runs, and what it was anchored to


@_attack("software.unknown", "run software that nobody approved")
def other_software() -> Shown:
    told = story()
    told.software = ZERO
    told.start("restarted")
    told.seal()
    return show(told)


@_attack("software.unknown", "run a reader's software that nobody approved")
def other_reader() -> Shown:
    told = story()
    told.start("restarted", body={"components": (("reader", ZERO),)})
    told.seal()
    return show(told)


@_attack("software.changed", "swap software without a start")
def swap_software() -> Shown:
    told = story()
    told.software = honest.READER
    honest.watch(told)
    return show(told)


@_attack("anchor.unknown", "measure against an anchor of the host's own")
def other_anchor() -> Shown:
    told = story()
    told.anchor = ZERO
    honest.watch(told)
    return show(told)


@_attack("anchor.absent", "be armed without an anchor")
def no_anchor() -> Shown:
    told = story()
    told.watch(anchor=b"")
    told.seal()
    return show(told)


@_attack("anchor.changed", "go back to an old anchor")
def swap_the_anchor() -> Shown:
    told = story()
    told.anchor = honest.NEW_ANCHOR
    honest.watch(told)
    return show(told)


def _in_maintenance(**changes: Any) -> tuple[Story, bytes]:
    told = story()
    digest = told.allow(**changes)
    told.seal()
    told.open_up(digest)
    told.watch()
    return told, digest


def _replaced(told: Story, digest: bytes, **changes: Any) -> Shown:
    given: dict[str, Any] = {
        "act": "re-anchored",
        "permit": digest,
        "module": "reader-loop",
        "anchor": honest.NEW_ANCHOR,
        "keys": (honest.MODULE.public,),
    }
    body = c.PermitUse(**{**given, **changes})
    told.token(body)
    told.anchor = body.anchor
    told.watch()
    told.seal()
    return show(told)


@_attack("module.unknown", "put a module in that has another key")
def another_module() -> Shown:
    return _replaced(*_in_maintenance(), keys=(keys("host")[0].public,))


@_attack("module.unknown", "put a module in that nobody knows")
def unknown_module() -> Shown:
    return _replaced(*_in_maintenance(modules=("ghost",)), module="ghost")


@_attack("anchor.unknown", "re-anchor to what the parties did not sign")
def reanchor_otherwise() -> Shown:
    return _replaced(*_in_maintenance(), anchor=ZERO)


@_attack("permit.scope", "re-anchor under a permit to open")
def reanchor_unasked() -> Shown:
    return _replaced(*_in_maintenance(actions=("open",)))


@_attack("permit.scope", "re-anchor another module than the permit names")
def reanchor_elsewhere() -> Shown:
    return _replaced(*_in_maintenance(modules=("reader-cavity",), faces=("front",)))


@_attack("permit.unlogged", "re-anchor without a permit")
def reanchor_alone() -> Shown:
    return _replaced(story(), ZERO)


# State


@_attack("state.tampered", "open the enclosure")
def open_it() -> Shown:
    told = story()
    told.token(
        c.LastWord(reason="loop/left opened", erased_us=400),
        state="TAMPERED",
        signers=told.last_word,
    )
    told.seal()
    return show(told)


@_attack("state.tampered", "open the enclosure, and keep its last word from the witnesses")
def withhold_the_last_word() -> Shown:
    told = story()
    told.token(
        c.LastWord(reason="loop/left opened", erased_us=400),
        state="TAMPERED",
        signers=told.last_word,
    )
    return show(told, entries=told.entries[:-1], pending=told.entries[-1:])


@_attack("state.after-tampered", "go on with keys that should be gone")
def go_on_after_the_end() -> Shown:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED", signers=told.last_word)
    told.watch()
    told.seal()
    return show(told)


@_attack("state.after-tampered", "start again after tampering as if nothing had been")
def start_after_the_end() -> Shown:
    told = story()
    told.change("TAMPERED", "opened")
    told.start("restarted")
    told.change("ARMED")
    told.seal()
    return show(told)


@_attack("state.after-tampered", "arm again after tampering")
def arm_after_the_end() -> Shown:
    told = story()
    told.change("TAMPERED", "opened")
    told.change("ARMED")
    told.seal()
    return show(told)


@_attack("state.jump", "be armed at once after a start")
def start_armed() -> Shown:
    told = story()
    told.start("restarted", "ARMED")
    told.seal()
    return show(told)


@_attack("state.jump", "commission again what is retired")
def leave_retirement() -> Shown:
    told = story()
    told.change("RETIRED", "retire")
    told.change("ARMED")
    told.seal()
    return show(told)


@_attack("state.jump", "change the state without saying so")
def change_quietly() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.state = "ARMED"
    honest.watch(told)
    return show(told)


@_attack("state.jump", "lie about the state before")
def lie_about_before() -> Shown:
    told = story()
    told.token(c.Change(before="UNKNOWN", after="ARMED", reason="x"))
    told.seal()
    return show(told)


@_attack("verdict.ignored", "stay armed through a verdict of tampering")
def ignore_a_verdict() -> Shown:
    told = story()
    told.frames(
        verdict=Judgement(verdict="TAMPER", level=2, millinats=30_000, information_millinats=9)
    )
    told.seal()
    return show(told)


@_attack("verdict.ignored", "stay armed through heartbeats that tell of tampering")
def ignore_heartbeats() -> Shown:
    told = story()
    normal = Judgement(verdict="NORMAL", level=0, millinats=3, information_millinats=9)
    told.watch(verdict="TAMPER", judged=normal)
    told.seal()
    return show(told)


@_attack("verdict.interference", "inject noise")
def inject_noise() -> Shown:
    told = story()
    told.watch(verdict="INTERFERENCE")
    told.seal()
    return show(told)


@_attack("verdict.denied", "jam the readers")
def jam() -> Shown:
    told = story()
    told.watch(verdict="DENIED")
    told.seal()
    return show(told)


@_attack("sensor.fault", "cut a sensor off")
def cut_a_sensor() -> Shown:
    told = story()
    told.watch(health=SensorHealth(channels=8, healthy=7, flags=4))
    told.seal()
    return show(told)


@_attack("state.unknown", "keep the controller from knowing")
def keep_it_unknown() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.seal()
    return show(told)


@_attack("state.unknown", "show a log with nothing in it")
def show_nothing() -> Shown:
    told = Story()
    told.seal()
    return show(told)


@_attack("state.commissioning", "(no attack) ask before it is armed")
def ask_too_early() -> Shown:
    told = Story()
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    return show(told)


@_attack("state.retired", "(no attack) ask after its service")
def ask_too_late() -> Shown:
    told = story()
    told.change("RETIRED", "retire")
    told.seal()
    return show(told)


# Permits


@_attack("permit.invalid", "log a permit that the inspector did not sign")
def permit_oneself() -> Shown:
    told = story()
    told.allow(parties=("hostland",))
    told.seal()
    return show(told)


@_attack("permit.invalid", "log a permit for another enclosure")
def borrow_a_permit() -> Shown:
    told = story()
    told.allow(enclosure="safe")
    told.seal()
    return show(told)


@_attack("permit.invalid", "log a permit whose signers saw another log")
def permit_of_another_history() -> Shown:
    told = story()
    told.allow(checkpoint=CheckpointRef(origin=honest.ORIGIN, size=3, root=ZERO))
    told.seal()
    return show(told)


@_attack("permit.invalid", "log a permit under the name of another")
def rename_a_permit() -> Shown:
    told = story()
    told.allow()
    _, found = tokens.peek(told.entries[-1])
    told.entries = told.entries[:-1]
    assert isinstance(found.body, c.PermitUse)
    told.token(replace(found.body, permit=ZERO))
    told.seal()
    return show(told)


@_attack("permit.unlogged", "open under a permit that is not in the log")
def open_without_permit() -> Shown:
    told = story()
    told.open_up(ZERO)
    told.watch()
    told.seal()
    return show(told)


@_attack("permit.unlogged", "go into maintenance under no permit at all")
def maintain_without_permit() -> Shown:
    told = story()
    told.change("MAINTENANCE", "why not")
    told.watch()
    told.seal()
    return show(told)


@_attack("permit.unlogged", "stay in maintenance after the permit was closed")
def stay_in_maintenance() -> Shown:
    told, digest = _in_maintenance()
    told.token(c.PermitUse(act="closed", permit=digest))
    told.watch()
    told.seal()
    return show(told)


@_attack("permit.unlogged", "name another permit than the one in use")
def name_another_permit() -> Shown:
    told, _ = _in_maintenance()
    told.watch(permit=ZERO)
    told.seal()
    return show(told)


@_attack("permit.unwitnessed", "use a permit before witnesses have it")
def hurry() -> Shown:
    told = story()
    digest = told.allow()
    told.open_up(digest)
    told.watch()
    told.seal()
    return show(told)


@_attack("permit.scope", "open a face that the permit does not name")
def open_elsewhere() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest, module="rear")
    told.watch()
    told.seal()
    return show(told)


@_attack("permit.expired", "work on after the permit's end")
def overstay() -> Shown:
    told, _ = _in_maintenance(not_after_s=story().now_s + 90)
    told.seal()
    told.watch(2)
    told.seal()
    return show(told)


@_attack("permit.expired", "begin before the permit does")
def begin_early() -> Shown:
    now_s = story().now_s
    told, _ = _in_maintenance(not_before_s=now_s + 600, not_after_s=now_s + 1200)
    told.seal()
    return show(told)


@_attack("permit.reused", "use a permit a second time")
def use_twice() -> Shown:
    told, digest = _in_maintenance()
    told.close_up(digest)
    told.seal()
    told.open_up(digest)
    told.seal()
    return show(told)


@_attack("permit.reused", "use a permit after a start of the controller")
def use_after_a_start() -> Shown:
    told, digest = _in_maintenance()
    told.start("restarted")
    told.open_up(digest)
    told.seal()
    return show(told)


@_attack("permit.emergency", "(no attack) open because of smoke")
def smoke() -> Shown:
    told = story()
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.change("UNKNOWN", "emergency")
    told.now_s += 60
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    return show(told)


@_attack("trust.travels", "send reference values and policy along with the evidence")
def send_trust_along() -> Shown:
    return show(story(), travels=True)


def attack_page(found: Callable[[Shown], tuple[str, str, int]]) -> Iterator[str]:
    """Yield the rows of the table; `found` gives finding, severity and exit code of what is shown."""
    yield "| attack | finding | severity | exit code |"
    yield "|---|---|---|---|"
    for each in ATTACKS.values():
        kind, severity, code = found(each.run())
        yield f"| {each.does} | `{kind}` | {severity} | {code} |"
