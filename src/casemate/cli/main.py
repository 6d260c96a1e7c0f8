"""The frame of the command line: the table of commands, errors as exit codes.

Exit codes: 0 good; 1 a requirement is unmet, a finding or an alarm; 2 wrong usage or bad input;
3 unknown or stale; 130 interrupted.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from casemate import __version__
from casemate.core.errors import CasemateError

EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command: `module` has configure(parser) and run(args) -> exit code."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command(name="new", module="casemate.cli.new", help="write a starting project"),
    Command(name="check", module="casemate.cli.check", help="lint a spec"),
    Command(name="design", module="casemate.cli.design", help="choose modules, lay out panels"),
    Command(
        name="build",
        module="casemate.cli.build",
        help="design, meshes, proofs, manufacturing files and report",
    ),
)
"""Every command, in the order of the product's flow. The modules are light to import."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no exception of a user's making escapes."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _guarded(arguments)
    except BrokenPipeError:
        _silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        _say("interrupted; the old output is intact")
        return EXIT_INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands that are installed."""
    parser = argparse.ArgumentParser(
        prog="casemate",
        description="From a spec to a proven, manufacturable tamper-detecting enclosure.",
        epilog="Exit codes: 0 good; 1 a requirement is unmet; 2 wrong usage or bad input; "
        "3 unknown or stale.",
    )
    parser.add_argument("--version", action="version", version=f"casemate {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        if find_spec(command.module) is None:
            continue
        module = import_module(command.module)
        child = commands.add_parser(
            command.name, help=command.help, description=module.__doc__, allow_abbrev=False
        )
        module.configure(child)
        run: Callable[[argparse.Namespace], int] = module.run
        child.set_defaults(run=run)
    return parser


def _guarded(arguments: list[str]) -> int:
    parser = build_parser()
    try:
        args = parser.parse_args(arguments)
    except SystemExit as stop:  # argparse has said what is wrong
        return stop.code if isinstance(stop.code, int) else 2
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return 2
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except CasemateError as error:
        return _report(error, as_json=bool(getattr(args, "json", False)))
    except BrokenPipeError:
        raise
    except OSError as error:
        return _report(_plain(error), as_json=bool(getattr(args, "json", False)))


def _report(error: CasemateError, *, as_json: bool) -> int:
    _say(f"casemate: {error}")
    if as_json:
        print(json.dumps({"error": error_json(error)}, ensure_ascii=False), flush=True)
    return error.exit_code


def error_json(error: CasemateError) -> dict[str, object]:
    """Return what `--json` prints of an error."""
    row: dict[str, object] = {"kind": type(error).__name__, "message": error.message}
    for name in ("file", "key", "value", "conflict"):
        held = getattr(error, name, None)
        if held not in (None, "", ()):
            simple = isinstance(held, str | int | float | bool)
            row[name] = list(held) if isinstance(held, tuple) else held if simple else str(held)
    row["remedy"] = error.remedy
    return row


def _plain(error: OSError) -> CasemateError:
    """Return an operating-system error that no room has caught, as one of our own tree."""
    from casemate.core.errors import OutputError

    reason = error.strerror or str(error)
    where = f" ({error.filename})" if error.filename else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return OutputError(
        f"the disk is full{where}." if full else f"{reason}{where}.",
        remedy="free space, or name a folder on another disk."
        if full
        else "check that the path exists and that you may read and write it.",
    )


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: object) -> None:
    """Point a broken stream to nowhere, so that the interpreter's last flush says nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
    except (OSError, ValueError, AttributeError):
        pass
    finally:
        os.close(nowhere)
