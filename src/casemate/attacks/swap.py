"""Swap: the whole enclosure, with reader, controller and contents, is exchanged for another one."""

from __future__ import annotations

from casemate.attacks.board import here
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import Force, Scene, Shaken, SupplyDip, Swapped, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    off_s = START_S + values["handling_s"]
    on_s = off_s + values["gap_s"]
    carried = Shaken(kind="noise", m_s2=values["m_s2"], hertz=50.0)
    put_down = Force(at=here(plan), kind="shock", newton=values["bump_n"], hertz=50.0)
    return (
        Timed(effect=carried, start_s=START_S, stop_s=on_s),
        Timed(effect=SupplyDip(share=0.0), start_s=off_s, stop_s=on_s),
        Timed(effect=Swapped(), start_s=off_s),
        Timed(effect=put_down, start_s=on_s, stop_s=on_s + 0.02),
    )


SWAP = Move(
    id="swap",
    name="whole enclosure swapped",
    goal="intrude",
    about="another enclosure of the same design takes the place of this one",
    parameters=(
        Parameter(name="handling_s", low=1.0, high=3_600.0, default=60.0, unit="s", scale="log",
                  about="of moving it before it is unplugged"),
        Parameter(name="gap_s", low=0.01, high=86_400.0, default=120.0, unit="s", scale="log",
                  about="without supply and network"),
        Parameter(name="m_s2", low=1e-3, high=20.0, default=0.5, unit="m/s^2", scale="log",
                  about="of handling, root mean square"),
        Parameter(name="bump_n", low=0.1, high=500.0, default=20.0, unit="N", scale="log",
                  about="peak force when the other one is put down"),
    ),
    potential=Potential(
        elapsed_s=200 * DAY_S, on_site_s=1_800.0, expertise="multiple experts",
        knowledge="critical", window="difficult", equipment="multiple bespoke", persons=20,
        cost_usd=2e6,
    ),
    effects=_effects,
    source="interdiction and clones (physics.md 3); planning values",
)  # fmt: skip
