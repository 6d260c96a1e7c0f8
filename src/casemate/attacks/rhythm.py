"""When things happen: the start of a scene, and an effect that comes in bursts of any rhythm."""

from __future__ import annotations

from casemate.attacks.move import Parameter, Values
from casemate.twin.effects import Effect, Scene, Timed

START_S = 1.0
"""When a move begins to act: a second of quiet shows what was there before."""

RHYTHM = (
    Parameter(name="bursts", low=1, high=60, default=3, unit="", scale="whole",
              about="how many times it comes; 60 keep a scene of any period short"),
    Parameter(name="period_s", low=0.5, high=86_400.0, default=20.0, unit="s", scale="log",
              about="from one burst to the next"),
    Parameter(name="duty", low=0.01, high=1.0, default=0.5, unit="", scale="log",
              about="share of the period that a burst lasts; 1: without a pause"),
)  # fmt: skip
"""Parameters of any effect that is meant to be seen: the adversary chooses its rhythm."""


def bursts(effect: Effect, values: Values, *, rise_share: float = 0.0) -> Scene:
    """Return an effect in the rhythm of RHYTHM. rise_share: of a burst, in which it grows."""
    period_s = values["period_s"]
    on_s = period_s * values["duty"]
    starts = [START_S + number * period_s for number in range(round(values["bursts"]))]
    return tuple(
        Timed(effect=effect, start_s=at, stop_s=at + on_s, rise_s=rise_share * on_s)
        for at in starts
    )


def end_s(values: Values) -> float:
    """Return when the last burst of RHYTHM has ended."""
    last = (round(values["bursts"]) - 1) * values["period_s"]
    return START_S + last + values["period_s"] * values["duty"]
