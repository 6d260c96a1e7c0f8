"""Fibre: a dielectric rod, through a gap that is there or a fine hole of its own.

Glass is all but invisible to radio, so the hole is what may be seen. A hollow or coated fibre
carries light and fluids; it is taken as a plain rod.
"""

from __future__ import annotations

from casemate.attacks.board import opening, rod, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Hole, Light, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    scene = []
    hole_m = values["hole_m"]
    if hole_m > 0.0:
        for layer in plan.tile.stackup.mesh:
            hole = Hole(at=spot(plan, layer), diameter_m=hole_m)
            scene.append(Timed(effect=hole, start_s=START_S))
        filled = opening(plan, hole_m, hole_m, clear=False)
        scene.append(Timed(effect=filled, start_s=START_S))
    rise_s = values["length_m"] / values["speed_m_s"]
    in_s = START_S + 1.0
    out_s = in_s + rise_s + values["dwell_s"]
    glass = rod(plan, values["length_m"], values["diameter_m"], epsilon_r=values["epsilon_r"])
    scene.append(Timed(effect=glass, start_s=in_s, stop_s=out_s, rise_s=rise_s))
    if values["lux"] > 0.0:
        lamp = Light(lux=values["lux"])
        scene.append(Timed(effect=lamp, start_s=in_s + rise_s, stop_s=out_s))
    return tuple(scene)


FIBRE = Move(
    id="fibre",
    name="glass fibre",
    goal="intrude",
    about="a dielectric rod through a gap or a fine hole: endoscope, capillary, light guide",
    parameters=(
        Parameter(name="length_m", low=1e-3, high=0.3, default=0.03, unit="m", scale="log",
                  about="how far it stands in the volume"),
        Parameter(name="diameter_m", low=1e-5, high=1e-3, default=1.25e-4, unit="m", scale="log",
                  about="of the fibre; 0.125 mm is the standard cladding"),
        Parameter(name="epsilon_r", low=1.5, high=10.0, default=3.8, unit="",
                  about="relative permittivity; 3.8 for silica"),
        Parameter(name="hole_m", low=0.0, high=1e-3, default=0.0, unit="m",
                  about="hole made for it through all layers; 0: it takes an existing gap"),
        Parameter(name="speed_m_s", low=1e-6, high=0.1, default=5e-3, unit="m/s", scale="log",
                  about="inward"),
        Parameter(name="dwell_s", low=0.1, high=1e6, default=120.0, unit="s", scale="log",
                  about="before it is withdrawn"),
        Parameter(name="lux", low=0.0, high=1e3, default=0.0, unit="lux",
                  about="light that it brings in; 0: thermal camera or none"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="moderate", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="0.125 mm x 10 mm of glass is -95 dB at 8 GHz (physics.md 5.5); planning values",
)  # fmt: skip
