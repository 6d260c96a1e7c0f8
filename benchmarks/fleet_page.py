"""The page docs/fleet-load.md: what the service bore, each load with its machine, date and load.

`make bench` measures the small load and writes it anew; `python -m benchmarks --slow --load-page
FILE` the large one too. What was not measured this time stays as it was, with its own date.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frame import Figure

HEAD = """# The fleet service under load

Made by `make bench` (`--slow`: the large load too) from `casemate fleet hammer`; do not edit. The service is `casemate fleet serve` in a process of its own; simulated enclosures bring it evidence that is signed on the same machine shortly before it is due, each push over TLS 1.3 with a certificate of its own, and a person reads the page of the fleet once a second. Heartbeats of 10,000 enclosures at 1 Hz, in a token each six minutes, are 27.8 pushes a second. Wall times count what else the machine ran; CPU times hardly do.
"""  # noqa: E501
_COLUMNS = ("figure", "found", "unit", "target", "met")
_MET = {True: "yes", False: "**no**", None: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One load. name: of the benchmark. what: the load in words. where: date, machine, its load."""

    name: str
    what: str
    where: str
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Return its part of the page."""
        table = (_COLUMNS, ("---",) * len(_COLUMNS), *self.rows)
        lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
        return f"\n## {self.name}\n\n{self.what}\n\n{self.where}\n\n{lines}\n"


def page(loads: Iterable[Measured]) -> str:
    """Return the page of all loads, in the order of their names."""
    return HEAD + "".join(each.text() for each in sorted(loads, key=lambda each: each.name))


def read(text: str) -> tuple[Measured, ...]:
    """Return the loads of a page that this tool wrote. ValueError if it is none."""
    found = []
    for part in text.split("\n## ")[1:]:
        name, what, where, table = part.rstrip("\n").split("\n\n")
        lines = table.splitlines()[2:]
        rows = tuple(tuple(x.strip() for x in each.split("|")[1:-1]) for each in lines)
        if any(len(row) != len(_COLUMNS) for row in rows):
            raise ValueError(f"a row of {name} has not {len(_COLUMNS)} cells")
        found.append(Measured(name=name, what=what, where=where, rows=rows))
    return tuple(found)


def measured(name: str, figures: Iterable[Figure], where: str) -> Measured:
    """Return a load from its figures, whose note says what the load was."""
    mine = [each for each in figures if each.benchmark == name]
    rows = tuple(
        (each.name, f"{each.value:.4g}", each.unit, _target(each), _MET[each.met]) for each in mine
    )
    return Measured(name=name, what=mine[0].note, where=where, rows=rows)


def judged(row: tuple[str, ...]) -> str:
    """Return what the cell "met" of a row has to say, from its figure and its target."""
    _, found, _, target, _ = row
    if not target:
        return _MET[None]
    sense, _, bound = target.partition(" ")
    good = float(found) <= float(bound) if sense == "≤" else float(found) >= float(bound)
    return _MET[good]


def _target(figure: Figure) -> str:
    sign = "≤" if figure.sense == "<=" else "≥"
    return "" if figure.target is None else f"{sign} {figure.target:g}"


def write(file: Path, figures: Iterable[Figure], names: Iterable[str], load: float) -> None:
    """Put the loads that were measured into the page; keep the others as they stand there."""
    all_, now = list(figures), where(load, os.getloadavg()[0])
    kept = {each.name: each for each in read(file.read_text("utf-8"))} if file.exists() else {}
    kept |= {name: measured(name, all_, now) for name in names}
    beside = file.with_name(file.name + ".new")
    beside.write_text(page(kept.values()), encoding="utf-8")
    beside.replace(file)


def where(load: float, after: float) -> str:
    """Return when and on what it was measured, with the machine's load before and after."""
    return (
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, {os.cpu_count()} cores "
        f"({_processor()}), {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}; load of the machine {load:.1f} before, "
        f"{after:.1f} after."
    )


def _processor() -> str:
    """Return the name of the processor (Linux), or its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = (each.partition(":")[2].strip() for each in lines if each.startswith("model name"))
    return next(named, platform.machine())
