"""Conducted injection: a voltage on every line that enters, in any waveform and rhythm."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Conducted, Scene

CONDUCTED_WAVE = choice(
    "waveform", ("tone", "swept", "pulsed", "noise", "replay"), "of what is injected"
)


def _effects(plan: Plan, values: Values) -> Scene:
    wave = CONDUCTED_WAVE.word(values["waveform"])
    effect = Conducted(
        volt=values["volt"],
        hertz=values["hertz"],
        band_hz=0.0 if wave == "tone" else values["band_hz"],
        waveform=wave,  # type: ignore[arg-type]
        duty=values["pulse_duty"] if wave == "pulsed" else 1.0,
    )
    return bursts(effect, values)


CONDUCTED = Move(
    id="conducted",
    name="conducted injection",
    goal="discredit",
    about="common-mode voltage on supply, copper and pipes",
    parameters=(
        Parameter(name="volt", low=1e-3, high=300.0, default=10.0, unit="V", scale="log",
                  about="root mean square, common mode"),
        Parameter(name="hertz", low=10.0, high=1e10, default=2.7e7, unit="Hz", scale="log",
                  about="carrier, or middle of the band"),
        Parameter(name="band_hz", low=1.0, high=1e9, default=1e6, unit="Hz", scale="log",
                  about="that is swept or filled; a tone has none"),
        CONDUCTED_WAVE,
        Parameter(name="pulse_duty", low=1e-5, high=1.0, default=0.01, unit="", scale="log",
                  about="share of time on within a burst, if pulsed"),
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=14 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
        window="easy", equipment="specialised", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="immunity tests use 1 to 10 V up to 230 MHz (IEC 61000-4-6); planning values beyond",
)  # fmt: skip
