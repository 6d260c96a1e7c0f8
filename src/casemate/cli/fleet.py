"""The service for many enclosures: evidence comes in, people see how it stands and decide.

`casemate fleet demo` shows all of it on this machine.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from casemate.cli import fleet_care as care
from casemate.cli import (
    fleet_displays,
    fleet_identity,
    fleet_nats,
    fleet_outlets,
    fleet_paper,
    fleet_redfish,
)
from casemate.core.errors import InputError
from casemate.core.progress import shown

if TYPE_CHECKING:
    from casemate.fleet.nats.send import NatsPusher

PORT = 7390
"""Default port (planning value: unassigned)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    children = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, declare, act, text in SUBCOMMANDS:
        child = children.add_parser(name, help=text, description=act.__doc__, allow_abbrev=False)
        declare(child)
        child.add_argument("--json", action="store_true", help="print JSON")
        child.set_defaults(run_subcommand=act)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    chosen: Callable[[argparse.Namespace], int] = args.run_subcommand
    _installed()
    return chosen(args)


def _installed() -> None:
    from importlib.util import find_spec

    needed = ("starlette", "uvicorn", "sqlalchemy", "alembic", "prometheus_client", "webauthn")
    lacking = [each for each in needed if not find_spec(each)]
    if lacking:
        raise InputError(
            f"{', '.join(lacking)} is not installed.", remedy="install the extra: casemate[fleet]."
        )


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")


