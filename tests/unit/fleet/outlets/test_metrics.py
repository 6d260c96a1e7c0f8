"""Metrics: who may read them, what they say, and that no name gets into them as something else."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_kit import FINGERPRINT, Kit
from outlets_kit import HOSTILE, find, put, says_no_end, trigger, troubled
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from sqlalchemy import delete, update

from casemate.fleet.alarms import outbox
from casemate.fleet.errors import NotFoundError
from casemate.fleet.outlets import scrapers
from casemate.fleet.store.schema import VERDICTS
from casemate.fleet.web import metrics

SCRAPER = "cd" * 32


def scrape(kit: Kit, fingerprint: str = SCRAPER, role: str = "") -> Any:
    """Ask for metrics as whoever shows this certificate, or as somebody signed in."""
    kit.fronted.fingerprint = fingerprint
    try:
        return kit.client(role).get("/metrics")
    finally:
        kit.fronted.fingerprint = ""


def let_in(kit: Kit) -> None:
    """Let the monitoring in."""
    with kit.service.store.write() as link:
        scrapers.let(link, SCRAPER, "prometheus", 0)


def read(kit: Kit) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return samples by name, read by the library's own parser."""
    answer = scrape(kit)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(answer.text):
        for each in family.samples:
            found.setdefault(each.name, []).append((dict(each.labels), float(each.value)))
    return found


def state(found: dict[str, list[tuple[dict[str, str], float]]], enclosure: int) -> list[str]:
    """Return the states that are said of an enclosure."""
    key = "casemate_enclosure_state"
    return [
        labels[key]
        for labels, value in found[key]
        if value and labels["enclosure"] == str(enclosure)
    ]


def test_monitoring_reads_and_nobody_else(kit: Kit) -> None:
    troubled(kit)
    assert scrape(kit).status_code == 401
    let_in(kit)
    assert scrape(kit).status_code == 200
    for fingerprint, role in (("", ""), (FINGERPRINT, ""), ("", "auditor"), ("ef" * 32, "")):
        assert scrape(kit, fingerprint, role).status_code == 401, (fingerprint, role)
    kit.fronted.fingerprint = SCRAPER
    assert kit.client().get("/evidence").status_code == 401
    assert kit.client().get("/fleet").headers["location"] == "/sign-in"
    kit.fronted.fingerprint = ""
    with kit.service.store.write() as link:
        assert scrapers.remove(link, "prometheus") == 1
        with pytest.raises(NotFoundError):
            scrapers.remove(link, "prometheus")
    assert scrape(kit).status_code == 401


def test_who_reads_too_often_is_turned_away(kit: Kit) -> None:
    """Each scrape reads the whole fleet: a stolen certificate must not keep the service busy."""
    let_in(kit)
    assert {scrape(kit).status_code for _ in range(20)} == {200}
    assert scrape(kit).status_code == 429
    kit.clock.now_s += 15
    assert scrape(kit).status_code == 200


def test_each_scrape_is_in_the_audit_log(kit: Kit) -> None:
    let_in(kit)
    scrape(kit)
    assert "/metrics" in kit.client("auditor").get("/audit").text


def test_what_is_said_of_an_enclosure(kit: Kit) -> None:
    let_in(kit)
    here = troubled(kit)
    found = read(kit)
    assert state(found, here) == ["UNKNOWN"]
    assert found["casemate_enclosure_incident"] == [({"enclosure": "1", "incident": "unknown"}, 1)]
    assert found["casemate_enclosure_incident_acknowledged"] == [({"enclosure": "1"}, 0)]
    ((labels, _),) = found["casemate_enclosure_info"]
    assert (labels["serial"], labels["site"], labels["kind"]) == ("UNIT-0001", "hall 1", "camera")
    totals = {labels["state"]: value for labels, value in found["casemate_fleet_enclosures"]}
    assert totals["UNKNOWN"] == 1 and sum(totals.values()) == 1


