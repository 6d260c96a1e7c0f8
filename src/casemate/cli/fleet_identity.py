"""The command of the fleet for certificates of controllers: a new one, and an end of those before.

A certificate lives 397 days, and can be stolen. Whoever has it brings no evidence that the
enclosure has not signed, but readings that nobody signs, and can crowd the true controller out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet identity`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("enclosure", metavar="ID", type=int, help="number of the enclosure")
    parser.add_argument(
        "out", metavar="OUT", type=Path, nargs="?", help="new folder for its controller"
    )
    parser.add_argument(
        "--beside", action="store_true", help="let certificates from before in, too, until you "
        "call this again without it",
    )  # fmt: skip


def act(args: argparse.Namespace) -> int:
    """Make an enclosure's controller a new certificate; those before are let in no more.

    Without OUT none is made: its controller is let in no more.
    """
    from casemate.core.errors import InputError
    from casemate.fleet.access import certificates
    from casemate.fleet.appraisal import evidence
    from casemate.fleet.service import errands, home
    from casemate.fleet.service.identity import write_identity

    if args.out is None and args.beside:
        raise InputError("nothing would be done.", remedy="name OUT.", key="--beside")
    if args.out is not None and args.out.exists():
        raise InputError("it is there already.", remedy="name a new folder.", key="OUT")
    place, now_s = home.read(args.folder), int(time.time())
    row: dict[str, object] = {"id": args.enclosure, "ended": 0}
    store = place.opened()
    try:
        with store.write() as link:
            serial = evidence.enclosure(link, args.enclosure).serial
            if not args.beside:
                row["ended"] = evidence.let_none(link, args.enclosure)
            told = f"let {row['ended']} certificates of a controller in no more"
            if args.out is not None:
                made = certificates.issue(place.tls, serial)
                evidence.let(link, args.enclosure, made.fingerprint, now_s)
                row |= {"fingerprint": made.fingerprint, "identity": str(args.out)}
                told += ", make one"
            errands.note(link, told, str(args.enclosure), now_s)
            if args.out is not None:
                write_identity(place, args.out, made)
    finally:
        store.close()
    text = f"{row['ended']} certificates of enclosure {args.enclosure} are let in no more"
    if args.out is not None:
        text += f"; give {args.out} to its controller, and keep no copy"
    print(json.dumps(row) if args.json else text, flush=True)
    return 0


SUBCOMMANDS = (
    ("identity", declare, act, "make a controller a new certificate, and end those before"),
)
"""Name, declaration of arguments, action, help."""
