"""The page of the audit log: who asked for what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from casemate.fleet.appraisal import evidence
from casemate.fleet.audit import succession
from casemate.fleet.clockface import clock
from casemate.fleet.story.export import Part
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.fleet.web.downloads import zipped
from casemate.translog.bundle import read_manifest
from casemate.translog.foreign import ForeignFolder

ROWS = 100


def view(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the latest lines, newest first."""
    before = asked.number("before", 1, 1 << 53, 1 << 53)
    show = asked.choice("show", ("all", "people")) or "all"
    lines = service.audit.latest(ROWS, before, people=show == "people")
    log = service.audit.log
    with service.store.read() as link:
        machines = evidence.controllers(link, [x.who[8:] for _, x in lines if _is_machine(x.who)])
    return {
        "title": "Audit log",
        "origin": log.origin,
        "lines": log.next_index,
        "sealed": log.size,
        "failed": service.audit.failed,
        "keys": [each.vkey() for each in log.keys],
        "before": [_before(each) for each in succession.before(service.audit.folder.parent)],
        "older": lines[-1][0] if len(lines) == ROWS else None,
        "show": show,
        "rows": [
            {
                "machine": machines.get(each.who[8:], "") if _is_machine(each.who) else "",
                "number": number, "at": clock(each.at_s), "who": each.who, "role": each.role,
                "party": each.party, "what": each.what, "subject": each.subject,
                "outcome": each.outcome,
            }
            for number, each in lines
        ],
    }  # fmt: skip


def _is_machine(who: str) -> bool:
    return who.startswith("machine:")


def export(service: Service, asked: Asked) -> Reply:
    """Return the files of the log, and of those before it, which `casemate witness fsck` checks."""
    service.audit.flush()
    service.audit.seal()
    parts = service.downloads.begin(asked.who.name, zipped(_all(service.audit.folder)))
    return Reply(parts=parts, kind="application/zip", name="audit.zip")


def _all(folder: Path) -> Iterator[Part]:
    """Yield the files of a log and of those before it; first, at once, what does not stay."""
    held = {f"before/{each.name}": each for each in reversed(succession.before(folder.parent))}
    for name, each in {"audit": folder, **held}.items():
        disk, paths = ForeignFolder(each), _files(each)
        passing = [path for path in paths if not _stays(path)]
        yield from [(f"{name}/{path}", disk.read(path)) for path in passing]
        for path in filter(_stays, paths):
            yield f"{name}/{path}", disk.read(path)


def _stays(path: str) -> bool:
    """Return whether a file of a log that goes on is never taken away: full tiles, old notes."""
    return path.startswith("witnessed/") or (path.startswith("tile/") and ".p/" not in path)


def _before(folder: Path) -> dict[str, Any]:
    """Return what is told of a log that this one continues."""
    return {"generation": int(folder.name), "origin": read_manifest(folder)["origin"]}


def _files(folder: Path) -> list[str]:
    found = [each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()]
    return sorted(each for each in found if not each.startswith(".") and ".new" not in each)
