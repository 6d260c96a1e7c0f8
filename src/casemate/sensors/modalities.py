"""All modalities. One is registered here and nowhere else, which enrols it in its kit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from casemate.core.errors import InputError
from casemate.sensors.environment.physics import fit as fit_environment
from casemate.sensors.loop_resistance.physics import fit as fit_loop_resistance
from casemate.sensors.mesh_capacitance.physics import fit as fit_mesh_capacitance
from casemate.sensors.modality import Fitted
from casemate.sensors.rf_cavity.physics import fit as fit_rf_cavity
from casemate.sensors.tdr.fitted import fit as fit_tdr
from casemate.twin.assembly import Twin
from casemate.twin.modules import modalities_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Modality:
    """A kind of sensing: the folder `sensors/<id>` holds its card, physics, driver and README."""

    id: str
    fit: Callable[[Twin], Fitted]


MODALITIES: tuple[Modality, ...] = (
    Modality(id="loop_resistance", fit=fit_loop_resistance),
    Modality(id="mesh_capacitance", fit=fit_mesh_capacitance),
    Modality(id="tdr", fit=fit_tdr),
    Modality(id="rf_cavity", fit=fit_rf_cavity),
    Modality(id="environment", fit=fit_environment),
)


def modality(id: str) -> Modality:
    """Return the modality of this id; InputError if there is none."""
    for each in MODALITIES:
        if each.id == id:
            return each
    raise InputError(
        f"there is no modality {id!r}.",
        remedy=f"modalities: {', '.join(each.id for each in MODALITIES)}.",
    )


def fitted_to(twin: Twin) -> tuple[str, ...]:
    """Return the modalities that the design's modules carry, in the order of the table."""
    carried = modalities_of(twin.enclosure)
    return tuple(each.id for each in MODALITIES if each.id in carried)
