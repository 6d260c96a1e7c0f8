"""Dummy: a tile's connector is moved to a passive copy of its nets; the tile itself is then free.

The connectors lie inside, so this follows another move. A good copy differs by no more than tiles
of the same drawing do; a switch that makes before it breaks leaves no gap.
"""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.readers import skin
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Detached, Scene, Substituted, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    scene = []
    back_s = START_S
    if values["gap_s"] > 0.0:
        back_s += values["gap_s"]
        off = Detached(tile=plan.tile.id)
        scene.append(Timed(effect=off, start_s=START_S, stop_s=back_s))
    for modality in skin(plan):
        copy = Substituted(
            modality=modality, tile=plan.tile.id, kind="dummy", mismatch=values["mismatch"]
        )
        scene.append(Timed(effect=copy, start_s=back_s))
    return tuple(scene)


DUMMY = Move(
    id="dummy",
    name="connector moved to a dummy",
    goal="intrude",
    about="a tile's connector moved to a passive copy of its nets",
    parameters=(
        Parameter(name="gap_s", low=0.0, high=60.0, default=0.2, unit="s",
                  about="in which nothing is connected; 0: make before break"),
        Parameter(name="mismatch", low=1e-4, high=0.3, default=0.01, unit="", scale="log",
                  about="relative error of the copy, channel by channel"),
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=1_200.0, expertise="expert", knowledge="critical",
        window="difficult", equipment="bespoke", persons=3, cost_usd=1e5,
    ),
    effects=_effects,
    source="planning values; needs matched impedance and delay (physics.md 2)",
)  # fmt: skip
