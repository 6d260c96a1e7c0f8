"""Needle: a metal rod pushed into the cavity through a gap that is there already.

A vent, a seam, a connector: no copper is cut, so only the volume and what the needle passes close
to can tell.
"""

from __future__ import annotations

from casemate.attacks.board import rod, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Contact, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    rise_s = values["length_m"] / values["speed_m_s"]
    out_s = START_S + rise_s + values["dwell_s"]
    passes = Contact(
        at=spot(plan, plan.tile.stackup.mesh[-1]), farad=values["farad"], reach_m=values["reach_m"]
    )
    metal = rod(plan, values["length_m"], values["diameter_m"])
    return (
        Timed(effect=metal, start_s=START_S, stop_s=out_s, rise_s=rise_s),
        Timed(effect=passes, start_s=START_S, stop_s=out_s, rise_s=rise_s),
    )


NEEDLE = Move(
    id="needle",
    name="metal needle",
    goal="intrude",
    about="a metal rod pushed into the cavity through an existing gap, then withdrawn",
    parameters=(
        Parameter(name="length_m", low=1e-3, high=0.2, default=0.01, unit="m", scale="log",
                  about="how far it stands in the volume"),
        Parameter(name="diameter_m", low=5e-5, high=2e-3, default=3e-4, unit="m", scale="log",
                  about="of the needle"),
        Parameter(name="speed_m_s", low=1e-7, high=0.1, default=5e-3, unit="m/s", scale="log",
                  about="inward; slow enough, it passes for drift"),
        Parameter(name="dwell_s", low=0.1, high=1e6, default=30.0, unit="s", scale="log",
                  about="before it is withdrawn"),
        Parameter(name="farad", low=1e-16, high=1e-12, default=2e-14, unit="F", scale="log",
                  about="to the copper that it passes"),
        Parameter(name="reach_m", low=1e-5, high=2e-3, default=3e-4, unit="m", scale="log",
                  about="within which copper is met"),
    ),
    potential=Potential(
        elapsed_s=7 * DAY_S, on_site_s=300.0, expertise="proficient", knowledge="restricted",
        window="moderate", equipment="standard", persons=1, cost_usd=2e3,
    ),
    effects=_effects,
    source="needles of 0.1 to 0.3 mm at 10 to 16 mm depth (physics.md 1: anti-tamper radio, S&P "
    "2022); farads are planning values",
)  # fmt: skip
