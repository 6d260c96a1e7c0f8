"""What a host does with permits."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest import claims as c
from casemate.attest import token as tokens
from casemate.attest.reference import Enrolment
from casemate.attest.token import CheckpointRef
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import ZERO, Shown, Table, in_maintenance, show, story
from casemate.testing.honest_enclosure import keys, publics
from casemate.translog import merkle

PERMITS = Table()


@PERMITS.attack("permit.invalid", "log a permit that the inspector did not sign")
def permit_oneself() -> Shown:
    told = story()
    told.allow(parties=("hostland",))
    told.seal()
    return show(told)


@PERMITS.attack("permit.invalid", "log a permit for another enclosure")
def borrow_a_permit() -> Shown:
    told = story()
    told.allow(enclosure="safe")
    told.seal()
    return show(told)


@PERMITS.attack("permit.invalid", "log a permit whose signers saw another log")
def permit_of_another_history() -> Shown:
    told = story()
    told.allow(checkpoint=CheckpointRef(origin=honest.ORIGIN, size=3, root=ZERO))
    told.seal()
    return show(told)


@PERMITS.attack("permit.invalid", "log a permit whose signers saw a log with nothing in it")
def permit_of_any_history() -> Shown:
    told = story()
    told.allow(checkpoint=CheckpointRef(origin=honest.ORIGIN, size=0, root=merkle.EMPTY_ROOT))
    told.seal()
    return show(told)


@PERMITS.attack("permit.invalid", "log a permit under the name of another")
def rename_a_permit() -> Shown:
    told = story()
    told.allow()
    _, found = tokens.peek(told.entries[-1])
    told.entries = told.entries[:-1]
    assert isinstance(found.body, c.PermitUse)
    told.token(replace(found.body, permit=ZERO))
    told.seal()
    return show(told)


@PERMITS.attack("permit.unlogged", "open under a permit that is not in the log")
def open_without_permit() -> Shown:
    told = story()
    told.open_up(ZERO)
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.unlogged", "go into maintenance under no permit at all")
def maintain_without_permit() -> Shown:
    told = story()
    told.change("MAINTENANCE", "why not")
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.unlogged", "stay in maintenance after the permit was closed")
def stayin_maintenance() -> Shown:
    told, digest = in_maintenance()
    told.token(c.PermitUse(act="closed", permit=digest))
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.unlogged", "name another permit than the one in use")
def name_another_permit() -> Shown:
    told, _ = in_maintenance()
    told.watch(permit=ZERO)
    told.seal()
    return show(told)


@PERMITS.attack("permit.unwitnessed", "use a permit before witnesses have it")
def hurry() -> Shown:
    told = story()
    digest = told.allow()
    told.open_up(digest)
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.scope", "open a face that the permit does not name")
def open_elsewhere() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest, module="rear")
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.scope", "open, and name no place")
def open_nowhere() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    told.open_up(digest, module="")
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.expired", "work on after the permit's end")
def overstay() -> Shown:
    told, _ = in_maintenance(not_after_s=story().now_s + 90)
    told.seal()
    told.watch(2)
    told.seal()
    return show(told)


@PERMITS.attack("permit.expired", "begin before the permit does")
def begin_early() -> Shown:
    now_s = story().now_s
    told, _ = in_maintenance(not_before_s=now_s + 600, not_after_s=now_s + 1200)
    told.seal()
    return show(told)


@PERMITS.attack("permit.expired", "begin after the permit's end, while the state is UNKNOWN")
def begin_unknown() -> Shown:
    told = story()
    digest = told.allow(not_after_s=told.now_s + 90)
    told.change("UNKNOWN", "stale")
    told.now_s += 100
    told.seal()
    told.token(c.PermitUse(act="opened", permit=digest, module="front"))
    told.token(c.PermitUse(act="closed", permit=digest))
    told.seal()
    return show(told)


@PERMITS.attack("permit.expired", "re-anchor after the permit's end, with keys sealed meanwhile")
def anchor_too_late() -> Shown:
    told, digest = in_maintenance(not_after_s=story().now_s + 90)
    told.permit = b""
    told.change("UNKNOWN", "sealed")
    told.now_s += 100
    told.seal()
    told.token(_anchoring(digest))
    told.anchor = honest.NEW_ANCHOR
    told.token(c.PermitUse(act="closed", permit=digest))
    told.seal()
    return show(told)


@PERMITS.attack("permit.reused", "use a permit a second time")
def use_twice() -> Shown:
    told, digest = in_maintenance()
    told.close_up(digest)
    told.seal()
    told.open_up(digest)
    told.seal()
    return show(told)


@PERMITS.attack("permit.reused", "use a permit after a start of the controller")
def use_after_a_start() -> Shown:
    told, digest = in_maintenance()
    told.start("restarted")
    told.open_up(digest)
    told.seal()
    return show(told)


@PERMITS.attack("permit.reused", "use under new keys a permit that was logged under old ones")
def use_after_new_keys() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys("second")))
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    told.open_up(digest)
    told.watch()
    told.seal()
    return show(told, reference=honest.reference(new))


@PERMITS.attack("permit.unwitnessed", "use a permit at once and claim that witnesses have it")
def claim_witnesses() -> Shown:
    told = story()
    digest = told.allow()
    assert told.known is not None
    stated = told.stated()
    told.known = replace(told.known, size=stated.size, root=stated.root)
    told.open_up(digest)
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.scope", "open a face under a permit to replace a module behind it")
def open_to_replace() -> Shown:
    told = story()
    digest = told.allow(actions=("replace", "re-anchor"))
    told.seal()
    told.open_up(digest, module="front")
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.unclosed", "arm without saying that the work under a permit has ended")
def arm_in_the_middle() -> Shown:
    told, _ = in_maintenance()
    told.permit = b""
    told.change("ARMED", "checks have passed")
    told.seal()
    return show(told)


@PERMITS.attack("permit.unclosed", "open under a permit, and call it armed all the time")
def stay_armed() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    told.token(c.PermitUse(act="opened", permit=digest, module="front"))
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.reused", "use a permit a second time, as if the first had not ended")
def use_twice_as_once() -> Shown:
    told, digest = in_maintenance()
    told.permit = b""
    told.change("ARMED", "checks have passed")
    told.seal()
    honest.watch(told)
    told.permit = digest
    told.change("MAINTENANCE", "permit begins")
    told.watch()
    told.seal()
    return show(told)


@PERMITS.attack("permit.scope", "open under a permit to retire")
def open_to_retire() -> Shown:
    told, _ = in_maintenance(actions=("retire",))
    told.seal()
    return show(told)


@PERMITS.attack("permit.reused", "re-anchor under a permit after it was closed and armed")
def anchor_later() -> Shown:
    told, digest = in_maintenance()
    told.close_up(digest)
    told.seal()
    told.token(_anchoring(digest))
    told.anchor = honest.NEW_ANCHOR
    told.seal()
    return show(told)


@PERMITS.attack("permit.unlogged", "re-anchor under a permit that nobody has begun")
def anchor_first() -> Shown:
    told = story()
    digest = told.allow()
    told.seal()
    told.token(_anchoring(digest))
    told.anchor = honest.NEW_ANCHOR
    told.seal()
    return show(told)


def _anchoring(digest: bytes) -> c.PermitUse:
    return c.PermitUse(
        act="re-anchored",
        permit=digest,
        module="reader-loop",
        anchor=honest.NEW_ANCHOR,
        keys=(honest.MODULE.public,),
    )


@PERMITS.attack("permit.emergency", "(no attack) open because of smoke")
def smoke() -> Shown:
    told = story()
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.change("UNKNOWN", "emergency")
    told.now_s += 60
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    return show(told)


@PERMITS.attack("permit.emergency-overdue", "stay open longer than an emergency covers")
def stay_open() -> Shown:
    told = story()
    told.token(c.PermitUse(act="emergency", note="smoke"))
    told.change("UNKNOWN", "emergency")
    told.seal()
    told.watch(honest.TIMING.emergency_s // honest.BATCH_S + 2)
    told.change("ARMED", "keys opened by a quorum")
    told.seal()
    honest.watch(told)
    return show(told)


@PERMITS.attack("trust.travels", "send reference values and policy along with the evidence")
def send_trust_along() -> Shown:
    return show(story(), travels=True)
