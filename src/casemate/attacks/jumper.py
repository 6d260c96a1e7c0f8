"""Jumper, then cut: bridge a span of one or several neighbouring nets, then cut out the span.

On each mesh layer windows are opened at both ends of the span, wires are soldered across, and the
copper between is drilled away. Wires lie side by side, one mesh pitch apart.
"""

from __future__ import annotations

import math

from casemate.attacks.board import here, on_board, opening, spot
from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.core.geometry import Point
from casemate.twin.effects import (
    Bridge,
    Contact,
    Force,
    HeatSpot,
    Hole,
    Place,
    Pocket,
    Scene,
    Timed,
)

IRON_F = 5e-12
"""Of a soldering tip and its cable to ground (planning value)."""
BIT_TURNS_1_S = 500.0
"""As the default of the drill."""


def _effects(plan: Plan, values: Values) -> Scene:
    layers = plan.tile.stackup.mesh
    now_s = START_S
    scene: list[Timed] = []
    for layer in layers:
        for number in range(round(values["wires"])):
            rows, now_s = _wire(plan, values, layer, number, now_s)
            scene += rows
    cut_s = now_s + values["pause_s"]
    for number, layer in enumerate(layers):
        hole = Hole(at=spot(plan, layer), diameter_m=values["hole_m"])
        scene.append(Timed(effect=hole, start_s=cut_s + number))
    if values["tool"] == 0.0:
        drill = Force(at=here(plan), kind="drill", newton=0.5, hertz=BIT_TURNS_1_S)
        scene.append(Timed(effect=drill, start_s=cut_s, stop_s=cut_s + len(layers) + 1.0))
    bare = opening(plan, values["hole_m"], values["hole_m"])
    scene.append(Timed(effect=bare, start_s=cut_s))
    return tuple(scene)


def _ends(plan: Plan, values: Values, number: int) -> tuple[Point, Point]:
    """Return both ends of a wire: half a span on each side, whole pitches aside."""
    cos, sin = math.cos(values["azimuth_rad"]), math.sin(values["azimuth_rad"])
    aside_m = (number - 0.5 * (values["wires"] - 1.0)) * plan.tile.mesh.pitch_m
    x_m, y_m = plan.place[0] - aside_m * sin, plan.place[1] + aside_m * cos
    half_m = 0.5 * values["span_m"]
    return (
        on_board(plan, x_m - half_m * cos, y_m - half_m * sin),
        on_board(plan, x_m + half_m * cos, y_m + half_m * sin),
    )


def _wire(
    plan: Plan, values: Values, layer: str, number: int, now_s: float
) -> tuple[list[Timed], float]:
    """Return what one wire takes: two windows, two solder joints, the wire; and when it is done."""
    rows: list[Timed] = []
    start, end = _ends(plan, values, number)
    for point in (start, end):
        at = spot(plan, layer, point)
        window = Pocket(at=at, diameter_m=values["window_m"])
        iron = Contact(at=at, farad=IRON_F, ohm=values["iron_ohm"], reach_m=values["window_m"])
        place = Place(tile=plan.tile.id, x_m=point[0], y_m=point[1])
        heat = HeatSpot(at=place, watt=values["solder_w"], radius_m=0.5 * values["window_m"])
        open_s, solder_s = now_s + values["window_s"], values["solder_s"]
        rows += [
            Timed(effect=window, start_s=now_s, rise_s=values["window_s"]),
            Timed(effect=iron, start_s=open_s, stop_s=open_s + solder_s),
            Timed(effect=heat, start_s=open_s, stop_s=open_s + solder_s),
        ]
        now_s = open_s + solder_s
    wire = Bridge(
        at=spot(plan, layer, start),
        to=spot(plan, layer, end),
        ohm=values["wire_ohm"],
        henry=values["henry_m"] * values["span_m"],
    )
    rows.append(Timed(effect=wire, start_s=now_s))
    return rows, now_s


JUMPER = Move(
    id="jumper",
    name="jumper, then cut",
    goal="intrude",
    about="wires soldered over a span of neighbouring nets on each layer, then the span cut out",
    parameters=(
        Parameter(name="span_m", low=2e-4, high=5e-2, default=2e-3, unit="m", scale="log",
                  about="from joint to joint"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="direction of the wires"),
        Parameter(name="wires", low=1, high=16, default=2, unit="", scale="whole",
                  about="neighbouring nets bridged on each layer"),
        Parameter(name="wire_ohm", low=1e-3, high=100.0, default=0.02, unit="ohm", scale="log",
                  about="of a wire with its joints; it may be matched to the span it replaces"),
        Parameter(name="henry_m", low=2e-7, high=1.5e-6, default=8e-7, unit="H/m", scale="log",
                  about="inductance of a wire by length"),
        Parameter(name="window_m", low=5e-5, high=2e-3, default=3e-4, unit="m", scale="log",
                  about="diameter of the bared copper at a joint"),
        Parameter(name="window_s", low=1.0, high=7_200.0, default=120.0, unit="s", scale="log",
                  about="to open a window"),
        Parameter(name="solder_w", low=0.01, high=10.0, default=1.0, unit="W", scale="log",
                  about="heat into the board at a joint; little if bonded or glued"),
        Parameter(name="solder_s", low=0.1, high=600.0, default=3.0, unit="s", scale="log",
                  about="time of a joint"),
        Parameter(name="iron_ohm", low=0.1, high=1e12, default=1e9, unit="ohm", scale="log",
                  about="from the tip to ground; large if floating"),
        Parameter(name="pause_s", low=0.1, high=1e6, default=60.0, unit="s", scale="log",
                  about="from the last joint to the cut"),
        Parameter(name="hole_m", low=1e-4, high=2e-2, default=5e-4, unit="m", scale="log",
                  about="diameter that is cut out between"),
        choice("tool", ("drill", "laser"), "what cuts; only the drill shakes"),
    ),
    potential=Potential(
        elapsed_s=90 * DAY_S, on_site_s=10_800.0, expertise="expert", knowledge="critical",
        window="difficult", equipment="specialised", persons=4, cost_usd=2e5,
    ),
    effects=_effects,
    source="micro-solder patch, a shown attack (physics.md 3; TCHES 2026/1); planning values",
)  # fmt: skip
