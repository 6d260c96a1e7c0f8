"""Helium: let in at a vent, it passes into sealed MEMS, whose resonators drift or stop."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Gas, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Gas(kind="helium", share=values["share"]), values, rise_share=0.3)


HELIUM = Move(
    id="helium",
    name="helium",
    goal="discredit",
    about="part of the air is helium for a while",
    parameters=(
        Parameter(name="share", low=1e-3, high=0.95, default=0.3, unit="", scale="log",
                  about="of the air"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="public",
        window="easy", equipment="standard", persons=2, cost_usd=2e3,
    ),
    effects=_effects,
    source="phones stopped near a magnet being filled (iFixit, October 2018); planning values",
)  # fmt: skip
