"""Commands of the fleet for machines that read by Redfish: accounts, and where events may go."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path


def _declare_account(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("name")
    parser.add_argument(
        "--role", default="ReadOnly", help="ReadOnly, Operator or Administrator; of Redfish alone"
    )
    parser.add_argument("--party", required=True, help="whose side it reads for")
    parser.add_argument("--remove", action="store_true", help="remove it instead")


def _account(args: argparse.Namespace) -> int:
    """Enter an account of a machine that reads by Redfish, and print its password."""
    from casemate.core.errors import InputError
    from casemate.fleet.redfish import accounts
    from casemate.fleet.service import errands, home

    store, now_s, password = home.read(args.folder).opened(), int(time.time()), ""
    try:
        with store.write() as link:
            if args.remove:
                found = accounts.by_name(link, args.name)
                if found is None:
                    raise InputError("there is no such account.", remedy="see which there are.")
                accounts.remove(link, found.id)
                errands.note(link, "remove an account of Redfish", args.name, now_s)
            else:
                password = accounts.add_here(link, args.name, args.role, args.party)
                told = f"enter an account of Redfish as {args.role} of {args.party}"
                errands.note(link, told, args.name, now_s)
    finally:
        store.close()
    row = {"name": args.name, "password": password} if password else {"name": args.name}
    print(json.dumps(row) if args.json else password or f"removed {args.name}", flush=True)
    return 0


def _declare_receivers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("--allow", metavar="NET", help="such as 10.20.0.0/16")
    parser.add_argument("--forbid", metavar="NET", help="a network that is allowed by now")


def _receivers(args: argparse.Namespace) -> int:
    """Say to which networks Redfish events may be sent: to none, until one is allowed."""
    from casemate.fleet.redfish import destinations
    from casemate.fleet.service import errands, home

    store, now_s = home.read(args.folder).opened(), int(time.time())
    try:
        with store.write() as link:
            if args.allow:
                shown = destinations.allow(link, args.allow)
                errands.note(link, "allow events to a network", shown, now_s)
            if args.forbid:
                destinations.forbid(link, args.forbid)
                errands.note(link, "forbid events to a network", args.forbid, now_s)
            found = [str(each) for each in destinations.networks(link)]
    finally:
        store.close()
    text = "\n".join(found) or "events may be sent nowhere"
    print(json.dumps({"networks": found}) if args.json else text, flush=True)
    return 0


SUBCOMMANDS = (
    ("account", _declare_account, _account, "enter an account of a machine that reads by Redfish"),
    ("receivers", _declare_receivers, _receivers, "say where Redfish events may be sent"),
)
"""Name, declaration of arguments, action, help."""
