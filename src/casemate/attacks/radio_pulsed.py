"""Pulsed radio: short pulses disturb circuits more than a steady carrier of the same power does."""

from __future__ import annotations

from casemate.attacks.move import Move, Parameter, Plan, Values
from casemate.attacks.radio import AIMED, CARRIER, FIELD, SOURCE, band, field
from casemate.attacks.rhythm import RHYTHM
from casemate.twin.effects import Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return field("pulsed", values, band_hz=values["band_hz"], duty=values["pulse_duty"])


RADIO_PULSED = Move(
    id="radio-pulsed",
    name="pulsed radio",
    goal="discredit",
    about="a carrier in short pulses at the wall",
    parameters=(
        FIELD,
        CARRIER,
        band(1e8, "of a pulse, the inverse of its length"),
        Parameter(name="pulse_duty", low=1e-6, high=0.5, default=0.01, unit="", scale="log",
                  about="share of time on within a burst"),
        *RHYTHM,
    ),
    potential=AIMED,
    effects=_effects,
    source=SOURCE,
)  # fmt: skip
