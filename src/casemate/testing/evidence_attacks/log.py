"""What a host does to the log as files, checkpoints and cosignatures."""

from __future__ import annotations

from dataclasses import replace

from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import ZERO, Shown, Table, show, story, swap
from casemate.testing.honest_enclosure import keys
from casemate.translog.checkpoint import Checkpoint

LOG = Table()


@LOG.attack("log.absent", "hand over entries without a checkpoint")
def no_checkpoint() -> Shown:
    return show(story(), checkpoint=b"", witnessed=())


@LOG.attack("log.altered", "change one bit of an entry")
def alter_an_entry() -> Shown:
    told = story()
    data = told.entries[5]
    return show(
        told, entries=swap(told.entries, 5, data[:-1] + bytes([data[-1] ^ 1])), witnessed=()
    )


@LOG.attack("log.altered", "drop an entry")
def drop_an_entry() -> Shown:
    told = story()
    return show(told, entries=told.entries[:5] + told.entries[6:])


@LOG.attack("log.altered", "let two entries change places")
def reorder_entries() -> Shown:
    told = story()
    a, b = told.entries[5:7]
    return show(told, entries=swap(swap(told.entries, 5, b), 6, a), witnessed=())


@LOG.attack("log.altered", "cut the end off and keep the checkpoint")
def truncate() -> Shown:
    told = story()
    return show(told, entries=told.entries[:-3], witnessed=told.notes[:2])


@LOG.attack("log.rollback", "hand over checkpoints without entries")
def withhold_all() -> Shown:
    return show(story(), entries=())


@LOG.attack("log.rollback", "go back to an older checkpoint and leave a later one in the bundle")
def roll_back_the_files() -> Shown:
    told = story()
    size = len(told.entries) - 2
    return show(told, entries=told.entries[:size], checkpoint=told.notes[-2])


@LOG.attack("log.rollback", "go back to a state before the checkpoint that the inspector kept")
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


@LOG.attack("log.equivocation", "tell the inspector another story than before, with the log's keys")
def tell_two_stories() -> Shown:
    told, other = story(), story()
    other.watch()
    told.frames()
    kept = other.seal()
    told.now_s = other.now_s
    told.seal()
    return show(told, since=(kept,))


@LOG.attack("log.equivocation", "keep two checkpoints of one size in the bundle")
def two_checkpoints() -> Shown:
    told = story()
    size = len(told.entries)
    other = Checkpoint(origin=honest.ORIGIN, size=size, root=ZERO)
    forged = told.copy().seal(stated=other)
    return show(told, witnessed=(*told.notes, forged))


@LOG.attack("log.origin", "show the checkpoint of another log")
def another_log() -> Shown:
    told = story()
    stated = replace(told.stated(), origin="example.org/other")
    return show(told, checkpoint=told.copy().seal(stated=stated))


@LOG.attack("log.origin", "name another log in the bundle")
def another_origin() -> Shown:
    return show(story(), origin="example.org/other")


@LOG.attack("log.signature", "sign the checkpoint with a key of the host's own")
def sign_the_log_oneself() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(signers=keys("host")), witnessed=())


@LOG.attack("log.signature", "strip one of the log's two signatures")
def strip_the_log() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(signers=honest.LOG[:1]), witnessed=())


@LOG.attack("log.malformed", "damage the checkpoint")
def damage_the_checkpoint() -> Shown:
    told = story()
    return show(told, witnessed=(told.notes[0].replace(b"\n", b" "), *told.notes))


@LOG.attack("log.cosignatures", "let one witness of three cosign, where two are asked for")
def too_few_witnesses() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal(["north"]), witnessed=())


@LOG.attack("log.cosignatures", "let one witness cosign twice, where two are asked for")
def cosign_twice() -> Shown:
    told = story()
    again = honest.cosign("north", told.stated(), told.now_s + 1)
    text = told.copy().seal(["north"]) + again.text().encode()
    return show(told, checkpoint=text, witnessed=())


@LOG.attack("log.cosignatures", "put cosignatures of an earlier checkpoint under the newest")
def borrow_cosignatures() -> Shown:
    told = story()
    early = told.stated(len(told.entries) - 2)
    lines = b"".join(honest.cosign(n, early, told.now_s).text().encode() for n in honest.WITNESSES)
    return show(told, checkpoint=told.copy().seal([]) + lines, witnessed=())


@LOG.attack("log.cosignatures", "strip all cosignatures")
def strip_cosignatures() -> Shown:
    told = story()
    return show(told, checkpoint=told.copy().seal([]), witnessed=())


@LOG.attack("log.witness-line", "forge the line of a third witness")
def forge_a_witness() -> Shown:
    told = story()
    stated = told.stated()
    wrong = honest.cosign("west", replace(stated, root=ZERO), told.now_s)
    text = told.copy().seal(["north", "south"]) + wrong.text().encode()
    return show(told, checkpoint=text)


@LOG.attack("time.witness-order", "have an early checkpoint cosigned after a later one")
def cosign_late() -> Shown:
    told = story()
    stated = told.stated(len(told.entries) - 4)
    late = told.copy().seal(stated=stated, at_s=told.now_s + 10)
    return show(told, witnessed=(late, told.notes[-1]))


@LOG.attack("time.stale", "freeze: show evidence that ended an hour ago")
def freeze() -> Shown:
    return show(story(), later_s=3600)


@LOG.attack("time.stale", "go on without the witnesses")
def cut_off_witnesses() -> Shown:
    told = story()
    told.watch(10)
    told.seal([])
    return show(told)


@LOG.attack("time.ahead", "have witnesses cosign with a time that is yet to come")
def future_witnesses() -> Shown:
    told = story()
    told.watch()
    told.seal(at_s=told.now_s + 86_400)
    return show(told)


@LOG.attack("log.awaiting", "(no attack) ask while the newest checkpoint is not cosigned yet")
def ask_at_once() -> Shown:
    told = story()
    told.watch()
    told.seal([])
    return show(told)


@LOG.attack("log.torn", "(no attack) cut the power while an entry is written")
def cut_the_power() -> Shown:
    return show(story(), torn_bytes=17)
