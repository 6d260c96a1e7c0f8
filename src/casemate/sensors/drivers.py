"""All drivers of readers. One is registered here and nowhere else.

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
Keyed = Literal["sign", "amplitude", "phase", "place", "silence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One driver. maker: module:function that makes the reader.

    keys: what of a challenge the hardware really drives; what it does not is arithmetic in the
    driver, or refused, and adds no security.
    """

    id: str
    modality: str
    link: str
    keys: tuple[Keyed, ...]
    maturity: Maturity
    about: str
    maker: str

    def load(self) -> Callable[..., Reader]:
        """Return what makes the reader; its docstring says from what."""
        import importlib

        module, _, name = self.maker.partition(":")
        made: Callable[..., Reader] = getattr(importlib.import_module(module), name)
        return made


_HOME = "casemate.sensors"
_ALL: tuple[Keyed, ...] = ("sign", "amplitude", "phase", "place", "silence")


def _frames(modality: str, about: str) -> Driver:
    return Driver(
        id=f"{modality.replace('_', '-')}/frames",
        modality=modality,
        link="serial, reader-frames 1",
        keys=_ALL,
        maturity="simulated",
        about=about,
        maker=f"{_HOME}.{modality}.driver:frame_reader",
    )


DRIVERS: tuple[Driver, ...] = (
    _frames("loop_resistance", "microcontroller with a current source"),
    Driver(
        id="loop-resistance/iio",
        modality="loop_resistance",
        link="TCP, iiod of libiio",
        keys=("sign", "amplitude", "silence"),
        maturity="simulated",
        about="Linux IIO converter and current source",
        maker=f"{_HOME}.loop_resistance.driver:iio_reader",
    ),
    _frames("mesh_capacitance", "microcontroller with a capacitance converter"),
    _frames("tdr", "microcontroller with a pulser and a sampler"),
    Driver(
        id="rf-cavity/scpi-vna",
        modality="rf_cavity",
        link="VISA, SCPI of Keysight PNA and R&S ZVA, ZNB",
        keys=("amplitude", "place", "silence"),
        maturity="simulated",
        about="vector network analyser, a point at a time",
        maker=f"{_HOME}.rf_cavity.driver:scpi_vna",
    ),
    Driver(
        id="rf-cavity/nanovna",
        modality="rf_cavity",
        link="serial, shell of the NanoVNA",
        keys=("place",),
        maturity="simulated",
        about="NanoVNA, for the bench",
        maker=f"{_HOME}.rf_cavity.driver:nanovna",
    ),
    Driver(
        id="environment/iio",
        modality="environment",
        link="TCP, iiod of libiio",
        keys=(),
        maturity="simulated",
        about="any Linux IIO sensor with a buffer",
        maker=f"{_HOME}.environment.driver:iio_reader",
    ),
    Driver(
        id="recording/replay",
        modality="",
        link="Parquet or HDF5 file",
        keys=(),
        maturity="simulated",
        about="a recorded stream of any reader",
        maker=f"{_HOME}.recordings.driver:replay",
    ),
    Driver(
        id="recording/touchstone",
        modality="rf_cavity",
        link="Touchstone file",
        keys=(),
        maturity="simulated",
        about="measured S-parameters as a cavity that never changes",
        maker=f"{_HOME}.recordings.driver:touchstone_replay",
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
