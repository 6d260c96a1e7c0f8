"""Which readers a move is aimed at: all that are fitted, one of them, or those of a tile's nets."""

from __future__ import annotations

from casemate.attacks.move import Parameter, Plan, Values

SKIN = ("loop_resistance", "mesh_capacitance", "tdr")
"""Modalities whose channels belong to a tile's nets."""

WHICH = Parameter(
    name="which", low=0, high=12, default=0, unit="", scale="whole",
    about="modality, counted from 1 in the design's order and round again; 0: all",
)  # fmt: skip


def aimed(plan: Plan, values: Values) -> tuple[str, ...]:
    """Return the modalities that WHICH picks."""
    number = round(values["which"])
    if number == 0 or not plan.modalities:
        return plan.modalities
    return (plan.modalities[(number - 1) % len(plan.modalities)],)


def skin(plan: Plan) -> tuple[str, ...]:
    """Return the fitted modalities that read a tile's nets; all of SKIN if none is named so."""
    return tuple(each for each in plan.modalities if each in SKIN) or SKIN
