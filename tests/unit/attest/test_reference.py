"""Reference values: each error names file, place and remedy; nothing has a default."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from attest_samples import KEYS, NOW, key
from reference_samples import as_file, document, shown

from casemate.attest import reference
from casemate.attest.reference_write import as_cbor, as_json
from casemate.core.errors import CasemateError, InputError
from casemate.core.suites import ED25519

GOOD = document()


def load(value: Any) -> reference.Reference:
    return reference.load(as_file(value), file="camera.json")


def test_what_a_file_says_is_what_is_known() -> None:
    found = load(GOOD)
    unit = found.unit("UNIT-0001")
    assert unit.enrolment(0).keys == unit.enrolment(10**9).keys == KEYS
    assert unit.anchors[0].digest == b"\x0e" * 32
    assert found.suite_at(NOW).name == "ed25519+mldsa65"
    assert found.suite_at(NOW + 5 * 365 * 86_400).name == "cnsa2"
    assert [each.bloc for each in found.parties] == ["north", "north", "south"]
    assert found.rules[0].needs[1].blocs == 2 and found.rules[0].needs[0].blocs == 1


def test_json_and_cbor_say_the_same() -> None:
    found = load(GOOD)
    again = reference.load(as_json(found).encode(), file="camera.json")
    binary = reference.load(as_cbor(found), file="camera.json")
    assert found == again == binary
    assert as_cbor(binary) == as_cbor(found)


def test_what_is_not_watched_is_known_if_it_is_said() -> None:
    assert load(GOOD).units[0].anchors[0].unwatched == ()
    value = copy.deepcopy(GOOD)
    put("units.0.anchors.0.unwatched", ["left", "rear"])(value)
    found = load(value)
    assert found.units[0].anchors[0].unwatched == ("left", "rear")
    assert found == reference.load(as_json(found).encode(), file="camera.json")
    assert found == reference.load(as_cbor(found), file="camera.json")


def test_later_keys_hold_from_their_token_on() -> None:
    value = copy.deepcopy(GOOD)
    other = [shown(key(each.alg, 77).public) for each in KEYS]
    value["units"][0]["enrolments"].append(
        {"sequence": 50, "suite": "ed25519+mldsa65", "keys": other}
    )
    unit = load(value).unit("UNIT-0001")
    assert unit.enrolment(49).keys == KEYS
    assert unit.enrolment(50).keys[0] == key(ED25519, 77).public
    value["units"][0]["enrolments"].pop(0)
    with pytest.raises(InputError, match="no keys of serial UNIT-0001 are enrolled for token 49"):
        load(value).unit("UNIT-0001").enrolment(49)


def test_what_is_not_there_is_refused() -> None:
    found = load(GOOD)
    with pytest.raises(InputError, match=r"UNIT-0002.*UNIT-0001"):
        found.unit("UNIT-0002")
    with pytest.raises(InputError, match="no suite"):
        found.suite_at(0)


Change = Callable[[dict[str, Any]], Any]


def put(path: str, to: Any) -> Change:
    """Return what sets the value at a path such as units.0.serial; None of `to` removes it."""

    def change(value: Any) -> None:
        *way, last = path.split(".")
        for step in way:
            value = value[int(step) if step.isdigit() else step]
        where: Any = int(last) if last.isdigit() else last
        if to is None:
            del value[where]
        else:
            value[where] = to

    return change


LONG = "ab" * 33
CASES: dict[str, tuple[Change, str]] = {
    "no format": (put("format", None), "(top): format is missing"),
    "another format": (put("format", "casemate-reference/2"), "format: this is not known"),
    "misspelt": (put("softwares", []), "softwares: this key is not known here"),
    "version text": (put("version", "4"), "version: this should be an integer of 1"),
    "version nan": (put("version", float("nan")), "version: this should be an integer of 1"),
    "version true": (put("version", True), "version: this should be an integer of 1"),
    "no units": (put("units", []), "units: this needs 1 or more"),
    "units a map": (put("units", {}), "units: this should be a list"),
    "unit text": (put("units.0", "UNIT"), "units[0]: this should be a map"),
    "no anchors": (put("units.0.anchors", []), "units[0].anchors: this needs 1"),
    "anchors missing": (put("units.0.anchors", None), "units[0]: anchors is missing"),
    "nothing that is not watched": (
        put("units.0.anchors.0.unwatched", []),
        "units[0].anchors[0].unwatched: this needs 1",
    ),
    "not watched, twice": (
        put("units.0.anchors.0.unwatched", ["left", "left"]),
        "units[0].anchors[0].unwatched: this is not sorted",
    ),
    "not watched, not sorted": (
        put("units.0.anchors.0.unwatched", ["rear", "left"]),
        "unwatched: this is not sorted",
    ),
    "not watched, no name": (
        put("units.0.anchors.0.unwatched", [7]),
        "unwatched[0]: this should be text",
    ),
    "short digest": (put("units.0.anchors.0.digest", "0e" * 31), "units[0].anchors[0].digest: "),
    "long digest": (put("software.0.digest", LONG), "software[0].digest: this has 66 hex digits"),
    "digest twice": (
        lambda v: v["software"].append({**v["software"][0], "name": "the same again"}),
        f"software: digest '{'0a' * 32}' stands twice",
    ),
    "odd digest": (
        put("software.0.digest", "a" * 65),
        "software[0].digest: this has 65 hex digits",
    ),
    "no digest": (put("software.0.digest", ""), "software[0].digest: this should be 64 or 96"),
    "serial of two lines": (put("units.0.serial", "a\nb"), "units[0].serial: this should be text"),
    "long serial": (put("units.0.serial", "a" * 257), "units[0].serial: this text is longer than"),
    "capital hex": (put("software.0.digest", "AB" * 32), "software[0].digest: this should be"),
    "digest a number": (put("software.0.digest", 7), "software[0].digest: this should be"),
    "empty serial": (put("units.0.serial", ""), "units[0].serial: this should be text"),
    "unknown suite": (put("units.0.enrolments.0.suite", "rsa"), "enrolments[0].suite: this is not"),
    "keys of another suite": (
        put("units.0.enrolments.0.suite", "cnsa2"),
        "units[0].enrolments[0].keys: suite cnsa2 needs one key each of ML-DSA-87",
    ),
    "one key stripped": (
        lambda v: v["parties"][0]["keys"].pop(),
        "parties[0].keys: suite ed25519+mldsa65 needs one key each of Ed25519, ML-DSA-65",
    ),
    "keys reordered": (
        lambda v: v["parties"][0]["keys"].reverse(),
        "parties[0].keys: suite ed25519+mldsa65 needs",
    ),
    "key cut off": (
        lambda v: v["parties"][0]["keys"][1].update(key=v["parties"][0]["keys"][1]["key"][:-2]),
        "parties[0].keys[1].key: this has 3902 hex digits, not 3904",
    ),
    "unknown algorithm": (put("parties.0.keys.0.alg", "RSA"), "parties[0].keys[0].alg: this is"),
    "unknown role": (put("parties.0.role", "spy"), "parties[0].role: this is not known"),
    "party twice": (put("parties.1.name", "Host"), "parties: name 'Host' stands twice"),
    "unit twice": (lambda v: v["units"].append(v["units"][0]), "units: serial 'UNIT-0001' stands"),
    "one key of two": (
        lambda v: v["parties"][1].update(keys=v["parties"][0]["keys"]),
        "belongs to party Host and to party Inspector N",
    ),
    "a party with the enclosure's key": (
        lambda v: v["parties"][1].update(keys=v["units"][0]["enrolments"][0]["keys"]),
        "belongs to evidence of serial UNIT-0001 from token 0 and to party Inspector N",
    ),
    "a unit with another's keys": (
        lambda v: v["units"].append(
            {**v["units"][0], "serial": "UNIT-0002", "origin": "o", "modules": []}
        ),
        "belongs to evidence of serial UNIT-0001 from token 0 and to evidence of serial UNIT-0002",
    ),
    "enrolments out of order": (
        lambda v: v["units"][0]["enrolments"].insert(
            0, {**v["units"][0]["enrolments"][0], "sequence": 9}
        ),
        "units[0].enrolments: enrolments do not follow",
    ),
    "rule without needs": (put("rules.0.needs", []), "rules[0].needs: this needs 1"),
    "nobody needed": (put("rules.0.needs.0.least", 0), "rules[0].needs[0].least: this should be"),
    "more blocs than signers": (put("rules.0.needs.1.blocs", 3), "needs[1].blocs: this should be"),
    "rule that cannot be met": (
        put("rules.0.needs.1.least", 3),
        "rules: action open needs 3 of role inspector from 2 blocs, but parties has 2 from 2",
    ),
    "blocs of a role that there are not": (
        lambda v: (v["parties"][2].update(bloc="north"), v["rules"][0].update(blocs=1)),
        "needs 2 of role inspector from 2 blocs, but parties has 2 from 1",
    ),
    "more blocs than there are": (
        put("rules.0.blocs", 3),
        "rules: action open needs 3 blocs, but the parties in its roles are of 2",
    ),
    "one log of two units": (
        lambda v: v["units"].append(
            {
                **v["units"][0],
                "serial": "UNIT-0002",
                "modules": [],
                "enrolments": [
                    {
                        **v["units"][0]["enrolments"][0],
                        "keys": [shown(key(each.alg, 78).public) for each in KEYS],
                    }
                ],
            }
        ),
        "units: origin 'example.org/camera' stands twice",
    ),
    "role twice in a rule": (put("rules.0.needs.1.role", "host"), "needs: role 'host' stands"),
    "unknown action": (put("rules.0.action", "drill"), "rules[0].action: this is not known"),
    "no suites": (put("suites", []), "suites: this needs 1"),
    "day without zero": (
        put("suites.0.since", "2026-1-1"),
        "suites[0].since: this should be",
    ),
    "no such day": (put("suites.0.since", "2026-02-30"), "suites[0].since: this should be"),
    "day a number": (put("suites.0.since", 2026), "suites[0].since: this should be"),
    "ends before it begins": (put("suites.0.until", "2025-01-01"), "suites[0].until: this is not"),
    "two at once": (put("suites.1.since", "2030-01-01"), "suites[1].since: this is before the end"),
    "timing missing": (put("timing.cosigned_s", None), "timing: cosigned_s is missing"),
    "timing a fraction": (put("timing.late_ms", 0.5), "timing.late_ms: this should be an integer"),
    "beats too fast": (put("timing.heartbeat_ms", 1), "timing.heartbeat_ms: this should be"),
    "emergency without end": (put("timing.emergency_s", None), "timing: emergency_s is missing"),
    "emergency for years": (put("timing.emergency_s", 10**8), "emergency_s: this should be"),
    "no inventory": (put("units.0.inventories", []), "units[0].inventories: this needs 1"),
    "inventory twice": (
        lambda v: v["units"][0]["inventories"].append(
            {"name": "again", "digest": v["units"][0]["inventories"][0]["digest"]}
        ),
        "stands twice",
    ),
    "module without key": (put("units.0.modules.0.key", None), "modules[0]: key is missing"),
}


@pytest.mark.parametrize("name", CASES)
def test_each_error_names_its_place_and_a_remedy(name: str) -> None:
    change, message = CASES[name]
    value = copy.deepcopy(GOOD)
    change(value)
    with pytest.raises(InputError) as caught:
        load(value)
    assert message in str(caught.value)
    assert str(caught.value).startswith("camera.json: ")
    assert caught.value.remedy and caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "line 1, column 2"),
        (b'{"a": 1,\n "b" 2}', "line 2, column 6"),
        (b'{"format": 1, "format": 2}', "'format' stands twice"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a":' + b"[" * 100_000, "nested"),
        (b'{"version": 1' + b"0" * 5000 + b"}", "cannot be read"),
        (b"[]", "neither JSON"),
        (b"\xa0", "format is missing"),
        (b"\xbf\xff", "neither JSON"),
        (b'{"\\ud800": 1}', "not known here"),
    ],
)
def test_files_that_are_something_else(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reference.load(data, file="camera.json")


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(InputError, match="larger than 16777216 bytes"):
        reference.load(b"{" + bytes(16 * 1024 * 1024), file="camera.json")


def test_every_value_replaced_by_any_other_gives_our_errors_alone() -> None:
    draw = random.Random(8)
    wrong: list[Any] = [
        None,
        True,
        0,
        -1,
        2**70,
        1.5,
        "",
        "x",
        "ab",
        [],
        {},
        [[]],
        [None],
        {"a": 1},
    ]
    for _ in range(600):
        value = json.loads(as_file(GOOD))
        place: Any = value
        while True:
            steps = list(place) if isinstance(place, dict) else list(range(len(place)))
            step = draw.choice(steps)
            inner = place[step]
            if not isinstance(inner, dict | list) or not inner or draw.random() < 0.15:
                place[step] = draw.choice(wrong)
                break
            place = inner
        try:
            load(value)
        except CasemateError as error:
            assert isinstance(error, InputError) and str(error).startswith("camera.json: ")


TPM = {"attestation": "00" * 88, "endorsement": "000b" + "11" * 32}


def with_tpm(tpm: Any) -> Any:
    value = copy.deepcopy(GOOD)
    value["units"][0]["enrolments"][0]["tpm"] = tpm
    return value


def test_tpm_of_an_enrolment() -> None:
    found = load(with_tpm(TPM))
    known = found.units[0].enrolments[0].tpm
    assert known is not None and known.attestation == bytes(88)
    assert reference.load(as_cbor(found), file="camera.json") == found
    assert load(GOOD).units[0].enrolments[0].tpm is None


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        {"attestation": TPM["attestation"]},
        {**TPM, "endorsement": "00"},
        {**TPM, "attestation": "00" * 87},
        {**TPM, "more": 1},
    ],
)
def test_tpm_that_is_none_is_refused(bad: Any) -> None:
    with pytest.raises(InputError, match="tpm"):
        load(with_tpm(bad))
