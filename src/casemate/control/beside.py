"""Witnesses that `casemate run` starts keep state beside the enclosure's folder: both go along.

Without their state they would begin anew, with other keys than the inspectors' policy names; with
the state of an enclosure that is gone they would call its successor a log that was rolled back.
"""

from __future__ import annotations

from pathlib import Path

from casemate.core.errors import InputError


def check(apart: Path, names: tuple[str, ...], *, size: int, new: bool) -> None:
    """Refuse witnesses that are not those of this enclosure: InputError.

    apart: folder of their folders. size: of the log. new: the enclosure's folder knows no run.
    """
    known = [name for name in names if any((apart / name / "state").glob("*"))]
    if size and not all((apart / name / "key.json").is_file() for name in names):
        raise InputError(
            "the witnesses of this enclosure are not beside it: they would begin anew, and the "
            "inspectors' policy names others.",
            remedy=f"move their folder along with that of the enclosure: here, to {apart}.",
            file=str(apart),
        )
    if new and not size and known:
        raise InputError(
            "the witnesses beside this enclosure know another one of its name, whose evidence is "
            "not here.",
            remedy="restore its folder; or, if it was removed on purpose, remove the witnesses' "
            "folder too.",
            file=str(apart),
        )
