"""Which modality a module of the design is the electronics of."""

from __future__ import annotations

from casemate.design.enclosure import Enclosure

MODALITY_OF = {
    "sense-loop-r": "loop_resistance",
    "sense-capacitance": "mesh_capacitance",
    "sense-tdr": "tdr",
    "volume-rf-cavity": "rf_cavity",
    "volume-rf-vna": "rf_cavity",
    "aux-temperature": "environment",
    "aux-humidity": "environment",
    "aux-pressure": "environment",
    "aux-light": "environment",
    "aux-acceleration": "environment",
}
"""By module id; a module that is not here senses nothing that the twin knows."""


def modalities_of(enclosure: Enclosure) -> tuple[str, ...]:
    """Return the modalities that a design carries, skin first, in the order of the table."""
    chosen = {row.id for row in enclosure.modules}
    return tuple(dict.fromkeys(name for module, name in MODALITY_OF.items() if module in chosen))
