"""Designs for the demo's enclosures: made by `casemate design` beside the service, as they come."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import select

from casemate.core.errors import CasemateError
from casemate.fleet.permits import papers
from casemate.fleet.service import errands
from casemate.fleet.service.home import Home
from casemate.fleet.store.schema import ENCLOSURES

_LONGEST_S = 600.0


@contextmanager
def coming(place: Home, folder: Path, kinds: Sequence[str], told: list[str]) -> Iterator[None]:
    """Have a design of each kind made in another process, and enter it when it is there."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_make, args=(place, folder, sorted(set(kinds)), told, stop), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _make(
    place: Home, folder: Path, kinds: Sequence[str], told: list[str], stop: threading.Event
) -> None:
    from casemate.cli.new import example_text

    for kind in kinds:
        spec, out = folder / f"{kind}.toml", folder / kind
        folder.mkdir(exist_ok=True)
        spec.write_text(example_text(kind), encoding="utf-8")
        command = [sys.executable, "-m", "casemate", "design", str(spec), "-o", str(out)]
        running = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        begun = time.monotonic()
        while running.poll() is None:
            if stop.wait(0.2) or time.monotonic() - begun > _LONGEST_S:
                running.kill()
                running.wait()
                return
        try:
            _enter(place, kind, (out / "design.json").read_bytes())
        except (OSError, CasemateError) as error:
            told.append(f"no design of {kind}: {error}")


def _enter(place: Home, kind: str, data: bytes) -> None:
    store, now_s = place.opened(), int(time.time())
    with suppress(CasemateError), store.write() as link:
        for number in link.execute(select(ENCLOSURES.c.id).where(ENCLOSURES.c.kind == kind)):
            papers.put(link, int(number[0]), "design", data, now_s)
            errands.note(link, "enter a design for the demo", str(number[0]), now_s)
    store.close()
