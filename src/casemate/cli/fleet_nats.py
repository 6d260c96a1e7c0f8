"""`casemate fleet broker`: the files of a NATS broker that carries evidence."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the service's folder")
    parser.add_argument("out", metavar="OUT", type=Path, help="the broker's folder; it holds a key")
    parser.add_argument("--name", required=True, metavar="HOST", help="by which it is reached")
    parser.add_argument("--port", type=int, default=4222)


def act(args: argparse.Namespace) -> int:
    """Write what nats-server needs; run it again after each `fleet add`."""
    from casemate.fleet.service import broker_files, home

    made = broker_files.write(home.read(args.folder), args.out, args.name, port=args.port)
    row = {
        "host": args.name, "port": args.port, "ca": "nats/ca.pem",
        "certificate": "nats/certificate.pem", "key": "nats/key.pem",
    }  # fmt: skip
    if args.json:
        print(json.dumps({"nats": row, **asdict(made)}))
        return 0
    print(f"wrote {args.out / broker_files.CONFIG}, {made.users} names")
    for each in made.left_out:
        print(f"left out: serial {each} cannot be a name at the broker")
    print(f'put into {args.folder / home.SETTINGS}: "nats": {json.dumps(row)}')
    return 0


SUBCOMMANDS = (("broker", declare, act, "write the files of a NATS broker for evidence"),)
"""Name, declaration of arguments, action, help."""
