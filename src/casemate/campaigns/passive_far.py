"""False alarms of sensors without a challenge: by their null, and on recorded temperatures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from casemate.campaigns.assumptions import PASSIVE
from casemate.campaigns.passive import SLACK, samples_a_year
from casemate.campaigns.rarity.far import computed_far, null_far
from casemate.campaigns.rarity.nulls import count_alarms, freeze
from casemate.campaigns.rarity.pyramid_null import pyramid_arl
from casemate.campaigns.rarity.recordings import Readings, temperature_readings
from casemate.case.results import FarResult
from casemate.core.errors import CasemateError
from casemate.core.units import YEAR_S
from casemate.detect import pyramid
from casemate.detect.anchor import AnyAnchor, PassiveAnchor
from casemate.detect.passive import LEVELS
from casemate.detect.response import ALERT, LOG, Policy
from casemate.twin.line_materials import Real

ORDER = 32
"""Of the autoregression that a recording's first part gives: that of the twin's temperatures."""


def passive_far(
    policy: Policy, anchors: tuple[AnyAnchor, ...], *, seed: int, confidence: float, rerun: str
) -> list[FarResult]:
    """Return the computed rates of alerts, and of sensors that would corroborate an entry."""
    mine = [each for each in anchors if isinstance(each, PassiveAnchor) and each.names]
    if not mine:
        return []
    samples, count = samples_a_year(mine), sum(len(each.names) for each in mine)
    rows = (
        ("passive sensors", policy.passive_alert, ALERT, "alerts, and convicts nobody"),
        ("passive sensors, as strong as corroborates", policy.passive_entry, LOG,
         "sets nothing off without keyed evidence"),
    )  # fmt: skip
    found = []
    for cause, nats, level, does in rows:
        arl = pyramid_arl(nats, LEVELS, np.random.default_rng([seed, 20]), confidence=confidence)
        far = computed_far(cause, arl=arl, streams=1, sample_hz=samples / YEAR_S,
                           assumptions=(PASSIVE,))  # fmt: skip
        found.append(
            FarResult(
                cause=cause,
                about=f"{nats:.1f} nats of the pyramid on whitened white noise, any of {count} "
                f"sensors, both tests, by importance sampling; {does}",
                per_enclosure_year=far.per_year,
                lower=far.low,
                upper=far.high,
                kind="computed",
                level=level,
                rests_on=(PASSIVE,),
                rerun=rerun,
            )
        )
    return found


def recorded_temperatures(
    data: Path, policy: Policy, *, seed: int, confidence: float, rerun: str
) -> list[FarResult]:
    """Return what the pyramid does, at the alert's threshold, on temperatures that were recorded.

    One sensor of the recording's own rate. Coefficients come from its first part; faults that it
    holds are left in. Orders as recorded and shuffled: what memory and bursts do, and tails alone.
    """
    found = []
    for file in sorted(data.glob("temperature/*.csv")):
        try:
            found.append(_counted(temperature_readings(file), policy, seed, confidence, rerun))
        except CasemateError:
            continue  # not of that form
    return found


def _counted(
    readings: Readings, policy: Policy, seed: int, confidence: float, rerun: str
) -> FarResult:
    x = freeze(readings.first, order=ORDER, clip=pyramid.CLIP).residuals(readings.later)
    generator = np.random.default_rng([seed, len(readings.name)])

    def alarms(row: Real) -> int:
        return pyramid_alarms(row, policy.passive_alert)

    count = count_alarms(x, alarms, generator, confidence=confidence)
    other = count_alarms(x, alarms, generator, order="shuffled", confidence=confidence)
    predicted = x.size / pyramid_arl(policy.passive_alert, LEVELS, generator).arl
    far = null_far(readings.name, count, streams=1, sample_hz=readings.rate_hz, assumptions=())
    return FarResult(
        cause=f"passive sensors on recorded {readings.name.replace('_', ' ')}",
        about=f"{count.alarms} alarms in {x.size} samples as recorded, {other.alarms} shuffled, "
        f"{predicted:.1g} by the null model; one sensor of other hardware, its faults left in",
        per_enclosure_year=far.per_year,
        lower=far.low,
        upper=far.high,
        kind="measured",
        level=ALERT,
        rests_on=(),
        rerun=rerun,
    )


def pyramid_alarms(z: Real, nats: float, slack: float = SLACK) -> int:
    """Return how often a passive sensor's pyramid alarms on innovations (T,), begun anew each."""
    state, count = pyramid.start(1, LEVELS, sided=True), 0
    which = np.ones(1, dtype=np.bool_)
    sides = np.stack([z - slack, -z - slack], axis=1).astype(np.float32)[:, :, None]
    at = 0
    while at < len(sides):
        before, part = state.copy(), sides[at : at + 512]
        up, down = (np.ascontiguousarray(part[:, k]) for k in (0, 1))
        over = pyramid.advance(state, up, down)[:, 0] >= nats
        if not over.any():
            at += len(part)
            continue
        end = int(np.argmax(over)) + 1
        state = before
        pyramid.advance(state, up[:end], down[:end])
        pyramid.wipe(state, which)
        count, at = count + 1, at + end
    return count
