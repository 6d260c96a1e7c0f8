"""What is asked of a TPM, over tpm2-pytss (an extra: its import waits until a TPM is used).

Measured PCRs, the attestation key, quotes, and seeds in an NV index that only the measured software
reads, once a reset of the TPM. Seeds cross the bus under a salted session (AES-128-CFB), never in
clear. The key that the salt goes to is pinned from the first start on: an interposer that comes
later gets no seed, one that is there from the first start reads them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.tpm_link import Link
from casemate.attest.quote import after_extend, key_name

NV_INDEX = 0x01A0_CA5E
"""In the owner's range (TCG registry of handles: 0x01800000 to 0x01BFFFFF); else of no meaning."""
_RESETTABLE = (16, 23)
_AK_ATTRIBUTES = 0x0005_0072
_NV_ATTRIBUTES = 1 << 1 | 1 << 19 | 1 << 25 | 1 << 31  # OWNERWRITE, POLICYREAD, NO_DA, READ_STCLEAR
_NV_LOCKED = 0x148
_PCR_BYTES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmPlan:
    """Which TPM, and what it measures.

    address: see tpm_link.py. measured: PCR to the digest (32 bytes) that is extended into it at a
    start, software and anchor by default; boot: PCRs that the machine's boot filled. nv_index:
    where seeds lie. root: name of the storage key that seeds are encrypted to on the bus, b"" at
    the first start alone.
    """

    address: str
    measured: Mapping[int, bytes]
    boot: tuple[int, ...] = ()
    nv_index: int = NV_INDEX
    root: bytes = b""

    def __post_init__(self) -> None:
        low, high = _RESETTABLE
        numbers = [*self.measured, *self.boot]
        if (
            not self.measured
            or any(len(each) != 32 for each in self.measured.values())
            or any(not 0 <= n < low and not low < n < high for n in numbers)
            or len(set(numbers)) != len(numbers)
        ):
            raise CustodyError(
                "a TPM's plan measures 32 bytes each into PCRs that cannot be reset by themselves.",
                remedy=f"use PCRs below {low}, each once.",
            )

    @property
    def selection(self) -> tuple[int, ...]:
        """Return the numbers of all PCRs that keys are bound to and quotes cover."""
        return tuple(sorted((*self.measured, *self.boot)))


def area_of(public: Any) -> bytes:
    """Return the public area (TPMT_PUBLIC) of what the library gives."""
    return bytes(public.publicArea.marshal())


