"""The frame of the command line: the table of commands, errors as exit codes.

Exit codes: 0 good; 1 a requirement is unmet, a finding or an alarm; 2 wrong usage or bad input;
3 unknown or stale. As shells have it: 130 interrupted, 143 terminated, 141 nobody reads on.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn, TextIO

from casemate import __version__
from casemate.core.errors import CasemateError, InputError

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_BROKEN_PIPE = 141


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
    Command(name="twin", module="casemate.cli.twin", help="fit and use models of the physics"),
    Command(
        name="prove",
        module="casemate.cli.prove",
        help="build, attack the twin, and argue the security case",
    ),
    Command(name="run", module="casemate.cli.run", help="the live enclosure, on its twin"),
    Command(name="attack", module="casemate.cli.attack", help="carry out a move on a running twin"),
    Command(name="frame", module="casemate.cli.frame", help="check one frame alone"),
    Command(
        name="permit",
        module="casemate.cli.permit",
        help="write, sign, show and close a permit to open an enclosure",
    ),
    Command(
        name="verify",
        module="casemate.cli.verify",
        help="verify evidence offline: what happened, and since when",
    ),
    Command(name="witness", module="casemate.cli.witness", help="run a witness of logs"),
    Command(
        name="fleet", module="casemate.cli.fleet", help="service and pages for many enclosures"
    ),
    Command(
        name="release",
        module="casemate.cli.release",
        help="sign reference values by roots that are kept offline",
    ),
)
"""Every command, in the order of the product's flow. The modules are light to import."""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors of our own tree."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the arguments."""
        raise InputError(f"{message}.", remedy=f"see `{self.prog} --help`.")


class _Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM); unwinds like an interrupt."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no exception of a user's making escapes."""
    if argv is None:
        _unwind_on_terminate()
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be UTF-8
    try:
        code = _guarded(arguments)
    except BrokenPipeError:
        code = EXIT_BROKEN_PIPE
    except _Terminated:
        _say("terminated; the old output is intact")
        code = EXIT_TERMINATED
    except KeyboardInterrupt:
        _say("interrupted; the old output is intact")
        code = EXIT_INTERRUPTED
    _settle(sys.stdout)
    return code


def build_parser() -> Parser:
    """Return the parser of all commands that are installed."""
    parser = Parser(
        prog="casemate",
        description="From a spec to a proven, manufacturable tamper-detecting enclosure.",
        epilog="Exit codes: 0 good; 1 a requirement is unmet; 2 wrong usage or bad input; "
        "3 unknown or stale.",
        allow_abbrev=False,
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


def parsed(arguments: list[str]) -> argparse.Namespace:
    """Return the arguments parsed, a subcommand that its command implies put in.

    Raises InputError for what is wrong with them.
    """
    first = next((each for each in arguments if not each.startswith("-")), None)
    return build_parser().parse_args(_with_implied(arguments, first))


def _guarded(arguments: list[str]) -> int:
    try:
        code = _dispatch(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except CasemateError as error:
        return _report(error, as_json="--json" in arguments)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _report(_plain(error), as_json="--json" in arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "casemate":
            raise
        return _report(_lacking(error.name), as_json="--json" in arguments)


def _dispatch(arguments: list[str]) -> int:
    names = [command.name for command in COMMANDS]
    first = next((each for each in arguments if not each.startswith("-")), None)
    if first is not None and first not in names:
        near = difflib.get_close_matches(first, names, n=1)
        hint = f"did you mean `casemate {near[0]}`? " if near else ""
        raise InputError(
            f"there is no command {first!r}.", remedy=f"{hint}commands: {', '.join(names)}."
        )
    try:
        args = parsed(arguments)
    except SystemExit as stop:  # --help and --version
        return stop.code if isinstance(stop.code, int) else 2
    if not hasattr(args, "run"):
        build_parser().print_help(sys.stderr)
        return 2
    return int(args.run(args))


def _with_implied(arguments: list[str], first: str | None) -> list[str]:
    """Return the arguments with the subcommand that a command implies (`implied` of its module)."""
    if first is None:
        return arguments
    command = next((each for each in COMMANDS if each.name == first), None)
    if command is None:
        return arguments
    implied = getattr(import_module(command.module), "implied", None)
    if implied is None:
        return arguments
    at = arguments.index(first) + 1
    return [*arguments[:at], *implied(arguments[at:])]


def _report(error: CasemateError, *, as_json: bool) -> int:
    _say(f"casemate: {error}")
    if as_json:
        with suppress(OSError):
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


def _lacking(library: str) -> CasemateError:
    """Return what is said where the libraries of an inspector are not enough."""
    return InputError(
        f"this command needs {library}, which is not installed.",
        remedy="install casemate with its libraries (without --no-deps); `verify`, `frame`, "
        "`permit` and `witness` need cbor2 and cryptography alone.",
    )


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
    _settle(sys.stderr)


def _settle(stream: TextIO | None) -> None:
    """Flush a stream; point a broken one to nowhere, so that the last flush at exit is silent."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except ValueError:  # closed already
        pass


def _unwind_on_terminate() -> None:
    """Let SIGTERM unwind like an interrupt, so that temporary folders go."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise _Terminated

    with suppress(ValueError, OSError):  # not the main thread
        signal.signal(signal.SIGTERM, stop)