def test_what_is_stale_or_never_came_is_unknown(kit: Kit) -> None:
    """Also where the clock's thread has died and nobody has appraised anew."""
    let_in(kit)
    here = troubled(kit)
    silent = put(kit.service.store, 2)
    fresh = kit.service.now_s() + 100
    armed = {"state": "ARMED", "fresh_until_s": fresh, "seen_s": kit.service.now_s()}
    with kit.service.store.write() as link:
        link.execute(update(VERDICTS).values(**armed))
    assert state(read(kit), here) == ["ARMED"]
    assert state(read(kit), silent) == ["UNKNOWN"]
    kit.clock.now_s = fresh + 1
    assert state(read(kit), here) == ["UNKNOWN"]
    kit.clock.now_s = fresh - 100_000  # set back: witnesses name a time that is yet to come
    assert state(read(kit), here) == ["UNKNOWN"]
    with kit.service.store.write() as link:
        link.execute(update(VERDICTS).values(state="FINE", fresh_until_s=None, seen_s=None))
    assert state(read(kit), here) == ["UNKNOWN"]
    with kit.service.store.write() as link:
        link.execute(delete(VERDICTS))
    assert state(read(kit), here) == ["UNKNOWN"]


def test_names_make_no_metrics_and_end_no_alarm(kit: Kit) -> None:
    let_in(kit)
    for number, name in enumerate(HOSTILE):
        put(kit.service.store, number, name=name[:255], site=name[:255])
    found = read(kit)
    assert set(found) == set(read(kit))
    assert len(found["casemate_enclosure_info"]) == len(HOSTILE)
    assert sum(value for _, value in found["casemate_fleet_enclosures"]) == len(HOSTILE)
    says_no_end(scrape(kit).text)
    named = {labels["name"] for labels, _ in found["casemate_enclosure_info"]}
    assert 'a="b"]' in named  # it came through as it is, and as nothing else


def test_outlets_and_the_clock_are_told(kit: Kit) -> None:
    let_in(kit)
    store, pulse = kit.service.store, kit.service.pulse
    with store.write() as link:
        outbox.begin(link, "siem")
    pulse.begun("siem", "syslog")
    find(store, put(store, 1), kit.service.now_s(), trigger("sensor.fault", 5, 1))
    assert pulse.failed("siem", "nobody there")
    assert not pulse.failed("siem", "nobody there")
    pulse.tick(kit.clock())
    found, labels = read(kit), {"outlet": "siem", "kind": "syslog"}
    assert found["casemate_outlet_waiting"] == [(labels, 1)]
    assert found["casemate_outlet_oldest_timestamp_seconds"][0][1] == kit.service.now_s()
    assert found["casemate_outlet_failures_total"] == [(labels, 2)]
    assert found["casemate_service_tick_timestamp_seconds"] == [({}, kit.clock())]
    pulse.sent("siem", 1)
    assert pulse.outlets()["siem"].error == ""
    assert read(kit)["casemate_outlet_sent_total"] == [(labels, 1)]


def test_every_family_is_described(kit: Kit) -> None:
    let_in(kit)
    families = {each.name for each in text_string_to_metric_families(scrape(kit).text)}
    assert families == set(metrics.HELP)


@pytest.mark.slow
def test_ten_thousand_enclosures_are_scraped_in_time(kit: Kit) -> None:
    """Within a tenth of a core at the interval of 30 s that the example has."""
    import time

    from sqlalchemy import insert

    from casemate.fleet.store.schema import ENCLOSURES

    let_in(kit)
    rows = [
        {
            "name": f"rack-{each}", "serial": f"S{each}", "origin": f"o{each}", "kind": "nvl72",
            "site": f"hall {each % 20}", "reference": b"", "policy": b"", "added_s": 0,
        }
        for each in range(10_000)
    ]  # fmt: skip
    armed = {
        "state": "ARMED", "worst": "note", "headline": "armed", "since_s": 0, "tokens": 1,
        "seen_s": kit.service.now_s(), "fresh_until_s": kit.service.now_s() + 100, "proven": 1,
        "appraised_s": kit.service.now_s(), "body": "{}",
    }  # fmt: skip
    with kit.service.store.write() as link:
        link.execute(insert(ENCLOSURES), rows)
        link.execute(insert(VERDICTS), [{**armed, "enclosure_id": 1 + x} for x in range(10_000)])
    begun = time.process_time()
    answer = scrape(kit)
    taken = time.process_time() - begun
    print(f"{taken:.2f} s, {len(answer.content)} bytes")
    assert taken < 3.0