class Esys:
    """A TPM by its link. Foreign errors come out as CustodyError, see `told`.

    root: name of the storage key that sessions are salted to; b"" takes the one that is there.
    """

    def __init__(self, link: Link, root: bytes = b"") -> None:
        try:
            tss = import_module("tpm2_pytss")
            base: Any = import_module("tpm2_pytss.TCTI").PyTCTI
        except (ImportError, OSError, RuntimeError):
            raise CustodyError(
                "the library for TPMs is missing.",
                remedy="install tpm2-pytss (it builds against Debian's libtss2-dev).",
            ) from None

        class Tcti(base):  # type: ignore[misc]
            def do_transmit(self, command: bytes) -> None:
                link.transmit(bytes(command))

            def do_receive(self, timeout: int) -> bytes:
                return link.receive()

        self.tss, self._link, self._tcti, self._root = tss, link, Tcti(), root
        with self.told("open"):
            os.environ.setdefault("TSS2_LOG", "all+none")  # errors come as exceptions
            self.esys = tss.ESAPI(self._tcti)

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turn errors of the library into ours, with the link held."""
        with self._link.lock:
            try:
                yield
            except self.tss.TSS2_Exception as error:
                raise CustodyError(
                    f"the TPM refuses to {what}: {error}.",
                    remedy="see whether software, anchor and TPM are those that were commissioned.",
                ) from None

    def read_pcrs(self, numbers: tuple[int, ...]) -> dict[int, bytes]:
        """Return PCR values of the SHA-256 bank (at most 8)."""
        with self.told("read PCRs"):
            _, _, values = self.esys.pcr_read(_listed(numbers))
            found = {n: bytes(each) for n, each in zip(numbers, values, strict=True)}
        return found

    def measure(self, plan: TpmPlan) -> dict[int, bytes]:
        """Extend what is measured, once a reset of the TPM; return the values of all PCRs.

        CustodyError if a PCR holds something else: other software started since the reset.
        """
        before = self.read_pcrs(plan.selection)
        for number, digest in plan.measured.items():
            if before[number] == bytes(32):
                self._extend(number, digest)
            elif before[number] != after_extend(digest):
                raise CustodyError(
                    f"PCR {number} holds another measurement than this software's or anchor's.",
                    remedy="reset the machine; if it stays so, its software is not the measured.",
                )
        return self.read_pcrs(plan.selection)

    def _extend(self, number: int, digest: bytes) -> None:
        tss = self.tss
        hashed = tss.TPMT_HA(hashAlg=tss.TPM2_ALG.SHA256, digest=tss.TPMU_HA(sha256=digest))
        with self.told(f"extend PCR {number}"):
            self.esys.pcr_extend(tss.ESYS_TR(number), tss.TPML_DIGEST_VALUES([hashed]))

    def make_attestation_key(self) -> tuple[Any, bytes]:
        """Return handle and public area of the attestation key, the same at each start.

        A primary key of the endorsement hierarchy, from its seed and this template: restricted, so
        it signs only what the TPM itself makes.
        """
        tss = self.tss
        area = tss.TPM2B_PUBLIC.parse("ecc:ecdsa-sha256", objectAttributes=_AK_ATTRIBUTES)
        area.publicArea.parameters.eccDetail.symmetric.algorithm = tss.TPM2_ALG.NULL
        with self.told("make the attestation key"):
            handle, public, *_ = self.esys.create_primary(
                tss.TPM2B_SENSITIVE_CREATE(), area, tss.ESYS_TR.ENDORSEMENT
            )
        return handle, area_of(public)

    def quote(self, key: Any, numbers: tuple[int, ...], extra: bytes) -> tuple[bytes, bytes]:
        """Return TPMS_ATTEST and TPMT_SIGNATURE."""
        with self.told("quote"):
            attest, signature = self.esys.quote(key, _listed(numbers), self.tss.TPM2B_DATA(extra))
        return bytes(attest.attestationdata if hasattr(attest, "attestationdata") else attest), (
            bytes(signature.marshal())
        )

    def store(self, plan: TpmPlan, seeds: bytes) -> None:
        """Put seeds where today's PCRs alone open them; CustodyError if some are there."""
        tss = self.tss
        public = tss.TPMS_NV_PUBLIC(
            nvIndex=plan.nv_index,
            nameAlg=tss.TPM2_ALG.SHA256,
            attributes=_NV_ATTRIBUTES,
            authPolicy=self._policy(plan.selection),
            dataSize=len(seeds),
        )
        with self.session(tss.TPM2_SE.HMAC) as session, self.told("store seeds"):
            self.esys.trsess_set_attributes(
                session, tss.TPMA_SESSION.CONTINUESESSION | tss.TPMA_SESSION.DECRYPT
            )
            index = self.esys.nv_define_space(b"", tss.TPM2B_NV_PUBLIC(nvPublic=public))
            self.esys.nv_write(
                index,
                tss.TPM2B_MAX_NV_BUFFER(seeds),
                0,
                tss.ESYS_TR.OWNER,
                session1=tss.ESYS_TR.PASSWORD,
                session2=session,
            )
            self.esys.tr_close(index)
        with self.told("hash"):  # a TPM decrypts in its command buffer: fill it with something else
            self.esys.hash(bytes(1024), tss.TPM2_ALG.SHA256, tss.ESYS_TR.OWNER)

    def fetch(self, plan: TpmPlan, length: int) -> bytes:
        """Return the seeds, and let nobody read them again until the TPM is reset.

        CustodyError if there are none, the PCRs are not as they were, or they were read before.
        """
        tss = self.tss
        with self.session(tss.TPM2_SE.POLICY) as session, self.told("give out the seeds"):
            self.esys.trsess_set_attributes(
                session, tss.TPMA_SESSION.CONTINUESESSION | tss.TPMA_SESSION.ENCRYPT
            )
            index = self.esys.tr_from_tpmpublic(plan.nv_index)
            self.esys.policy_pcr(session, tss.TPM2B_DIGEST(), _listed(plan.selection))
            data = self._nv_read(index, length, session)
            self.esys.policy_pcr(session, tss.TPM2B_DIGEST(), _listed(plan.selection))
            self.esys.nv_read_lock(index, auth_handle=index, session1=session)
            self.esys.tr_close(index)
            return bytes(data)

    def _nv_read(self, index: Any, length: int, session: Any) -> Any:
        try:
            return self.esys.nv_read(index, length, 0, auth_handle=index, session1=session)
        except self.tss.TSS2_Exception as error:
            if error.rc != _NV_LOCKED:
                raise
            raise CustodyError(
                "the TPM has given out the seeds since its last reset, and does so once.",
                remedy="reset the machine: the first start after that gets them.",
            ) from None

    def root(self) -> bytes:
        """Return the name of the storage key; CustodyError if it is not the pinned one."""
        with self.told("make the storage key"):
            handle, name = self._storage_key()
            self.esys.flush_context(handle)
        return name

    def _storage_key(self) -> tuple[Any, bytes]:
        handle, public, *_ = self.esys.create_primary(self.tss.TPM2B_SENSITIVE_CREATE(), "ecc256")
        name = key_name(area_of(public))
        if self._root and name != self._root:
            raise CustodyError(
                "this is not the TPM that was commissioned, or something sits on its bus.",
                remedy="look at the board; if the TPM was replaced, commission anew.",
            )
        return handle, name

    def close(self) -> None:
        """Let go of the library's context."""
        self.esys.close()

    def flush(self, handle: Any) -> None:
        """Take a transient object out of the TPM."""
        with self.told("flush"):
            self.esys.flush_context(handle)

    def _policy(self, numbers: tuple[int, ...]) -> bytes:
        tss = self.tss
        with self.session(tss.TPM2_SE.TRIAL) as session, self.told("make a policy"):
            self.esys.policy_pcr(session, tss.TPM2B_DIGEST(), _listed(numbers))
            return bytes(self.esys.policy_get_digest(session))

    @contextmanager
    def session(self, kind: Any, *, salted: bool = True) -> Iterator[Any]:
        """Yield a session. salted: to the storage key, so that it can encrypt."""
        tss = self.tss
        with self.told("start a session"):
            root = self._storage_key()[0] if salted else tss.ESYS_TR.NONE
            symmetric = tss.TPMT_SYM_DEF(
                algorithm=tss.TPM2_ALG.AES,
                keyBits=tss.TPMU_SYM_KEY_BITS(aes=128),
                mode=tss.TPMU_SYM_MODE(aes=tss.TPM2_ALG.CFB),
            )
            session = self.esys.start_auth_session(
                root, tss.ESYS_TR.NONE, kind, symmetric, tss.TPM2_ALG.SHA256
            )
            if salted:
                self.esys.flush_context(root)
        try:
            yield session
        finally:
            with self.told("end a session"):
                self.esys.flush_context(session)


def _listed(numbers: tuple[int, ...]) -> str:
    return "sha256:" + ",".join(map(str, numbers))
