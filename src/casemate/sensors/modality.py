"""What a modality is to the twin: channels with anchors, what they read, and their residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Channel, Values
from casemate.twin.conditions import Conditions
from casemate.twin.line_materials import Real


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """True state of C channels. `quantity` (C,) in their units, what drive is multiplied by.

    `additive` (C,): rms of what is there without drive, a chip, of each part if complex. `health`
    (C,): Health flags that the state forces (an open net clips). `repeats`: the answer does not
    follow the challenge.
    """

    quantity: Values
    additive: Real
    health: npt.NDArray[np.uint16]
    repeats: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """R figures of K windows: `z` (K, R), each in units of its own noise in a quiet enclosure.

    `names` (R,) and `tiles` (R,), "" for those of the volume.
    """

    names: tuple[str, ...]
    tiles: tuple[str, ...]
    z: Real


class Fitted(Protocol):
    """A modality fitted to a twin."""

    @property
    def id(self) -> str:
        """Return the modality's id."""
        ...

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Return the channels, C of them."""
        ...

    @property
    def nominal(self) -> Values:
        """Return the quantities at commissioning, (C,)."""
        ...

    @property
    def noise(self) -> Real:
        """Return the standard deviation of one chip's reading over its drive, (C,).

        Of each part if readings are complex.
        """
        ...

    @property
    def chip_s(self) -> float:
        """Return the time of one chip, or of one window if there is no challenge."""
        ...

    @property
    def visits(self) -> float:
        """Return the share of a modality's chips that serve one channel: 1 if all are read."""
        ...

    @property
    def excited(self) -> bool:
        """Return whether the modality answers a challenge."""
        ...

    def read(self, conditions: Conditions) -> Reading:
        """Return what the channels would read without noise."""
        ...

    def nuisance(self, times_s: Real, generator: np.random.Generator) -> Values:
        """Return what a quiet enclosure adds to the quantities by itself, (K, C).

        That which its surroundings do to it and which `read` does not know: gradients, uneven
        water, slow change of the field. The noise that residuals are measured by holds it.
        """
        ...

    def residuals(
        self, values: Values, health: npt.NDArray[np.uint16], chips: int, louder: Real
    ) -> Residuals:
        """Return residuals of windows, means over `chips` chips a channel, (K, C), with health.

        `louder` (K, C), at least 1: how far silent chips say that a channel's noise is up. What
        does not follow the challenge raises the noise that residuals are measured by.
        """
        ...
