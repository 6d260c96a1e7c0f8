"""Sound: loudspeaker or ultrasound at the wall; it moves panels and MEMS alike."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Scene, Sound


def _effects(plan: Plan, values: Values) -> Scene:
    wave = Sound(
        pascal=values["pascal"],
        hertz=values["hertz"],
        band_hz=min(values["band_hz"], 2.0 * values["hertz"]),
    )
    return bursts(wave, values)


SOUND = Move(
    id="sound",
    name="sound",
    goal="discredit",
    about="a tone or noise of sound or ultrasound at the wall",
    parameters=(
        Parameter(name="pascal", low=2e-4, high=200.0, default=11.0, unit="Pa", scale="log",
                  about="root mean square: 20 dB to 140 dB SPL"),
        Parameter(name="hertz", low=10.0, high=1e5, default=5e3, unit="Hz", scale="log",
                  about="tone, or middle of the band"),
        Parameter(name="band_hz", low=0.0, high=2e4, default=0.0, unit="Hz",
                  about="0: a tone"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="easy", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="an accelerometer was biased by up to 4.4 m/s2 at 115 dB SPL, 11 Pa (physics.md 5.6)",
)  # fmt: skip
