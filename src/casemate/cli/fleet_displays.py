"""Subcommands of `casemate fleet` for displays on walls: who is one, and who is one no more."""

from __future__ import annotations

import argparse
import json
import secrets
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casemate.fleet.certificates import Made
    from casemate.fleet.home import Home

PKCS12 = "display.p12"


def declare_display(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `display`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("name", help="what the display is called")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--identity", type=Path, metavar="OUT", help="new folder: its certificate and key"
    )
    chosen.add_argument(
        "--request", type=Path, metavar="CSR",
        help="PEM: the device keeps its key; the certificate is printed",
    )  # fmt: skip
    chosen.add_argument("--remove", action="store_true", help="let it in no more, at once")
    parser.add_argument(
        "--from", dest="network", default="", metavar="NETWORK", help="address it comes from alone"
    )


def display(args: argparse.Namespace) -> int:
    """Let a display on a wall show how the fleet stands, by a certificate; it can do nothing."""
    from casemate.core.errors import InputError
    from casemate.fleet import certificates, displays, errands, home

    place, now_s = home.read(args.folder), int(time.time())
    if args.identity is not None and args.identity.exists():
        raise InputError("it is there already.", remedy="name a new folder.", key="--identity")
    store = place.opened()
    row: dict[str, Any] = {"name": args.name}
    try:
        with store.write() as link:
            if args.remove:
                displays.remove(link, args.name)
                errands.note(link, "let a display in no more", args.name, now_s)
                text = f"{args.name} is let in no more"
            else:
                made = _made(args, place)
                displays.let(
                    link, made.fingerprint, args.name, network=args.network, now_s=now_s,
                    expires_s=now_s + 86_400 * certificates.DAYS,
                )  # fmt: skip
                what = "let a display in" + (f" from {args.network}" if args.network else "")
                errands.note(link, what, args.name, now_s)
                row["fingerprint"] = made.fingerprint
                text = _handed_over(args, place, made, row)
    finally:
        store.close()
    print(json.dumps(row) if args.json else text, flush=True)
    return 0


def declare_displays(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `displays`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")


def displays(args: argparse.Namespace) -> int:
    """List the displays that are let in, and until when."""
    from casemate.fleet import displays as held
    from casemate.fleet import home
    from casemate.fleet.clockface import clock

    store = home.read(args.folder).opened()
    try:
        with store.read() as link:
            rows = held.all_(link)
    finally:
        store.close()
    lines = [
        f"{each.name}: until {clock(each.expires_s)}, from {each.network or 'anywhere'}"
        for each in rows
    ]
    text = "\n".join(lines) or "no display is let in"
    print(json.dumps([asdict(each) for each in rows]) if args.json else text, flush=True)
    return 0


def _made(args: argparse.Namespace, place: Home) -> Made:
    from casemate.core.errors import InputError
    from casemate.fleet import certificates, displays

    issuer, name = certificates.Issuer(place.tls), displays.common_name(args.name)
    if args.request is None:
        return issuer.issue(name)
    try:
        data = args.request.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.", remedy="name a request in PEM.",
            file=str(args.request),
        ) from None  # fmt: skip
    return issuer.certify(name, displays.requested_key(data))


def _handed_over(args: argparse.Namespace, place: Home, made: Made, row: dict[str, Any]) -> str:
    """Write what the device gets, and return what is printed of it."""
    from casemate.core.secret_file import make_once
    from casemate.fleet import certificates
    from casemate.fleet.identity import write_identity

    if args.identity is None:
        row["certificate"] = made.certificate.decode()
        return made.certificate.decode().rstrip()
    password = secrets.token_urlsafe(12)
    write_identity(place, args.identity, made)
    bundle = certificates.bundle(made, args.name, password.encode())
    make_once(args.identity / PKCS12, bundle)
    row |= {"identity": str(args.identity), "password": password}
    return (
        f"give {args.identity} to {args.name}, and keep no copy\n"
        f"its browser imports {PKCS12} with the password {password}, and opens /wall"
    )


SUBCOMMANDS = (
    ("display", declare_display, display, "let a display on a wall in"),
    ("displays", declare_displays, displays, "list the displays that are let in"),
)
"""Name, declaration of arguments, action, help."""
