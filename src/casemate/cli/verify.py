"""Verify evidence offline: what happened, since when, and how far that is proven."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attest.reference import Reference
    from casemate.translog.bundle import Bundle
    from casemate.translog.policy import Policy

REFERENCES = ("reference.json", "reference.cbor")
POLICY = "policy"
"""Names of the files in a folder of trust."""
_MOST_BYTES = 16_000_000
_TRUST = (
    "Trust comes from you, not from the host: pass --trust DIR, a folder with reference.json (or "
    "reference.cbor), the reference values that both parties signed, and policy, the witnesses and "
    "the quorum that your side relies on."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the evidence folder")
    parser.add_argument(
        "--trust", metavar="DIR", type=Path, help="your reference values and policy"
    )
    parser.add_argument("--now", metavar="TIME", help="UTC as 2027-01-15T08:00:00Z, or Unix s")
    parser.add_argument(
        "--since",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a checkpoint that you kept, or a folder of evidence; may be repeated",
    )
    parser.add_argument("--stale", metavar="S", type=int, help="seconds that it may be silent")
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(args: argparse.Namespace) -> int:
    """Appraise; exit code 0 good, 1 a finding or an alarm, 3 unknown or stale."""
    from casemate.cli.verify_text import as_json, lines
    from casemate.cli.verify_trust import vouched
    from casemate.core.canonical import pretty_json
    from casemate.core.progress import shown
    from casemate.verify import appraise, ear

    now_s = _time(args.now) if args.now is not None else int(time.time())
    if args.stale is not None and args.stale < 0:
        raise InputError("--stale is negative.", remedy="give seconds.", key="--stale")
    with shown("verification", enabled=not args.json) as work:
        work.stage("reading the bundle", counted=False)
        bundle = _bundle(args.bundle)
        trust, travels = _folder(args.trust, args.bundle)
        (reference, data), policy = _reference(trust), _policy(trust)
        by = vouched(trust, reference, data, now_s, _read)
        work.stage("checking checkpoints", counted=False)
        result = appraise(
            bundle,
            reference,
            policy,
            now_s=now_s,
            since=[_checkpoint(each) for each in args.since],
            stale_s=args.stale,
            travels=travels,
            step=work.later(
                "appraising tokens", len(bundle.entries) + len(bundle.pending), "tokens"
            ),
        )
    if args.json:
        row = {**as_json(result), **by.as_json(), "ear": ear.claims(result)}
        sys.stdout.write(pretty_json(row))
    else:
        print("\n".join(lines(result, by.lines())))
    return result.exit_code


def _bundle(folder: Path) -> Bundle:
    from casemate.translog.bundle import read_bundle

    try:
        return read_bundle(folder)
    except (OSError, ValueError) as error:
        raise _unread(folder, error) from None


def _folder(trust: Path | None, bundle: Path) -> tuple[Path, bool]:
    """Return the folder of trust, and whether it came with the evidence."""
    if trust is not None:
        return trust, False
    beside = bundle.resolve().parent / "trust"
    if not beside.is_dir():
        raise InputError(
            f"nothing says whom to trust, and there is no {beside} either.", remedy=_TRUST
        )
    return beside, True


def _reference(trust: Path) -> tuple[Reference, bytes]:
    """Return the reference values and the bytes that they were read from."""
    from casemate.attest.reference import load

    for name in REFERENCES:
        if (trust / name).is_file():
            data = _read(trust / name)
            return load(data, file=str(trust / name)), data
    raise InputError(
        "there are no reference values.", remedy=_TRUST, file=str(trust / REFERENCES[0])
    )


def _policy(trust: Path) -> Policy:
    from casemate.translog.policy import parse

    path = trust / POLICY
    if not path.is_file():
        raise InputError("there is no policy.", remedy=_TRUST, file=str(path))
    return parse(_read(path))


def _checkpoint(path: Path) -> bytes:
    return _read(path / "checkpoint" if path.is_dir() else path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unread(path, error) from None
    if len(data) > _MOST_BYTES:
        raise InputError(
            f"it is longer than {_MOST_BYTES} bytes.",
            remedy="check that it is the right file.",
            file=str(path),
        )
    return data


def _unread(path: Path, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or str(error)
    where = getattr(error, "filename", None) or path
    return InputError(
        f"it cannot be read: {why}.", remedy="check the path and its permissions.", file=str(where)
    )


def _time(text: str) -> int:
    """Return Unix seconds of a time in UTC."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            "this is no time.",
            remedy="write it as 2027-01-15T08:00:00Z or as Unix seconds.",
            key="--now",
            value=text,
        ) from None
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    return int(read.timestamp())
