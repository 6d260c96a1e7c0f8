"""The page docs/matrix.md: every move in every modality, on the three examples.

Units are drawn from a fixed, published secret, so that the page can be made again to the byte:
`python -m casemate.testing.matrix_page docs/matrix.md`. The rack's boards take minutes to draw.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from casemate.campaigns.judge import HINTS, LOUD, SEES
from casemate.campaigns.matrix import Matrix, matrix, matrix_markdown
from casemate.core.progress import Progress
from casemate.core.whole_file import write_whole
from casemate.design import design_enclosure
from casemate.spec import load_spec
from casemate.twin.assembly import assemble

EXAMPLES = ("camera", "dpa", "nvl72")
SECRET = hashlib.sha256(b"casemate docs: a secret that everybody knows").digest()
SERIAL = "DOCS-0001"
SEED = 1
PLACES = 3
"""Of each move."""


def made(example: str, examples: Path, folder: Path) -> Matrix:
    """Return the matrix of one example; boards are drawn into `folder`."""
    spec = load_spec(examples / example / "enclosure.toml")
    enclosure = design_enclosure(spec, serial=SERIAL, explained=False)
    progress = Progress()
    try:
        twin = assemble(
            enclosure, kind=spec.protected.kind, secret=SECRET, folder=folder, seed=SEED,
            say=progress.step,
        )  # fmt: skip
        return matrix(twin, seed=SEED, places=PLACES, say=progress.step)
    finally:
        progress.close()


def page(found: tuple[Matrix, ...]) -> str:
    """Return the page."""
    parts = [
        "# What sees what\n",
        "Made by `make validate` (`python -m casemate.testing.matrix_page`); do not edit. "
        "**Simulated throughout**: no enclosure was attacked. Every [move](moves.md) with its "
        "default values, at places drawn by area, on one unit of each example.\n",
        f"- **sees**: a residual of {SEES:g} or more noises of a quiet enclosure. Noise that "
        "silent chips tell of counts as noise, so injection does not show as a change.",
        f"- **interference**: silent chips {LOUD:g} times louder than their noise.",
        "- **unheard**: the reader's health says that samples do not come, come late, or repeat.",
        f"- **hints**: {HINTS:g} noises or more, not {SEES:g}. **blind**: less.\n",
        "Figures are the smallest and largest residual over places, in noises. These are no "
        "detectors and no probabilities of detection: they say what a modality could see at all. "
        "Modalities that a design does not carry are played all the same.\n",
    ]
    for each in found:
        parts += [f"## {each.name}\n", f"{each.places} places a move.\n", matrix_markdown(each)]
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the page to the file named."""
    parser = argparse.ArgumentParser(prog="python -m casemate.testing.matrix_page")
    parser.add_argument("file", type=Path)
    parser.add_argument("--examples", type=Path, default=Path("examples"))
    parser.add_argument("--boards", type=Path, help="where boards are kept (default: a temporary)")
    parser.add_argument("--only", choices=EXAMPLES, action="append")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        home = args.boards or Path(temporary)
        names = args.only or EXAMPLES
        found = tuple(made(name, args.examples, home / name) for name in names)
    write_whole(args.file, page(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
