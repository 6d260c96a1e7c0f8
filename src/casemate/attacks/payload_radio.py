"""Payload radio: the protected thing radiates inside the wall: a clock, a bus, a transmitter."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values, choice
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import RHYTHM, bursts
from casemate.twin.effects import Radiated, Scene

PAYLOAD_WAVE = choice("waveform", ("tone", "swept", "pulsed", "noise", "replay"), "of the field")


def _effects(plan: Plan, values: Values) -> Scene:
    wave = PAYLOAD_WAVE.word(values["waveform"])
    effect = Radiated(
        volt_m=values["volt_m"],
        hertz=values["hertz"],
        band_hz=0.0 if wave == "tone" else values["band_hz"],
        waveform=wave,  # type: ignore[arg-type]
        inside=True,
    )
    return bursts(effect, values)


PAYLOAD_RADIO = Move(
    id="payload-radio",
    name="payload radiates",
    goal="discredit",
    about="a field inside the protected volume, made by its own contents",
    parameters=(
        Parameter(name="volt_m", low=1e-5, high=100.0, default=0.1, unit="V/m", scale="log",
                  about="in the volume, root mean square"),
        Parameter(name="hertz", low=1e5, high=4e10, default=6e9, unit="Hz", scale="log",
                  about="carrier, or middle of the band"),
        Parameter(name="band_hz", low=1.0, high=1e10, default=1e8, unit="Hz", scale="log",
                  about="that is swept or filled; a tone has none"),
        PAYLOAD_WAVE,
        *RHYTHM,
    ),
    potential=Potential(
        elapsed_s=30 * DAY_S, on_site_s=0.0, expertise="proficient", knowledge="sensitive",
        window="unlimited", equipment="standard", persons=2, cost_usd=2e4,
    ),
    effects=_effects,
    source="planning values: the contents belong to the host, so no wall stands between",
)  # fmt: skip
