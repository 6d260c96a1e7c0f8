"""`casemate fleet paper`: hand a design or a security case of an enclosure to the service."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from casemate.core.errors import InputError


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("enclosure", metavar="ID", type=int, help="number of the enclosure")
    parser.add_argument("kind", choices=("design", "case"))
    parser.add_argument("file", metavar="FILE", type=Path, help="design.json or case.json")


def act(args: argparse.Namespace) -> int:
    """Enter the design or the security case that your party holds of an enclosure."""
    from casemate.fleet.appraisal import evidence
    from casemate.fleet.permits import papers
    from casemate.fleet.service import errands, home

    data, now_s = read(args.file), int(time.time())
    store = home.read(args.folder).opened()
    try:
        with store.write() as link:
            known = evidence.enclosure(link, args.enclosure)
            papers.put(link, known.id, args.kind, data, now_s)
            errands.note(link, f"enter a {args.kind}", str(known.id), now_s)
    finally:
        store.close()
    row = {"enclosure": args.enclosure, "kind": args.kind, "bytes": len(data)}
    print(json.dumps(row) if args.json else f"{args.kind} of enclosure {args.enclosure} entered")
    return 0


def read(path: Path) -> bytes:
    """Return a paper's bytes; InputError if the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.", remedy="name another file.", file=str(path)
        ) from None
