"""Cold: liquid nitrogen on a board, to freeze cells, readers and glue; then one works in peace.

Nitrogen takes heat where it boils, cools the surroundings, and displaces the air with a dry gas.
"""

from __future__ import annotations

from casemate.attacks.board import here
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Ambient, Gas, HeatSpot, Scene, Timed

LATENT_J_KG = 1.99e5
"""Heat of vaporisation of nitrogen at 77 K (NIST WebBook: 5.57 kJ/mol)."""


def _effects(plan: Plan, values: Values) -> Scene:
    stop_s = START_S + values["pour_s"]
    chill = HeatSpot(at=here(plan), watt=-LATENT_J_KG * values["kg_s"], radius_m=values["radius_m"])
    around = Ambient(kelvin=-values["ambient_k"], humidity=-values["dry"])
    dry = Gas(kind="nitrogen", share=values["gas_share"])
    slow_s = 0.5 * values["pour_s"]
    return (
        Timed(effect=chill, start_s=START_S, stop_s=stop_s, rise_s=values["rise_s"]),
        Timed(effect=around, start_s=START_S, stop_s=stop_s, rise_s=slow_s),
        Timed(effect=dry, start_s=START_S, stop_s=stop_s, rise_s=slow_s),
    )


COLD = Move(
    id="cold",
    name="liquid nitrogen",
    goal="intrude",
    about="a board and what lies behind it chilled fast or slowly to stall sensing and response",
    parameters=(
        Parameter(name="kg_s", low=1e-5, high=0.05, default=1e-3, unit="kg/s", scale="log",
                  about="nitrogen that boils on the board"),
        Parameter(name="radius_m", low=5e-3, high=0.3, default=0.03, unit="m", scale="log",
                  about="of the wetted spot"),
        Parameter(name="pour_s", low=5.0, high=36_000.0, default=300.0, unit="s", scale="log",
                  about="how long"),
        Parameter(name="rise_s", low=0.1, high=36_000.0, default=2.0, unit="s", scale="log",
                  about="in which the flow grows; slow to stay below a rate limit"),
        Parameter(name="ambient_k", low=0.0, high=100.0, default=10.0, unit="K",
                  about="by which the surroundings cool"),
        Parameter(name="dry", low=0.0, high=0.5, default=0.2, unit="",
                  about="by which relative humidity falls"),
        Parameter(name="gas_share", low=0.0, high=0.9, default=0.3, unit="",
                  about="of the air that is displaced"),
    ),
    potential=Potential(
        elapsed_s=7 * DAY_S, on_site_s=900.0, expertise="proficient", knowledge="public",
        window="moderate", equipment="standard", persons=2, cost_usd=3e3,
    ),
    effects=_effects,
    source="LN2 at -196 C stalls tamper logic, more than 1 K/s (physics.md 2, 3, unverified)",
)  # fmt: skip
