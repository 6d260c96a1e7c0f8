"""The supply, as the far side tells of it: cut, with what hold-up lasts, or back.

What it says is never trusted to make anything longer: the machine takes the shortest hold-up that
was said, and seals keys before that ends. A far side that lies can only have keys sealed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from casemate.attest.beats import HOLD_UP
from casemate.control.events import Event, SupplyBack, SupplyLost
from casemate.control.states import Machine
from casemate.core.errors import InputError
from casemate.core.units import parse_quantity

CUT, BACK = "power-cut", "power-back"
HOLD_S = 10.0
"""For which the twin runs on after a cut, if nothing else is asked for (planning value)."""


def cut(hold_s: float) -> dict[str, Any]:
    """Return what the far side says when the supply is cut."""
    return {"supply": "cut", "hold_s": hold_s}


def back() -> dict[str, Any]:
    """Return what it says when the supply is back."""
    return {"supply": "back"}


def event_of(said: dict[str, Any]) -> Event | None:
    """Return the event of a message; None if it is of something else, or malformed.

    A cut without a sound duration counts as one whose hold-up is over.
    """
    if said.get("supply") == "back":
        return SupplyBack()
    if said.get("supply") != "cut":
        return None
    return SupplyLost(hold_s=_sound(said.get("hold_s")))


def flag(now: Machine) -> int:
    """Return what a heartbeat's health says of the supply."""
    return 0 if math.isinf(now.supply_end_s) else HOLD_UP


def listen(far: Any, post: Callable[[Event], None]) -> None:
    """Post what `far` tells of the supply; anything else goes to who heard it before."""
    before = far.hear

    def hear(said: dict[str, Any]) -> None:
        event = event_of(said)
        if event is not None:
            post(event)
        else:
            before(said)

    far.hear = hear


def asked(move: str, values: list[str]) -> dict[str, Any] | None:
    """Return what the far side has to say for a move of the supply; None if it is another move.

    values: NAME=VALUE with hold_s alone. InputError if a value is none.
    """
    if move == BACK:
        return back()
    if move != CUT:
        return None
    hold_s = HOLD_S
    for each in values:
        name, _, text = each.partition("=")
        if name != "hold_s":
            raise InputError(
                "a power cut has hold_s alone.", remedy="give hold_s=10s.", key="--set"
            )
        hold_s = _seconds(text)
    return cut(hold_s)


def _seconds(text: str) -> float:
    try:
        return parse_quantity(text, "s")
    except ValueError as error:
        raise InputError(
            f"hold_s is no time ({error}).", remedy="give hold_s=10s.", key="--set"
        ) from None


def _sound(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        return max(float(value), 0.0) if math.isfinite(value) else 0.0
    except OverflowError:
        return 0.0
