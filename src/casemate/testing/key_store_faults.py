"""Power cuts of a software TPM's state while keys are erased, and after that was acknowledged."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

from casemate.attest.keys.protocol import CustodyError
from casemate.attest.keys.swtpm import SwTpm
from casemate.attest.keys.tpm import TpmHolder
from casemate.attest.keys.tpm_esys import TpmPlan
from casemate.attest.quote import PCR_ANCHOR, PCR_SOFTWARE
from casemate.core.suites import PublicKey
from casemate.testing.faults import Found
from casemate.testing.unsafe_disk import SECTOR_BYTES

_MEASURED = {
    PCR_SOFTWARE: hashlib.sha256(b"software").digest(),
    PCR_ANCHOR: hashlib.sha256(b"anchor").digest(),
}


def cut_key_store(points: int, folder: Path) -> Found:
    """Cut the power around an erasure, with the file whole, old, torn, cut off or gone.

    Once erasing is acknowledged there are no keys; before, those there were or a clear error, and
    never others. folder: an empty one to work in.
    """
    home = folder / "tpm"
    with SwTpm(home) as tpm:
        holder = TpmHolder(_plan(tpm), fresh=True)
        keys, before = holder.public(), _files(home)
        assert holder.zeroise().complete
        tpm.make_durable()
        after = _files(home)
        holder.close()
    shutil.rmtree(home)
    none = kept = refused = 0
    for number in range(points):
        rng = random.Random(number)
        acknowledged = number % 2 == 0
        left = after if acknowledged else _torn(before, after, rng)
        place = folder / str(number)
        _write(place, left)
        found = _found(place)
        shutil.rmtree(place)
        assert not (acknowledged and isinstance(found, tuple)), "keys are back after erasing"
        assert found in (keys, None, "refused"), "other keys came back"
        none, kept, refused = (
            none + (found is None), kept + (found == keys), refused + (found == "refused")
        )  # fmt: skip
    return Found(
        points=points,
        found=f"no keys {none} times, a clear refusal {refused}; of erasures cut before their "
        f"acknowledgement {kept} left the keys, which the next start seals",
    )


def _found(place: Path) -> tuple[PublicKey, ...] | str | None:
    try:
        with SwTpm(place) as tpm:
            try:
                holder = TpmHolder(_plan(tpm), sealed=True)
            except CustodyError:
                return None
            found = holder.public()
            holder.close()
            return found
    except CustodyError:
        return "refused"


def _plan(tpm: SwTpm) -> TpmPlan:
    return TpmPlan(address=tpm.address, measured=_MEASURED)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        each.name: each.read_bytes()
        for each in folder.iterdir()
        if each.is_file() and not each.name.startswith(".")
    }


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _torn(
    before: dict[str, bytes], after: dict[str, bytes], rng: random.Random
) -> dict[str, bytes]:
    """Return the files with sectors of both, cut off, or as they were before."""
    kind = rng.choice(("old", "mixed", "mixed", "cut off", "gone"))
    out: dict[str, bytes] = {}
    for name, new in after.items():
        old = before.get(name, b"")
        if kind == "old":
            out[name] = old
        elif kind == "cut off":
            out[name] = new[: rng.randrange(len(new) + 1)]
        elif kind == "mixed":
            sectors = range(0, max(len(new), len(old)), SECTOR_BYTES)
            picked = (rng.choice((new, old))[at : at + SECTOR_BYTES] for at in sectors)
            out[name] = b"".join(picked)
    return out
