"""Permits: what they allow, who has to sign, and every way in which that is too little."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from attest_samples import CHECKPOINT, NOW, Key, pair, party

from casemate.attest import cose, permit
from casemate.attest.parties import agree
from casemate.attest.permit import Need, Party, Permit, Rule
from casemate.core import cbor
from casemate.core.errors import FormatError, PermitError, SignatureError
from casemate.core.suites import DEFAULT_SUITE, SUITES

HOST, HOST_2, NORTH, NORTH_2, SOUTH, MAKER = 10, 11, 20, 21, 30, 40
ROSTER = (
    party("Host", "host", "north", HOST),
    party("Host's deputy", "host", "north", HOST_2),
    party("Inspector N", "inspector", "north", NORTH),
    party("Second inspector N", "inspector", "north", NORTH_2),
    party("Inspector S", "inspector", "south", SOUTH, "cnsa2"),
    party("Maker", "manufacturer", "neutral", MAKER),
)
OPEN = Rule(
    action="open",
    needs=(Need(role="host", least=1), Need(role="inspector", least=2, blocs=2)),
    blocs=2,
)
REPLACE = Rule(action="replace", needs=(*OPEN.needs, Need(role="manufacturer", least=1)), blocs=3)
RULES = (OPEN, REPLACE)
PERMIT = Permit(
    enclosure="camera",
    serial="UNIT-0001",
    faces=("left",),
    modules=("reader-loop",),
    actions=("open",),
    not_before_s=NOW,
    not_after_s=NOW + 3600,
    checkpoint=CHECKPOINT,
    nonce=bytes(16),
    technician=b"\x33" * 32,
    reason="fan",
)


def keys(*seeds: int) -> list[Key]:
    return [each for seed in seeds for each in pair(seed, "cnsa2" if seed == SOUTH else
                                                    DEFAULT_SUITE.name)]  # fmt: skip


def check(data: bytes, **changes: Any) -> tuple[Permit, tuple[Party, ...]]:
    given = {"enclosure": "camera", "serial": "UNIT-0001", "now_s": NOW}
    roster, rules = changes.pop("roster", ROSTER), changes.pop("rules", RULES)
    return permit.check(data, roster, rules, **{**given, **changes})


def test_a_permit_with_all_that_is_needed_is_good() -> None:
    found, parties = check(permit.build(PERMIT, keys(HOST, NORTH, SOUTH)))
    assert found == PERMIT
    assert [each.name for each in parties] == ["Host", "Inspector N", "Inspector S"]


def test_order_of_signing_does_not_show() -> None:
    made = set()
    for order in itertools.permutations((HOST, NORTH, SOUTH)):
        data = permit.build(PERMIT, keys(order[0]))
        for seed in order[1:]:
            data = permit.add(data, keys(seed))
        made.add(tuple(s.kid for s in permit.peek(data)[0].signatures))
        check(data)
    assert len(made) == 1
    alone = [permit.build(PERMIT, keys(seed)) for seed in (SOUTH, HOST, NORTH)]
    check(permit.merge(permit.merge(alone[0], alone[1]), alone[2]))


@pytest.mark.parametrize("signed", [
    each for n in range(1, 7)
    for each in itertools.combinations((HOST, HOST_2, NORTH, NORTH_2, SOUTH, MAKER), n)
])  # fmt: skip
def test_every_set_of_signers_against_the_rule_in_words(signed: tuple[int, ...]) -> None:
    """One host, and two inspectors of whom one is of the south and one of the north."""
    hosts = len({HOST, HOST_2} & set(signed))
    enough = hosts >= 1 and SOUTH in signed and len({NORTH, NORTH_2} & set(signed)) >= 1
    parties = [each for each in ROSTER if each.keys[0].kid in {k.public.kid for k in keys(*signed)}]
    assert len(parties) == len(signed)
    for rule, wanted in ((OPEN, enough), (REPLACE, enough and MAKER in signed)):
        if wanted:
            agree(parties, rule)
        else:
            with pytest.raises(PermitError):
                agree(parties, rule)


def test_who_signs_twice_counts_once() -> None:
    twice = [ROSTER[0], ROSTER[4], ROSTER[4], ROSTER[4]]
    with pytest.raises(PermitError, match="1 of 2"):
        agree(twice, OPEN)


def test_two_of_one_bloc_are_not_two_blocs() -> None:
    with pytest.raises(PermitError, match="1 of 2 blocs"):
        check(permit.build(PERMIT, keys(HOST, NORTH, NORTH_2)))


def test_rules_that_ask_nothing_are_never_met() -> None:
    data = permit.build(PERMIT, keys(HOST, NORTH, SOUTH))
    for rules in ((), (Rule(action="open", needs=()),), (OPEN, OPEN), (REPLACE,),
                  (replace(OPEN, needs=(Need(role="host", least=0),)),)):  # fmt: skip
        with pytest.raises(PermitError):
            check(data, rules=rules)


def test_blocs_are_counted_over_all_who_signed() -> None:
    one_each = (Need(role="host", least=1), Need(role="inspector", least=1))
    rule = Rule(action="open", needs=one_each, blocs=2)
    check(permit.build(PERMIT, keys(HOST, SOUTH)), rules=(rule,))
    with pytest.raises(PermitError, match="1 of 2 blocs"):
        check(permit.build(PERMIT, keys(HOST, NORTH, NORTH_2)), rules=(rule,))


def test_two_of_one_role_are_two_parties() -> None:
    rule = Rule(action="open", needs=(Need(role="host", least=2),))
    check(permit.build(PERMIT, keys(HOST, HOST_2)), rules=(rule,))
    for signed in ((HOST,), (HOST, NORTH), (NORTH, NORTH_2)):
        with pytest.raises(PermitError, match="of 2 needed from role host"):
            check(permit.build(PERMIT, keys(*signed)), rules=(rule,))


def test_every_action_needs_its_own_rule() -> None:
    both = replace(PERMIT, actions=("open", "replace"))
    check(permit.build(both, keys(HOST, NORTH, SOUTH, MAKER)))
    with pytest.raises(PermitError, match="replace"):
        check(permit.build(both, keys(HOST, NORTH, SOUTH)))


def test_half_a_partys_signatures_are_not_its_signature() -> None:
    for half in (keys(NORTH)[:1], keys(NORTH)[1:]):
        with pytest.raises(SignatureError):
            check(permit.build(PERMIT, [*keys(HOST, SOUTH), *half]))


def test_signatures_of_nobody_are_refused() -> None:
    with pytest.raises(SignatureError, match="no party"):
        check(permit.build(PERMIT, keys(HOST, NORTH, SOUTH, 99)))
    with pytest.raises(SignatureError, match="no party"):
        check(permit.build(PERMIT, keys(HOST, NORTH, SOUTH)), roster=ROSTER[:4])


def test_an_altered_permit_is_signed_by_nobody() -> None:
    item, _ = permit.peek(permit.build(PERMIT, keys(HOST, NORTH, SOUTH)))
    for change in (
        {"faces": ("rear",)}, {"modules": ("controller",)}, {"not_after_s": NOW + 7200},
        {"technician": bytes(32)}, {"nonce": b"\1" * 16}, {"reason": "lid"},
        {"checkpoint": replace(CHECKPOINT, size=8)}, {"not_before_s": NOW - 1},
    ):  # fmt: skip
        changed: dict[str, Any] = dict(change)
        forged = replace(item, payload=permit.encode(replace(PERMIT, **changed)))
        with pytest.raises(SignatureError):
            check(cose.write(forged))


def test_a_permit_is_for_one_unit() -> None:
    data = permit.build(PERMIT, keys(HOST, NORTH, SOUTH))
    for change in ({"enclosure": "rack"}, {"serial": "UNIT-0002"}):
        with pytest.raises(PermitError):
            check(data, **change)


def test_a_token_is_not_a_permit() -> None:
    forged = cose.build("application/eat+cwt", permit.encode(PERMIT), keys(HOST, NORTH, SOUTH))
    with pytest.raises(FormatError):
        check(forged)


def test_suites_are_judged_by_the_time() -> None:
    data = permit.build(PERMIT, keys(HOST, NORTH, SOUTH))
    end = DEFAULT_SUITE.until_s
    assert end is not None
    check(data, now_s=end - 1)
    with pytest.raises(SignatureError, match="not valid at that time"):
        check(data, now_s=end)
    for suite in ("cnsa2", "rot13"):
        wrong = replace(ROSTER[0], suite=suite)
        with pytest.raises(SignatureError):
            check(data, roster=(wrong, *ROSTER[1:]))


@pytest.mark.parametrize(
    ("action", "module", "now_s"),
    [("open", "left", NOW), ("open", "reader-loop", NOW), ("open", "left", NOW + 3599)],
)
def test_what_is_covered(action: str, module: str, now_s: int) -> None:
    permit.covers(PERMIT, action, module, now_s)


@pytest.mark.parametrize(
    ("action", "module", "now_s"),
    [
        ("replace", "left", NOW), ("", "left", NOW), ("open", "right", NOW), ("open", "", NOW),
        ("open", "left", NOW - 1), ("open", "left", NOW + 3600), ("open", "lef", NOW),
    ],
)  # fmt: skip
def test_what_is_not_covered(action: str, module: str, now_s: int) -> None:
    with pytest.raises(PermitError):
        permit.covers(PERMIT, action, module, now_s)


@pytest.mark.parametrize(
    "change",
    [
        {"actions": ()}, {"actions": ("destroy",)}, {"actions": ("open", "open")},
        {"faces": (), "modules": ()}, {"faces": ("",)}, {"faces": ("left", "left")},
        {"not_after_s": NOW}, {"not_after_s": NOW - 1}, {"not_before_s": -1},
        {"not_after_s": NOW + permit.LONGEST_S + 1}, {"nonce": bytes(15)},
        {"technician": bytes(31)}, {"serial": ""}, {"reason": "a\nb"},
        {"checkpoint": replace(CHECKPOINT, root=bytes(31))},
    ],
)  # fmt: skip
def test_permits_that_make_no_sense_cannot_be_written(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        permit.encode(replace(PERMIT, **change))


def test_other_forms_of_the_same_permit_are_refused() -> None:
    fields = cbor.decode(permit.encode(replace(PERMIT, faces=("left", "rear"))))
    for change in ({3: ["rear", "left"]}, {11: ""}, {4: []}, {12: 0}, {0: "casemate-permit/2"},
                   {8: ["o", 1]}, {5: ["open", 1]}, {5: {"open": 0}}, {3: "left"},
                   {9: bytes(16).hex()}):  # fmt: skip
        with pytest.raises(FormatError):
            permit.decode(cbor.encode({**fields, **change}))


def test_a_permit_may_name_where_or_what_alone_and_the_cosignatures_seen() -> None:
    for change in ({"faces": ()}, {"modules": ()}, {"reason": ""},
                   {"checkpoint": replace(CHECKPOINT, note=b"")}):  # fmt: skip
        changed: dict[str, Any] = dict(change)
        made = replace(PERMIT, **changed)
        assert permit.decode(permit.encode(made)) == made


def test_names_do_not_depend_on_signatures_or_order() -> None:
    one = permit.build(replace(PERMIT, actions=("replace", "open")), keys(HOST))
    two = permit.build(replace(PERMIT, actions=("open", "replace")), keys(NORTH, SOUTH))
    names = {permit.identity(permit.peek(each)[0].payload, DEFAULT_SUITE) for each in (one, two)}
    assert len(names) == 1
    with pytest.raises(FormatError):
        permit.merge(one, permit.build(PERMIT, keys(NORTH)))
    payload = permit.peek(one)[0].payload
    assert len(permit.identity(payload, SUITES["cnsa2"])) == 48


def test_a_permit_of_many_parties_fits_into_a_token() -> None:
    assert len(permit.build(PERMIT, keys(HOST, HOST_2, NORTH, NORTH_2, SOUTH, MAKER))) < 30_000
