"""Check one frame, trace or snapshot alone, or several as a chain: with proofs and references."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.control.adapters.payload import Vouched


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("items", metavar="FILE", type=Path, nargs="+",
                        help="its proof is FILE.proof.json; several are a chain")  # fmt: skip
    parser.add_argument("--trust", metavar="DIR", type=Path, required=True,
                        help="folder with your reference.json")  # fmt: skip
    parser.add_argument("--c2pa", metavar="PEM", type=Path,
                        help="read proofs from C2PA manifests; trust these issuers")  # fmt: skip
    parser.add_argument("--serial", default="UNIT-0001", help="of the enclosure that signed")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Check; exit code 1 if an item is not the one that was signed, or a chain is broken."""
    from casemate.attest.reference import load
    from casemate.control.adapters.contents import Contents
    from casemate.control.adapters.payload import vouched
    from casemate.core.canonical import pretty_json

    path = args.trust / "reference.json"
    reference = load(_read(path), file=str(path))
    contents, rows = Contents(), []
    for each in args.items:
        data, shown = _shown(each, args.c2pa)
        found = vouched(data, shown, reference, args.serial)
        rows.append(_row(each, found) | contents.take(data, found))
        if not args.json:
            print(_sentence(rows[-1]))
    broken, notes = contents.end()
    if args.json:
        alone = {} if len(rows) > 1 else rows[0]
        sys.stdout.write(pretty_json(alone | {"items": rows, "broken": broken, "notes": notes}))
    else:
        print("\n".join([*(f"BROKEN {each}" for each in broken), *notes]), end="\n" * bool(
            broken or notes))  # fmt: skip
    return 1 if broken else 0


def _shown(path: Path, issuers: Path | None) -> tuple[bytes, bytes]:
    """Return an item and its proof: from the file beside it, or from its manifest."""
    from casemate.control.adapters.payload import PROOF

    if issuers is None:
        return _read(path), _read(path.with_name(path.name + PROOF))
    from casemate.control.adapters import c2pa_manifest, manifests

    manifests.refuse()
    data = _read(path)
    proof = c2pa_manifest.read(data, _read(issuers).decode("ascii", errors="replace"))
    return c2pa_manifest.original(data), json.dumps(proof).encode()


def _row(path: Path, found: Vouched) -> dict[str, Any]:
    token = found.token
    return {
        "item": str(path), "enclosure": token.enclosure, "serial": token.serial,
        "stream": found.stream, "number": found.number,
        "token": token.sequence, "state": token.state, "time": token.time_s,
        "unwatched": list(found.unwatched),
    }  # fmt: skip


def _sentence(row: dict[str, Any]) -> str:
    holds = f"; {row['holds']}" if "holds" in row else ""
    part = f", not watched: {', '.join(row['unwatched'])}" if row["unwatched"] else ""
    return (
        f"{row['item']} is as {row['enclosure']} ({row['serial']}) signed it in state "
        f"{row['state']}{part}, number {row['number']} of {row['stream']}, token "
        f"{row['token']}{holds}; whether that was before an alarm, `casemate verify` says"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"this cannot be read: {error.strerror}.", remedy="name a file that is there.",
            file=str(path),
        ) from None  # fmt: skip
