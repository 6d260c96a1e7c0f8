"""Subcommands of `casemate fleet` for monitoring: who may scrape, and how outlets fare."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.cli import fleet_devices

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from casemate.fleet.access.certificates import Made
    from casemate.fleet.service.home import Home


def declare_scraper(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `scraper`."""
    fleet_devices.declare(parser, what="monitoring", out="let it read no more")


def scraper(args: argparse.Namespace) -> int:
    """Let monitoring read metrics by a certificate, which lets it do nothing else."""
    return fleet_devices.enter_or_remove(args, _SCRAPER)


def declare_outlets(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `outlets`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")


def outlets(args: argparse.Namespace) -> int:
    """Check the settings of outlets, and say what waits for each. Exit code 1 if something does."""
    from casemate.fleet.alarms import outbox
    from casemate.fleet.alarms.notice import spoken
    from casemate.fleet.clockface import clock
    from casemate.fleet.outlets import settings
    from casemate.fleet.service import home

    place = home.read(args.folder)
    held = settings.read(place.outlets, place.folder, place.folder / home.SETTINGS)
    store = place.opened()
    rows: list[dict[str, Any]] = []
    try:
        with store.read() as link:
            for each in held:
                count, since_s = outbox.waiting(link, each.name)
                row: dict[str, Any] = {
                    "name": each.name, "kind": settings.kind_of(each), "waiting": count,
                    "since": clock(since_s),
                }  # fmt: skip
                if isinstance(each, settings.Snmp):
                    from casemate.fleet.outlets.snmp import engine_id

                    row["engine"] = engine_id(spoken(place.name, 0, "service"), each.name).hex()
                rows.append(row)
    finally:
        store.close()
    lines = [f"{each['name']} ({each['kind']}): {each['waiting']} wait" for each in rows]
    text = "\n".join(lines) or "no outlet: nobody outside hears of alarms"
    print(json.dumps(rows) if args.json else text, flush=True)
    return 1 if any(each["waiting"] for each in rows) else 0


def _made(args: argparse.Namespace, place: Home) -> Made:
    from casemate.fleet.access import certificates

    return certificates.issue(place.tls, f"monitoring {args.name}")


def _let(link: Connection, args: argparse.Namespace, made: Made, now_s: int) -> None:
    from casemate.fleet.outlets import scrapers

    scrapers.let(link, made.fingerprint, args.name, now_s)


def _removed(link: Connection, name: str) -> dict[str, Any]:
    from casemate.fleet.outlets import scrapers

    return {"removed": scrapers.remove(link, name)}


def _handed_over(args: argparse.Namespace, place: Home, made: Made) -> tuple[dict[str, Any], str]:
    from casemate.fleet.service.identity import write_identity

    write_identity(place, args.identity, made)
    return {"identity": str(args.identity)}, f"give {args.identity} to {args.name}"


_SCRAPER = fleet_devices.Device(
    make=_made, let=_let, hand=_handed_over, remove=_removed,
    noted_in=lambda _: "let monitoring read metrics",
    noted_out="let monitoring read no more", gone="reads no more",
)  # fmt: skip
SUBCOMMANDS = (
    ("scraper", declare_scraper, scraper, "let monitoring read metrics"),
    ("outlets", declare_outlets, outlets, "check outlets, and say what waits for them"),
)
"""Name, declaration of arguments, action, help."""
