"""Subcommands of `casemate fleet` that measure a service and look after it."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from casemate.core.progress import shown


def declare_hammer(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet hammer`."""
    parser.add_argument("--enclosures", type=int, default=10_000, metavar="N")
    parser.add_argument(
        "--period", type=int, default=360, metavar="S", help="between tokens of an enclosure"
    )
    parser.add_argument("--for", dest="for_s", type=float, default=60.0, metavar="S")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="a new folder that stays; default: a passing one"
    )


def hammer(args: argparse.Namespace) -> int:
    """Run a service here under the load of many simulated enclosures, and print how it fares.

    Exit code 1 if it does not keep up, or refuses anything.
    """
    from casemate.fleet.hammer import loading
    from casemate.fleet.hammer import run as hammers
    from casemate.fleet.hammer.plan import Plan

    plan = Plan(enclosures=args.enclosures, period_s=args.period, for_s=args.for_s)

    with (
        tempfile.TemporaryDirectory(prefix="casemate-hammer-") as passing,
        shown("load", enabled=not args.json) as work,
    ):
        folder = args.folder or Path(passing) / "fleet"
        with loading.prepared(folder, plan, work) as load:
            found = hammers.run(load, work)
    row = found.as_json()
    if args.json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        print("\n".join(f"{name:22} {value}" for name, value in row.items()))
    return 0 if found.keeps_up else 1


def declare_backup(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet backup`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("out", metavar="OUT", type=Path, help="a new folder; it will hold keys")


def backup(args: argparse.Namespace) -> int:
    """Write a backup of a service, which may go on running."""
    from casemate.fleet.care import backup as backups
    from casemate.fleet.service import home

    with shown("backup", enabled=not args.json) as work:
        made = backups.backup(home.read(args.folder), args.out, work)
    told = (
        f"{args.out}: {made.enclosures} enclosures, {made.entries} entries; it holds keys\n"
        f"keep elsewhere, for restore --digest: {made.digest}"
    )
    print(json.dumps(asdict(made)) if args.json else told)
    return 0


def declare_restore(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet restore`."""
    parser.add_argument("backup", metavar="BACKUP", type=Path, help="a backup's folder")
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("--store", default="", metavar="URL", help="of a new service: its database")
    parser.add_argument(
        "--digest", default="", metavar="HEX", help="what `backup` told: only that one is restored"
    )
    parser.add_argument(
        "--replace", action="store_true", help="bring back the tables of a service that is there"
    )
    parser.add_argument(
        "--generation", type=int, default=0, metavar="N",
        help="of the audit log that begins; default: the next one",
    )  # fmt: skip


def restore(args: argparse.Namespace) -> int:
    """Make a service from a backup. None may run on that store; no audit log is set back."""
    from casemate.fleet.care import backup as backups

    with shown("restoration", enabled=not args.json) as work:
        found = backups.restore(
            args.backup, args.folder, store=args.store, replace=args.replace, digest=args.digest,
            generation=args.generation, work=work,
        )  # fmt: skip
    held, then = found.backup, found.succession
    lines = [
        f"{args.folder}: {held.enclosures} enclosures, {held.entries} entries; see fleet doctor"
    ]
    if then is not None:
        lines += [
            f"its audit log is {then.origin}, under a new key; it continues {then.before.size} "
            f"lines of {then.before.origin}",
            *(f"{name} {_seen(size)}" for name, size in then.seen.items()),
            "each witness has to know the new log, and no more the one before:",
            *(f"  log {key}" for key in then.keys),
        ]
        if then.lost > 0:
            lines.append(f"{then.lost} lines that witnesses have seen are not in the backup")
    row = {**asdict(held), "audit_log": then.as_json() if then is not None else None}
    print(json.dumps(row) if args.json else "\n".join(lines))
    return 0


def _seen(size: int | None) -> str:
    return "was not reached" if size is None else f"has seen {size} of them"


def declare_doctor(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet doctor`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("--deep", action="store_true", help="appraise all evidence anew, too")
    parser.add_argument(
        "--listen", default="", metavar="HOST:PORT", help="see that the service answers there"
    )


def doctor(args: argparse.Namespace) -> int:
    """Say what is wrong with a service, and how to mend it. Exit code 1 if anything is."""
    from casemate.fleet.care import doctor as doctors

    now_s = int(time.time())
    with shown("examination", enabled=not args.json) as work:
        found = doctors.examine(args.folder, now_s, deep=args.deep, listen=args.listen, work=work)
    if args.json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False))
    else:
        for each in found:
            print(f"{each.level:8}{each.id}: {each.what}")
            if each.remedy:
                print(f"        {each.remedy}")
    return 0 if all(each.level == "good" for each in found) else 1


def forget_passkeys(args: argparse.Namespace) -> int:
    """Forget all passkeys of a person, who then signs in with a code."""
    from casemate.fleet.access import passkeys
    from casemate.fleet.service import errands, home

    store = home.read(args.folder).opened()
    try:
        with store.write() as link:
            count = passkeys.forget(link, args.name)
            errands.note(link, f"forget {count} passkeys", args.name, int(time.time()))
    finally:
        store.close()
    row = {"name": args.name, "forgotten": count}
    print(json.dumps(row) if args.json else f"{count} passkeys of {args.name} are forgotten")
    return 0


def declare_update(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `casemate fleet update`."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("id", metavar="ID", type=int, help="number of the enclosure")
    parser.add_argument(
        "signed", metavar="SIGNED", type=Path, help="reference values, signed by both parties"
    )


def update(args: argparse.Namespace) -> int:
    """Put a new version of reference values in force; a service that runs appraises by it next."""
    from casemate.core.errors import InputError
    from casemate.fleet.appraisal import trust
    from casemate.fleet.service import errands, home

    try:
        data = args.signed.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.", remedy="name the file that both signed.",
            file=str(args.signed),
        ) from None  # fmt: skip
    store, now_s = home.read(args.folder).opened(), int(time.time())
    try:
        with store.write() as link:
            taken = trust.take(link, args.id, data, now_s)
            errands.note(link, f"take reference values {taken.version}", str(args.id), now_s)
    finally:
        store.close()
    told = f"version {taken.version} is in force, signed by {', '.join(taken.signed_by)}"
    print(json.dumps({"version": taken.version, "digest": taken.digest}) if args.json else told)
    return 0
