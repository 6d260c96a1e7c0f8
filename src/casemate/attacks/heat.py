"""Heat a place: soften glue or solder, or walk local readings, with air, lamp or iron."""

from __future__ import annotations

from casemate.attacks.board import here
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import HeatSpot, Lifted, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    stop_s = START_S + values["hold_s"]
    lamp = HeatSpot(at=here(plan), watt=values["watt"], radius_m=values["radius_m"])
    rise_s = min(values["rise_s"], values["hold_s"])
    scene = [Timed(effect=lamp, start_s=START_S, stop_s=stop_s, rise_s=rise_s)]
    if values["peel_m"] > 0.0:
        peel = Lifted(
            at=here(plan), gap_m=values["peel_m"], strain=1e-4, radius_m=values["radius_m"]
        )
        half_s = 0.5 * values["hold_s"]
        scene.append(Timed(effect=peel, start_s=START_S + half_s, stop_s=stop_s, rise_s=half_s))
    return tuple(scene)


HEAT = Move(
    id="heat",
    name="local heat",
    goal="intrude",
    about="a place warmed to loosen what holds it, slowly or fast; it may then be peeled",
    parameters=(
        Parameter(name="watt", low=0.1, high=2_000.0, default=50.0, unit="W", scale="log",
                  about="into the board"),
        Parameter(name="radius_m", low=1e-3, high=0.2, default=0.02, unit="m", scale="log",
                  about="of the spot"),
        Parameter(name="rise_s", low=0.1, high=36_000.0, default=30.0, unit="s", scale="log",
                  about="in which it grows, at most hold_s"),
        Parameter(name="hold_s", low=1.0, high=86_400.0, default=180.0, unit="s", scale="log",
                  about="how long, the growth included"),
        Parameter(name="peel_m", low=0.0, high=2e-3, default=0.0, unit="m",
                  about="by which the softened board is lifted in the second half; 0: not"),
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=600.0, expertise="layman", knowledge="public",
        window="moderate", equipment="standard", persons=1, cost_usd=500.0,
    ),
    effects=_effects,
    source="planning values: a hot-air tool has some hundred watts",
)  # fmt: skip
