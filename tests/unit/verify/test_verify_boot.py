"""What the machine's boot measured: under the quotes of starts, as the parties enrolled it."""

from __future__ import annotations

import hashlib
import json

import pytest
from verify_samples import ids, of

from casemate.attest.reference import load
from casemate.attest.reference_write import as_cbor, as_json
from casemate.attest.tpm_values import Pcr
from casemate.core.errors import InputError
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.quotes import reference_with, restart
from casemate.testing.honest_enclosure import Story
from casemate.testing.unsafe_tpm import UnsafeTpm


def pcr(number: int, what: str) -> Pcr:
    return Pcr(number=number, digest=hashlib.sha256(what.encode()).digest())


BOOT = (pcr(0, "firmware"), pcr(4, "kernel"), pcr(14, "keys of the loader"))
KNOWN = reference_with(UnsafeTpm(boot=BOOT).identity)


def lived(boot: tuple[Pcr, ...] = BOOT) -> Story:
    """Return evidence of an honest enclosure whose quotes cover its boot."""
    told = Story(tpm=UnsafeTpm(boot=boot))
    told.start("commissioned", "COMMISSIONING")
    told.seal()
    told.now_s += 30
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    return told


def test_the_same_boot_is_quiet() -> None:
    told = lived()
    restart(told)
    assert ids(of(told, reference=KNOWN)) == {"boot.restart"}


@pytest.mark.parametrize(
    "boot",
    [
        (BOOT[0], pcr(4, "another kernel"), BOOT[2]),
        (BOOT[0], Pcr(number=4, digest=bytes(32)), BOOT[2]),
        BOOT[:2],
        (),
        (*BOOT[:2], pcr(7, "more"), BOOT[2]),
        (BOOT[0], pcr(5, "kernel"), BOOT[2]),
    ],
    ids=["another kernel", "nothing measured", "one left out", "none", "one more", "elsewhere"],
)
def test_another_boot_is_an_alarm(boot: tuple[Pcr, ...]) -> None:
    told = lived()
    restart(told, boot=boot)
    assert "quote.invalid" in ids(of(told, reference=KNOWN))


def test_registers_that_nobody_enrolled_are_no_quote_of_this_machine() -> None:
    assert "quote.invalid" in ids(of(lived(), reference=reference_with(UnsafeTpm().identity)))
    assert "quote.invalid" in ids(of(lived(()), reference=KNOWN))


def test_values_are_kept_in_reference_values() -> None:
    for data in (as_json(KNOWN).encode(), as_cbor(KNOWN)):
        assert load(data).units == KNOWN.units  # days of suites are rounded


@pytest.mark.parametrize(
    "boot",
    [
        [], "x", [{}], [{"pcr": 24, "digest": "00" * 32}], [{"pcr": -1, "digest": "00" * 32}],
        [{"pcr": 0, "digest": "00" * 31}], [{"pcr": 0, "digest": "00" * 48}],
        [{"pcr": 4, "digest": "00" * 32}, {"pcr": 0, "digest": "00" * 32}],
        [{"pcr": 4, "digest": "00" * 32}, {"pcr": 4, "digest": "11" * 32}],
    ],
)  # fmt: skip
def test_wrong_registers_are_refused(boot: object) -> None:
    values = json.loads(as_json(KNOWN))
    values["units"][0]["enrolments"][0]["tpm"]["boot"] = boot
    with pytest.raises(InputError):
        load(json.dumps(values).encode())
