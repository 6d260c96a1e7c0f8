"""Makers' roots that parties pin: which TPM is commissioned, and what an inspector sees of that."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from live_faults import WAIT_S, Life
from maker_certificates import between, of_key, root
from test_runtime_tpm import needs

from casemate.attest import endorsement
from casemate.attest.keys import tpm_identity
from casemate.attest.keys.tpm import TpmHolder
from casemate.attest.keys.tpm_esys import Esys
from casemate.attest.keys.tpm_link import Link
from casemate.attest.quote import key_name
from casemate.attest.reference import load
from casemate.cli.main import main
from casemate.control.custody import choice
from casemate.control.setting import Setting
from casemate.core.errors import InputError

__all__ = ["needs"]
EK_CERTIFICATE = 0x01C0_000A
"""NV index of template L-2's certificate (TCG EK credential profile 2.6, section 2.2.1.4)."""
MAKERS = root().pem + between().pem


def certify(setting: Setting, **options: Any) -> None:
    """What a maker does: put the certificate of its endorsement key into a TPM."""
    tpm = setting.custody._tpm
    assert tpm is not None
    with Link(tpm.address) as link:
        esys = Esys(link)
        handle, area, _ = tpm_identity._endorsement_key(esys)
        esys.flush(handle)
        x, y = (int.from_bytes(each, "big") for each in (area[-66:-34], area[-32:]))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        made = of_key(public, **options).der
        if not options:
            assert endorsement.name_of(made) == key_name(area), "the template is the TPM's"
        tss = esys.tss
        space = tss.TPMS_NV_PUBLIC(
            nvIndex=EK_CERTIFICATE, nameAlg=tss.TPM2_ALG.SHA256, dataSize=len(made),
            attributes=1 << 1 | 1 << 2 | 1 << 17 | 1 << 18 | 1 << 25,
        )  # fmt: skip
        index = esys.esys.nv_define_space(b"", tss.TPM2B_NV_PUBLIC(nvPublic=space))
        esys.esys.nv_write(index, tss.TPM2B_MAX_NV_BUFFER(made), 0)
        esys.close()


def life(folder: Path, roots: bytes, prepare: Any = lambda _setting: None) -> Life:
    return Life(folder, keys="tpm", prepare=prepare, asked={"tpm_roots": roots})


def never_armed(begun: Life, why: str) -> None:
    begun.until(lambda: begun.said(why), "nobody is told")
    begun.watches(20)
    assert begun.state() == "COMMISSIONING", "commissioned without its maker's word"
    assert not (begun.folder / "trust").exists()


@pytest.mark.slow
def test_tpm_with_its_makers_certificate_is_commissioned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "small"
    begun = life(home, MAKERS, certify)
    try:
        begun.reaches("ARMED")
        begun.until(lambda: begun.status()["witnessed_entries"] > 1, "unwitnessed")
    finally:
        begun.close()
    enrolled = load((home / "trust" / "reference.json").read_bytes()).units[0].enrolments[0]
    assert enrolled.tpm is not None and enrolled.tpm.certificate
    mine = tmp_path / "mine"
    shutil.copytree(home / "trust", mine)
    arguments = ["verify", str(home / "evidence"), "--trust", str(mine)]
    main(arguments)
    assert "is not checked, for no maker's root is pinned" in capsys.readouterr().out
    (mine / endorsement.ROOTS_FILE).write_bytes(MAKERS)
    main(arguments)
    assert "vouched for by its maker's certificate, under CN=Maker root" in capsys.readouterr().out
    (mine / endorsement.ROOTS_FILE).write_bytes(root("Other").pem)
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == "" and "does not lead to a root that the parties pinned" in said.err


@pytest.mark.slow
@pytest.mark.parametrize("what", ["none", "another maker's", "another key's"])
def test_tpm_that_no_pinned_maker_vouches_for_is_not_commissioned(
    tmp_path: Path, what: str
) -> None:
    def prepare(setting: Setting) -> None:
        if what == "another maker's":
            certify(setting, by=root("Other"))

    roots = MAKERS
    begun = life(tmp_path, roots, prepare) if what != "another key's" else _of_another(tmp_path)
    try:
        why = {"none": "there is none", "another maker's": "does not lead to a root",
               "another key's": "another endorsement key"}[what]  # fmt: skip
        never_armed(begun, why)
    finally:
        begun.close()


def _of_another(folder: Path) -> Life:
    """A TPM that shows the certificate of another one."""
    stolen = of_key(ec.generate_private_key(ec.SECP256R1()).public_key()).der
    identity = TpmHolder.identity

    def shown(self: TpmHolder) -> tpm_identity.TpmIdentity:
        found = identity(self)
        return tpm_identity.TpmIdentity(
            attestation=found.attestation, endorsement=found.endorsement, certificate=stolen
        )

    patch = pytest.MonkeyPatch()
    patch.setattr(TpmHolder, "identity", shown)
    begun = life(folder, MAKERS)
    begun.until(lambda: begun.said("endorsement key"), "nobody is told")
    patch.undo()
    return begun


@pytest.mark.slow
def test_keys_made_elsewhere_are_never_commissioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without roots too: a TPM that fails credential activation is nobody's."""
    monkeypatch.setattr(TpmHolder, "answer", lambda self, asked: bytes(32))
    begun = life(tmp_path, b"")
    try:
        never_armed(begun, "does not prove its identity")
    finally:
        begun.close()


@pytest.mark.slow
def test_twins_tpm_is_approved_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "small"
    begun = life(home, b"")
    try:
        begun.reaches("ARMED")
    finally:
        begun.close()
    main(["verify", str(home / "evidence")])
    said = capsys.readouterr().out
    assert (
        "vouched for by the parties, by its name 000b" in said and "no maker's certificate" in said
    )


def test_pinned_makers_need_a_tpm(tmp_path: Path) -> None:
    assert WAIT_S > 0
    with pytest.raises(InputError, match="no TPM is asked for"):
        choice("process", certified=True)
    with pytest.raises(InputError, match="no root of a maker"):
        life(tmp_path, b"nothing")
