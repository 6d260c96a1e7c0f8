"""The twin of a design: attack it and see what every channel reads; fit models on measurements.

`casemate twin SPEC ...` is `casemate twin play SPEC ...`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module

SUBCOMMANDS = (
    ("play", "casemate.cli.twin_play", "attack a design's twin and show what every channel reads"),
    ("fit-line", "casemate.cli.twin_fit_line", "fit a line model, predict another line"),
)
"""Name, module with configure(parser) and run(args), help. The modules are light to import."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    children = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for name, path, text in SUBCOMMANDS:
        module = import_module(path)
        child = children.add_parser(name, help=text, description=module.__doc__, allow_abbrev=False)
        module.configure(child)
        child.set_defaults(run_subcommand=module.run)


def implied(arguments: list[str]) -> list[str]:
    """Return the arguments with `play` put in where no subcommand is named."""
    names = {name for name, _, _ in SUBCOMMANDS}
    first = arguments[0] if arguments else "--help"
    return arguments if first in names or first in ("-h", "--help") else ["play", *arguments]


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    chosen: Callable[[argparse.Namespace], int] = args.run_subcommand
    return chosen(args)
