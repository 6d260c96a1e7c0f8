"""Remove a tile: undo its screws, lift it on its lead or unplug it, reach in, put it back."""

from __future__ import annotations

from casemate.attacks.board import here, on_board, opening
from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.core.geometry import Point
from casemate.twin.effects import Detached, Force, Lifted, Light, Place, Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    tile = plan.tile
    scene = []
    now_s = START_S
    for number in range(round(values["screws"])):
        x_m, y_m = _screw(plan, number)
        at = Place(tile=tile.id, x_m=x_m, y_m=y_m)
        turn = Force(at=at, kind="noise", newton=values["newton"], hertz=values["hertz"])
        scene.append(Timed(effect=turn, start_s=now_s, stop_s=now_s + values["screw_s"]))
        now_s += values["screw_s"]
    stop_s = now_s + values["open_s"]
    lift = Lifted(
        at=here(plan),
        gap_m=values["gap_m"],
        strain=values["strain"],
        radius_m=max(tile.width_m, tile.height_m),
    )
    long_m, wide_m = max(tile.width_m, tile.height_m), min(tile.width_m, tile.height_m)
    bare = opening(plan, long_m, wide_m)
    scene += [
        Timed(effect=lift, start_s=now_s, stop_s=stop_s),
        Timed(effect=bare, start_s=now_s, stop_s=stop_s),
        Timed(effect=Light(lux=values["lux"]), start_s=now_s, stop_s=stop_s),
    ]
    if values["lead"] == 0.0:
        gone = Detached(tile=tile.id)
        scene.append(Timed(effect=gone, start_s=now_s, stop_s=stop_s))
    return tuple(scene)


def _screw(plan: Plan, number: int) -> Point:
    """Return the place of a screw: the corners of the board's bounding box in turn."""
    x0, y0, x1, y1 = plan.tile.outline.bounds
    return on_board(plan, *((x0, y0), (x1, y1), (x1, y0), (x0, y1))[number % 4])


REMOVE_TILE = Move(
    id="remove-tile",
    name="removed tile",
    goal="intrude",
    about="a tile unscrewed and unplugged, or lifted on its lead; later put back",
    parameters=(
        Parameter(name="screws", low=0, high=24, default=6, unit="", scale="whole",
                  about="undone one after the other, at the corners in turn"),
        Parameter(name="screw_s", low=0.5, high=600.0, default=8.0, unit="s", scale="log",
                  about="for each"),
        Parameter(name="newton", low=0.01, high=20.0, default=1.0, unit="N", scale="log",
                  about="of turning a screw, root mean square"),
        Parameter(name="hertz", low=20.0, high=2_000.0, default=300.0, unit="Hz", scale="log",
                  about="upper end of what that excites"),
        choice("lead", ("unplugged", "stays on its lead"), "what becomes of its connector"),
        Parameter(name="gap_m", low=5e-4, high=0.3, default=0.05, unit="m", scale="log",
                  about="how far it is lifted"),
        Parameter(name="strain", low=1e-7, high=1e-3, default=2e-5, unit="", scale="log",
                  about="of its copper by handling"),
        Parameter(name="open_s", low=1.0, high=1e6, default=120.0, unit="s", scale="log",
                  about="until it is back"),
        Parameter(name="lux", low=1e-3, high=1e5, default=300.0, unit="lux", scale="log",
                  about="outside"),
    ),
    potential=Potential(
        elapsed_s=7 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="public",
        window="moderate", equipment="standard", persons=2, cost_usd=2e3,
    ),
    effects=_effects,
    source="planning values",
)  # fmt: skip
