"""`casemate …` with all that it opens written down: `python watched_service.py OUT …`.

Python tells of files, sockets and programs by audit hooks; what libraries in C open is read from
/proc while it runs (by who started it), and what memory it can write and execute, at its end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.chown", "os.link",
           "os.symlink", "os.truncate", "os.utime")  # fmt: skip
PROGRAMS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "os.system")
_LINES: list[str] = []


def _seen(event: str, given: tuple[object, ...]) -> None:
    if event == "open":
        path, mode, flags = given
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if isinstance(path, str | bytes) and (writes or set(str(mode or "")) & set("wax+")):
            _LINES.append(f"writes {os.path.abspath(os.fsdecode(path))}")
    elif event in CHANGES:
        for each in given[: 2 if event in ("os.rename", "os.link", "os.symlink") else 1]:
            if isinstance(each, str | bytes):
                _LINES.append(f"writes {os.path.abspath(os.fsdecode(each))}")
    elif event == "socket.__new__":
        _LINES.append(f"family {int(str(int(given[1])))}")  # type: ignore[call-overload]
    elif event in PROGRAMS:
        _LINES.append(f"program {event} {given[0] if given else ''}")


def main(out: str, *given: str) -> int:
    """Run the command, and write down what it opened."""
    sys.addaudithook(_seen)
    from casemate.cli import main as command

    sys.argv = ["casemate", *given]
    code = command()
    maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    _LINES.extend(f"memory {each}" for each in maps if "wx" in each.split()[1])
    Path(out).write_text("\n".join(dict.fromkeys(_LINES)) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
