"""`casemate permit`: from a request to the machine's terms, by files alone."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from casemate.attest import permit
from casemate.cli import permit as command
from casemate.control import closing
from casemate.control.permits import token_from, token_hash
from casemate.core.errors import CasemateError, InputError
from casemate.core.suites import DEFAULT_SUITE, SUITES

sys.path.append(str(Path(__file__).parents[1] / "unit" / "attest"))
import reference_samples

NOTE = "example.org/log\n12\n" + "A" * 43 + "=\n\n"


def call(*arguments: object) -> int:
    """Run the command as the frame does."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args([str(each) for each in arguments]))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with keys of two parties and a checkpoint."""
    (tmp_path / "checkpoint").write_text(NOTE)
    for party, seed in (("host", 1), ("inspector", 2)):
        secret = bytes([seed]) * 32
        pair: dict[str, Any] = {
            "ed": ed25519.Ed25519PrivateKey.from_private_bytes(secret),
            "ml": mldsa.MLDSA65PrivateKey.from_seed_bytes(secret),
        }
        for name, key in pair.items():
            pem = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
            (tmp_path / f"{party}-{name}.pem").write_bytes(pem)
    return tmp_path


def request(home: Path, **changes: str) -> list[object]:
    """Arguments of a sound request."""
    given = {
        "--enclosure": "camera", "--serial": "UNIT-0001", "--face": "left", "--action": "open",
        "--from": "2026-11-28T13:00Z", "--until": "2026-11-28T15:00+00:00",
        "--checkpoint": str(home / "checkpoint"),
    } | changes  # fmt: skip
    flat: list[object] = [part for pair in given.items() for part in pair]
    return ["request", *flat, "-o", home / "request.cbor", "--json"]


def keys(home: Path, party: str) -> list[object]:
    """Arguments that name a party's keys."""
    return [x for name in ("ed", "ml") for x in ("--key", home / f"{party}-{name}.pem")]


def test_the_whole_way(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requested, signed by two in either order, shown, closed."""
    assert call(*request(home)) == 0
    told = json.loads(capsys.readouterr().out)
    made = permit.decode((home / "request.cbor").read_bytes())
    assert made.technician == token_hash(token_from(told["token"]))
    assert made.not_after_s - made.not_before_s == 7200
    assert (made.checkpoint.origin, made.checkpoint.size) == ("example.org/log", 12)
    results = []
    for order in (("host", "inspector"), ("inspector", "host")):
        at = home / "request.cbor"
        for party in order:
            assert call("sign", at, *keys(home, party), "-o", home / f"{party}.cbor") == 0
            at = home / f"{party}.cbor"
        item, found = permit.peek(at.read_bytes())
        results.append({each.kid for each in item.signatures})
        assert found == made
    assert results[0] == results[1]
    assert len(results[0]) == 4
    capsys.readouterr()
    assert call("show", home / "host.cbor") == 0
    shown = capsys.readouterr().out
    assert "UNIT-0001" in shown
    assert shown.count("not checked") == 4
    assert call("close", home / "host.cbor", *keys(home, "host"), "--outcome", "done",
                "--note", "swapped", "-o", home / "closed.cbor") == 0  # fmt: skip
    item, ended = closing.parse((home / "closed.cbor").read_bytes())
    payload = permit.peek((home / "host.cbor").read_bytes())[0].payload
    assert ended.permit == permit.identity(payload, DEFAULT_SUITE)
    assert (ended.outcome, ended.note, len(item.signatures)) == ("done", "swapped", 2)


def test_two_requests_differ(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In nonce and token."""
    seen = set()
    for _ in range(2):
        assert call(*request(home)) == 0
        seen.add(json.loads(capsys.readouterr().out)["token"])
        seen.add(permit.decode((home / "request.cbor").read_bytes()).nonce)
    assert len(seen) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"--until": "2026-11-28T12:00Z"},
        {"--until": "tomorrow"},
        {"--action": "fly"},
        {"--face": ""},
        {"--checkpoint": "nowhere"},
    ],
)
def test_requests_that_are_none(home: Path, changes: dict[str, str]) -> None:
    """Exit code 2, and nothing is written."""
    with pytest.raises(InputError) as raised:
        call(*request(home, **changes))
    assert raised.value.exit_code == 2
    assert not (home / "request.cbor").exists()


