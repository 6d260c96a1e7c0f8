"""Output folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from casemate.core.errors import InputError, OutputError

MARKER = ".casemate-output"
"""File that marks a folder as written by Casemate, hence safe to replace."""
EVIDENCE = "evidence"
"""Folder of an enclosure that ran: with its keys and anchors it cannot be made again."""

_NOT_WRITABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,  # a file stands where a parent folder should be
    errno.ENAMETOOLONG,
    errno.ELOOP,
)


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; on success it takes its place by rename.

    On any error or interrupt the old `target` stays intact and the temporary folder goes.
    An existing `target` is replaced only if it is empty or carries MARKER, and holds no evidence.
    """
    target = Path(os.path.abspath(target))
    _refuse_foreign(target)
    refuse_evidence(target)
    staging: Path | None = None
    try:
        with _said_plainly(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            staging.chmod(0o755)
            (staging / MARKER).write_text("Written by casemate; replaced as a whole.\n")
            yield staging
            _swap(staging, target)
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def refuse_evidence(target: Path) -> None:
    """Raise InputError if `target` holds what an enclosure that ran has said."""
    if (target / EVIDENCE).exists():
        raise InputError(
            "this folder holds the evidence of an enclosure that ran; writing would remove it.",
            remedy="name another folder with -o, or take the evidence away.", key="-o",
            value=str(target),
        )  # fmt: skip


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
    old.rmdir()
    target.rename(old)
    try:
        staging.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"{target} is a file.", remedy="name a folder with -o.")
    if any(target.iterdir()) and not (target / MARKER).exists():
        raise OutputError(
            f"{target} holds files that Casemate did not write.",
            remedy="name another folder with -o, or empty this one.",
        )


@contextmanager
def _said_plainly(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(
                f"the disk is full while writing {target}; nothing was changed.",
                remedy="free space, or name a folder on another disk with -o.",
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise OutputError(
                f"{target} cannot be written: {error.strerror}.",
                remedy="name a folder that you may write to with -o.",
            ) from error
        raise
