"""Permits as files: write a request, sign it, show it, close it; `permit_live` has the rest.

A request is the payload that parties sign; with the first signature it becomes a permit. Each
party signs on its own machine, with its own keys, in any order.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.cli import permit_live
from casemate.core.errors import CasemateError, FormatError, InputError

if TYPE_CHECKING:
    from casemate.attest.permit import Permit
    from casemate.cli.permit_keys import PemKey

SUITE_NAMES = ("ed25519+mldsa65", "cnsa2")
"""As in core.suites, whose import would cost --help its speed."""
MOST_BYTES = 1_000_000
"""Of a file that is read: a permit of 64 signatures has 300 kB."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    children = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    request = children.add_parser("request", help="write what parties are to sign")
    for name in ("--enclosure", "--serial"):
        request.add_argument(name, required=True)
    for name in ("face", "module", "action"):
        request.add_argument(f"--{name}", action="append", default=[], metavar=name.upper())
    request.add_argument("--from", dest="begins", required=True, metavar="TIME", help="ISO 8601")
    request.add_argument("--until", dest="ends", required=True, metavar="TIME", help="ISO 8601")
    request.add_argument("--checkpoint", required=True, type=Path, help="latest signed note")
    request.add_argument("--reason", default="", help="one line")
    sign = children.add_parser("sign", help="add the signatures of a party")
    show = children.add_parser("show", help="say what a permit allows and who signed it")
    show.add_argument("--reference", type=Path, help="reference values: check the signatures")
    show.add_argument(
        "--at", metavar="TIME", help="judge suites and window at that time instead of now"
    )
    close = children.add_parser("close", help="sign how a permit's use ended")
    close.add_argument("--outcome", required=True, choices=("done", "unused", "broken off"))
    close.add_argument("--suite", default=SUITE_NAMES[0], choices=SUITE_NAMES,
                       help="of the enclosure's tokens: its hash names the permit")  # fmt: skip
    close.add_argument("--note", default="", help="one line")
    close.add_argument("--at", metavar="DIR", type=Path, dest="place",
                       help="and end the work at the enclosure that runs there")  # fmt: skip
    permit_live.configure(children)
    for child in (sign, show, close):
        child.add_argument("permit", metavar="PERMIT", type=Path)
    for child in (sign, close):
        child.add_argument("--key", required=True, action="append", type=Path, metavar="PEM")
    for child in (request, sign, close):
        child.add_argument("-o", "--output", required=True, type=Path, metavar="FILE")
    for child in (request, sign, show, close):
        child.add_argument("--json", action="store_true", help="print JSON")
    for child, run_child in ((request, _request), (sign, _sign), (show, _show), (close, _close)):
        child.set_defaults(run_subcommand=run_child)


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    chosen: Callable[[argparse.Namespace], int] = args.run_subcommand
    return chosen(args)


def _request(args: argparse.Namespace) -> int:
    from casemate.attest import permit
    from casemate.control.permits import TOKEN_BYTES, token_hash, token_text

    token = secrets.token_bytes(TOKEN_BYTES)
    asked = permit.Permit(
        enclosure=args.enclosure,
        serial=args.serial,
        faces=tuple(args.face),
        modules=tuple(args.module),
        actions=tuple(args.action),
        not_before_s=_unix_s(args.begins, "--from"),
        not_after_s=_unix_s(args.ends, "--until"),
        checkpoint=_checkpoint(args.checkpoint),
        nonce=secrets.token_bytes(permit.NONCE_BYTES),
        technician=token_hash(token),
        reason=args.reason,
    )
    try:
        payload = permit.encode(asked)
    except FormatError as error:
        raise InputError(error.message, remedy="correct the arguments.") from None
    _write(args.output, payload)
    text = token_text(token)
    _tell(
        args,
        {"request": str(args.output), "token": text, **_facts(asked)},
        [f"{args.output}: to be signed by the parties", f"token for the technician, once: {text}"],
    )
    return 0


def _sign(args: argparse.Namespace) -> int:
    from casemate.attest import permit

    data, keys = _read(args.permit), _keys(args.key)
    signed = permit.add(data, keys) if _is_signed(data) else permit.build(_payload(data), keys)
    _write(args.output, signed)
    kids = [each.kid.hex() for each in permit.peek(signed)[0].signatures]
    _tell(args, {"permit": str(args.output), "signatures": kids},
          [f"{args.output}: {len(kids)} signatures"])  # fmt: skip
    return 0


