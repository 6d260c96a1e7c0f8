"""Lint a spec: report the first thing that is wrong, or a summary of what it says."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from casemate.core.errors import InputError

if TYPE_CHECKING:
    from casemate.spec.model import EnclosureSpec


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", nargs="?", type=Path, help="enclosure.toml")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of enclosure.toml and stop"
    )


def run(args: argparse.Namespace) -> int:
    """Check a spec; SpecError (exit code 2) says what is wrong."""
    from casemate.core.canonical import pretty_json
    from casemate.spec import json_schema, load_spec

    if args.schema:
        sys.stdout.write(pretty_json(json_schema()))
        return 0
    if args.spec is None:
        raise InputError("no spec is named.", remedy="write casemate check enclosure.toml.")
    spec = load_spec(args.spec)
    if args.json:
        print(json.dumps(summary(spec), ensure_ascii=False))
    else:
        print("\n".join(lines(spec)))
    return 0


def summary(spec: EnclosureSpec) -> dict[str, Any]:
    """Return what the spec says, in SI units, for `--json`."""
    from dataclasses import asdict

    width, depth, height = spec.protected.size_m
    return {
        "good": True,
        "surface_m2": 2 * (width * depth + depth * height + width * height),
        "spec": asdict(spec),
    }


def lines(spec: EnclosureSpec) -> list[str]:
    """Return the summary for people."""
    protected, targets, budgets = spec.protected, spec.targets, spec.budgets
    size = " x ".join(f"{edge * 1e3:g}" for edge in protected.size_m)
    rate = sum(swap.rate_per_year for swap in spec.service.swaps)
    rows = [
        ("protects", f"{protected.kind}, {size} mm, {protected.mass_kg:g} kg"),
        (
            "power",
            f"{protected.power_w:g} W, of which {protected.heat_to_air_w:g} W to air and "
            f"{protected.heat_to_liquid_w:g} W to liquid",
        ),
        ("crossings", ", ".join(f"{c.count} {c.kind} ({c.face})" for c in spec.crossings)),
        ("doors", ", ".join(f"{d.face} ({d.swing})" for d in spec.service.doors) or "none"),
        ("swaps", f"{rate:g} a year"),
        ("thickness", f"{_listed(budgets.thickness_m)} mm"),
        (
            "target",
            f"tool {targets.tool_m * 1e3:g} mm, PoD {targets.pod:g} at "
            f"{targets.pod_confidence:g}, {targets.far_per_year:g} false alarms a year",
        ),
        (
            "attenuation",
            ", ".join(
                f"{b.attenuation_db:g} dB {b.f_min_hz / 1e6:g}-{b.f_max_hz / 1e6:g} MHz"
                for b in targets.attenuation
            )
            or "none asked",
        ),
        ("mesh", f"{spec.mesh.pattern}, {spec.mesh.lanes} lanes, fab {spec.fab}"),
        ("digest", spec.digest),
    ]
    return [f"{spec.name}: good", *(f"  {name:<12}{text}" for name, text in rows)]


def _listed(lengths_m: dict[str, float]) -> str:
    return ", ".join(f"{name} {length * 1e3:g}" for name, length in lengths_m.items())
