"""Probe touch: the tip of a probe on a trace, of any capacitance, again and again.

A window is opened over the layer; for inner layers the tip first passes between the traces above.
What is listened to is the challenge, so this is how an emulator learns it.
"""

from __future__ import annotations

import math

from casemate.attacks.board import mesh_layer, opening, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Contact, Hole, Pocket, Scene, Timed

OPEN_OHM = 1e12


def _effects(plan: Plan, values: Values) -> Scene:
    layers = plan.tile.stackup.mesh
    deepest = mesh_layer(plan, values["layer"])
    at = spot(plan, layers[deepest])
    scene = []
    for number, layer in enumerate(layers[: deepest + 1]):
        wide_m = values["window_m"] if number == 0 else values["tip_m"]
        window = Pocket(at=spot(plan, layer), diameter_m=wide_m)
        scene.append(Timed(effect=window, start_s=START_S, rise_s=values["window_s"]))
    ready_s = START_S + values["window_s"]
    for layer in layers[:deepest]:
        hole = Hole(at=spot(plan, layer), diameter_m=values["tip_m"])
        scene.append(Timed(effect=hole, start_s=ready_s))
    ohm = values["ohm"] if values["ohm"] < OPEN_OHM else math.inf
    tip = Contact(at=at, farad=values["farad"], ohm=ohm, reach_m=values["reach_m"])
    for number in range(round(values["touches"])):
        begin_s = ready_s + 1.0 + number * (values["hold_s"] + values["lift_s"])
        scene.append(Timed(effect=tip, start_s=begin_s, stop_s=begin_s + values["hold_s"]))
    bare = opening(plan, values["window_m"], values["window_m"])
    scene.append(Timed(effect=bare, start_s=START_S))
    return tuple(scene)


PROBE = Move(
    id="probe",
    name="probe on a trace",
    goal="intrude",
    about="a probe's tip on the trace nearest to the place, on any layer, again and again",
    parameters=(
        Parameter(name="layer", low=0, high=7, default=0, unit="", scale="whole",
                  about="mesh layer, 0 the outermost; the innermost if there are fewer"),
        Parameter(name="farad", low=5e-15, high=1e-11, default=1e-12, unit="F", scale="log",
                  about="of the tip to ground: 0.1 pF active, 10 pF passive, less without contact"),
        Parameter(name="ohm", low=50.0, high=1e12, default=1e7, unit="ohm", scale="log",
                  about="of the tip to ground; 1e12: none"),
        Parameter(name="reach_m", low=1e-5, high=5e-4, default=1e-4, unit="m", scale="log",
                  about="within which copper is met"),
        Parameter(name="tip_m", low=1e-5, high=2e-4, default=5e-5, unit="m", scale="log",
                  about="diameter where it passes the layers above"),
        Parameter(name="window_m", low=1e-4, high=5e-3, default=5e-4, unit="m", scale="log",
                  about="diameter of the window in the outer dielectric"),
        Parameter(name="window_s", low=1.0, high=1e5, default=600.0, unit="s", scale="log",
                  about="to open it"),
        Parameter(name="touches", low=1, high=50, default=1, unit="", scale="whole",
                  about="how often"),
        Parameter(name="hold_s", low=1e-3, high=3_600.0, default=2.0, unit="s", scale="log",
                  about="time of a touch"),
        Parameter(name="lift_s", low=1e-3, high=3_600.0, default=2.0, unit="s", scale="log",
                  about="between touches"),
    ),
    potential=Potential(
        elapsed_s=30 * DAY_S, on_site_s=3_600.0, expertise="expert", knowledge="sensitive",
        window="difficult", equipment="specialised", persons=2, cost_usd=1e5,
    ),
    effects=_effects,
    source="a scope probe's contact is what reflectometry was shown to find (physics.md 1; TCHES "
    "2026/1); 0.1 to 10 pF are the usual inputs of active and passive probes (planning values)",
)  # fmt: skip
