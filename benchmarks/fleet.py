"""The fleet service under load: what a push and a page cost it, in CPU time.

The service is a process of its own; the machine is shared, so rates of wall time are information.
Heartbeats of 10,000 enclosures at 1 Hz, in a token each six minutes, are 28 pushes a second.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.frame import Figure

if TYPE_CHECKING:
    from casemate.fleet.hammer.plan import Figures

SMALL = (560, 20, 30.0)
"""28 pushes a second of few enclosures: the first push of each is dearer, as after a restart."""
LARGE = (10_000, 360, 420.0)
"""Of all, until some have brought two tokens: a quarter of an hour."""
CORES = 2.0
PAGE_MS = 200.0
KEEPS_UP = 0.95
"""Of the rate that was asked for, what has to be sustained (as `hammer` has it)."""


def run() -> list[Figure]:
    """Return the figures of the small load."""
    return _run("fleet", *SMALL)


def run_large() -> list[Figure]:
    """Return the figures of the load with 10,000 enclosures."""
    return _run("fleet-large", *LARGE)


def _run(name: str, enclosures: int, period_s: int, for_s: float) -> list[Figure]:
    from casemate.core.progress import Work
    from casemate.fleet.hammer import loading
    from casemate.fleet.hammer import run as hammer
    from casemate.fleet.hammer.plan import Plan

    plan = Plan(enclosures=enclosures, period_s=period_s, for_s=for_s)
    with (
        tempfile.TemporaryDirectory(prefix="casemate-hammer-") as folder,
        loading.prepared(Path(folder) / "fleet", plan, Work("load")) as load,
    ):
        found = hammer.run(load, Work("load"))
    return figures(name, found)


def figures(name: str, found: Figures) -> list[Figure]:
    """Return rate, latency, what came of the pushes, and the service's time a push and a page."""
    row, plan = found.as_json(), found.plan
    push_ms = 1000 * found.cpu_s / max(found.done, 1)
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.states.items()))
    note = (
        f"{plan.enclosures:,} enclosures, a token each {plan.period_s} s, for {plan.for_s:g} s: "
        f"{found.done} of {plan.pushes} pushes acknowledged, {found.late} begun late; "
        f"shown at the end: {states}."
    )

    def figure(
        what: str, value: float, unit: str, target: float | None = None, sense: str = "<="
    ) -> Figure:
        return Figure(
            benchmark=name, name=what, value=value, unit=unit, target=target, sense=sense,
            note=note, wall=True,
        )  # fmt: skip

    return [
        figure("pushes a second, sustained", found.rate, "1/s", KEEPS_UP * plan.rate, ">="),
        figure("pushes refused or failed", found.refused + found.failed, "1", 0.0),
        figure("CPU time of the service a push", push_ms, "ms"),
        figure("cores at 27.8 pushes a second", push_ms / 1000 * 10_000 / 360, "1", CORES),
        figure("acknowledged, p50", float(str(row["acknowledged_p50_ms"])), "ms"),
        figure("acknowledged, p99", float(str(row["acknowledged_p99_ms"])), "ms"),
        figure("CPU time of the fleet page", 1000 * found.page_cpu_s, "ms", PAGE_MS),
        figure("the fleet page under load, p50", float(str(row["page_p50_ms"])), "ms", PAGE_MS),
        figure("the fleet page under load, worst", float(str(row["page_worst_ms"])), "ms"),
        figure("memory of the service", found.memory_bytes / 1e6, "MB"),
    ]
