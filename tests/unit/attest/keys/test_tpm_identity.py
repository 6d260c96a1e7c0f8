"""Which TPM it is: seeds once a reset, the pinned storage key, the proved attestation key."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from test_tpm import needs, plan

from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder
from casemate.attest.keys.tpm_esys import Esys
from casemate.attest.keys.tpm_identity import SECRET_BYTES, Credential, challenge
from casemate.attest.keys.tpm_link import Link
from casemate.testing.unsafe_tpm import UnsafeTpm

__all__ = ["needs"]


def test_seeds_are_given_out_once_a_reset(tmp_path: Path) -> None:
    """Whoever gets into the running controller, and so to the TPM, cannot take the seeds along."""
    with SwTpm(tmp_path) as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        keys = holder.public()
        holder.close()
        with Link(tpm.address) as link:
            thief = Esys(link)
            with pytest.raises(CustodyError, match="since its last reset"):
                thief.fetch(plan(tpm), 64)
            thief.close()
    with SwTpm(tmp_path) as tpm, Link(tpm.address) as link:
        esys = Esys(link)
        esys.measure(plan(tpm))
        assert len(esys.fetch(plan(tpm), 64)) == 64, "the first after a reset gets them"
        with pytest.raises(CustodyError, match="since its last reset"):
            esys.fetch(plan(tpm), 64)
        esys.close()
    with SwTpm(tmp_path) as tpm:
        holder = TpmHolder(plan(tpm))
        assert holder.public() == keys
        holder.close()


def test_another_tpm_is_noticed_before_a_seed_goes_to_it(tmp_path: Path) -> None:
    with SwTpm(tmp_path / "one") as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        root = holder.root
        holder.close()
    with SwTpm(tmp_path / "one") as tpm:
        TpmHolder(plan(tpm, root=root)).close()
    with SwTpm(tmp_path / "two") as tpm:
        for fresh in (False, True):
            with pytest.raises(CustodyError, match="not the TPM that was commissioned"):
                TpmHolder(plan(tpm, root=root), fresh=fresh)


def test_attestation_key_is_proved_to_be_in_the_tpm(tmp_path: Path) -> None:
    """A key made in software shows the same public area, and gets no secret."""
    with SwTpm(tmp_path / "one") as tpm:
        holder = TpmHolder(plan(tpm), fresh=True)
        shown, secret = holder.identity(), os.urandom(SECRET_BYTES)
        assert holder.answer(challenge(shown, secret)) == secret
        assert shown.certificate == b"", "swtpm without its setup has no certificate"
        made_up = replace(shown, attestation=UnsafeTpm().identity.attestation)
        with pytest.raises(CustodyError, match="prove its identity"):
            holder.answer(challenge(made_up, secret))
        holder.close()
    with SwTpm(tmp_path / "two") as tpm:
        other = TpmHolder(plan(tpm), fresh=True)
        with pytest.raises(CustodyError, match="prove its identity"):
            other.answer(challenge(shown, secret))
        mixed = replace(other.identity(), attestation=shown.attestation)
        with pytest.raises(CustodyError, match="prove its identity"):
            other.answer(challenge(mixed, secret))
        with pytest.raises(CustodyError, match="malformed"):
            other.answer(Credential(blob=b"\x00", encrypted=b""))
        other.close()
    for bad in (b"", shown.endorsement[:-1], shown.attestation, shown.endorsement + b"\x00"):
        with pytest.raises(CustodyError, match="endorsement key is none"):
            challenge(replace(shown, endorsement=bad), secret)
