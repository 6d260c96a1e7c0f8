"""What the radio moves share: a field at the outer wall, of any strength, carrier and rhythm.

A wall weakens it, a keyed code spreads it; both are the twin's and the detector's business.
"""

from __future__ import annotations

from casemate.attacks.move import Parameter, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import bursts
from casemate.twin.effects import Radiated, Scene, Waveform

SOURCE = (
    "immunity tests use 1 to 30 V/m (IEC 61000-4-3); jam-to-alarm power: physics.md 6; stronger "
    "fields are planning values"
)
FIELD = Parameter(
    name="volt_m", low=1e-3, high=1e3, default=10.0, unit="V/m", scale="log",
    about="field at the outer wall, root mean square while it is on",
)  # fmt: skip
CARRIER = Parameter(
    name="hertz", low=1e5, high=4e10, default=6e9, unit="Hz", scale="log",
    about="carrier, or middle of the band",
)  # fmt: skip
TOY = Potential(
    elapsed_s=DAY_S, on_site_s=60.0, expertise="layman", knowledge="public",
    window="unlimited", equipment="standard", persons=1, cost_usd=500.0,
)  # fmt: skip
"""A transmitter off the shelf; nobody need come near."""
AIMED = Potential(
    elapsed_s=30 * DAY_S, on_site_s=600.0, expertise="proficient", knowledge="restricted",
    window="easy", equipment="specialised", persons=2, cost_usd=5e4,
)  # fmt: skip
"""A generator, amplifier and antenna, set up for what the design senses."""


def band(default: float, about: str) -> Parameter:
    """Return the parameter of the bandwidth."""
    return Parameter(
        name="band_hz", low=1.0, high=1e10, default=default, unit="Hz", scale="log", about=about
    )


def field(waveform: Waveform, values: Values, *, band_hz: float, duty: float = 1.0) -> Scene:
    """Return a field of one waveform in the rhythm that the values ask for."""
    wave = Radiated(
        volt_m=values["volt_m"],
        hertz=values["hertz"],
        band_hz=band_hz,
        waveform=waveform,
        duty=duty,
    )
    return bursts(wave, values)
