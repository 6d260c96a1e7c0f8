"""What can be done to an enclosure, as physics: the one way in which an attack acts on the twin.

An effect says what changes in the world, never what a sensor reads: copper that is gone, a wire, a
rod in the cavity, heat, a field. Places on a board are in its own plane, in metres, as design.json
has it; places in the volume are in the enclosure's axes. Geometry then decides what is met.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from casemate.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on a board, in its plane, metres."""

    tile: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place on one copper layer of a board, in its plane, metres."""

    tile: str
    layer: str
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Copper and dielectric are gone inside a circle on one mesh layer: drill, laser, punch.

    A slanted tool makes one Hole a layer, each where it meets that layer.
    """

    at: Spot
    diameter_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pocket:
    """The dielectric over a layer is gone inside a circle, copper untouched: milled, etched.

    A pocket that grows is a row of pockets, each until the next one starts.
    """

    at: Spot
    diameter_m: float
    left_m: float = 0.0
    """Dielectric left over the copper."""
    epsilon_r: float = 1.0
    """Of what fills the pocket: 1 for air, more for a solvent, or for resin that hides the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """Copper inside a circle on one mesh layer has only this share of its thickness left."""

    at: Spot
    diameter_m: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A wire joins the copper nearest to two spots of one board."""

    at: Spot
    to: Spot
    ohm: float
    henry: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Something touches, or comes near to, the copper nearest to a point: probe, grounded bit.

    farad to ground and ohm to ground in parallel; inf for no leak. Nothing is met if no copper lies
    within `reach_m`.
    """

    at: Spot
    farad: float
    ohm: float = math.inf
    reach_m: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A board is unplugged: all its nets read open."""

    tile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """A board stands off its place by `gap_m` there, and bending strains its copper by `strain`.

    radius_m: of the area that is lifted and strained. gap_m 0: bent only.
    """

    at: Place
    gap_m: float
    strain: float
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Substituted:
    """Something else stands in for what a modality's channels of a tile measure ("": all tiles).

    dummy: a passive copy, wrong by `mismatch` (relative, and channel by channel). replay: recorded
    answers to an old challenge. emulator: a device that measures the drive and answers after
    `delay_s`, wrong by `mismatch`.
    """

    modality: str
    tile: str
    kind: Literal["dummy", "replay", "emulator"]
    mismatch: float
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """The whole enclosure is another one of the same design, opened and closed in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatterer:
    """A rod of length and diameter inside, one end on the wall at a place of the volume.

    `epsilon_r` of a dielectric; inf for metal. `switch_hz`: its load is switched at this rate, as
    a passive transponder does; 0 for none.
    """

    x_m: float
    y_m: float
    z_m: float
    length_m: float
    diameter_m: float
    epsilon_r: float = math.inf
    switch_hz: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aperture:
    """An opening in a face's conducting wall: a slot between seams, a hole, a door ajar.

    lets light and air through its area if `clear`; a hole that a tool fills does not.
    """

    face: str
    length_m: float
    width_m: float
    clear: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambient:
    """The surroundings change: added to temperature (K), relative humidity, pressure (Pa).

    inside: it is the air of the protected volume that changes, as behind an opened door.
    """

    kelvin: float = 0.0
    humidity: float = 0.0
    pascal: float = 0.0
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gas:
    """A share of the air round and inside the enclosure is another gas.

    Helium passes into sealed MEMS, whose resonators then drift or stop (phones near a magnet that
    was being filled, iFixit, October 2018). Nitrogen is dry, and cold where it boils off.
    """

    kind: Literal["helium", "nitrogen"]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatSpot:
    """Heat (below 0: cold) flows into a board at a place, W, over a spot of `radius_m`."""

    at: Place
    watt: float
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """A force on a board's panel. kind: drill (tones of turns and teeth), sine, noise or shock.

    newton: steady push of a drill, amplitude, root mean square, or peak. hertz: turns or frequency,
    upper end of the band of noise, inverse of a shock's length.
    """

    at: Place
    kind: Literal["drill", "sine", "noise", "shock"]
    newton: float
    hertz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaken:
    """The whole enclosure is moved by what it stands on, all axes alike.

    m_s2: amplitude of a sine, root mean square of noise, or peak of a shock. hertz: frequency,
    upper end of the band of noise, inverse of a shock's length.
    """

    kind: Literal["sine", "noise", "shock"]
    m_s2: float
    hertz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """Sound at the outer wall: Pa (rms), frequency, bandwidth (0: a tone); ultrasound as well."""

    pascal: float
    hertz: float
    band_hz: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Light outside, or inside through what is open: lux, flickering at `hertz` (0: steady)."""

    lux: float
    hertz: float = 0.0


Waveform = Literal["tone", "swept", "pulsed", "noise", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Radiated:
    """A radio field at the outer wall: V/m (rms), carrier, bandwidth, share of time on.

    replay: the enclosure's own signals of a while ago, sent again. inside: volt_m is the field in
    the protected volume itself, whose contents the host owns; no wall weakens it.
    """

    volt_m: float
    hertz: float
    band_hz: float
    waveform: Waveform
    duty: float = 1.0
    inside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conducted:
    """A voltage (rms, common mode) on every line that enters: supply, copper, coolant pipe."""

    volt: float
    hertz: float
    band_hz: float
    waveform: Waveform
    duty: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Magnetic:
    """A magnetic field over the enclosure: T (rms) at a frequency."""

    tesla: float
    hertz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyDip:
    """The supply goes to a share of nominal; below what hold-up and regulators take, readers stop.

    Above 1 it is too high. `held`: whether hold-up takes over.
    """

    share: float
    held: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BusFault:
    """The link from a modality's reader to the controller is cut, delays, loses or repeats."""

    modality: str
    kind: Literal["cut", "delay", "loss", "stuck", "reset"]
    seconds: float = 0.0
    share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Amplify and forward: what leaves the cavity comes back after `delay_s` with `gain_db`."""

    gain_db: float
    delay_s: float
    two_way: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """Ionising radiation through the enclosure: air kerma rate, Gy/s."""

    gray_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The protected thing changes its own power by `watt`, square wave of `hertz` (0: a step)."""

    watt: float
    hertz: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fans:
    """The protected thing runs its own fans at a share of their usual speed; 0: they stand."""

    share: float


Effect = (
    Hole | Pocket | Thinned | Bridge | Contact | Detached | Lifted | Substituted | Swapped
    | Scatterer | Aperture | Ambient | Gas | HeatSpot | Force | Shaken | Sound | Light | Radiated
    | Conducted | Magnetic | SupplyDip | BusFault | Relay | Dose | Load | Fans
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """An effect from `start_s` to `stop_s` of a scene; `rise_s`: it grows evenly to full size.

    What is gone stays gone: leave stop_s at inf for holes. Effects that cannot be partial (a hole)
    appear at start_s.
    """

    effect: Effect
    start_s: float
    stop_s: float = math.inf
    rise_s: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.start_s < self.stop_s and self.rise_s >= 0.0):
            raise InputError(
                "an effect must start at 0 or later, stop after that, and rise in 0 s or more.",
                remedy="correct the times of the move.",
                value=(self.start_s, self.stop_s, self.rise_s),
            )

    def level(self, now_s: float) -> float:
        """Return the share of the effect that is there at a time, 0 to 1."""
        if not self.start_s <= now_s < self.stop_s:
            return 0.0
        if now_s - self.start_s >= self.rise_s:
            return 1.0
        return (now_s - self.start_s) / self.rise_s


Scene = tuple[Timed, ...]
"""What is done to one enclosure, in seconds from the scene's start."""
