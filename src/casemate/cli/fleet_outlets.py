"""Subcommands of `casemate fleet` for monitoring: who may scrape, and how outlets fare."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any


def declare_scraper(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `scraper`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("name", help="what the monitoring is called")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument(
        "--identity", type=Path, metavar="OUT", help="new folder: its certificate and key"
    )
    chosen.add_argument("--remove", action="store_true", help="let it read no more")


def scraper(args: argparse.Namespace) -> int:
    """Let monitoring read metrics by a certificate, which lets it do nothing else."""
    from casemate.core.errors import InputError
    from casemate.fleet import certificates, errands, home
    from casemate.fleet.identity import write_identity
    from casemate.fleet.outlets import scrapers

    place, now_s = home.read(args.folder), int(time.time())
    if args.identity is not None and args.identity.exists():
        raise InputError("it is there already.", remedy="name a new folder.", key="--identity")
    store = place.opened()
    try:
        with store.write() as link:
            if args.remove:
                count = scrapers.remove(link, args.name)
                errands.note(link, "let monitoring read no more", args.name, now_s)
                row: dict[str, Any] = {"removed": count}
                text = f"{args.name} reads no more"
            else:
                issued = certificates.issue(place.tls, f"monitoring {args.name}")
                scrapers.let(link, issued.fingerprint, args.name, now_s)
                errands.note(link, "let monitoring read metrics", args.name, now_s)
                write_identity(place, args.identity, issued)
                row = {"fingerprint": issued.fingerprint, "identity": str(args.identity)}
                text = f"give {args.identity} to {args.name}"
    finally:
        store.close()
    print(json.dumps(row) if args.json else text, flush=True)
    return 0


def declare_outlets(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `outlets`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")


def outlets(args: argparse.Namespace) -> int:
    """Check the settings of outlets, and say what waits for each. Exit code 1 if something does."""
    from casemate.fleet import home
    from casemate.fleet.clockface import clock
    from casemate.fleet.outlets import outbox, settings
    from casemate.fleet.outlets.notice import spoken

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


SUBCOMMANDS = (
    ("scraper", declare_scraper, scraper, "let monitoring read metrics"),
    ("outlets", declare_outlets, outlets, "check outlets, and say what waits for them"),
)
"""Name, declaration of arguments, action, help."""