def _declare_init(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--name", default="localhost", help="host name by which others reach it")
    parser.add_argument("--store", default="", metavar="URL", help="default: SQLite in DIR")
    parser.add_argument(
        "--no-passkeys", action="store_true", help="dispositions of alarms need none"
    )


def _init(args: argparse.Namespace) -> int:
    """Make the folder of a new service: settings, database, certificates."""
    from casemate.fleet.service import home

    made = home.make(args.folder, args.name, args.store, passkeys=not args.no_passkeys)
    _print(args, {"folder": str(made.folder), "store": made.store}, f"made {made.folder}")
    return 0


def _declare_add(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("trust", metavar="TRUST", type=Path, help="reference.json and policy")
    parser.add_argument("--serial", required=True)
    parser.add_argument("--kind", required=True, help="such as nvl72, camera, dpa")
    parser.add_argument("--site", required=True, help="where it stands")
    parser.add_argument(
        "--identity", type=Path, required=True, metavar="OUT",
        help="new folder: the certificate of its controller",
    )  # fmt: skip
    for kind in ("design", "case"):
        parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"its {kind}.json")


def _add(args: argparse.Namespace) -> int:
    """Enter an enclosure with your party's files of trust; make its controller a certificate."""
    from casemate.fleet.access import certificates
    from casemate.fleet.appraisal import evidence
    from casemate.fleet.permits import papers
    from casemate.fleet.service import errands, home
    from casemate.fleet.service.identity import write_identity

    place, now_s = home.read(args.folder), int(time.time())
    given = {kind: fleet_paper.read(file) for kind in ("design", "case")
             if (file := getattr(args, kind)) is not None}  # fmt: skip
    reference, policy = (_bytes(args.trust / each) for each in ("reference.json", "policy"))
    if args.identity.exists():
        raise InputError("it is there already.", remedy="name a new folder.", key="--identity")
    issued = certificates.issue(place.tls, args.serial)
    store = place.opened()
    try:
        with store.write() as link:
            number = evidence.add(
                link, reference=reference, policy=policy, serial=args.serial, kind=args.kind,
                site=args.site, now_s=now_s,
            )  # fmt: skip
            evidence.let(link, number, issued.fingerprint, now_s)
            for kind, data in given.items():
                papers.put(link, number, kind, data, now_s)
            errands.note(link, "enter an enclosure", str(number), now_s)
            write_identity(place, args.identity, issued)
    finally:
        store.close()
    row = {"id": number, "fingerprint": issued.fingerprint, "identity": str(args.identity)}
    _print(args, row, f"enclosure {number}; give {args.identity} to its controller")
    return 0


def _declare_person(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("name")
    parser.add_argument(
        "--role", required=True, help="host-operator, inspector, adjudicator, auditor"
    )
    parser.add_argument("--party", required=True, help="whose side the person is on")


def _person(args: argparse.Namespace) -> int:
    """Enter a person, and print a code that signs in once."""
    from casemate.fleet.access import people
    from casemate.fleet.service import errands, home

    now_s = int(time.time())
    store = home.read(args.folder).opened()
    try:
        with store.write() as link:
            people.add(link, args.name, args.role, args.party)
            code = people.new_code(link, args.name, now_s)
            errands.note(link, f"enter a person as {args.role} of {args.party}", args.name, now_s)
    finally:
        store.close()
    _print(args, {"name": args.name, "code": code}, code)
    return 0


def _declare_name(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("name")


def _code(args: argparse.Namespace) -> int:
    """Print a code that signs a person in once, within 15 minutes."""
    from casemate.fleet.access import people
    from casemate.fleet.service import errands, home

    now_s = int(time.time())
    store = home.read(args.folder).opened()
    try:
        with store.write() as link:
            code = people.new_code(link, args.name, now_s)
            errands.note(link, "make a code to sign in", args.name, now_s)
    finally:
        store.close()
    _print(args, {"name": args.name, "code": code}, code)
    return 0


def _remove(args: argparse.Namespace) -> int:
    """Let a person in no more; sessions end at once."""
    from casemate.fleet.access import people
    from casemate.fleet.service import errands, home

    store = home.read(args.folder).opened()
    try:
        with store.write() as link:
            people.remove(link, args.name)
            errands.note(link, "remove a person", args.name, int(time.time()))
    finally:
        store.close()
    _print(args, {"name": args.name}, f"{args.name} is let in no more")
    return 0


def _declare_serve(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    parser.add_argument("--listen", default=f"127.0.0.1:{PORT}", metavar="HOST:PORT")


def _serve(args: argparse.Namespace) -> int:
    """Answer people and controllers over TLS, until interrupted."""
    from casemate.fleet.redfish import delivery
    from casemate.fleet.redfish.app import RedfishApp
    from casemate.fleet.redfish.asked import Redfish
    from casemate.fleet.service import garbage, home, supervised
    from casemate.fleet.service.application import application
    from casemate.fleet.web.server import Server

    host, port = _address(args.listen)
    place = home.read(args.folder)
    with garbage.seldom() as collector, home.running(place) as service:
        redfish = RedfishApp(Redfish(service=service))
        server = Server(application(service, redfish=redfish), host, port, tls=place.tls)
        try:
            with delivery.running(redfish.redfish):
                _print(args, {"url": server.url}, f"the service answers at {server.url}")
                ended = _ending()
                supervised.tell(supervised.READY)
                while not ended.wait(1.0):
                    collector.look()
                    if service.lease is not None and service.lease.is_lost:
                        service.lease.keep()  # it says who has taken over
                supervised.tell(supervised.STOPPING)
        finally:
            server.close()
    return 0


def _declare_push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("evidence", metavar="EVIDENCE", type=Path, help="evidence of a run")
    parser.add_argument("--to", required=True, metavar="URL", help="https:// or a broker, tls://")
    parser.add_argument("--identity", required=True, type=Path, metavar="DIR")
    parser.add_argument("--every", type=float, default=2.0, metavar="S", help="0: once")


def _push(args: argparse.Namespace) -> int:
    """Bring an enclosure's evidence to a service as it grows, until interrupted."""
    from casemate.core.errors import CasemateError
    from casemate.fleet.intake.push import Pusher

    pusher: Pusher | NatsPusher
    if args.to.startswith("tls://"):
        from casemate.fleet.nats.send import NatsPusher

        pusher = NatsPusher(args.evidence, args.to, args.identity)
    else:
        pusher = Pusher(args.evidence, args.to, args.identity)
    ended, first = _ending(), not args.json
    while True:
        try:
            with shown("push", enabled=first) as work:  # all that there is; later rounds are short
                answer = pusher.once(work)
            first = False
        except CasemateError as error:
            if not args.every:
                raise
            print(f"casemate: {error}", file=sys.stderr, flush=True)
        else:
            row = {"status": answer.status, "next": answer.next_number, "state": answer.state}
            if not args.every or answer.status != 200:
                _print(args, {**row, "said": answer.said}, f"{answer.status} {answer.said}")
            if not args.every:
                return 0 if answer.status == 200 else 1
        if ended.wait(args.every):
            return 0


def _declare_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", type=Path, help="a new folder")
    parser.add_argument("--port", type=int, default=PORT, help="of the pages; 0: any free one")
    parser.add_argument("--for", dest="for_s", type=float, metavar="S", help="end after S seconds")
    parser.add_argument("--without-designs", action="store_true", help="enclosures are not drawn")


def _demo(args: argparse.Namespace) -> int:
    """Run eight simulated enclosures of three kinds, two witnesses and the service here."""
    from casemate.cli.fleet_readings import DemoReadings
    from casemate.fleet.demo import run as demo

    drawn = not args.without_designs
    if sys.stderr.isatty():
        print("eight enclosures are commissioned, then the address comes", file=sys.stderr)
    with demo.running(args.folder, port=args.port, designs=drawn, channels=DemoReadings) as shown:
        row = {"url": shown.url, "door": shown.door, "codes": shown.codes}
        lines = [f"open {shown.url}", "sign in as one of these, each code once, in 15 minutes:"]
        lines += [f"  {name:12} {code}" for name, code in shown.codes.items()]
        lines += [
            f"after that: casemate fleet code {args.folder} NAME",
            "at 30 s rack-c is cut off, at 40 s rack-b disturbed, at 60 s gate-west opened",
            "a permit that both parties have signed is carried out; their keys: "
            f"{args.folder / 'parties'}",
        ]
        _print(args, row, "\n".join(lines))
        _until_ended(args.for_s)
    return 0


def _until_ended(for_s: float | None) -> None:
    _ending().wait(for_s)


def _ending() -> threading.Event:
    """Return what is set at SIGINT or SIGTERM."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    return ended


def _print(args: argparse.Namespace, row: Mapping[str, object], text: str) -> None:
    print(json.dumps(row, ensure_ascii=False) if args.json else text, flush=True)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.",
            remedy="name a folder of trust.",
            file=str(path),
        ) from None


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise InputError(
            "this is no address.", remedy="write HOST:PORT.", key="--listen", value=text
        )
    return host.strip("[]"), int(port)


SUBCOMMANDS = (
    ("demo", _declare_demo, _demo, "eight simulated enclosures, witnesses and the service"),
    ("init", _declare_init, _init, "make the folder of a new service"),
    ("add", _declare_add, _add, "enter an enclosure"),
    *fleet_identity.SUBCOMMANDS,
    ("update", care.declare_update, care.update, "take reference values that both signed"),
    ("paper", fleet_paper.declare, fleet_paper.act, "hand over a design or a security case"),
    ("person", _declare_person, _person, "enter a person"),
    ("code", _declare_name, _code, "make a code to sign in with"),
    ("remove", _declare_name, _remove, "let a person in no more"),
    ("forget-passkeys", _declare_name, care.forget_passkeys, "let a person's passkeys in no more"),
    ("serve", _declare_serve, _serve, "answer people and controllers"),
    ("push", _declare_push, _push, "bring evidence to a service as it grows"),
    *fleet_redfish.SUBCOMMANDS,
    *fleet_outlets.SUBCOMMANDS,
    *fleet_displays.SUBCOMMANDS,
    *fleet_nats.SUBCOMMANDS,
    ("hammer", care.declare_hammer, care.hammer, "measure a service under load"),
    ("backup", care.declare_backup, care.backup, "write a backup, while it runs"),
    ("restore", care.declare_restore, care.restore, "make a service from a backup"),
    ("doctor", care.declare_doctor, care.doctor, "say what is wrong, and how to mend it"),
)
"""Name, declaration of arguments, action, help."""
