"""Write a starting project: an enclosure.toml with real figures and their sources."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from pathlib import Path

from casemate.core.errors import OutputError

EXAMPLES = ("nvl72", "camera", "dpa")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("example", choices=EXAMPLES, help="what to start from")
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder to write to")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Write DIR/enclosure.toml, whole or not at all; never over an existing one."""
    target = args.folder / "enclosure.toml"
    try:
        write_project(example_text(args.example), target)
    except FileExistsError:
        raise OutputError(
            f"{target} or a part of its path is already there.", remedy="name another folder."
        ) from None
    except ValueError as error:
        raise OutputError(
            f"no folder can have this name: {error}.", remedy="name another folder."
        ) from None
    if args.json:
        print(json.dumps({"written": [str(target)]}))
    else:
        print(f"wrote {target}\nnext: casemate build {target} -o {args.folder / 'out'}")
    return 0


def example_text(name: str) -> str:
    """Return the spec of an example."""
    from importlib.resources import files

    return files("casemate.spec").joinpath("examples", f"{name}.toml").read_text("utf-8")


def write_project(text: str, target: Path) -> None:
    """Write `text` beside `target`, then link it in place: an existing file is never replaced."""
    import os
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".enclosure.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        _place(Path(name), target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _place(written: Path, target: Path) -> None:
    """Give the file its name without replacing one; some file systems know no links."""
    import errno
    import os

    try:
        os.link(written, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if target.exists():
            raise FileExistsError(target) from None
        os.rename(written, target)
