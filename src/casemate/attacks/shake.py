"""Shake: what the enclosure stands on is moved, by a shaker, a kick or a passing lorry."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Scene, Shaken

SHAKE_KIND = choice("kind", ("sine", "noise", "shock"), "of motion")


def _effects(plan: Plan, values: Values) -> Scene:
    kind = SHAKE_KIND.word(values["kind"])
    motion = Shaken(kind=kind, m_s2=values["m_s2"], hertz=values["hertz"])  # type: ignore[arg-type]
    return bursts(motion, values)


SHAKE = Move(
    id="shake",
    name="shaking",
    goal="discredit",
    about="the whole enclosure shaken by a tone, noise or knocks",
    parameters=(
        Parameter(name="m_s2", low=1e-4, high=50.0, default=1.0, unit="m/s^2", scale="log",
                  about="amplitude, root mean square or peak"),
        Parameter(name="hertz", low=0.5, high=5e3, default=100.0, unit="Hz", scale="log",
                  about="frequency, upper end of a band, or inverse of a knock's length"),
        SHAKE_KIND,
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
        window="easy", equipment="standard", persons=1, cost_usd=200.0,
    ),
    effects=_effects,
    source="planning values; vibration tests reach 10 m/s2 and more (IEC 60068-2-6, -2-64)",
)  # fmt: skip
