"""Fans: the protected thing runs its fans faster, slower, or in a rhythm; they shake and stir."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Fans, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Fans(share=values["share"]), values, rise_share=0.2)


FANS = Move(
    id="fans",
    name="modulated fans",
    goal="discredit",
    about="the payload's own fans run at another speed",
    parameters=(
        Parameter(name="share", low=0.0, high=2.0, default=1.3, unit="",
                  about="of the usual speed"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=0.0, expertise="layman", knowledge="public",
        window="unlimited", equipment="standard", persons=1, cost_usd=0.0,
    ),
    effects=_effects,
    source="fans move the channel by -13 to -27 dB (physics.md 5.5); speeds are planning values",
)  # fmt: skip
