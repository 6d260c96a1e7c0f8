"""Permits at the enclosure that runs: use one, sign what a module reads, end the work, get in.

`swap` is the technician's hand on a twin. All of it goes over sockets of this machine.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from casemate.core.errors import FormatError, InputError

WAIT_S = 150.0
"""For the log, witnesses and checks of the enclosure (planning value)."""


def configure(children: Any) -> None:
    """Declare the subcommands."""
    use = children.add_parser("use", help="show a permit to the enclosure, and begin the work")
    use.add_argument("place", metavar="DIR", type=Path, help="of the enclosure that runs")
    use.add_argument("permit", metavar="PERMIT", type=Path)
    use.add_argument("--token", default="", help="the technician's, once: the work begins")
    swap = children.add_parser("swap", help="put another module into a twin that runs")
    swap.add_argument("place", metavar="DIR", type=Path, help="of the enclosure that runs")
    swap.add_argument("module", metavar="MODULE")
    swap.add_argument("--alien", action="store_true", help="one whose key nobody knows")
    anew = children.add_parser("re-anchor", help="sign what a module reads that was put in")
    anew.add_argument("place", metavar="DIR", type=Path, help="of the enclosure that runs")
    anew.add_argument("--key", required=True, action="append", type=Path, metavar="FILE",
                      help="of both parties")  # fmt: skip
    urgent = children.add_parser("emergency", help="open all faces at once; a gap is declared")
    urgent.add_argument("place", metavar="DIR", type=Path, help="of the enclosure that runs")
    urgent.add_argument("--cause", required=True, help="fire, leak: one line")
    for child, run_child in ((use, _use), (swap, _swap), (anew, _anew), (urgent, _emergency)):
        child.add_argument("--json", action="store_true", help="print JSON")
        child.set_defaults(run_subcommand=run_child)


def _use(args: argparse.Namespace) -> int:
    data = _read(args.permit)
    question = {"permit": "use", "signed": _text(data), "token": args.token}
    return _tell(args, _asked(args.place, question))


def finish(args: argparse.Namespace, closing: bytes) -> int:
    """End the work under a permit whose end `closing` says, at the enclosure in `args.place`."""
    return _tell(args, _asked(args.place, {"permit": "finish", "closing": _text(closing)}))


def _emergency(args: argparse.Namespace) -> int:
    _tell(args, _asked(args.place, {"permit": "emergency", "cause": args.cause}))
    return 0


def _swap(args: argparse.Namespace) -> int:
    from casemate.cli.desks import DESK
    from casemate.core.local_socket import ask

    question = {"swap": args.module, "alien": args.alien}
    done = _whole(ask(args.place.resolve() / DESK, question, timeout_s=60.0))
    print(json.dumps(done) if args.json else "\n".join(done["done"]))
    return 0


def _anew(args: argparse.Namespace) -> int:
    from casemate.attest import approval
    from casemate.cli.permit_keys import load_all
    from casemate.control.anchor_file import anchors_of, digest_of
    from casemate.control.reanchor import moved
    from casemate.core.suites import ED25519
    from casemate.detect.anchor import CONTEXT

    folder = args.place.resolve()
    asked = _asked(folder, {"permit": "anchor"})
    data = _read(folder / "anchor" / "proposed.json")
    subject = digest_of(data)
    if subject.hex() != asked["subject"]:
        raise FormatError(
            "the file is not what the enclosure asks both parties to sign.", remedy="ask anew."
        )
    before = anchors_of(_read(folder / "anchor" / "anchors.json"))
    for each in moved(before, anchors_of(data), [row[0] for row in asked["moves"]]):
        line = (f"{each.modality}: {each.features} features move by {each.largest:.3%} at most, "
                f"{each.share:.0%} of what must be caught")  # fmt: skip
        print(line, file=sys.stderr)
    keys = [key for path in args.key for key in load_all(path, _read(path))]
    inventory = _inventory(folder, asked)
    said = approval.Statement(
        enclosure=asked["enclosure"], serial=asked["serial"], purpose="re-anchor",
        challenge=bytes.fromhex(asked["challenge"]), subject=subject,
    )  # fmt: skip
    print(f"re-anchor {said.enclosure}, serial {said.serial}", file=sys.stderr)
    document = approval.build(said, keys)
    signatures = {
        key.public.data.hex(): key.sign(CONTEXT + data).hex()
        for key in keys
        if key.public.alg == ED25519
    }
    question = {"permit": "re-anchor", "document": _text(document), "signatures": signatures}
    if inventory:
        also = approval.build(replace(said, subject=inventory), keys)
        question["inventory"] = _text(also)
    return _tell(args, _asked(folder, question))


def _inventory(folder: Path, asked: dict[str, Any]) -> bytes:
    """Say what differs in the inventory that both parties are to sign; return its digest, or b"".

    Worked out here, from the files.
    """
    if "inventory" not in asked:
        return b""
    from casemate.control.adapters import made_up_rack, rack, rack_parts
    from casemate.control.parts import PROPOSED, digest_of

    before = rack.load_reference(folder / "anchor" / "rack.json")
    after = rack.load_reference(folder / "anchor" / PROPOSED)
    reading = {name: value for name, value in after.items() if name != "format"}
    parts = [str(each) for each in asked["inventory"]["parts"]]
    data, rows = rack_parts.proposed(reading, before, parts, made_up_rack.within)
    if digest_of(data).hex() != asked["inventory"]["subject"]:
        raise FormatError(
            "the inventory is not what the enclosure asks both parties to sign.",
            remedy="ask anew.",
        )
    for id, path, what in rows:
        print(f"{id}: {path}: {what}", file=sys.stderr)
    return digest_of(data)


def _asked(folder: Path, question: dict[str, Any]) -> dict[str, Any]:
    from casemate.cli.desks import STATUS
    from casemate.core.local_socket import ask

    return _whole(ask(folder.resolve() / STATUS, question, timeout_s=WAIT_S))


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    if "error" in found:
        raise FormatError(str(found["error"]), remedy=str(found.get("remedy", "")))
    return found


def _tell(args: argparse.Namespace, found: dict[str, Any]) -> int:
    """Print how it stands; exit code 0 in ARMED or MAINTENANCE, 3 in UNKNOWN, 1 in TAMPERED."""
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        line = f"{found['state']}, verdict {found['verdict']}, keys {found['keys']}"
        if "permit" in found:
            line += f"; permit {found['permit'][:16]} {found['permit_phase']}"
            if found["permit_ends_in_s"] is not None:
                line += f", ends in {found['permit_ends_in_s']:.0f} s"
        print(line)
    return {"ARMED": 0, "MAINTENANCE": 0, "TAMPERED": 1}.get(str(found["state"]), 3)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"this cannot be read: {error.strerror}.", remedy="name another file.", file=str(path)
        ) from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
