"""Where an enclosure stands: a rack in a data centre, a camera on a pole, a laboratory bench.

Every figure carries its source; most are planning values and say so, until a site is measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemate.twin.environment_forces import FanForce
from casemate.twin.environment_panel import Plate
from casemate.twin.environment_thermal import ThermalNetwork

PLANNING = "planning value"
NAB = "fitted on the first half of the NAB ambient recording, held against the second"
RACK_HEAT = "physics.md 4: 120 to 142 kW, 5 to 15 % of it to air"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value in SI units and where it comes from."""

    value: float
    source: str = PLANNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Figures of a place. Rates are per second of working hours, shares of working days' events."""

    name: str
    # air outside the enclosure
    mean_k: Figure
    daily_k: Figure
    """Amplitude of the day's sine, warmest at 15:00."""
    slow_k: Figure
    slow_memory_s: Figure
    fast_k: Figure
    fast_memory_s: Figure
    hvac_k: Figure
    """Amplitude of the sawtooth of a thermostat."""
    hvac_period_s: Figure
    vapour_pa: Figure
    vapour_spread: Figure
    """Relative standard deviation of the vapour pressure outside."""
    # pressure
    weather_pa: Figure
    weather_memory_s: Figure
    hvac_pa: Figure
    """Step of room pressure when ventilation switches."""
    door_k: Figure
    """Change of the air's temperature when the room's door opens; it dies away in 5 minutes."""
    door_pa: Figure
    """Peak of the pulse when the room's door moves; it dies away in a second."""
    # heat
    network: ThermalNetwork
    """Nodes: board, inside air, skin."""
    network_source: str
    idle_w: Figure
    full_w: Figure
    load_hold_s: Figure
    """Mean time at either load."""
    sun_w: Figure
    """Absorbed by the skin at noon under a clear sky."""
    exchange_s: Figure
    """Time in which the air inside is exchanged."""
    # light
    day_lux: Figure
    night_lux: Figure
    door_lux: Figure
    """Added while the room's door stands open."""
    # people
    door_1_s: Figure
    """Room doors opened, per second of working hours."""
    passer_1_s: Figure
    passer_s: Figure
    """Mean time of a passage."""
    drilling_1_s: Figure
    """Spells of drilling in the neighbourhood, per second of working hours."""
    drilling_s: Figure
    night_share: Figure
    """Rates at night and at weekends over those of working hours."""
    # vibration
    plate: Plate
    fans: tuple[FanForce, ...]
    fan_share: Figure
    """Of the fans' force that reaches the panel through mounts and frame."""
    floor_share: Figure
    """Of a walker's force that reaches the panel's frame."""
    neighbour_n: Figure
    """Force of a neighbour's drill as it arrives at the panel's frame."""


def _f(value: float, source: str = PLANNING) -> Figure:
    return Figure(value=value, source=source)


RACK = Site(
    name="rack",
    mean_k=_f(296.15, "ASHRAE TC9.9 2021: recommended 18 to 27 C; fasrc medians 23 to 26 C"),
    daily_k=_f(0.5, "fasrc inlets: daily range 1 C in the median (physics.md 4)"),
    slow_k=_f(0.6),
    slow_memory_s=_f(2 * 86_400.0),
    fast_k=_f(0.15),
    fast_memory_s=_f(600.0),
    hvac_k=_f(0.4),
    hvac_period_s=_f(900.0),
    vapour_pa=_f(1_100.0, "dew point 8 C, within ASHRAE's recommended -9 to 15 C"),
    vapour_spread=_f(0.05),
    weather_pa=_f(800.0),
    weather_memory_s=_f(2.5 * 86_400.0),
    hvac_pa=_f(10.0),
    door_k=_f(-0.1),
    door_pa=_f(15.0),
    network=ThermalNetwork(
        capacity_j_k=(150e3, 1.7e3, 28e3),
        between_w_k=((0.0, 800.0, 0.0), (800.0, 0.0, 60.0), (0.0, 60.0, 0.0)),
        ambient_w_k=(0.0, 800.0, 60.0),
    ),
    network_source=f"{PLANNING}: 300 kg of boards, 1.4 m3, 60 kg of steel, 12 kW at 15 K",
    idle_w=_f(4_000.0, RACK_HEAT),
    full_w=_f(12_000.0, RACK_HEAT),
    load_hold_s=_f(3 * 3_600.0),
    sun_w=_f(0.0, "indoors"),
    exchange_s=_f(2.0, "1.4 m3 at 0.67 m3/s, from 800 W/K"),
    day_lux=_f(500.0, "EN 12464-1, work areas"),
    night_lux=_f(5.0),
    door_lux=_f(30.0, f"{PLANNING}: of the 100 lux of a corridor, EN 12464-1"),
    door_1_s=_f(6 / 36_000.0),
    passer_1_s=_f(20 / 36_000.0),
    passer_s=_f(8.0),
    drilling_1_s=_f(0.3 / 36_000.0),
    drilling_s=_f(20.0),
    night_share=_f(0.1),
    plate=Plate(a_m=0.6, b_m=0.5, thickness_m=1.5e-3),
    fans=tuple(FanForce(turns_1_s=speed, rotor_kg=0.03) for speed in (180.0, 183.0, 187.0, 210.0)),
    fan_share=_f(0.05, f"{PLANNING}: sets the panel at 0.01 to 0.1 g rms (physics.md 4)"),
    floor_share=_f(1e-4),
    neighbour_n=_f(0.05),
)

