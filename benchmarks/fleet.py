"""The fleet service under load: what a push and a page cost it, in CPU time.

The service is a process of its own; the machine is shared, so rates of wall time are information.
Heartbeats of 10,000 enclosures at 1 Hz, in a token each six minutes, are 28 pushes a second.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.frame import Figure

ENCLOSURES, PERIOD_S, FOR_S = 560, 20, 30.0
"""28 pushes a second of few enclosures: the first push of each is dearer, as after a restart."""
CORES = 2.0
PAGE_MS = 200.0


def run() -> list[Figure]:
    """Return rate, latency, and the service's time a push and a page."""
    from casemate.fleet import hammer, hammer_load
    from casemate.fleet.hammer_plan import Plan

    plan = Plan(enclosures=ENCLOSURES, period_s=PERIOD_S, for_s=FOR_S)
    with (
        tempfile.TemporaryDirectory(prefix="casemate-hammer-") as folder,
        hammer_load.prepared(Path(folder) / "fleet", plan, lambda _text: None) as load,
    ):
        found = hammer.run(load, lambda _text: None)
    row = found.as_json()
    push_ms = 1000 * found.cpu_s / max(found.done, 1)
    cores = push_ms / 1000 * plan.rate
    note = f"{found.done} of {plan.pushes} pushes, {found.late} late"

    def figure(name: str, value: float, unit: str, target: float | None = None) -> Figure:
        return Figure(
            benchmark="fleet", name=name, value=value, unit=unit, target=target, note=note,
            wall=True,
        )  # fmt: skip

    return [
        figure("pushes a second, sustained", found.rate, "1/s"),
        figure("CPU time of the service a push", push_ms, "ms"),
        figure("cores for 10,000 enclosures at 1 Hz", cores, "1", CORES),
        figure("acknowledged, p50", float(str(row["acknowledged_p50_ms"])), "ms"),
        figure("acknowledged, p99", float(str(row["acknowledged_p99_ms"])), "ms"),
        figure("CPU time of the fleet page", 1000 * found.page_cpu_s, "ms", PAGE_MS),
        figure("the fleet page under load, p50", float(str(row["page_p50_ms"])), "ms"),
        figure("memory of the service", found.memory_bytes / 1e6, "MB"),
    ]
