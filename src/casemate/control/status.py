"""What a runtime knows: as JSON values for people, and as what a token says of its moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from casemate.control.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line for people. level: of the response, 0 for what is no alarm."""

    number: int
    at_s: float
    level: int
    text: str


def status_of(runtime: Runtime) -> dict[str, Any]:
    """Return what is known now, as JSON values."""
    seen, figures = runtime.seen, runtime.watching.figures
    now = runtime.watching.machine
    elapsed_s = max(time.monotonic() - runtime.started_s, 1e-9)
    holder, known = runtime.holder, runtime.writer.known
    p50, p99 = figures.quantile(0.5), figures.quantile(0.99)
    cpu_s = figures.cpu_s + sum(each.cpu_s for each in runtime.pumps)
    return {
        "format": "casemate-status/1",
        "enclosure": runtime.setting.place.enclosure,
        "serial": runtime.setting.place.serial,
        "state": now.state.value if runtime.watching.alive else "UNKNOWN",
        "keys": now.keys.value,
        "holder": holder.state.value if holder else "none",
        "custody": runtime.setting.custody.kind,
        "verdict": seen.judged.verdict.value if seen else None,
        "level": seen.judged.level if seen else None,
        "nats": round(seen.judged.nats, 2) if seen else None,
        "tile": seen.judged.tile if seen else "",
        "seen_by": list(seen.judged.seen_by) if seen else [],
        "findings": list(seen.judged.findings) if seen else [],
        "causes": [each.name for each in seen.judged.causes] if seen else [],
        "uptime_s": round(1e-3 * runtime.uptime_ms(), 1),
        "windows": figures.windows,
        "incomplete_windows": figures.incomplete,
        "simulated_time_stood_still_s": round(figures.slipped_s, 2),
        "verdict_latency_p50_s": p50,
        "verdict_latency_p99_s": p99,
        "keys_gone_s": figures.gone,
        "keys_gone_verified_s": figures.verified,
        "holder_dead_s": runtime.erasure.dead_s if runtime.erasure else None,
        "detection_cpu_share": cpu_s / elapsed_s,
        "tokens": runtime.writer.tokens,
        "token_bytes": runtime.writer.bytes,
        "unsigned": runtime.writer.unsigned,
        "log_entries": runtime.setting.log.next_index,
        "witnessed_entries": known.size if known else 0,
        "witness_problem": runtime.cosigner.failed if runtime.cosigner else "",
        "evidence_problem": runtime.writer.failed,
        "said": [
            [each.number, round(each.at_s, 2), each.level, each.text]
            for each in tuple(runtime.told)
        ],
    }


def exit_code_of(status: dict[str, Any]) -> int:
    """Return 0 if it is armed and well, 1 for an alarm, 3 for what is not known."""
    if status["state"] == "TAMPERED" or status["verdict"] in ("TAMPER", "INTERFERENCE"):
        return 1
    well = status["state"] in ("ARMED", "MAINTENANCE") and status["verdict"] == "NORMAL"
    return 0 if well and not status["evidence_problem"] else 3
