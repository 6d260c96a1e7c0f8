"""What checks of the doctor share: what they look at, and what they find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from casemate.core.progress import Work
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was looked at. level: good, warning, or bad. remedy: "" if it is good."""

    id: str
    level: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What checks look at. free_bytes: of the disk under a path.

    listen: HOST:PORT where the service should answer, "" if nobody said so. work: how far it is.
    """

    place: Home
    store: Store
    now_s: int
    free_bytes: Callable[[Path], int]
    listen: str = ""
    work: Work = field(default_factory=lambda: Work("doctor"))


def bad(name: str, what: str, remedy: str) -> Finding:
    """Return a finding that has to be mended."""
    return Finding(id=name, level="bad", what=what, remedy=remedy)


def warning(name: str, what: str, remedy: str) -> Finding:
    """Return a finding that will have to be mended."""
    return Finding(id=name, level="warning", what=what, remedy=remedy)
