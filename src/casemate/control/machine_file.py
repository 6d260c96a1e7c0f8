"""The machine's memory across starts, in one file that is replaced whole.

What is not kept: a permit under way (it is void after a start), and permits that were used, which
the log names. A file that does not read is no memory: the machine then knows nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from casemate.control.states import Keys, Machine, State

FORMAT = "casemate-machine/1"


def as_json(now: Machine, *, entries: int) -> dict[str, Any]:
    """Return what is kept of a machine. entries: in the log when it was so."""
    return {
        "format": FORMAT,
        "entries": entries,
        "enclosure": now.enclosure,
        "serial": now.serial,
        "state": now.state.value,
        "keys": now.keys.value,
        "anchor": now.anchor.hex(),
        "open": sorted(now.open),
        "replaced": sorted(now.replaced),
        "alien": sorted(now.alien),
        "emergency": now.emergency,
        "forgot": now.forgot,
        "last_word": now.last_word,
        "count": now.count,
    }


def keep(path: Path, now: Machine, *, entries: int) -> None:
    """Write the memory, durable before the old one goes. OSError."""
    part = path.with_suffix(".new")
    with part.open("w", encoding="utf-8") as file:
        file.write(json.dumps(as_json(now, entries=entries), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def recall(path: Path, new: Machine) -> tuple[Machine | None, int]:
    """Return the machine of the run before and the log's entries then; None, 0 if it is lost."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        if row["format"] != FORMAT or (row["enclosure"], row["serial"]) != (
            new.enclosure, new.serial,
        ):  # fmt: skip
            return None, 0
        found = Machine(
            enclosure=new.enclosure,
            serial=new.serial,
            faces=new.faces,
            modules=new.modules,
            boot=new.boot,
            limits=new.limits,
            state=State(row["state"]),
            keys=Keys(row["keys"]),
            anchor=bytes.fromhex(row["anchor"]),
            open=frozenset(map(str, row["open"])),
            replaced=frozenset(map(str, row["replaced"])),
            alien=frozenset(map(str, row["alien"])),
            emergency=row["emergency"] is True,
            forgot=row["forgot"] is True,
            last_word=row["last_word"] is True,
            count=int(row["count"]),
        )
        return found, int(row["entries"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, 0
