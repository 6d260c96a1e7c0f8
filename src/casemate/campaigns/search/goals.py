"""Three goals of an adversary as one kind of loss: continuous, in nats, below 0 where it wins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from casemate.core.errors import InputError

Goal = Literal["evade", "give-up", "blind"]
"""evade: not detected. give-up: alarms that make the operator switch the enclosure off. blind:
too little information to detect anything, and nobody told."""
GOALS: tuple[Goal, ...] = get_args(Goal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a trial gives; each in nats, over its threshold if above 0, but for `effort_j`.

    tamper: evidence of tampering. nuisance: evidence for a level of response that troubles the
    operator, from whatever cause. notice: evidence for any level at which somebody is told.
    information: what the worst interval leaves to detect an attack with, over what is needed.
    effort_j: energy that the adversary spends, in joules.
    """

    tamper: float
    nuisance: float
    notice: float
    information: float
    effort_j: float


def loss(goal: Goal, figures: Figures, *, most_j: float = 1e9) -> float:
    """Return the loss of a trial for a goal; below 0 where the adversary wins.

    evade: the evidence of tampering. give-up: what lacks to a troubling alarm; where one is
    raised, ln(effort / most_j), so the cheapest is least. blind: the greater of what is noticed and
    what information is left. most_j: more than any attack spends (planning value).
    """
    match goal:
        case "evade":
            return figures.tamper
        case "give-up":
            if figures.nuisance <= 0.0:
                return -figures.nuisance
            return min(math.log(max(figures.effort_j, 1e-9) / most_j), 0.0)
        case "blind":
            return max(figures.notice, figures.information)
    raise InputError(
        "there is no such goal.", remedy=f"goals: {', '.join(GOALS)}.", key="goal", value=goal
    )
