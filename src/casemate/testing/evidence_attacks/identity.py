"""What a host does with keys and signatures."""

from __future__ import annotations

from dataclasses import replace

from casemate.attest import claims as c
from casemate.attest import cose
from casemate.attest import token as tokens
from casemate.attest.reference import Enrolment, Reference, Required
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import Shown, Table, again, show, story, swap
from casemate.testing.honest_enclosure import Story, keys, publics

IDENTITY = Table()


@IDENTITY.attack("signature.forged", "change a claim and keep the signatures")
def change_a_claim() -> Shown:
    told = story()
    item, found = tokens.peek(told.entries[6])
    payload = tokens.encode(replace(found, anchor=honest.NEW_ANCHOR))
    data = cose.write(replace(item, payload=payload))
    return show(again(told, swap(told.entries, 6, data)))


@IDENTITY.attack("signature.stripped", "strip the signature that quantum computers cannot forge")
def strip_a_signature() -> Shown:
    told = story()
    told.watch(signers=told.evidence[:1])
    told.seal()
    return show(told)


@IDENTITY.attack("signature.stripped", "strip a signature of the last word")
def strip_the_last_word() -> Shown:
    told = story()
    word = c.LastWord(reason="opened", erased_us=400)
    told.token(word, state="TAMPERED", signers=told.last_word[1:])
    told.seal()
    return show(told)


@IDENTITY.attack("signature.forged", "let the two signatures of a token change places")
def swap_the_signatures() -> Shown:
    told = story()
    told.watch(signers=told.evidence[::-1])
    told.seal()
    return show(told)


@IDENTITY.attack("signature.key", "add a signature of the host's own to the two of a token")
def add_a_signature() -> Shown:
    told = story()
    told.watch(signers=(*told.evidence, keys("host")[0]))
    told.seal()
    return show(told)


@IDENTITY.attack("signature.key", "sign with keys of the host's own")
def sign_oneself() -> Shown:
    told = story()
    told.watch(signers=keys("host"))
    told.seal()
    return show(told)


@IDENTITY.attack("signature.key", "replace one of two signatures by one of another algorithm")
def swap_the_algorithm() -> Shown:
    told = story()
    told.watch(signers=(told.evidence[0], keys("host", "cnsa2")[0]))
    told.seal()
    return show(told)


@IDENTITY.attack("identity.takeover", "start another device under the same name")
def take_the_name() -> Shown:
    told = story()
    told.evidence = keys("another device")
    told.start("restarted")
    told.seal()
    return show(told)


@IDENTITY.attack("identity.takeover", "let the enclosure vouch for keys that are the host's")
def name_other_keys() -> Shown:
    told = story()
    told.start("restarted", body={"keys": publics(keys("host"))})
    told.seal()
    return show(told)


def _enrolled(told: Story, name: str = "second") -> Reference:
    new = Enrolment(sequence=len(told.entries), suite=told.suite, keys=publics(keys(name)))
    return honest.reference(new)


@IDENTITY.attack("identity.superseded", "go on with keys that were replaced")
def use_old_keys() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.watch()
    told.seal()
    return show(told, reference=reference)


@IDENTITY.attack("identity.enrolment", "go on with new keys without a start")
def slip_in_new_keys() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.watch()
    told.seal()
    return show(told, reference=reference)


@IDENTITY.attack("identity.enrolment", "arm new keys without a permit to recommission")
def recommission_alone() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told, reference=reference)


@IDENTITY.attack("key.misused", "sign something else with the key of the last word")
def use_the_last_word() -> Shown:
    told = story()
    told.watch(signers=told.last_word)
    told.seal()
    return show(told)


@IDENTITY.attack("key.misused", "sign a last word with keys that should be gone")
def fake_the_last_word() -> Shown:
    told = story()
    told.token(c.LastWord(reason="opened", erased_us=400), state="TAMPERED")
    told.seal()
    return show(told)


@IDENTITY.attack("key.misused", "sign a last word with one key of it and one of evidence")
def mix_the_last_word() -> Shown:
    told = story()
    word = c.LastWord(reason="opened", erased_us=400)
    told.token(word, state="TAMPERED", signers=(told.last_word[0], told.evidence[1]))
    told.seal()
    return show(told)


@IDENTITY.attack("state.tampered", "tell an old start again, so that its last word's keys count")
def hide_the_last_word() -> Shown:
    told = story()
    told.start("restarted")
    told.change("ARMED", "released")
    told.seal()
    told.entries += (told.entries[0],)
    word = c.LastWord(reason="opened", erased_us=400)
    told.token(word, state="TAMPERED", signers=told.last_word)
    told.seal()
    return show(told)


@IDENTITY.attack("key.state", "sign frames while the state is UNKNOWN")
def sign_while_unknown() -> Shown:
    told = story()
    told.change("UNKNOWN", "stale")
    told.frames()
    told.seal()
    return show(told)


@IDENTITY.attack("suite.downgraded", "go on with a suite after its end")
def use_an_old_suite() -> Shown:
    told = story()
    base = honest.reference()
    end_s = honest.START_S + 60
    suites = (
        Required(suite=honest.SUITE, since_s=0, until_s=end_s),
        Required(suite="cnsa2", since_s=end_s, until_s=None),
    )
    return show(told, reference=replace(base, suites=suites))


@IDENTITY.attack("identity.enrolment", "call a time unwatched commissioning, and arm the same keys")
def commission_alone() -> Shown:
    told = story()
    told.change("COMMISSIONING", "work")
    told.now_s += 100
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    return show(told)


@IDENTITY.attack("identity.enrolment", "arm new keys under a permit that was logged before them")
def recommission_before() -> Shown:
    told = story()
    told.allow(actions=("recommission",))
    logged = tokens.peek(told.entries[-1])[1].body
    told.seal()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.token(logged)
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told, reference=reference)


@IDENTITY.attack("permit.expired", "arm new keys under an old permit to recommission")
def recommission_late() -> Shown:
    told = story()
    reference = _enrolled(told)
    told.evidence = keys("second")
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",), not_before_s=told.now_s - 9000, not_after_s=told.now_s)
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    return show(told, reference=reference)
