"""Design, draw and prove every mesh, write manufacturing files and the report."""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError, OutputError

if TYPE_CHECKING:
    from casemate.fabricate.bundle import Bundle

SECRET_FILE = "casemate.secret"
SECRET_BYTES = 32
SOURCE = ".casemate-source"
"""End of the name of a file beside the output: paths of this machine, so no part of the output."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, help="enclosure.toml")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True)
    parser.add_argument(
        "--serial", default="UNIT-0001", help="serial of the unit; seeds its layout"
    )
    parser.add_argument(
        "--secret-file",
        metavar="FILE",
        type=Path,
        help=f"64 hex digits (default: {SECRET_FILE} beside SPEC, made at the first build)",
    )
    parser.add_argument("--kicad", choices=("auto", "all", "none"), default="auto")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes (0: all)")
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Build; exit code 1 if a target is unmet or a property does not hold."""
    from casemate.core.files import refuse_evidence, replaced_folder
    from casemate.core.progress import Progress
    from casemate.design import design_enclosure
    from casemate.fabricate.bundle import BundleOptions, write_bundle
    from casemate.spec import load_spec

    begin = time.monotonic()
    if args.workers < 0:
        raise InputError(
            "the number of workers is negative.", remedy="write --workers 0 for all cores.",
            key="--workers", value=args.workers,
        )  # fmt: skip
    spec = load_spec(args.spec)
    secret = load_secret(args.secret_file or args.spec.parent / SECRET_FILE,
                         make=args.secret_file is None)  # fmt: skip
    refuse_evidence(args.output)
    progress = Progress()
    progress.step("choosing modules", by=0)
    enclosure = design_enclosure(spec, serial=args.serial)
    options = BundleOptions(
        serial=args.serial, secret=secret, kicad=args.kicad, workers=args.workers
    )
    try:
        with replaced_folder(args.output) as folder:
            bundle = write_bundle(folder, enclosure, options, progress)
    finally:
        progress.close()
    note_source(args)
    seconds = time.monotonic() - begin
    if args.json:
        from casemate.core.canonical import pretty_json

        sys.stdout.write(pretty_json(summary(bundle, args.output, seconds)))
    else:
        print("\n".join(lines(bundle, args.output, seconds)))
    return 0 if bundle.good else 1


def source_note(output: Path) -> Path:
    """Return the hidden file beside an output folder that names its spec and secret."""
    whole = Path(os.path.abspath(output))
    return whole.parent / f".{whole.name}{SOURCE}"


def note_source(args: argparse.Namespace) -> None:
    """Note for `casemate run` where spec and secret are: beside the output, of use here alone."""
    from casemate.core.canonical import pretty_json

    secret = args.secret_file or args.spec.parent / SECRET_FILE
    row = {"spec": str(args.spec.resolve()), "secret": str(secret.resolve())}
    with suppress(OSError):  # who runs it names them then
        source_note(args.output).write_text(pretty_json(row), encoding="utf-8")


def load_secret(path: Path, *, make: bool) -> bytes:
    """Return the secret in a file; make it (mode 600) if it is not there and `make`."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if not make:
            raise InputError(
                "there is no such file.", remedy="name a file with 64 hex digits.",
                file=str(path), key="--secret-file",
            ) from None  # fmt: skip
        return _new_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the secret cannot be read: {error}.", remedy="name a file with 64 hex digits.",
            file=str(path),
        ) from None  # fmt: skip
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise InputError(
            f"the secret is not {SECRET_BYTES} bytes.", remedy="write 64 hex digits, or remove the "
            "file to have a new one made (layouts will change).", file=str(path),
        )  # fmt: skip
    return secret


def _new_secret(path: Path) -> bytes:
    from casemate.core.randomness import new_secret

    secret = new_secret()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OutputError(
            f"the secret {path} cannot be made: {error.strerror}.",
            remedy="name one with --secret-file.",
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(secret.hex() + "\n")
    sys.stderr.write(f"made {path}: keep it secret, it determines the layout of every unit\n")
    return secret


def summary(bundle: Bundle, output: Path, seconds: float) -> dict[str, Any]:
    """Return the result as JSON."""
    from casemate.fabricate.bundle import unproved

    enclosure = bundle.enclosure
    return {
        "good": bundle.good,
        "output": str(output),
        "report": str(output / "report.html"),
        "tiles": len(enclosure.tiles),
        "nets": sum(tile["nets"] for tile in bundle.proof["tiles"]),
        "fine_cells": sum(tile["fine_cells"] for tile in bundle.proof["tiles"]),
        "unmet": [target.id for target in enclosure.targets if not target.met],
        "not_holding": [f"{owner}: {row['id']}" for owner, row in unproved(bundle.proof)],
        "doubts": len(enclosure.doubts),
        "seconds": round(seconds, 2),
    }


def lines(bundle: Bundle, output: Path, seconds: float) -> list[str]:
    """Return the result for people."""
    enclosure, tiles = bundle.enclosure, bundle.proof["tiles"]
    figures = {
        name: max(
            row["figure"] for tile in tiles for row in tile["properties"] if row["id"] == name
        )
        for name in ("hole.severing.perpendicular", "hole.severing.any_direction",
                     "adjacency.same_net_share", "bypass.worst_share")
    }  # fmt: skip
    properties = sum(len(tile["properties"]) for tile in tiles)
    holding = sum(row["holds"] for tile in tiles for row in tile["properties"])
    totals = enclosure.totals
    unmet = [target for target in enclosure.targets if not target.met]
    return [
        f"{enclosure.name} ({enclosure.serial}): {len(tiles)} tiles, "
        f"{sum(tile['nets'] for tile in tiles)} nets, "
        f"{sum(tile['fine_cells'] for tile in tiles) / 1e6:.2f} M fine cells",
        f"largest hole that severs nothing: "
        f"{figures['hole.severing.perpendicular'] * 1e3:.3f} mm perpendicular, "
        f"{figures['hole.severing.any_direction'] * 1e3:.3f} mm from any direction (certified)",
        f"gaps with one net on both sides {figures['adjacency.same_net_share']:.1%}; "
        f"the worst bridge cuts out {figures['bypass.worst_share']:.1%} of a net",
        f"properties proved: {holding} of {properties}; seams: {len(enclosure.seams)}; "
        f"crossings: {len(enclosure.crossings)}",
        f"thickest face {totals['thickness_max_m'] * 1e3:.1f} mm, {totals['mass_kg']:.1f} kg, "
        f"{totals['unit_cost_usd']:,.0f} USD a unit, {totals['install_h']:.1f} h to install",
        *(
            f"UNMET {target.id}: {target.achieved:.4g} {target.unit}, asked {target.required:.4g}"
            for target in unmet
        ),
        f"targets met: {len(enclosure.targets) - len(unmet)} of {len(enclosure.targets)}; "
        f"doubts: {len(enclosure.doubts)} (first page of the report)",
        f"{len(bundle.files)} manufacturing files in {seconds:.1f} s",
        f"report: {output / 'report.html'}",
    ]
