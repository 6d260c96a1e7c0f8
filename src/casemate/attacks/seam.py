"""Open a seam: lift a lap or a board's edge, look or reach in, let it down again.

The board bends, which strains its copper; a slot opens in the conducting wall, and light and air
pass it. The place should be near a rim; anywhere else the board could not be lifted.
"""

from __future__ import annotations

from casemate.attacks.board import here, opening, rod
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Force, Lifted, Light, Scene, Timed

PRY_HZ = 50.0
"""Upper end of what a hand or a wedge excites (planning value)."""


def _effects(plan: Plan, values: Values) -> Scene:
    rise_s, place = values["rise_s"], here(plan)
    stop_s = START_S + rise_s + values["open_s"]
    lift = Lifted(
        at=place,
        gap_m=values["gap_m"],
        strain=values["strain"],
        radius_m=0.5 * values["length_m"],
    )
    pry = Force(at=place, kind="noise", newton=values["newton"], hertz=PRY_HZ)
    slot = opening(plan, values["length_m"], values["gap_m"])
    scene = [
        Timed(effect=lift, start_s=START_S, stop_s=stop_s, rise_s=rise_s),
        Timed(effect=pry, start_s=START_S, stop_s=START_S + rise_s),
        Timed(effect=pry, start_s=stop_s, stop_s=stop_s + rise_s),
        Timed(effect=slot, start_s=START_S, stop_s=stop_s, rise_s=rise_s),
        Timed(effect=Light(lux=values["lux"]), start_s=START_S, stop_s=stop_s),
    ]
    if values["tool_m"] > 0.0:
        tool = rod(plan, values["tool_m"], min(values["gap_m"], 1e-3))
        scene.append(Timed(effect=tool, start_s=START_S + rise_s, stop_s=stop_s))
    return tuple(scene)


SEAM = Move(
    id="seam",
    name="lifted seam",
    goal="intrude",
    about="a lap or a board's edge lifted: slot, light, air and strain; then let down",
    parameters=(
        Parameter(name="length_m", low=2e-3, high=0.3, default=0.02, unit="m", scale="log",
                  about="of the slot"),
        Parameter(name="gap_m", low=1e-5, high=3e-3, default=2e-4, unit="m", scale="log",
                  about="by which it is lifted"),
        Parameter(name="strain", low=1e-6, high=3e-3, default=1e-4, unit="", scale="log",
                  about="of the copper where the board bends most"),
        Parameter(name="newton", low=0.01, high=50.0, default=2.0, unit="N", scale="log",
                  about="of prying, root mean square about its mean"),
        Parameter(name="rise_s", low=0.05, high=86_400.0, default=2.0, unit="s", scale="log",
                  about="to lift, and to let down"),
        Parameter(name="open_s", low=0.1, high=86_400.0, default=30.0, unit="s", scale="log",
                  about="how long it stays lifted"),
        Parameter(name="lux", low=1e-3, high=1e5, default=300.0, unit="lux", scale="log",
                  about="outside at the place; a covert attacker works in the dark"),
        Parameter(name="tool_m", low=0.0, high=0.1, default=0.0, unit="m",
                  about="length of a metal tool that is pushed through; 0: none"),
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=900.0, expertise="proficient", knowledge="restricted",
        window="moderate", equipment="standard", persons=2, cost_usd=5e3,
    ),
    effects=_effects,
    source="planning values; a loosened screw was visible to anti-tamper radio (physics.md 1)",
)  # fmt: skip
