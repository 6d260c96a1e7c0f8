"""What a folder of trust says of itself: release roots that signed it, makers that vouch for TPMs.

Where a folder pins roots, what does not lead to them is refused before any evidence is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.attest import endorsement, release

if TYPE_CHECKING:
    from casemate.attest.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Who vouches for reference values and TPMs. tpms: a line each.

    idle: there is a release, and no roots are pinned that could have signed it.
    """

    released: release.Released | None
    tpms: tuple[str, ...]
    idle: bool = False

    def lines(self) -> list[str]:
        """Return it for people; nothing where nobody is pinned and no TPM is named."""
        out = []
        if self.released is not None:
            said = self.released.release
            out.append(
                f"reference values of version {said.version}, released {_clock(said.made_s)} by "
                f"{', '.join(self.released.by)}"
            )
        if self.idle:
            out.append(f"{release.RELEASE_FILE} is not checked: no release roots are pinned")
        return [*out, *self.tpms]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values (docs/formats/verdict.md)."""
        out: dict[str, Any] = {"tpms": list(self.tpms)} if self.tpms else {}
        if self.released is not None:
            said = self.released.release
            out["release"] = {
                "version": said.version, "made": _clock(said.made_s),
                "roots": list(self.released.by),
            }  # fmt: skip
        return out


def vouched(
    trust: Path, reference: Reference, data: bytes, now_s: int, read: Callable[[Path], bytes]
) -> Vouched:
    """Check what a folder of trust pins; `data`: the bytes of its reference values.

    SignatureError with the reason if a release or a TPM's certificate does not hold.
    """

    def found(name: str) -> bytes | None:
        path = trust / name
        return read(path) if os.path.lexists(path) else None  # a broken link pins too

    signed = found(release.RELEASE_FILE)
    released = release.checked(reference, data, found(release.ROOTS_FILE), signed, where=str(trust))
    makers, where = found(endorsement.ROOTS_FILE), str(trust / endorsement.ROOTS_FILE)
    tpms = endorsement.vouched_all(reference, makers, now_s, where=where)
    return Vouched(released=released, tpms=tpms, idle=released is None and signed is not None)


def _clock(time_s: int) -> str:
    from casemate.verify.result import clock

    return clock(time_s)
