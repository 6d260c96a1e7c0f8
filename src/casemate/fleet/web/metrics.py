"""Metrics of the fleet for Prometheus, in OpenMetrics: made anew from the store at each scrape.

Nothing is remembered between scrapes, so a fleet that cannot be read gives an error, not old
figures. What is stale at the time of the scrape is UNKNOWN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from casemate.fleet.alarms import outbox
from casemate.fleet.appraisal.shown import STATES
from casemate.fleet.outlets.standing import Standing, standings
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.verify.findings import SEVERITIES

HELP = {
    "casemate_enclosure": "What an enclosure is called.",
    "casemate_enclosure_state": "How an enclosure stands; UNKNOWN where nothing fresh says.",
    "casemate_enclosure_seen_timestamp_seconds": "When witnesses saw its log last.",
    "casemate_enclosure_fresh_until_timestamp_seconds": "Until when its state may be shown.",
    "casemate_enclosure_incident": "Severity of its open incident: chassis intrusion monitoring.",
    "casemate_enclosure_incident_acknowledged": "Whether a person has seen its open incident.",
    "casemate_fleet_enclosures": "Enclosures by state.",
    "casemate_fleet_incidents": "Open incidents by severity.",
    "casemate_outlet_waiting": "Notices that an outlet's receiver has not taken yet.",
    "casemate_outlet_oldest_timestamp_seconds": "Time of the oldest of them.",
    "casemate_outlet_sent": "Notices that its receiver has taken since the service started.",
    "casemate_outlet_failures": "Attempts that failed since the service started.",
    "casemate_service_tick_timestamp_seconds": "When the service last looked for what is stale.",
    "casemate_service_time_seconds": "The service's clock.",
}
"""Each family and what it says."""


def view(service: Service, asked: Asked) -> Reply:
    """Return all metrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(service))  # type: ignore[arg-type]
    return Reply(body=generate_latest(registry), kind=CONTENT_TYPE_LATEST)


class _Fleet:
    """Collects from a service, as the library asks for it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are known when it is collected."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield all families, of one moment."""
        service, now_s = self._service, self._service.now_s()
        with service.store.read() as link:
            held = list(standings(link, now_s))
            fares = service.pulse.outlets()
            queues = {each: outbox.waiting(link, each) for each in fares}
        yield from enclosures(held)
        yield from totals(held)
        waiting, oldest = (
            _gauge("casemate_outlet_waiting", "outlet", "kind"),
            _gauge("casemate_outlet_oldest_timestamp_seconds", "outlet", "kind"),
        )
        sent, failures = (
            CounterMetricFamily(name, HELP[name], labels=("outlet", "kind"))
            for name in ("casemate_outlet_sent", "casemate_outlet_failures")
        )
        for name, fare in fares.items():
            count, since_s = queues[name]
            labels = (name, fare.kind)
            waiting.add_metric(labels, count)
            if since_s is not None:
                oldest.add_metric(labels, since_s)
            sent.add_metric(labels, fare.sent)
            failures.add_metric(labels, fare.failures)
        tick, time = (
            _gauge("casemate_service_tick_timestamp_seconds"),
            _gauge("casemate_service_time_seconds"),
        )
        tick.add_metric((), service.pulse.ticked_s)
        time.add_metric((), service.clock())
        yield from (waiting, oldest, sent, failures, tick, time)


def enclosures(held: Iterable[Standing]) -> Iterator[Metric]:
    """Yield what is said of each enclosure."""
    info = InfoMetricFamily("casemate_enclosure", HELP["casemate_enclosure"], labels=("enclosure",))
    state = StateSetMetricFamily(
        "casemate_enclosure_state", HELP["casemate_enclosure_state"], labels=("enclosure",)
    )
    seen = _gauge("casemate_enclosure_seen_timestamp_seconds", "enclosure")
    fresh = _gauge("casemate_enclosure_fresh_until_timestamp_seconds", "enclosure")
    incident = _gauge("casemate_enclosure_incident", "enclosure", "incident")
    acknowledged = _gauge("casemate_enclosure_incident_acknowledged", "enclosure")
    for each in held:
        label = (str(each.id),)
        names = {"name": each.name, "serial": each.serial, "kind": each.kind, "site": each.site}
        info.add_metric(label, names)
        state.add_metric(label, {name: name == each.state for name in STATES})
        if each.seen_s is not None:
            seen.add_metric(label, each.seen_s)
        if each.fresh_until_s is not None:
            fresh.add_metric(label, each.fresh_until_s)
        if each.severity:
            incident.add_metric((*label, each.severity), 1)
            acknowledged.add_metric(label, each.acknowledged)
    yield from (info, state, seen, fresh, incident, acknowledged)


def totals(held: Iterable[Standing]) -> Iterator[Metric]:
    """Yield what is said of the fleet."""
    states: Counter[str] = Counter()
    severities: Counter[str] = Counter()
    for each in held:
        states[each.state] += 1
        severities[each.severity] += 1
    by_state = _gauge("casemate_fleet_enclosures", "state")
    for name in STATES:
        by_state.add_metric((name,), states[name])
    by_severity = _gauge("casemate_fleet_incidents", "severity")
    for name in SEVERITIES[:-1]:
        by_severity.add_metric((name,), severities[name])
    yield from (by_state, by_severity)


def _gauge(name: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, HELP[name], labels=labels)