CAMERA = Site(
    name="camera pole",
    mean_k=_f(284.15),
    daily_k=_f(4.0),
    slow_k=_f(4.0),
    slow_memory_s=_f(4 * 86_400.0),
    fast_k=_f(0.4),
    fast_memory_s=_f(1_200.0),
    hvac_k=_f(0.0, "outdoors"),
    hvac_period_s=_f(900.0, "unused outdoors"),
    vapour_pa=_f(900.0),
    vapour_spread=_f(0.25),
    weather_pa=_f(800.0),
    weather_memory_s=_f(2.5 * 86_400.0),
    hvac_pa=_f(0.0, "outdoors"),
    door_k=_f(0.0, "outdoors"),
    door_pa=_f(0.0, "outdoors"),
    network=ThermalNetwork(
        capacity_j_k=(100.0, 0.6, 450.0),
        between_w_k=((0.0, 0.15, 0.5), (0.15, 0.0, 0.3), (0.5, 0.3, 0.0)),
        ambient_w_k=(0.0, 0.0, 1.0),
    ),
    network_source=f"{PLANNING}: 0.15 kg of boards, 0.5 l, 0.5 kg of metal, 0.07 m2 at 15 W/m2K",
    idle_w=_f(4.0),
    full_w=_f(8.0),
    load_hold_s=_f(6 * 3_600.0),
    sun_w=_f(9.0, f"{PLANNING}: 0.02 m2 seen by the sun, absorptance 0.5, 900 W/m2"),
    exchange_s=_f(40_000.0),
    day_lux=_f(20_000.0),
    night_lux=_f(5.0),
    door_lux=_f(0.0, "outdoors"),
    door_1_s=_f(0.0, "no door"),
    passer_1_s=_f(100 / 36_000.0),
    passer_s=_f(10.0),
    drilling_1_s=_f(0.1 / 36_000.0),
    drilling_s=_f(20.0),
    night_share=_f(0.2),
    plate=Plate(a_m=0.12, b_m=0.08, thickness_m=2e-3),
    fans=(),
    fan_share=_f(0.0, "no fans"),
    floor_share=_f(1e-5),
    neighbour_n=_f(0.01),
)

LABORATORY = Site(
    name="laboratory",
    mean_k=_f(295.15, NAB),
    daily_k=_f(1.2, NAB),
    slow_k=_f(1.4, NAB),
    slow_memory_s=_f(4 * 86_400.0, NAB),
    fast_k=_f(0.4, NAB),
    fast_memory_s=_f(5_400.0, NAB),
    hvac_k=_f(0.2),
    hvac_period_s=_f(1_200.0),
    vapour_pa=_f(1_100.0),
    vapour_spread=_f(0.15),
    weather_pa=_f(800.0),
    weather_memory_s=_f(2.5 * 86_400.0),
    hvac_pa=_f(5.0),
    door_k=_f(-0.2),
    door_pa=_f(10.0),
    network=ThermalNetwork(
        capacity_j_k=(60.0, 0.2, 150.0),
        between_w_k=((0.0, 0.1, 0.6), (0.1, 0.0, 0.1), (0.6, 0.1, 0.0)),
        ambient_w_k=(0.0, 0.0, 0.25),
    ),
    network_source=f"{PLANNING}: 0.07 kg of board, 0.18 l, 0.17 kg of metal, 0.025 m2 at 10 W/m2K",
    idle_w=_f(2.0),
    full_w=_f(5.0),
    load_hold_s=_f(1_800.0),
    sun_w=_f(0.0, "indoors"),
    exchange_s=_f(20_000.0),
    day_lux=_f(500.0, "EN 12464-1, work areas"),
    night_lux=_f(0.5),
    door_lux=_f(30.0, f"{PLANNING}: of the 100 lux of a corridor, EN 12464-1"),
    door_1_s=_f(40 / 36_000.0),
    passer_1_s=_f(60 / 36_000.0),
    passer_s=_f(15.0),
    drilling_1_s=_f(0.5 / 36_000.0),
    drilling_s=_f(20.0),
    night_share=_f(0.05),
    plate=Plate(a_m=0.1, b_m=0.07, thickness_m=1e-3),
    fans=(),
    fan_share=_f(0.0, "no fans"),
    floor_share=_f(3e-5),
    neighbour_n=_f(0.02),
)

SITES = {site.name: site for site in (RACK, CAMERA, LABORATORY)}
