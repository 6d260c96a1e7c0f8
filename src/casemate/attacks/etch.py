"""Etching: solvent or plasma opens a pocket over hours, layer after layer, then the nets are cut.

A pocket grows in stages, each deeper and wider than the last. What etches the dielectric may also
thin the copper under it. No force, hardly any heat: only the copper itself can tell.
"""

from __future__ import annotations

from casemate.attacks.board import here, opening, rod, spot
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import HeatSpot, Hole, Pocket, Scene, Thinned, Timed

STAGES = 6
"""Of one pocket: enough for a slow drift to look slow, few enough to compute."""


def _effects(plan: Plan, values: Values) -> Scene:
    layers = plan.tile.stackup.mesh
    each_s = values["etch_s"] / len(layers)
    scene: list[Timed] = []
    for number in range(len(layers)):
        scene += _pocket(plan, values, number, START_S + number * each_s, each_s)
    done_s = START_S + values["etch_s"]
    hole_s = done_s + values["pause_s"]
    for layer in layers:
        hole = Hole(at=spot(plan, layer), diameter_m=values["hole_m"])
        scene.append(Timed(effect=hole, start_s=hole_s))
    heat = HeatSpot(at=here(plan), watt=values["watt"], radius_m=0.5 * values["pocket_m"])
    scene.append(Timed(effect=heat, start_s=START_S, stop_s=done_s))
    bare = opening(plan, values["pocket_m"], values["pocket_m"])
    scene.append(Timed(effect=bare, start_s=START_S + each_s))
    if values["beyond_m"] > 0.0:
        tool = rod(plan, values["beyond_m"], 0.9 * values["hole_m"])
        scene.append(Timed(effect=tool, start_s=hole_s + 1.0, stop_s=hole_s + 61.0, rise_s=5.0))
    return tuple(scene)


def _pocket(plan: Plan, values: Values, number: int, start_s: float, each_s: float) -> list[Timed]:
    stack = plan.tile.stackup
    at = spot(plan, stack.mesh[number])
    above_m = stack.depth_m[number - 1] if number else 0.0
    over_m = stack.depth_m[number] - above_m
    step_s = each_s / STAGES
    rows = []
    for stage in range(1, STAGES + 1):
        begin_s = start_s + (stage - 1) * step_s
        last = stage == STAGES
        pocket = Pocket(
            at=at,
            diameter_m=values["pocket_m"] * stage / STAGES,
            left_m=over_m * (1.0 - stage / STAGES),
            epsilon_r=values["fill_epsilon_r"],
        )
        stop_s = float("inf") if last else begin_s + step_s
        rows.append(Timed(effect=pocket, start_s=begin_s, stop_s=stop_s, rise_s=step_s))
    if values["copper_left"] < 1.0:
        thin = Thinned(at=at, diameter_m=values["pocket_m"], left=values["copper_left"])
        rows.append(Timed(effect=thin, start_s=start_s + each_s - step_s, rise_s=step_s))
    return rows


ETCH = Move(
    id="etch",
    name="solvent or plasma etching",
    goal="intrude",
    about="a pocket that grows over hours, silent and nearly cold; then a cut",
    parameters=(
        Parameter(name="pocket_m", low=5e-4, high=2e-2, default=5e-3, unit="m", scale="log",
                  about="diameter at the end"),
        Parameter(name="etch_s", low=600.0, high=1e6, default=14_400.0, unit="s", scale="log",
                  about="for all layers"),
        Parameter(name="fill_epsilon_r", low=1.0, high=40.0, default=1.0, unit="", scale="log",
                  about="of what stands in the pocket: 1 for plasma, up to 40 for a solvent"),
        Parameter(name="copper_left", low=0.2, high=1.0, default=1.0, unit="",
                  about="share of the copper's thickness that the etchant leaves"),
        Parameter(name="watt", low=1e-3, high=5.0, default=0.1, unit="W", scale="log",
                  about="heat of plasma or bath that the board takes"),
        Parameter(name="pause_s", low=0.1, high=86_400.0, default=60.0, unit="s", scale="log",
                  about="from the last etch to the cut"),
        Parameter(name="hole_m", low=2e-5, high=3e-3, default=1.5e-4, unit="m", scale="log",
                  about="diameter of what is then cut or pushed through between the traces"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.01, unit="m",
                  about="how far a metal tool then stands in the volume"),
    ),
    potential=Potential(
        elapsed_s=90 * DAY_S, on_site_s=18_000.0, expertise="expert", knowledge="sensitive",
        window="difficult", equipment="bespoke", persons=4, cost_usd=4e5,
    ),
    effects=_effects,
    source="hours for potting, mass loss and slow capacitive drift (physics.md 3, unverified); "
    "planning values",
)  # fmt: skip
