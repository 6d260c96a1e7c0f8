"""Swept radio: a carrier that runs through a band, so that it meets every resonance."""

from __future__ import annotations

from casemate.attacks.move import Move, Plan, Values
from casemate.attacks.radio import AIMED, CARRIER, FIELD, SOURCE, band, field
from casemate.attacks.rhythm import RHYTHM
from casemate.twin.effects import Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return field("swept", values, band_hz=values["band_hz"])


RADIO_SWEPT = Move(
    id="radio-swept",
    name="swept radio",
    goal="discredit",
    about="a carrier that sweeps a band at the wall",
    parameters=(
        FIELD,
        CARRIER,
        band(6e9, "that it runs through"),
        *RHYTHM,
    ),
    potential=AIMED,
    effects=_effects,
    source=SOURCE,
)  # fmt: skip
