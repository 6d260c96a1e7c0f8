"""Relay: what leaves the cavity is amplified and sent back, one way or both, after a short delay.

It answers every keyed challenge, for it only forwards; it is late, one-sided unless built two-way,
and needs an opening to couple through."""

from __future__ import annotations

from casemate.attacks.board import opening
from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, START_S, bursts, end_s
from casemate.twin.effects import Relay, Scene, Timed

RELAY_WAYS = choice("ways", ("one-way", "two-way"), "a two-way relay keeps reciprocity")


def _effects(plan: Plan, values: Values) -> Scene:
    box = Relay(
        gain_db=values["gain_db"],
        delay_s=values["delay_s"],
        two_way=RELAY_WAYS.word(values["ways"]) == "two-way",
    )
    slot = opening(plan, values["length_m"], min(values["width_m"], values["length_m"]))
    return (Timed(effect=slot, start_s=START_S, stop_s=end_s(values)), *bursts(box, values))


RELAY = Move(
    id="relay",
    name="amplify-and-forward relay",
    goal="discredit",
    about="what leaves through an opening comes back amplified after a delay",
    parameters=(
        Parameter(name="gain_db", low=-60.0, high=60.0, default=10.0, unit="dB",
                  about="of what comes back over what left"),
        Parameter(name="delay_s", low=1e-10, high=1e-4, default=2e-8, unit="s", scale="log",
                  about="of the electronics and the path"),
        RELAY_WAYS,
        Parameter(name="length_m", low=1e-4, high=0.3, default=1e-2, unit="m", scale="log",
                  about="of the opening that it couples through"),
        Parameter(name="width_m", low=1e-5, high=0.02, default=5e-4, unit="m", scale="log",
                  about="of that opening, at most its length"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=90 * DAY_S, on_site_s=1_800.0, expertise="expert", knowledge="sensitive",
        window="moderate", equipment="bespoke", persons=4, cost_usd=3e5,
    ),
    effects=_effects,
    source="passes silence, code and linearity; fails reciprocity unless two-way (physics.md 6)",
)  # fmt: skip
