"""Stretches of a timeline, kept short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from casemate.verify.continuity import Interval


def joined(stretches: Sequence[Interval]) -> list[Interval]:
    """Return stretches with proven neighbours joined: of these, none is told from another."""
    out: list[Interval] = []
    for each in stretches:
        last = out[-1] if out else None
        plain = each.kind == "proven" and not each.cause and not each.covered_by
        if plain and last is not None and last.end_s == each.start_s and last.kind == "proven":
            out[-1] = replace(last, end_s=each.end_s)
        else:
            out.append(each)
    return out
