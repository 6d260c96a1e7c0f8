"""The graded response: what each level of evidence sets off, and the false alarms it may cost.

reference/detect.md 2. Every level's threshold follows from its budget by the theorem of `evidence`;
what cannot be undone needs a second modality besides. Noise alone cannot reach beyond sealing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from casemate.core.errors import InputError
from casemate.detect.evidence import least_nats


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level: what it does, whether that can be undone, its budget of false alarms a year."""

    number: int
    name: str
    action: str
    reversible: bool
    per_year: float


LOG, ALERT, SEAL, LATCH, ZEROISE = 0, 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Thresholds of one enclosure. `nats` by level for the fused evidence; features: of all banks.

    corroborates: nats of a second modality by itself. passive_alert, passive_entry: score of one
    sensor without a challenge that alerts, and that corroborates what cannot be undone. blind_s:
    how long DENIED may last before keys are sealed. attack_s: within which an attack must still be
    seen for the information to be enough. interference: nats of silent chips for INTERFERENCE.
    """

    levels: tuple[Level, ...]
    nats: tuple[float, ...]
    window_s: float
    features: int
    interference: float
    passive_alert: float
    passive_entry: float
    corroborates: float = 12.0
    blind_s: float = 10.0
    attack_s: float = 1.0


SENSORS = 64
"""Sensors that a policy without computed thresholds allows for (planning value)."""


def policy(*, far_per_year: float, features: int, window_s: float) -> Policy:
    """Return the policy whose verdict TAMPER has at most `far_per_year` false ones by the theorem.

    Thresholds of sensors without a challenge are the pyramid's bound, windows a year over A, for
    SENSORS sensors; what is computed at commissioning (decision 20) is lower and replaces them.
    Alerts have a budget of one a month, latching of one in 100 years, zeroising of one in 1,000, or
    a tenth and a hundredth of `far_per_year` if that is less (reference/detect.md 2). InputError
    for a rate that is not above 0.
    """
    if not (math.isfinite(far_per_year) and far_per_year > 0.0 and features > 0 and window_s > 0):
        raise InputError(
            "a policy needs a rate of false alarms above 0, features and a window.",
            remedy="correct targets.far.",
            value=(far_per_year, features, window_s),
        )
    latch, erase = min(1e-2, 0.1 * far_per_year), min(1e-3, 0.01 * far_per_year)
    levels = (
        Level(number=LOG, name="log", action="log, and ask more chips", reversible=True,
              per_year=math.inf),
        Level(number=ALERT, name="alert", action="tell people, limit rates", reversible=True,
              per_year=12.0),
        Level(number=SEAL, name="seal", action="seal keys until a quorum and a self-test",
              reversible=True, per_year=far_per_year),
        Level(number=LATCH, name="latch", action="latch until an inspection", reversible=False,
              per_year=latch),
        Level(number=ZEROISE, name="zeroise", action="destroy keys", reversible=False,
              per_year=erase),
    )  # fmt: skip
    # fused evidence is a mean over features already: no further ln(features)
    nats = tuple(
        0.0 if math.isinf(each.per_year) else least_nats(each.per_year, window_s, 1)
        for each in levels
    )
    streams = 2 * SENSORS  # two tests each
    return Policy(
        levels=levels,
        nats=nats,
        passive_alert=least_nats(12.0, window_s, streams),
        passive_entry=least_nats(erase, window_s, streams),
        window_s=window_s,
        features=features,
        interference=least_nats(12.0, window_s, features),
    )
