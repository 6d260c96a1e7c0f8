"""All drivers of reader hardware. One is registered here and nowhere else.

Registration enrols it in the conformance kit. Nothing is imported until a driver is loaded.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from casemate.core.errors import InputError
from casemate.core.samples import Reader

Maturity = Literal["draft", "simulated", "bench-proved", "field-proved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One driver. excited: whether it answers a challenge. maker: module:function."""

    id: str
    modality: str
    link: str
    excited: bool
    maturity: Maturity
    about: str
    maker: str

    def load(self) -> Callable[..., Reader]:
        """Return what makes the reader; its arguments are those of the driver's page."""
        import importlib

        module, _, name = self.maker.partition(":")
        made: Callable[..., Reader] = getattr(importlib.import_module(module), name)
        return made


_HOME = "casemate.sensors"
DRIVERS: tuple[Driver, ...] = (
    Driver(
        id="loop-resistance/frames",
        modality="loop_resistance",
        link="serial, reader-frames 1",
        excited=True,
        maturity="simulated",
        about="microcontroller with a current source",
        maker=f"{_HOME}.loop_resistance.driver:frame_reader",
    ),
    Driver(
        id="mesh-capacitance/frames",
        modality="mesh_capacitance",
        link="serial, reader-frames 1",
        excited=True,
        maturity="simulated",
        about="microcontroller with a capacitance converter",
        maker=f"{_HOME}.mesh_capacitance.driver:frame_reader",
    ),
    Driver(
        id="tdr/frames",
        modality="tdr",
        link="serial, reader-frames 1",
        excited=True,
        maturity="simulated",
        about="microcontroller with a pulser and a sampler",
        maker=f"{_HOME}.tdr.driver:frame_reader",
    ),
)
"""Every driver. `simulated`: it was tested against an emulator of its protocol, not on hardware."""


def driver(id: str) -> Driver:
    """Return the driver of this id; InputError, with the nearest, if there is none."""
    for each in DRIVERS:
        if each.id == id:
            return each
    near = difflib.get_close_matches(id, [each.id for each in DRIVERS], n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(
        f"there is no driver {id!r}.",
        remedy=f"{hint}drivers: {', '.join(each.id for each in DRIVERS)}.",
        key="driver",
    )
