"""Physics of the twin: fit models to measurements and predict what was not measured."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module

SUBCOMMANDS = (
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


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    chosen: Callable[[argparse.Namespace], int] = args.run_subcommand
    return chosen(args)
