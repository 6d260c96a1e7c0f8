"""What a proof of rarity costs: exact, by importance sampling, by splitting, on one core.

Times are CPU seconds after compilation. Errors are against the exact value.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.frame import Figure

if TYPE_CHECKING:
    from casemate.campaigns.rarity.estimate import Estimate

LIMIT = 35.9
"""k = 0.5: an ARL of 2.5e16 samples."""


def run() -> list[Figure]:
    """Return times and errors at an ARL of 2.5e16, and of splitting at 1e6."""
    import numpy as np

    from casemate.campaigns.rarity import exact
    from casemate.campaigns.rarity.exact import Cusum, arl
    from casemate.campaigns.rarity.importance import importance_arl
    from casemate.campaigns.rarity.splitting_fast import split_cusum

    rare, million = Cusum(k=0.5, h=LIMIT), Cusum(k=0.5, h=12.0)
    generator = np.random.default_rng(1)
    importance_arl(million, generator, trials=100)
    split_cusum(million, generator, effort=10, replicates=3)
    arl(rare)
    exact._one_side.cache_clear()
    begin = time.process_time()
    known = arl(rare)
    figures = [
        Figure(benchmark="rarity", name="ARL 2.5e16, integral equation",
               value=time.process_time() - begin, unit="s", note=f"{known:.5g} samples"),
    ]  # fmt: skip
    sampled, seconds = _timed(lambda: importance_arl(rare, generator))
    figures += [
        Figure(benchmark="rarity", name="ARL 2.5e16, importance sampling", value=seconds,
               unit="s", target=1.0, note=f"{sampled.trials} excursions"),
        Figure(benchmark="rarity", name="half its 95 % interval", unit="%", target=1.0,
               value=50.0 * (sampled.high - sampled.low) / sampled.arl),
        Figure(benchmark="rarity", name="its distance from the exact value", unit="%", target=1.5,
               value=100.0 * abs(sampled.arl / known - 1.0)),
    ]  # fmt: skip
    for name, cusum, effort in (("2.5e16", rare, 2000), ("1e6", million, 10_000)):
        split, seconds = _timed(partial(split_cusum, cusum, generator, effort=effort))
        off = 100.0 * abs(split.arl / arl(cusum) - 1.0)
        figures += [
            Figure(benchmark="rarity", name=f"ARL {name}, splitting", value=seconds, unit="s",
                   note=f"20 x {effort} runs a level"),
            Figure(benchmark="rarity", name=f"its distance from the exact value, {name}",
                   value=off, unit="%", target=5.0 if name == "1e6" else None,
                   note=f"standard error {100 * split.relative_error:.1f} %"),
        ]  # fmt: skip
    return figures


def _timed(work: Callable[[], Estimate]) -> tuple[Estimate, float]:
    begin = time.process_time()
    found = work()
    return found, time.process_time() - begin
