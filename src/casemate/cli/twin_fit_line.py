"""Fit board and connectors on measured lines, and predict another line of the same board."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.twin.line_predict import Outcome

GOOD_RMS = 0.05
"""A thru whose S21 misses by more has not been explained: the exit code is 1."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "files", metavar="FILE", nargs="+", type=Path, help="measured .s2p (thru) and .s1p files"
    )
    parser.add_argument(
        "--predict", metavar="LAYOUT", type=Path, required=True, help="LAYOUT.toml of the line"
    )
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help=".s2p")
    parser.add_argument(
        "--hold-out",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="a measured file that is not fitted, only compared (may be repeated)",
    )
    parser.add_argument("--picture", metavar="FILE", type=Path, help="write an HTML page of curves")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Fit and predict; exit code 1 if a fitted thru is not explained."""
    from casemate.core.canonical import pretty_json
    from casemate.core.progress import Progress
    from casemate.core.touchstone import touchstone_text
    from casemate.core.whole_file import write_whole
    from casemate.twin.line_predict import comments, fit_and_predict, pictures

    if args.output.suffix.lower() != ".s2p":
        raise InputError(
            "the name of the output does not end in .s2p.", remedy="write -o predicted.s2p.",
            key="-o", value=str(args.output),
        )  # fmt: skip
    progress = Progress()
    try:
        outcome = fit_and_predict(
            files=tuple(args.files), hold_out=tuple(args.hold_out), layout=args.predict,
            say=lambda text: progress.step(text),
        )  # fmt: skip
        text = touchstone_text(outcome.f_hz, outcome.s, comments=comments(outcome))
        page = pictures(outcome) if args.picture else ""
        write_whole(args.output, text)
        if args.picture:
            write_whole(args.picture, page)
    finally:
        progress.close()
    if args.json:
        sys.stdout.write(pretty_json(summary(outcome, args.output)))
    else:
        print("\n".join(lines(outcome)))
        print(f"predicted: {args.output}")
    return 0 if good(outcome) else 1


def good(outcome: Outcome) -> bool:
    """Return whether every fitted thru is explained."""
    return all(
        each.linear <= GOOD_RMS
        for judged in outcome.judged
        if judged.fitted and judged.kind == "thru"
        for each in judged.deviations
        if each.name == "S21"
    )


def summary(outcome: Outcome, output: Path) -> dict[str, Any]:
    """Return the result as JSON; figures in SI units, deviations as root mean squares."""
    from dataclasses import asdict

    return {
        "good": good(outcome),
        "output": str(output),
        "points": int(outcome.f_hz.size),
        "chi": outcome.fit.chi,
        "parameters": [asdict(each) for each in outcome.fit.parameters],
        "launch": asdict(outcome.fit.model.launch),
        "files": [
            {
                "file": judged.name,
                "kind": judged.kind,
                "fitted": judged.fitted,
                "deviations": [asdict(each) for each in judged.deviations],
            }
            for judged in outcome.judged
        ],
        "passivity_excess": outcome.passivity_excess,
        "doubts": list(outcome.doubts),
    }


def lines(outcome: Outcome) -> list[str]:
    """Return the result for people."""
    rows = [f"DOUBT: {each}" for each in outcome.doubts]
    rows += [
        f"{each.name:<16}{each.value:.4g} ± {each.spread:.2g} {each.unit}".rstrip()
        + (" (no more than its prior)" if each.spread > 0.95 * each.prior_spread else "")
        for each in outcome.fit.parameters
    ]
    for judged in outcome.judged:
        rows.append(f"{judged.name} ({judged.kind}, {'fitted' if judged.fitted else 'held out'})")
        rows += [
            f"  {each.name}: rms error {each.linear:.4f} of {each.level:.3f}"
            + (f", {each.db:.3f} dB, {each.phase_deg:.2f} deg" if each.level > 0.2 else "")
            for each in judged.deviations
        ]
    return rows
