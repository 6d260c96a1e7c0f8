"""The page of the audit log: who asked for what."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from casemate.fleet import succession
from casemate.fleet.clockface import clock
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.translog.bundle import read_manifest
from casemate.translog.foreign import ForeignFolder

ROWS = 100


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the latest lines, newest first."""
    before = asked.number("before", 1, 1 << 53, 1 << 53)
    lines = service.audit.latest(ROWS, before)
    log = service.audit.log
    return {
        "title": "Audit log",
        "origin": log.origin,
        "lines": log.next_index,
        "sealed": log.size,
        "failed": service.audit.failed,
        "keys": [each.vkey() for each in log.keys],
        "before": [_before(each) for each in succession.before(service.audit.folder.parent)],
        "older": lines[-1][0] if len(lines) == ROWS else None,
        "rows": [
            {
                "number": number, "at": clock(each.at_s), "who": each.who, "role": each.role,
                "party": each.party, "what": each.what, "subject": each.subject,
                "outcome": each.outcome,
            }
            for number, each in lines
        ],
    }  # fmt: skip


def export(service: Service, asked: Asked) -> Reply:
    """Return the files of the log, and of those before it, which `casemate witness fsck` checks."""
    service.audit.flush()
    service.audit.seal()
    folder, out = service.audit.folder, io.BytesIO()
    held = {f"before/{x.name}": x for x in reversed(succession.before(folder.parent))}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, each in {"audit": folder, **held}.items():
            disk = ForeignFolder(each)
            for path in _files(each):
                archive.writestr(zipfile.ZipInfo(f"{name}/{path}"), disk.read(path))
    return Reply(body=out.getvalue(), kind="application/zip", name="audit.zip")


def _before(folder: Path) -> dict[str, Any]:
    """Return what is told of a log that this one continues."""
    return {"generation": int(folder.name), "origin": read_manifest(folder)["origin"]}


def _files(folder: Path) -> list[str]:
    found = [each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()]
    return sorted(each for each in found if not each.startswith(".") and ".new" not in each)