def _show(args: argparse.Namespace) -> int:
    from casemate.attest import permit

    data = _read(args.permit)
    item, found = permit.peek(data) if _is_signed(data) else (None, _payload(data))
    kids = [each.kid.hex() for each in item.signatures] if item else []
    facts, lines, code = _facts(found), [], 0
    for name, value in facts.items():
        lines.append(f"{name:<11} {', '.join(value) if isinstance(value, list) else value}")
    facts["signatures"] = kids
    if args.reference is None:
        lines += [f"signature   {kid}, not checked" for kid in kids] or ["nobody has signed it"]
    else:
        code = _checked(args, data, found, facts, lines)
    _tell(args, facts, lines)
    return code


def _checked(
    args: argparse.Namespace, data: bytes, found: Permit, facts: dict[str, Any], lines: list[str]
) -> int:
    from casemate.attest import permit, reference

    file = args.reference
    known = reference.load(_read(file), file=str(file))
    now_s = _unix_s(args.at, "--at") if args.at else int(datetime.now(UTC).timestamp())
    try:
        known.unit(found.serial)
        _, parties = permit.check(
            data, known.parties, known.rules,
            enclosure=known.enclosure, serial=found.serial, now_s=now_s,
        )  # fmt: skip
    except CasemateError as error:
        facts["good"], facts["why"] = False, error.message
        lines.append(f"not enough: {error}")
        return 1
    facts["good"], facts["signed by"] = True, [f"{each.name} ({each.role})" for each in parties]
    lines.append(f"signed by   {', '.join(facts['signed by'])}: enough")
    over = now_s >= found.not_after_s
    facts["window"] = "over" if over else "open" if now_s >= found.not_before_s else "later"
    if facts["window"] != "open":
        lines.append(f"window      {'over: it opens nothing any more' if over else 'not begun'}")
    return int(over)


def _close(args: argparse.Namespace) -> int:
    from casemate.attest import permit
    from casemate.control.closing import Closing, build
    from casemate.core.suites import SUITES

    item, _ = permit.peek(_read(args.permit))
    digest = permit.identity(item.payload, SUITES[args.suite])
    made = build(Closing(permit=digest, outcome=args.outcome, note=args.note), _keys(args.key))
    _write(args.output, made)
    _tell(args, {"close": str(args.output), "permit": digest.hex(), "outcome": args.outcome},
          [f"{args.output}: permit {digest.hex()[:16]}, {args.outcome}"])  # fmt: skip
    return permit_live.finish(args, made) if args.place is not None else 0


def _facts(found: Permit) -> dict[str, Any]:
    return {
        "enclosure": found.enclosure,
        "serial": found.serial,
        "faces": list(found.faces),
        "modules": list(found.modules),
        "actions": list(found.actions),
        "from": _iso(found.not_before_s),
        "until": _iso(found.not_after_s),
        "checkpoint": f"{found.checkpoint.origin} {found.checkpoint.size}",
        "reason": found.reason,
    }


def _iso(unix_s: int) -> str:
    try:
        return datetime.fromtimestamp(unix_s, UTC).isoformat()
    except (OverflowError, ValueError, OSError):
        return f"Unix time {unix_s}"


def _unix_s(text: str, key: str) -> int:
    try:
        when = datetime.fromisoformat(text)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
        return int(when.timestamp())
    except (ValueError, OverflowError):
        raise InputError(
            "that is no time.", remedy="write 2026-11-28T13:00Z.", key=key, value=text
        ) from None


def _checkpoint(path: Path) -> Any:
    import base64
    import binascii

    from casemate.attest.token import CheckpointRef

    try:
        origin, size, root, *_ = _read(path).decode("utf-8").split("\n")
        if not size.isascii() or not size.isdigit() or len(size) > 19:
            raise ValueError
        digest = base64.b64decode(root, validate=True)
        return CheckpointRef(origin=origin, size=int(size), root=digest)
    except (ValueError, binascii.Error):
        raise InputError(
            "that is no checkpoint.", remedy="name evidence/checkpoint.", file=str(path)
        ) from None


def _is_signed(data: bytes) -> bool:
    from casemate.attest.cose import TAG

    return data.startswith(TAG)


def _payload(data: bytes) -> Permit:
    from casemate.attest import permit

    return permit.decode(data)


def _keys(paths: list[Path]) -> list[PemKey]:
    from casemate.cli.permit_keys import load_all

    return [key for path in paths for key in load_all(path, _read(path))]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        data = b""
    if not 0 < len(data) <= MOST_BYTES:
        raise InputError(
            "the file cannot be read, is empty or too large.",
            remedy="name another one.",
            file=str(path),
        )
    return data


def _write(path: Path, data: bytes) -> None:
    from casemate.core.whole_file import replaced_file

    with replaced_file(path) as beside:
        beside.write_bytes(data)


def _tell(args: argparse.Namespace, facts: dict[str, Any], lines: list[str]) -> None:
    text = json.dumps(facts, ensure_ascii=False) if args.json else "\n".join(lines)
    sys.stdout.write(text + "\n")
