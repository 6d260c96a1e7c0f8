"""Emulator: a device that measures the drive and answers as the real thing would, a little late."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.readers import WHICH, aimed
from casemate.attacks.rhythm import START_S
from casemate.twin.effects import BusFault, Scene, Substituted, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    scene = []
    live_s = START_S + values["gap_s"]
    for modality in aimed(plan, values):
        cut = BusFault(modality=modality, kind="cut")
        device = Substituted(
            modality=modality,
            tile="",
            kind="emulator",
            mismatch=values["mismatch"],
            delay_s=values["delay_s"],
        )
        stop_s = live_s + values["hold_s"]
        scene += [
            Timed(effect=cut, start_s=START_S, stop_s=live_s),
            Timed(effect=device, start_s=live_s, stop_s=stop_s),
        ]
    return tuple(scene)


EMULATOR = Move(
    id="emulator",
    name="emulation of a reader's line",
    goal="intrude",
    about="a device answers the challenge as the anchored enclosure would, after a delay",
    parameters=(
        WHICH,
        Parameter(name="gap_s", low=1e-6, high=60.0, default=0.05, unit="s", scale="log",
                  about="in which it is switched in"),
        Parameter(name="delay_s", low=1e-10, high=1.0, default=2e-7, unit="s", scale="log",
                  about="from the drive to its answer"),
        Parameter(name="mismatch", low=1e-5, high=0.3, default=3e-3, unit="", scale="log",
                  about="relative error of its model, channel by channel"),
        Parameter(name="hold_s", low=1.0, high=1e7, default=600.0, unit="s", scale="log",
                  about="how long it answers"),
    ),
    potential=Potential(
        elapsed_s=365 * DAY_S, on_site_s=3_600.0, expertise="multiple experts",
        knowledge="critical", window="difficult", equipment="multiple bespoke", persons=12,
        cost_usd=5e6,
    ),
    effects=_effects,
    source="PyCRA was beaten by sampling faster than the verifier (physics.md 6, detect.md 2); "
    "planning values",
)  # fmt: skip
