"""Run a witness of logs: it cosigns each checkpoint that continues the last one it has seen.

`casemate witness DIR` is `casemate witness serve DIR`.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.translog.serve import WitnessServer

PORT = 7380
"""Default port (planning value: unassigned)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    children = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, declare, act, text in SUBCOMMANDS:
        child = children.add_parser(name, help=text, description=act.__doc__, allow_abbrev=False)
        declare(child)
        child.add_argument("--json", action="store_true", help="print JSON")
        child.set_defaults(run_subcommand=act)


def implied(arguments: list[str]) -> list[str]:
    """Return the arguments with `serve` put in where no subcommand is named."""
    names = {name for name, _, _, _ in SUBCOMMANDS}
    first = arguments[0] if arguments else "--help"
    return arguments if first in names or first in ("-h", "--help") else ["serve", *arguments]


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    chosen: Callable[[argparse.Namespace], int] = args.run_subcommand
    return chosen(args)


def _declare_new(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="a new folder")
    parser.add_argument("--name", required=True, help="name of the key, such as state-a.example/w1")
    parser.add_argument(
        "--algorithm", choices=("ml-dsa-44", "ed25519"), default="ml-dsa-44", help="of the key"
    )


def _new(args: argparse.Namespace) -> int:
    """Make a witness's folder with a new key, and print the key's public half."""
    from casemate.translog import keep

    key = keep.create(args.folder, args.name, args.algorithm)
    print(json.dumps({"vkey": key.vkey()}) if args.json else key.vkey())
    return 0


def _declare_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the witness's folder")
    parser.add_argument(
        "--listen", default=f"127.0.0.1:{PORT}", metavar="HOST:PORT", help="port 0: any free one"
    )


def _serve(args: argparse.Namespace) -> int:
    """Answer requests to cosign, until interrupted (C2SP tlog-witness)."""
    from casemate.translog import keep
    from casemate.translog.serve import WitnessServer

    address = _address(args.listen)
    witness = keep.load(args.folder)
    try:
        server = WitnessServer(address, witness)
        _ended_by_signals(server)
    except OSError as error:
        witness.close()
        raise InputError(
            f"it cannot listen: {error.strerror}.",
            remedy="choose another --listen.",
            key="--listen",
            value=args.listen,
        ) from None
    host, port = server.server_address[:2]
    url = f"http://{host if isinstance(host, str) else host.decode()}:{port}"
    keys = [key.vkey() for key in witness.keys]
    if args.json:
        print(json.dumps({"url": url, "keys": keys}), flush=True)
    else:
        print(f"witness {witness.keys[0].name} answers at {url}", file=sys.stderr, flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()
        witness.close()
    return 0


def _ended_by_signals(server: WitnessServer) -> None:
    """Have the server end at SIGINT or SIGTERM, wherever they come.

    An exception that a signal raises is lost if it comes amid what ignores exceptions.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)


def _declare_fsck(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of a log")
    parser.add_argument("--origin", help="its name; default: that of its bundle.json")
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY", help="must have signed"
    )


def _fsck(args: argparse.Namespace) -> int:
    """Check every entry, hash and checkpoint of a log from its files; nothing is changed."""
    from casemate.translog import bundle, fsck, note
    from casemate.translog.disk import FolderDisk

    origin = args.origin or bundle.read_manifest(args.folder)["origin"]
    keys = tuple(note.parse_vkey(each) for each in args.key)
    found = fsck.fsck(FolderDisk(args.folder), origin, keys)
    row = {
        "good": True,
        "origin": origin,
        "size": found.size,
        "root": found.root.hex(),
        "pending": found.pending_entries,
        "witnessed": found.witnessed,
        "torn": list(found.torn_files),
    }
    if args.json:
        print(json.dumps(row))
    else:
        print(
            f"{origin}: {found.size} entries agree with root {found.root.hex()}; "
            f"{found.pending_entries} pending, {found.witnessed} witnessed checkpoints, "
            f"{len(found.torn_files)} torn tails sealed"
        )
    return 0


def _declare_guilt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="a file of a witness's guilt/")
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="of the log, from its reference",
    )


def _guilt(args: argparse.Namespace) -> int:
    """Check a proof that a log has signed two stories; exit code 1 if it has."""
    from casemate.translog import guilt, note

    try:
        data = args.file.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.", remedy="name a proof.", file=str(args.file)
        ) from None
    shown = guilt.verify(guilt.parse(data), [note.parse_vkey(each) for each in args.key])
    if args.json:
        print(json.dumps({"guilty": True, "statement": shown.statement}, ensure_ascii=False))
    else:
        print(shown.statement)
    return 1


SUBCOMMANDS = (
    ("serve", _declare_serve, _serve, "answer requests to cosign"),
    ("new", _declare_new, _new, "make a witness's folder and key"),
    ("fsck", _declare_fsck, _fsck, "check the files of a log"),
    ("guilt", _declare_guilt, _guilt, "check a proof that a log has signed two stories"),
)
"""Name, declaration of arguments, action, help."""


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise InputError(
            "this is no address.", remedy="write HOST:PORT.", key="--listen", value=text
        )
    return host.strip("[]"), int(port)
