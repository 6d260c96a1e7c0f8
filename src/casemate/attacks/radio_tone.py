"""Radio tone: one carrier, on and off in any rhythm."""

from __future__ import annotations

from casemate.attacks.move import Move, Plan, Values
from casemate.attacks.radio import CARRIER, FIELD, SOURCE, TOY, field
from casemate.attacks.rhythm import RHYTHM
from casemate.twin.effects import Scene


def _effects(plan: Plan, values: Values) -> Scene:
    return field("tone", values, band_hz=0.0)


RADIO_TONE = Move(
    id="radio-tone",
    name="radio tone",
    goal="discredit",
    about="an unmodulated carrier at the wall",
    parameters=(
        FIELD,
        CARRIER,
        *RHYTHM,
    ),
    potential=TOY,
    effects=_effects,
    source=SOURCE,
)  # fmt: skip
