"""Replayed radio: what the enclosure itself sent a while ago is sent back to it, louder."""

from __future__ import annotations

from casemate.attacks.move import Move, Plan, Values
from casemate.attacks.radio import AIMED, CARRIER, FIELD, SOURCE, band, field
from casemate.attacks.rhythm import RHYTHM
from casemate.twin.effects import Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return field("replay", values, band_hz=values["band_hz"])


RADIO_REPLAY = Move(
    id="radio-replay",
    name="replayed radio",
    goal="discredit",
    about="the enclosure's own signals of a while ago at the wall",
    parameters=(
        FIELD,
        CARRIER,
        band(6e9, "that is recorded and sent"),
        *RHYTHM,
    ),
    potential=AIMED,
    effects=_effects,
    source=SOURCE,
)  # fmt: skip
