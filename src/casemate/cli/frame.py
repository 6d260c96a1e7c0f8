"""Check one frame, or one item of another stream, alone: with its proof and reference values."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from casemate.core.errors import InputError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("item", metavar="FILE", type=Path, help="its proof is FILE.proof.json")
    parser.add_argument("--trust", metavar="DIR", type=Path, required=True,
                        help="folder with your reference.json")  # fmt: skip
    parser.add_argument("--serial", default="UNIT-0001", help="of the enclosure that signed")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check; exit code 1 if the item is not the one that was signed."""
    from casemate.attest.reference import load
    from casemate.control.adapters.camera import PROOF
    from casemate.control.adapters.payload import check
    from casemate.core.canonical import pretty_json

    path = args.trust / "reference.json"
    reference = load(_read(path), file=str(path))
    beside = args.item.with_name(args.item.name + PROOF)
    found = check(_read(args.item), _read(beside), reference, args.serial)
    row = {
        "item": str(args.item), "enclosure": found.enclosure, "serial": found.serial,
        "token": found.sequence, "state": found.state, "time": found.time_s,
    }  # fmt: skip
    if args.json:
        sys.stdout.write(pretty_json(row))
    else:
        print(f"{args.item} is as {found.enclosure} ({found.serial}) signed it in state "
              f"{found.state}, token {found.sequence}; whether that was before an alarm, "
              "`casemate verify` says")  # fmt: skip
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"this cannot be read: {error.strerror}.", remedy="name a file that is there.",
            file=str(path),
        ) from None  # fmt: skip
