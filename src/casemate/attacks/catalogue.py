"""All moves. A move is registered here and nowhere else; that enrols it in the conformance kit."""

from __future__ import annotations

from casemate.attacks.drill import DRILL
from casemate.attacks.move import Move
from casemate.core.errors import InputError

MOVES: tuple[Move, ...] = (DRILL,)
"""Every move, first those that go in, then those that discredit."""


def move(id: str) -> Move:
    """Return the move of this id; InputError, with the nearest, if there is none."""
    import difflib

    for each in MOVES:
        if each.id == id:
            return each
    near = difflib.get_close_matches(id, [each.id for each in MOVES], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"there is no move {id!r}.",
        remedy=f"{hint}moves: {', '.join(each.id for each in MOVES)}.",
        key="--attack",
    )
