"""Magnetic field: coils near the enclosure, steady to fast, through any thin wall."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Magnetic, Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return bursts(Magnetic(tesla=values["tesla"], hertz=values["hertz"]), values, rise_share=0.05)


MAGNETIC = Move(
    id="magnetic",
    name="magnetic field",
    goal="discredit",
    about="an alternating or steady field over the whole enclosure",
    parameters=(
        Parameter(name="tesla", low=1e-7, high=0.2, default=1e-4, unit="T", scale="log",
                  about="root mean square"),
        Parameter(name="hertz", low=0.01, high=1e6, default=50.0, unit="Hz", scale="log",
                  about="0.01 stands for steady"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="easy", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="immunity tests use 1 to 100 A/m, 1.3 to 126 uT (IEC 61000-4-8); planning values beyond",
)  # fmt: skip
