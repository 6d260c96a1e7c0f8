"""Release roots: make one offline, pin roots in a folder of trust, sign the reference values."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.attest.release import Root

SECRET_FORMAT = "casemate-release-key/1"
_SETS = ("SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-192s", "SLH-DSA-SHA2-256s")
_MOST_BYTES = 16_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    steps = parser.add_subparsers(dest="step", metavar="STEP", title="steps", required=True)
    key = steps.add_parser("key", help="make a root's key, on a machine that stays offline")
    key.add_argument(
        "file", metavar="FILE", type=Path, help="secret; FILE.pub gets the public half"
    )
    key.add_argument("--name", required=True, help="of the root, such as north-2026")
    key.add_argument("--set", choices=_SETS, default=_SETS[1], dest="alg", help="default: 192s")
    pin = steps.add_parser("pin", help="name the roots that a folder of trust relies on")
    pin.add_argument("trust", metavar="TRUST", type=Path)
    pin.add_argument("roots", metavar="FILE.pub", type=Path, nargs="+")
    pin.add_argument("--least", metavar="K", type=int, default=0, help="default: all of them")
    pin.add_argument("--oldest", metavar="N", type=int, default=1,
                     help="version of reference values")  # fmt: skip
    sign = steps.add_parser("sign", help="sign the reference values of a folder of trust")
    sign.add_argument("trust", metavar="TRUST", type=Path)
    sign.add_argument("--key", metavar="FILE", type=Path, required=True)


def run(args: argparse.Namespace) -> int:
    """Carry out a step; exit code 0."""
    {"key": _key, "pin": _pin, "sign": _sign}[args.step](args)
    return 0


def _key(args: argparse.Namespace) -> None:
    from casemate.attest import release
    from casemate.core.canonical import pretty_json
    from casemate.core.secret_file import make_once
    from casemate.core.whole_file import write_whole

    if args.file.exists():
        raise InputError(
            "that file is there already.", remedy="name another one.", file=str(args.file)
        )
    public, secret = release.library(args.alg).keygen()
    row = {"format": SECRET_FORMAT, "name": args.name, "alg": args.alg, "key": public.hex()}
    make_once(args.file, pretty_json({**row, "secret": secret.hex()}).encode())
    del row["format"]
    write_whole(Path(f"{args.file}.pub"), pretty_json(row))
    print(f"root {args.name}, {args.alg}: pin {args.file}.pub, keep {args.file} offline")


def _pin(args: argparse.Namespace) -> None:
    from casemate.attest import release
    from casemate.core.canonical import pretty_json
    from casemate.core.whole_file import write_whole

    rows = [_json(each) for each in args.roots]
    document = {
        "format": release.ROOTS_FORMAT, "roots": rows, "least": args.least or len(rows),
        "version": args.oldest,
    }  # fmt: skip
    path = args.trust / release.ROOTS_FILE
    text = pretty_json(document)
    found = release.load_roots(text.encode(), file=str(path))
    write_whole(path, text)
    print(f"{found.least} of {', '.join(each.name for each in found.roots)}")


def _sign(args: argparse.Namespace) -> None:
    from casemate.attest import reference, release
    from casemate.core.whole_file import replaced_file

    root, secret = _secret(args.key)
    path = next((p for n in ("reference.json", "reference.cbor")
                 if (p := args.trust / n).is_file()), None)  # fmt: skip
    if path is None:
        raise InputError("there are no reference values.", remedy="name a folder of trust.",
                         file=str(args.trust))  # fmt: skip
    data = _bytes(path)
    values = reference.load(data, file=str(path))
    said = release.release_of(values, data, int(time.time()))
    statement, signatures = release.encode(said), dict[bytes, bytes]()
    held = args.trust / release.RELEASE_FILE
    if held.exists():
        before, what, made = release.parse(_bytes(held))
        if what == release.release_of(values, data, what.made_s):
            statement, signatures = before, made  # others have signed these values already
    signatures[root.kid] = release.library(root.alg).sign(
        secret, statement, context=release.CONTEXT
    )
    release.verify(root, statement, signatures[root.kid])
    with replaced_file(held) as beside:
        beside.write_bytes(release.build(statement, tuple(signatures.items())))
    print(f"{held}: {values.id} version {values.version}, {len(signatures)} signatures")


def _secret(path: Path) -> tuple[Root, bytes]:
    from casemate.attest.release import SETS, Root

    row = _json(path)
    try:
        if row["format"] != SECRET_FORMAT or row["alg"] not in SETS:
            raise ValueError
        root = Root(name=str(row["name"]), alg=row["alg"], key=bytes.fromhex(row["key"]))
        return root, bytes.fromhex(row["secret"])
    except (KeyError, ValueError, TypeError):
        raise InputError(
            "that is no secret key of a release root.",
            remedy="name the file that `casemate release key` wrote.", file=str(path),
        ) from None  # fmt: skip


def _json(path: Path) -> dict[str, str]:
    try:
        found = json.loads(_bytes(path))
        if isinstance(found, dict):
            return found
    except (ValueError, RecursionError):
        pass
    raise InputError("that is no file of a release root.", remedy="name FILE or FILE.pub.",
                     file=str(path))  # fmt: skip


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}.", remedy="check the path.",
                         file=str(path)) from None  # fmt: skip
    if len(data) > _MOST_BYTES:
        raise InputError(
            "it is too long.", remedy="check that it is the right file.", file=str(path)
        )
    return data
