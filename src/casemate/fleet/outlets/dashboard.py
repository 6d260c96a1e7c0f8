"""Grafana's dashboard of a fleet, as code: `python -m casemate.fleet.outlets.dashboard FILE`.

Grafana's JSON model of dashboards (schema 39): panels on a grid of 24 columns.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casemate.core.canonical import pretty_json

_INFO = (
    "on (instance, enclosure) group_left (name, serial, site, kind) "
    "topk by (instance, enclosure) (1, casemate_enclosure_info)"
)
_SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel. kind: stat, timeseries or table. queries: by legend. bad_from: of a value, or None.

    width, height: in Grafana's grid.
    """

    title: str
    about: str
    kind: str
    queries: tuple[tuple[str, str], ...]
    width: int
    height: int
    bad_from: float | None = None
    unit: str = "short"


PANELS = (
    Panel(
        title="Not known or tampered", kind="stat", width=6, height=4, bad_from=1,
        about="Enclosures of which nothing fresh is proven, or tampering was detected.",
        queries=(("", 'sum(casemate_fleet_enclosures{state=~"UNKNOWN|TAMPERED"})'),),
    ),
    Panel(
        title="Open alarms", kind="stat", width=6, height=4, bad_from=1,
        about="Incidents that nobody has disposed of, of severity alarm or unknown.",
        queries=(("", 'sum(casemate_fleet_incidents{severity=~"alarm|unknown"})'),),
    ),
    Panel(
        title="Nobody has looked", kind="stat", width=6, height=4, bad_from=1,
        about="Open incidents without an acknowledgement.",
        queries=(("", "count(casemate_enclosure_incident_acknowledged == 0) or vector(0)"),),
    ),
    Panel(
        title="The service answers", kind="stat", width=6, height=4,
        about="1 while Prometheus reaches it. At 0 nothing on this page holds.",
        queries=(("", 'min(up{job="casemate"}) or vector(0)'),),
    ),
    Panel(
        title="Enclosures by state", kind="timeseries", width=16, height=8,
        about="UNKNOWN is not armed: it is what nobody can say.",
        queries=(("{{state}}", "sum by (state) (casemate_fleet_enclosures)"),),
    ),
    Panel(
        title="Open incidents by severity", kind="timeseries", width=8, height=8,
        about="One incident an enclosure, however much was found.",
        queries=(("{{severity}}", "sum by (severity) (casemate_fleet_incidents)"),),
    ),
    Panel(
        title="What needs somebody", kind="table", width=24, height=10,
        about="Enclosures that are tampered or not known, with their names.",
        queries=(
            (
                "",
                '(casemate_enclosure_state{casemate_enclosure_state=~"UNKNOWN|TAMPERED"} == 1) * '
                + _INFO,
            ),
        ),
    ),
    Panel(
        title="Time since witnesses saw it", kind="timeseries", width=12, height=8, unit="s",
        about="The ten enclosures that were longest not seen.",
        queries=(
            (
                "{{name}}",
                f"topk(10, (time() - casemate_enclosure_seen_timestamp_seconds) * {_INFO})",
            ),
        ),
    ),
    Panel(
        title="Alarms that wait for a receiver", kind="timeseries", width=12, height=8,
        about="Notices that an outlet's receiver has not taken. Nothing of them is lost.",
        queries=(("{{outlet}} ({{kind}})", "casemate_outlet_waiting"),),
    ),
    Panel(
        title="Attempts that failed", kind="timeseries", width=12, height=8,
        about="A second, by outlet.",
        queries=(("{{outlet}}", "rate(casemate_outlet_failures_total[5m])"),),
    ),
    Panel(
        title="The service's clocks", kind="timeseries", width=12, height=8, unit="s",
        about="How far its clock is from Prometheus's, and since when it looked for what is stale.",
        queries=(
            ("clock", "casemate_service_time_seconds - timestamp(casemate_service_time_seconds)"),
            (
                "last look",
                "casemate_service_time_seconds - casemate_service_tick_timestamp_seconds",
            ),
        ),
    ),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    panels, x, y = [], 0, 0
    for number, each in enumerate(PANELS, 1):
        if x + each.width > 24:
            x, y = 0, y + PANELS[number - 2].height
        panels.append(_panel(each, number, x, y))
        x += each.width
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "title": "Casemate: fleet", "uid": "casemate-fleet", "schemaVersion": 39, "version": 1,
        "editable": False, "timezone": "utc", "refresh": "30s", "tags": ["casemate"],
        "time": {"from": "now-24h", "to": "now"}, "templating": {"list": [source]},
        "annotations": {"list": []}, "panels": panels,
    }  # fmt: skip


def _panel(each: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if each.bad_from is not None:
        steps.append({"color": "red", "value": each.bad_from})
    elif each.kind == "stat":
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    return {
        "id": number, "title": each.title, "description": each.about, "type": each.kind,
        "datasource": _SOURCE, "gridPos": {"x": x, "y": y, "w": each.width, "h": each.height},
        "fieldConfig": {
            "defaults": {
                "unit": each.unit, "noValue": "no data: nothing is known",
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + at), "expr": query, "legendFormat": legend,
                "datasource": _SOURCE, "instant": each.kind != "timeseries",
                "range": each.kind == "timeseries",
                "format": "table" if each.kind == "table" else "time_series",
            }
            for at, (legend, query) in enumerate(each.queries)
        ],
    }  # fmt: skip


def main() -> None:
    """Write the dashboard to the file that is named."""
    Path(sys.argv[1]).write_text(pretty_json(dashboard()), encoding="utf-8")


if __name__ == "__main__":
    main()