def test_files_that_are_none(home: Path) -> None:
    """A key that is none, a permit that is none."""
    call(*request(home))
    (home / "bad").write_bytes(b"x" * 40)
    for arguments in (
        ("sign", home / "request.cbor", "--key", home / "bad", "-o", home / "out"),
        ("sign", home / "bad", *keys(home, "host"), "-o", home / "out"),
        ("show", home / "bad"),
        ("show", home / "nowhere"),
        ("close", home / "request.cbor", *keys(home, "host"), "--outcome", "done", "-o",
         home / "out"),
    ):  # fmt: skip
        with pytest.raises(CasemateError):
            call(*arguments)
    assert not (home / "out").exists()


def test_who_signed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Against reference values: enough is 0, too few is 1 and says who is missing."""
    parties = []
    for name, seed in (("host", 1), ("inspector", 2)):
        secret = bytes([seed]) * 32
        pair: tuple[Any, ...] = (
            ed25519.Ed25519PrivateKey.from_private_bytes(secret),
            mldsa.MLDSA65PrivateKey.from_seed_bytes(secret),
        )
        listed = [
            {"alg": alg, "key": key.public_key().public_bytes_raw().hex()}
            for alg, key in zip(("Ed25519", "ML-DSA-65"), pair, strict=True)
        ]
        parties.append({"name": name.title(), "role": name, "bloc": name,
                        "suite": "ed25519+mldsa65", "keys": listed})  # fmt: skip
    known = reference_samples.document() | {
        "parties": parties,
        "rules": [
            {"action": "open", "needs": [{"role": "host", "least": 1},
             {"role": "inspector", "least": 1}]}
        ],
    }  # fmt: skip
    (home / "reference.json").write_text(json.dumps(known))
    call(*request(home))
    at = home / "request.cbor"
    for party, code, said in (("host", 1, "inspector"), ("inspector", 0, "enough")):
        call("sign", at, *keys(home, party), "-o", home / "permit.cbor")
        at = home / "permit.cbor"
        capsys.readouterr()
        show = ("show", at, "--reference", home / "reference.json", "--at", "2026-11-28T13:00Z")
        assert call(*show) == code
        assert said in capsys.readouterr().out
        call(*show, "--json")
        assert json.loads(capsys.readouterr().out)["good"] is (code == 0)
    for time, window, code in (
        ("2026-11-28T12:59Z", "later", 0),
        ("2026-11-28T14:59Z", "open", 0),
        ("2026-11-28T15:00Z", "over", 1),
    ):
        show = ("show", at, "--reference", home / "reference.json", "--at", time, "--json")
        assert call(*show) == code
        assert json.loads(capsys.readouterr().out)["window"] == window


@pytest.mark.parametrize(("suite", "size"), [("ed25519+mldsa65", 32), ("cnsa2", 48)])
def test_close_names_the_permit_by_the_hash_of_its_suite(home: Path, suite: str, size: int) -> None:
    call(*request(home))
    call("sign", home / "request.cbor", *keys(home, "host"), "-o", home / "permit.cbor")
    signers, out = keys(home, "host"), home / "close.cbor"
    asked = ("--outcome", "done", "--suite", suite)
    assert call("close", home / "permit.cbor", *signers, *asked, "-o", out) == 0
    said = closing.parse(out.read_bytes())[1]
    payload = permit.peek((home / "permit.cbor").read_bytes())[0].payload
    assert said.permit == permit.identity(payload, SUITES[suite]) and len(said.permit) == size
