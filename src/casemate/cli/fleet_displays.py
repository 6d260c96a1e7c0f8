"""Subcommands of `casemate fleet` for displays on walls: who is one, and who is one no more."""

from __future__ import annotations

import argparse
import json
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.cli import fleet_devices

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from casemate.fleet.access.certificates import Made
    from casemate.fleet.service.home import Home

PKCS12 = "display.p12"


def declare_display(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `display`."""
    chosen = fleet_devices.declare(parser, what="display", out="let it in no more, at once")
    chosen.add_argument(
        "--request", type=Path, metavar="CSR",
        help="PEM: the device keeps its key; the certificate is printed",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="network", default="", metavar="NETWORK", help="address it comes from alone"
    )


def display(args: argparse.Namespace) -> int:
    """Let a display on a wall show how the fleet stands, by a certificate; it can do nothing."""
    return fleet_devices.enter_or_remove(args, _DISPLAY)


def declare_displays(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `displays`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")


def displays(args: argparse.Namespace) -> int:
    """List the displays that are let in, and until when."""
    from casemate.fleet.access import displays as held
    from casemate.fleet.clockface import clock
    from casemate.fleet.service import home

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
    from casemate.fleet.access import certificates, displays

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


def _let(link: Connection, args: argparse.Namespace, made: Made, now_s: int) -> None:
    from casemate.fleet.access import certificates, displays

    displays.let(
        link, made.fingerprint, args.name, network=args.network, now_s=now_s,
        expires_s=now_s + 86_400 * certificates.DAYS,
    )  # fmt: skip


def _removed(link: Connection, name: str) -> dict[str, Any]:
    from casemate.fleet.access import displays

    displays.remove(link, name)
    return {"name": name}


def _handed_over(args: argparse.Namespace, place: Home, made: Made) -> tuple[dict[str, Any], str]:
    """Write what the device gets, and return what is told of it."""
    from casemate.core.secret_file import make_once
    from casemate.fleet.access import certificates
    from casemate.fleet.service.identity import write_identity

    if args.identity is None:
        row = {"name": args.name, "certificate": made.certificate.decode()}
        return row, made.certificate.decode().rstrip()
    password = secrets.token_urlsafe(12)
    write_identity(place, args.identity, made)
    bundle = certificates.bundle(made, args.name, password.encode())
    make_once(args.identity / PKCS12, bundle)
    return {"name": args.name, "identity": str(args.identity), "password": password}, (
        f"give {args.identity} to {args.name}, and keep no copy\n"
        f"its browser imports {PKCS12} with the password {password}, and opens /wall"
    )


def _noted(args: argparse.Namespace) -> str:
    return "let a display in" + (f" from {args.network}" if args.network else "")


_DISPLAY = fleet_devices.Device(
    make=_made, let=_let, hand=_handed_over, remove=_removed, noted_in=_noted,
    noted_out="let a display in no more", gone="is let in no more",
)  # fmt: skip
SUBCOMMANDS = (
    ("display", declare_display, display, "let a display on a wall in"),
    ("displays", declare_displays, displays, "list the displays that are let in"),
)
"""Name, declaration of arguments, action, help."""
