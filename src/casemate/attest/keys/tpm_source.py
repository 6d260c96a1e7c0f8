"""The process between a TPM and a holder: takes seeds from one, gives them to the other, and ends.

Seeds lie on its heap for some milliseconds, in locked memory that no dump shows. So they never lie
on the holder's.
"""

from __future__ import annotations

import os

from casemate.attest.keys.memory import hardened
from casemate.attest.keys.tpm_esys import Esys, TpmPlan
from casemate.attest.keys.tpm_link import Link
from casemate.core import cbor
from casemate.core.errors import CasemateError


def main(out: int, errors: int, length: int, fresh: int, plan: str) -> None:
    """Write `length` bytes of seeds into `out`, made and stored now if `fresh`, else fetched.

    What goes wrong is written into `errors` as text.
    """
    try:
        hardened()
        os.write(out, _seeds(read_plan(bytes.fromhex(plan)), length, bool(fresh)))
    except CasemateError as error:
        os.write(errors, error.message.encode()[:4096])


def write_plan(plan: TpmPlan) -> bytes:
    """Return a plan as bytes."""
    measured = [[n, digest] for n, digest in sorted(plan.measured.items())]
    return cbor.encode([plan.address, measured, list(plan.boot), plan.nv_index, plan.root])


def read_plan(data: bytes) -> TpmPlan:
    """Return the plan of `write_plan`."""
    address, measured, boot, nv_index, root = cbor.decode(data)
    return TpmPlan(
        address=address, measured=dict(measured), boot=tuple(boot), nv_index=nv_index, root=root
    )


def _seeds(plan: TpmPlan, length: int, fresh: bool) -> bytes:
    with Link(plan.address) as link:
        tpm = Esys(link, plan.root)
        try:
            if fresh:
                tpm.store(plan, os.urandom(length))
            return tpm.fetch(plan, length)
        finally:
            tpm.close()
