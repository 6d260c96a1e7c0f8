"""Devices that show a certificate of the service: one way in, and one way out.

Monitoring that reads metrics and displays on walls are entered and removed alike; what each may do
is its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from casemate.fleet.access.certificates import Made
    from casemate.fleet.service.home import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kind of device.

    make: its certificate. let, remove: enter and remove it in the store; remove returns what JSON
    says of it. hand: writes what the device gets, and returns what JSON and people are told.
    noted_in, noted_out: what the audit log is told. gone: what people are told, after its name.
    """

    make: Callable[[argparse.Namespace, Home], Made]
    let: Callable[[Connection, argparse.Namespace, Made, int], None]
    hand: Callable[[argparse.Namespace, Home, Made], tuple[dict[str, Any], str]]
    remove: Callable[[Connection, str], dict[str, Any]]
    noted_in: Callable[[argparse.Namespace], str]
    noted_out: str
    gone: str


def declare(parser: argparse.ArgumentParser, *, what: str, out: str) -> Any:
    """Declare the arguments of a device; return the group to which more ways in may be added.

    what: it is called; out: what its removal does.
    """
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("name", help=f"what the {what} is called")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--identity", type=Path, metavar="OUT", help="new folder: its certificate and key"
    )
    chosen.add_argument("--remove", action="store_true", help=out)
    return chosen


def enter_or_remove(args: argparse.Namespace, device: Device) -> int:
    """Let a device in by a certificate, or in no more, and say what came of it."""
    from casemate.core.errors import InputError
    from casemate.fleet.service import errands, home

    place, now_s = home.read(args.folder), int(time.time())
    if args.identity is not None and args.identity.exists():
        raise InputError("it is there already.", remedy="name a new folder.", key="--identity")
    store = place.opened()
    try:
        with store.write() as link:
            if args.remove:
                row, text = device.remove(link, args.name), f"{args.name} {device.gone}"
                errands.note(link, device.noted_out, args.name, now_s)
            else:
                made = device.make(args, place)
                device.let(link, args, made, now_s)
                errands.note(link, device.noted_in(args), args.name, now_s)
                more, text = device.hand(args, place, made)
                row = {"fingerprint": made.fingerprint, **more}
    finally:
        store.close()
    print(json.dumps(row) if args.json else text, flush=True)
    return 0
