"""Broadband radio noise: a jammer over all or part of what is sensed."""

from __future__ import annotations

from casemate.attacks.move import Move, Plan, Values
from casemate.attacks.radio import AIMED, CARRIER, FIELD, SOURCE, band, field
from casemate.attacks.rhythm import RHYTHM
from casemate.twin.effects import Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return field("noise", values, band_hz=values["band_hz"])


RADIO_NOISE = Move(
    id="radio-noise",
    name="broadband radio noise",
    goal="discredit",
    about="noise over a band at the wall",
    parameters=(
        FIELD,
        CARRIER,
        band(6e9, "of the noise"),
        *RHYTHM,
    ),
    potential=AIMED,
    effects=_effects,
    source=SOURCE,
)  # fmt: skip
