"""The command line: one file per command, imports deferred so that `--help` is instant."""

from __future__ import annotations

from casemate.cli.main import main

__all__ = ["main"]
