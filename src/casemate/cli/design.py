"""Choose modules and lay out panels; write design.json."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from casemate.design.enclosure import Enclosure


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("spec", metavar="SPEC", type=Path, help="enclosure.toml")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True)
    parser.add_argument("--serial", default="UNIT-0001", help="serial of the unit")
    parser.add_argument("--json", action="store_true", help="print design.json")


def run(args: argparse.Namespace) -> int:
    """Design; exit code 1 if a target is unmet."""
    from casemate.core.canonical import pretty_json
    from casemate.core.files import replaced_folder
    from casemate.design import design_enclosure, design_json
    from casemate.spec import load_spec

    enclosure = design_enclosure(load_spec(args.spec), serial=args.serial)
    text = pretty_json(design_json(enclosure))
    with replaced_folder(args.output) as folder:
        (folder / "design.json").write_text(text, encoding="utf-8")
    if args.json:
        sys.stdout.write(text)
    else:
        print("\n".join(lines(enclosure)))
        print(f"design: {args.output / 'design.json'}")
    return 0 if all(target.met for target in enclosure.targets) else 1


def lines(enclosure: Enclosure) -> list[str]:
    """Return the design in a few lines for people."""
    totals = enclosure.totals
    unmet = [target for target in enclosure.targets if not target.met]
    return [
        f"{enclosure.name}: {len(enclosure.tiles)} tiles, {len(enclosure.seams)} seams, "
        f"{len(enclosure.crossings)} crossings",
        f"thickest face {totals['thickness_max_m'] * 1e3:.1f} mm, {totals['mass_kg']:.1f} kg, "
        f"{totals['unit_cost_usd']:,.0f} USD a unit, {totals['development_cost_usd']:,.0f} USD to "
        f"develop, {totals['install_h']:.1f} h to install",
        *(
            f"UNMET {target.id}: {target.achieved:g} {target.unit}, asked {target.required:g}"
            for target in unmet
        ),
        f"targets met: {len(enclosure.targets) - len(unmet)} of {len(enclosure.targets)}; "
        f"doubts: {len(enclosure.doubts)}",
    ]
