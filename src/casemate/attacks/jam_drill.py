"""Jam, then drill: noise on radio, lines and panels until sensing is blind, and a drill."""

from __future__ import annotations

from casemate.attacks.drill import DRILL
from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.potential import DAY_S, Potential
from casemate.attacks.rhythm import START_S
from casemate.attacks.shifting import last_s, shifted
from casemate.twin.effects import Conducted, Radiated, Scene, Shaken, Timed

DRILLED = ("diameter_m", "feed_m_s", "beyond_m")
"""Parameters handed on to the drill; the others keep its defaults."""


def _effects(plan: Plan, values: Values) -> Scene:
    tool = {name: values[name] for name in DRILLED}
    drilled = shifted(DRILL.scene(plan, tool), values["lead_s"])
    stop_s = last_s(drilled) + values["lag_s"]
    middle = 0.5 * values["band_hz"]
    radio = Radiated(
        volt_m=values["volt_m"], hertz=middle, band_hz=values["band_hz"], waveform="noise"
    )
    lines = Conducted(volt=values["volt"], hertz=5e7, band_hz=1e8, waveform="noise")
    shaken = Shaken(kind="noise", m_s2=values["m_s2"], hertz=5e3)
    jam = tuple(
        Timed(effect=each, start_s=START_S, stop_s=stop_s) for each in (radio, lines, shaken)
    )
    return (*jam, *drilled)


JAM_DRILL = Move(
    id="jam-drill",
    name="jam, then drill",
    goal="intrude",
    about="noise on radio, lines and panels, and a drill while it lasts",
    parameters=(
        Parameter(name="volt_m", low=1e-3, high=1e3, default=30.0, unit="V/m", scale="log",
                  about="of radio noise at the wall, root mean square"),
        Parameter(name="band_hz", low=1e6, high=2e10, default=1e10, unit="Hz", scale="log",
                  about="of that noise, from 0 up"),
        Parameter(name="volt", low=1e-3, high=100.0, default=3.0, unit="V", scale="log",
                  about="of noise on every line, root mean square"),
        Parameter(name="m_s2", low=1e-4, high=50.0, default=2.0, unit="m/s^2", scale="log",
                  about="of shaking, root mean square"),
        Parameter(name="lead_s", low=0.0, high=86_400.0, default=30.0, unit="s",
                  about="from the noise to the drill"),
        Parameter(name="lag_s", low=0.0, high=86_400.0, default=10.0, unit="s",
                  about="from the drill's withdrawal to the end of the noise"),
        Parameter(name="diameter_m", low=5e-5, high=3e-3, default=6e-4, unit="m", scale="log",
                  about="of the bit"),
        Parameter(name="feed_m_s", low=1e-6, high=1e-3, default=1e-4, unit="m/s", scale="log",
                  about="along the tool"),
        Parameter(name="beyond_m", low=0.0, high=0.05, default=0.01, unit="m",
                  about="how far the bit stands in the volume"),
    ),
    potential=Potential(
        elapsed_s=60 * DAY_S, on_site_s=1_800.0, expertise="expert", knowledge="sensitive",
        window="moderate", equipment="specialised", persons=5, cost_usd=1e5,
    ),
    effects=_effects,
    source="a lasting blind interval must itself end in lock-down, else this wins (physics.md 6); "
    "planning values",
)  # fmt: skip
