"""Drill through a board: a bit of any diameter, at any angle and place, with its noise and swarf.

The bit meets each mesh layer where its axis crosses it. While it turns it shakes the panel and
warms the place; its metal, which may be grounded through the machine, touches what it cuts until it
is withdrawn. Swarf joins the copper on both sides of the hole and stays, as the hole does. Deep
drilling ends with the bit standing in the cavity as a rod; a straight continuation behind the place
is assumed, however the bit leans.
"""

from __future__ import annotations

import math

from casemate.attacks.board import beside, here, opening, rod, spot, spots
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Bridge, Contact, Force, HeatSpot, Hole, Scene, Timed

BIT_F = 2e-13
"""Of a slim bit in its hole to the copper round it: 0.1 to 0.3 pF (planning value)."""
FRICTION = 0.4
"""Of the spindle's power that heats the board rather than the chips (planning value)."""
INSULATED_OHM = 1e12
"""At or above it nothing conducts: the insulation of the board itself is of this order."""


def _effects(plan: Plan, values: Values) -> Scene:
    lean = math.cos(values["tilt_rad"])
    feed_m_s = values["feed_m_s"]
    wall_m = max(plan.wall_m, plan.tile.stackup.thickness_m)
    wall_s = START_S + wall_m / lean / feed_m_s
    through_s = START_S + (wall_m + values["beyond_m"]) / lean / feed_m_s
    out_s = through_s + values["dwell_s"]
    shake = Force(at=here(plan), kind="drill", newton=values["thrust_n"], hertz=values["turns_1_s"])
    warm = HeatSpot(
        at=here(plan), watt=FRICTION * values["spindle_w"], radius_m=values["diameter_m"]
    )
    scene = [
        Timed(effect=shake, start_s=START_S, stop_s=through_s),
        Timed(effect=warm, start_s=START_S, stop_s=through_s),
        *_openings(plan, values["diameter_m"], START_S, out_s),
    ]
    for depth_m, _ in spots(plan, values["tilt_rad"], values["azimuth_rad"]):
        scene += _layer(plan, values, depth_m, START_S + depth_m / lean / feed_m_s, out_s)
    if values["beyond_m"] > 0.0:
        bit = rod(plan, values["beyond_m"], values["diameter_m"])
        rise_s = through_s - wall_s
        scene.append(Timed(effect=bit, start_s=wall_s, stop_s=out_s, rise_s=rise_s))
    return tuple(scene)


def _layer(plan: Plan, values: Values, depth_m: float, met_s: float, out_s: float) -> list[Timed]:
    """Return what happens to one mesh layer from the moment at which the bit meets it."""
    diameter_m, azimuth_rad = values["diameter_m"], values["azimuth_rad"]
    aside_m = depth_m * math.tan(values["tilt_rad"])
    layer = plan.tile.stackup.mesh[plan.tile.stackup.depth_m.index(depth_m)]
    at = spot(plan, layer, beside(plan, aside_m, azimuth_rad))
    grounded = values["bit_ohm"] if values["bit_ohm"] < INSULATED_OHM else math.inf
    bit = Contact(at=at, farad=BIT_F, ohm=grounded, reach_m=0.5 * diameter_m + 2e-5)
    rows = [
        Timed(effect=Hole(at=at, diameter_m=diameter_m), start_s=met_s),
        Timed(effect=bit, start_s=met_s, stop_s=out_s),
    ]
    if values["swarf_ohm"] < INSULATED_OHM:
        edge_m = 0.5 * (diameter_m + plan.tile.mesh.trace_m)
        ends = [spot(plan, layer, beside(plan, aside_m + step, azimuth_rad))
                for step in (-edge_m, edge_m)]  # fmt: skip
        swarf = Bridge(at=ends[0], to=ends[1], ohm=values["swarf_ohm"])
        rows.append(Timed(effect=swarf, start_s=met_s))
    return rows


def _openings(plan: Plan, diameter_m: float, start_s: float, out_s: float) -> list[Timed]:
    """Return the hole in the conducting outer plane: filled by the bit, then open to light."""
    filled = opening(plan, diameter_m, diameter_m, clear=False)
    clear = opening(plan, diameter_m, diameter_m)
    return [
        Timed(effect=filled, start_s=start_s, stop_s=out_s),
        Timed(effect=clear, start_s=out_s),
    ]


DRILL = Move(
    id="drill",
    name="mechanical drill",
    goal="intrude",
    about="a bit through a board at any place and angle, then withdrawn",
    parameters=(
        Parameter(name="diameter_m", low=5e-5, high=3e-3, default=3e-4, unit="m", scale="log",
                  about="of the bit"),
        Parameter(name="tilt_rad", low=0.0, high=1.22, default=0.0, unit="rad",
                  about="from the normal"),
        Parameter(name="azimuth_rad", low=0.0, high=2 * math.pi, default=0.0, unit="rad",
                  about="of the tilt in the board's plane"),
        Parameter(name="feed_m_s", low=1e-6, high=1e-3, default=1e-4, unit="m/s", scale="log",
                  about="along the tool"),
        Parameter(name="turns_1_s", low=50.0, high=5_000.0, default=500.0, unit="1/s", scale="log",
                  about="of the spindle"),
        Parameter(name="thrust_n", low=0.01, high=5.0, default=1.0, unit="N", scale="log",
                  about="steady push"),
        Parameter(name="spindle_w", low=0.1, high=50.0, default=2.0, unit="W", scale="log",
                  about="power at the tip"),
        Parameter(name="bit_ohm", low=0.1, high=1e12, default=1e12, unit="ohm", scale="log",
                  about="from the copper met to ground, by machine or plane; 1e12: insulated"),
        Parameter(name="swarf_ohm", low=0.01, high=1e12, default=1e12, unit="ohm", scale="log",
                  about="of swarf across the hole that joins the copper beside it; 1e12: none"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.01, unit="m",
                  about="how far the bit stands in the volume"),
        Parameter(name="dwell_s", low=0.1, high=3_600.0, default=5.0, unit="s", scale="log",
                  about="before it is withdrawn"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="moderate", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="ranges: 0.05 to 0.3 mm bits turn at 500 to 5000 1/s; thrust 0.1 to 5 N "
    "(physics.md 3, 5.6, planning values)",
)  # fmt: skip
