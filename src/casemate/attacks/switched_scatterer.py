"""Switched scatterer: a passive rod through an aperture whose load is switched, as a tag does.

It is a real change of the volume and passes every electrical test. Only shielding, its rhythm, its
return to the old state and the silence of all other modalities tell."""

from __future__ import annotations

from casemate.attacks.board import opening, rod
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, START_S, bursts, end_s
from casemate.twin.effects import Scene, Timed


def _effects(plan: Plan, values: Values) -> Scene:
    tag = rod(plan, values["length_m"], values["diameter_m"], switch_hz=values["switch_hz"])
    slot = opening(plan, values["slot_m"], min(values["width_m"], values["slot_m"]), clear=False)
    return (Timed(effect=slot, start_s=START_S, stop_s=end_s(values)), *bursts(tag, values))


SWITCHED_SCATTERER = Move(
    id="switched-scatterer",
    name="passive switched scatterer",
    goal="discredit",
    about="a passive rod through an aperture, its load switched in any rhythm",
    parameters=(
        Parameter(name="length_m", low=1e-3, high=0.1, default=0.02, unit="m", scale="log",
                  about="that stands in the volume"),
        Parameter(name="diameter_m", low=5e-5, high=2e-3, default=5e-4, unit="m", scale="log",
                  about="of the rod"),
        Parameter(name="switch_hz", low=0.01, high=1e7, default=10.0, unit="Hz", scale="log",
                  about="at which its load is switched"),
        Parameter(name="slot_m", low=1e-4, high=0.1, default=2e-3, unit="m", scale="log",
                  about="length of the aperture that it passes"),
        Parameter(name="width_m", low=1e-5, high=5e-3, default=1e-3, unit="m", scale="log",
                  about="of that aperture, at most its length"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=900.0, expertise="expert", knowledge="sensitive",
        window="moderate", equipment="specialised", persons=2, cost_usd=3e4,
    ),
    effects=_effects,
    source="it passes the electrical checks (physics.md 0, 6); planning values",
)  # fmt: skip
