"""Lift a door: an opening as long as the door, a puff of air, light, a thump; then it is closed.

A door's boards reach their readers through blind-mate contacts (cards of doors): they read open
while the door stands off by more than those wipe. One board of the door stands for all of them.
The first door of the design; a design without one has the panel of the place taken off instead.
"""

from __future__ import annotations

from casemate.attacks.board import here
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Ambient, Aperture, Detached, Force, Light, Scene, Timed

FACE_AXES = {"front": (0, 2), "rear": (0, 2), "left": (1, 2), "right": (1, 2)}
"""Which edges of the box are the width and height of a face; top and bottom have (0, 1)."""
PUFF_S = 0.2
"""In which the pressure has evened out (planning value)."""
WIPE_M = 2e-3
"""By which a door has to stand off before its blind-mate contacts part (planning value)."""


def _effects(plan: Plan, values: Values) -> Scene:
    face = plan.doors[0] if plan.doors else plan.tile.face
    long_m = max(plan.size_m[axis] for axis in FACE_AXES.get(face, (0, 1)))
    swing_s = values["swing_s"]
    stop_s = START_S + swing_s + values["open_s"]
    thump = Force(at=here(plan), kind="shock", newton=values["thump_n"], hertz=values["thump_hz"])
    ajar = Aperture(face=face, length_m=long_m, width_m=min(values["ajar_m"], long_m))
    inside = Ambient(kelvin=values["kelvin"], humidity=values["humidity"], inside=True)
    puff = Ambient(pascal=-values["puff_pa"], inside=True)
    slam = Ambient(pascal=values["puff_pa"], inside=True)
    knock_s = 1.0 / values["thump_hz"]
    parted: Scene = ()
    if plan.doors and ajar.width_m > WIPE_M:
        board = next((each for each in plan.tiles if each.face == face), plan.tile)
        off_s = START_S + swing_s * WIPE_M / ajar.width_m
        parted = (Timed(effect=Detached(tile=board.id), start_s=off_s, stop_s=stop_s),)
    return (
        *parted,
        Timed(effect=thump, start_s=START_S, stop_s=START_S + knock_s),
        Timed(effect=ajar, start_s=START_S, stop_s=stop_s, rise_s=swing_s),
        Timed(effect=puff, start_s=START_S, stop_s=START_S + PUFF_S),
        Timed(effect=Light(lux=values["lux"]), start_s=START_S, stop_s=stop_s),
        Timed(effect=inside, start_s=START_S, stop_s=stop_s + values["air_s"],
              rise_s=values["air_s"]),
        Timed(effect=slam, start_s=stop_s, stop_s=stop_s + PUFF_S),
        Timed(effect=thump, start_s=stop_s, stop_s=stop_s + knock_s),
    )  # fmt: skip


DOOR = Move(
    id="door",
    name="opened door",
    goal="intrude",
    about="the first door (or else the panel of the place) opened a little or wide, then closed",
    parameters=(
        Parameter(name="ajar_m", low=1e-4, high=1.0, default=0.02, unit="m", scale="log",
                  about="width of the opening, at most its length"),
        Parameter(name="swing_s", low=0.1, high=600.0, default=1.0, unit="s", scale="log",
                  about="to open it"),
        Parameter(name="open_s", low=0.5, high=86_400.0, default=20.0, unit="s", scale="log",
                  about="how long it stays open"),
        Parameter(name="thump_n", low=0.05, high=200.0, default=10.0, unit="N", scale="log",
                  about="peak force when the latch opens and closes"),
        Parameter(name="thump_hz", low=10.0, high=500.0, default=100.0, unit="Hz", scale="log",
                  about="inverse of a thump's length"),
        Parameter(name="puff_pa", low=0.01, high=100.0, default=5.0, unit="Pa", scale="log",
                  about="by which the air inside is sucked, then pushed"),
        Parameter(name="lux", low=1e-3, high=1e5, default=300.0, unit="lux", scale="log",
                  about="outside"),
        Parameter(name="kelvin", low=-20.0, high=20.0, default=-2.0, unit="K",
                  about="change of the air inside as room air enters"),
        Parameter(name="humidity", low=-0.3, high=0.3, default=0.05, unit="",
                  about="the same for relative humidity"),
        Parameter(name="air_s", low=1.0, high=3_600.0, default=30.0, unit="s", scale="log",
                  about="in which the air inside follows"),
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=120.0, expertise="layman", knowledge="public",
        window="moderate", equipment="standard", persons=1, cost_usd=500.0,
    ),
    effects=_effects,
    source="planning values; leak of air: physics.md 5.6",
)  # fmt: skip
