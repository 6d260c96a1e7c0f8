"""Replay: a reader's link is cut over to a recording of answers to old challenges."""

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
        scene.append(Timed(effect=cut, start_s=START_S, stop_s=live_s))
        old = Substituted(modality=modality, tile="", kind="replay", mismatch=values["mismatch"])
        stop_s = live_s + values["hold_s"]
        scene.append(Timed(effect=old, start_s=live_s, stop_s=stop_s))
    return tuple(scene)


REPLAY = Move(
    id="replay",
    name="replay of a reader",
    goal="intrude",
    about="one reader or all are fed answers recorded earlier",
    parameters=(
        WHICH,
        Parameter(name="gap_s", low=1e-3, high=600.0, default=0.5, unit="s", scale="log",
                  about="in which the link is cut over"),
        Parameter(name="mismatch", low=1e-6, high=0.1, default=1e-4, unit="", scale="log",
                  about="noise of the recording, relative"),
        Parameter(name="hold_s", low=1.0, high=1e7, default=600.0, unit="s", scale="log",
                  about="how long it is fed"),
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=1_800.0, expertise="expert", knowledge="sensitive",
        window="difficult", equipment="specialised", persons=3, cost_usd=1e5,
    ),
    effects=_effects,
    source="only a fresh keyed challenge exposes it (physics.md 3, detect.md 2); planning values",
)  # fmt: skip
