"""X-ray: the layout is mapped without touching it, in one exposure or many faint ones."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Dose, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Dose(gray_s=values["gray_s"]), values)


XRAY = Move(
    id="xray",
    name="X-ray or CT",
    goal="intrude",
    about="exposures that map mesh and contents; at a high rate they also disturb electronics",
    parameters=(
        Parameter(name="gray_s", low=1e-10, high=0.1, default=1e-5, unit="Gy/s", scale="log",
                  about="air kerma rate at the enclosure"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=30 * DAY_S, on_site_s=7_200.0, expertise="proficient", knowledge="public",
        window="difficult", equipment="specialised", persons=3, cost_usd=3e5,
    ),
    effects=_effects,
    source="CT of commercial meshes was done; sensors resolve 0.1 uSv/h to 1 mSv/h, low dose and "
    "long exposure pass them (physics.md 2, 3, unverified)",
)  # fmt: skip
