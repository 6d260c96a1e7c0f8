"""Go and Node, on their standard libraries alone, judge our tokens: the same are good, for both.

The first run of Go's compiler takes half a minute; what it makes stays in its cache.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from judge_programs import judge_command

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "attest"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "core"))

from attest_samples import EVIDENCE, KEYS, PAYLOADS, pair, publics, tokens
from test_cbor import MALFORMED
from test_cose import ATTACKS, edited
from test_cose import MALFORMED as FORMS
from test_suites import SMALL, written

from casemate.attest import cose, token
from casemate.core import cbor
from casemate.core.errors import CasemateError
from casemate.core.suites import DEFAULT_SUITE, ED25519, SUITES, PublicKey, Suite

JUDGES = Path(__file__).parent / "judges"
Case = tuple[bytes, tuple[PublicKey, ...]]
Judge = Callable[[Sequence[Case]], list[str]]


@pytest.fixture(scope="module", params=["go", "node"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Return what asks a judge about many tokens at once."""
    command = judge_command(request.param, JUDGES / "evidence", tmp_path_factory.mktemp("judge"))

    def ask(cases: Sequence[Case]) -> list[str]:
        lines = [" ".join((data.hex(), *(key.data.hex() for key in keys))) for data, keys in cases]
        text = "\n".join(lines) + "\n"
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        said = done.stdout.splitlines()
        assert len(said) == len(cases)
        return said

    return ask


def ours(data: bytes, keys: tuple[PublicKey, ...], suite: Suite = DEFAULT_SUITE) -> bool:
    try:
        token.read(data, keys, suite)
    except CasemateError:
        return False
    return True


@pytest.mark.external
@pytest.mark.parametrize("suite", list(SUITES))
def test_good_tokens_say_the_same_to_all(judge: Judge, suite: str) -> None:
    signers = pair(1, suite)
    cases = [(token.sign(each, signers), publics(signers)) for each in tokens()]
    expected = [f"good {t.enclosure} {t.serial} {t.sequence} {t.state} {t.kind}" for t in tokens()]
    assert judge(cases) == expected
    assert all(ours(data, keys, SUITES[suite]) for data, keys in cases)


def signed(payload: bytes) -> bytes:
    return cose.build(token.TYPE, payload, EVIDENCE)


@pytest.mark.external
def test_altered_tokens_are_refused_by_all(judge: Judge) -> None:
    good = signed(PAYLOADS[1])
    bad: dict[str, Case] = {
        "other key": (good, publics(pair(2))),
        "keys swapped": (good, KEYS[::-1]),
        "one key asked": (good, KEYS[:1]),
        "profile": (signed(cbor.encode({**cbor.decode(PAYLOADS[1]), 265: "other"})), KEYS),
        "type": (cose.build("application/vnd.casemate.permit+cbor", PAYLOADS[1], EVIDENCE), KEYS),
    }
    bad |= {name: (cose.write(each), KEYS) for name, each in ATTACKS.items()}
    bad |= {name: (edited(change), KEYS) for name, change in FORMS.items()}
    # what is malformed stays refused when the right keys sign it
    for name, written_so in MALFORMED.items():
        claims = PAYLOADS[1][1:]
        assert PAYLOADS[1][0] & 31 < 23
        more = bytes((PAYLOADS[1][0] + 1,)) + claims + b"\x61x" + bytes.fromhex(written_so)
        bad[f"signed claims with {name}"] = (signed(more), KEYS)
    said = dict(zip(bad, judge(list(bad.values())), strict=True))
    assert {name: each for name, each in said.items() if not each.startswith("bad ")} == {}
    assert not any(ours(data, keys) for data, keys in bad.values())
    assert judge([(good, KEYS)])[0].startswith("good ")


@pytest.mark.external
def test_judges_agree_with_us_on_random_changes(judge: Judge) -> None:
    draw = random.Random(9)
    good = signed(PAYLOADS[3])
    cases: list[Case] = [(good, KEYS)]
    for at in [*range(120), *(draw.randrange(len(good)) for _ in range(180))]:
        data = bytearray(good)
        data[at] ^= 1 << draw.randrange(8)
        cases.append((bytes(data), KEYS))
    said = [each.startswith("good ") for each in judge(cases)]
    assert said == [ours(data, keys) for data, keys in cases]
    assert said == [True] + [False] * 300


@pytest.mark.external
def test_judges_agree_on_points_of_small_order(judge: Judge) -> None:
    cases: list[Case] = []
    for key_point in SMALL:
        for head_point in SMALL:
            key = PublicKey(ED25519, written(key_point))
            made = written(head_point) + bytes(32)
            data = cose.assemble(token.TYPE, PAYLOADS[1], [key], [made])
            cases.append((data, (key,)))
    assert {each.split()[0] for each in judge(cases)} == {"bad"}
