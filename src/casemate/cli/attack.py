"""Carry out a move on a running twin, and tell what the enclosure makes of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from casemate.core.errors import InputError

POLL_S = 0.1


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("dir", metavar="DIR", type=Path, help="of the enclosure that runs")
    parser.add_argument("move", metavar="MOVE", nargs="?",
                        help="a move, a named plan, power-cut or power-back")  # fmt: skip
    parser.add_argument("--moves", action="store_true", help="list moves and plans, and stop")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], dest="values",
        help="a parameter of the move, with its unit; may be repeated",
    )  # fmt: skip
    parser.add_argument("--tile", metavar="TILE", help="board to work on (default: drawn)")
    parser.add_argument("--at", metavar="X,Y", help="place on the board, '20 mm,30 mm'")
    parser.add_argument("--near", default="anywhere", help="where a place is drawn")
    parser.add_argument("--seed", type=int, metavar="N", help="of places that are drawn")
    parser.add_argument("--wait", type=float, default=20.0, metavar="S",
                        help="for an answer of the enclosure (default 20)")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Attack; exit code 0 once the move is under way, whatever the enclosure makes of it."""
    from casemate.cli import twin_attack
    from casemate.cli.desks import DESK, STATUS
    from casemate.core.canonical import pretty_json
    from casemate.core.local_socket import ask

    if args.moves:
        twin_attack.print_moves(as_json=args.json)
        return 0
    if args.move is None:
        raise InputError("the move is missing.", remedy="see --moves.", key="MOVE")
    folder = args.dir.resolve()
    before = _whole(ask(folder / STATUS, {}))
    question = {"attack": args.move, "values": args.values, "tile": args.tile, "at": args.at,
                "near": args.near}  # fmt: skip
    if args.seed is not None:
        question["seed"] = args.seed
    done = _whole(ask(folder / DESK, question, timeout_s=60.0))
    if not args.json:
        print("\n".join(done["done"]), flush=True)
    answer = _answer(folder / STATUS, before, args.wait)
    took_s = time.monotonic() - float(done["begins"])
    if args.json:
        sys.stdout.write(pretty_json({"done": done["done"], "enclosure": answer}))
    elif answer["state"] == before["state"] and answer["verdict"] == before["verdict"]:
        print(f"after {took_s:.1f} s the enclosure is still {answer['state']}, "
              f"{answer['verdict']}")  # fmt: skip
    else:
        where = f" at {answer['tile']}" if answer["tile"] else ""
        print(f"after {took_s:.1f} s: {answer['state']}, verdict {answer['verdict']}{where}, "
              f"keys {answer['keys']}")  # fmt: skip
    return 0


def _answer(status: Path, before: dict[str, Any], wait_s: float) -> dict[str, Any]:
    """Return the status when it has changed for good, or after `wait_s`."""
    from casemate.core.local_socket import ask

    until_s = time.monotonic() + wait_s
    while True:
        found = _whole(ask(status, {}))
        if found["state"] == "TAMPERED" != before["state"] or time.monotonic() >= until_s:
            return found
        time.sleep(POLL_S)


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    if "error" in found:
        raise InputError(str(found["error"]), remedy=str(found.get("remedy", "")))
    return found
