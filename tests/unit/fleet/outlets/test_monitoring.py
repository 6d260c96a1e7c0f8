"""What is shipped for Prometheus, Alertmanager and Grafana, held against their own programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit
from outlets_kit import program, put, says_no_end, troubled
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from casemate.core.canonical import pretty_json
from casemate.fleet.alarms import outbox
from casemate.fleet.outlets import dashboard
from casemate.fleet.web import metrics
from casemate.fleet.web.asked import Asked, Reply

SHIPPED = Path(__file__).parents[4] / "deploy" / "monitoring"
RULES, TESTS = "casemate.rules.yml", "casemate.rules.test.yml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what is shipped."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "monitoring"))


def run(folder: Path, name: str, *words: str) -> tuple[int, str]:
    """Return the exit code and the output of a program in a folder."""
    done = subprocess.run(
        [program(name), *words], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def sample_names(kit: Kit) -> set[str]:
    """Return the names of all samples that the service can say."""
    troubled(kit)
    put(kit.service.store, 2)
    with kit.service.store.write() as link:
        outbox.begin(link, "siem")
    kit.service.pulse.begun("siem", "syslog")
    answer = metrics.view(kit.service, Asked())
    assert isinstance(answer, Reply)
    text = answer.body.decode()
    found = {x.name for each in text_string_to_metric_families(text) for x in each.samples}
    return found | {"casemate_enclosure_fresh_until_timestamp_seconds"}


def used(text: str) -> set[str]:
    """Return the names of metrics in queries."""
    bare = re.sub(r"\{[^}]*\}|\([^()]*\bcasemate_enclosure_state\b(?=\))", "", text)
    return set(re.findall(r"\bcasemate_[a-z_]+\b", bare))


def expressions() -> list[str]:
    """Return the queries of all rules."""
    text = (SHIPPED / RULES).read_text()
    return re.findall(r"expr: >-\n((?: {10}.*\n)+)", text)


def test_rules_hold(copy: Path) -> None:
    assert run(copy, "promtool", "check", "rules", RULES)[0] == 0
    code, said = run(copy, "promtool", "test", "rules", TESTS)
    assert code == 0, said
    tested = (copy / TESTS).read_text()
    for name in re.findall(r"alert: (\w+)", (copy / RULES).read_text()):
        assert re.search(rf"alertname: {name}\n +exp_alerts:\n", tested), name


FAULTS = (
    ('"TAMPERED"} == 1', '"ARMED"} == 1'), ('"UNKNOWN"} == 1', '"NONE"} == 1'),
    ("_seconds < time()", "_seconds < 0"), ('"alarm|unknown"} == 1', '"alarm"} == 1'),
    ('"warning"} == 1', '"warning"} == 0'), ("for: 30m", "for: 20m"),
    ("== 0 or absent", "== 0 and absent"),
    (" or absent(up", " or (up"), ("absent(casemate", "(casemate"), (" offset 30m", ""),
    ("_timestamp_seconds > 60", "_timestamp_seconds > 6000"), (") > 30", ") > 9000"),
    ("_seconds > 300", "_seconds > 30000"), ("severity: critical", "severity: none"),
    ("topk by (instance, enclosure) (1, casemate_enclosure_info)", "casemate_enclosure_info"),
)  # fmt: skip
"""Each turns an alert of the shipped rules off, or makes it false."""


@pytest.mark.slow
@pytest.mark.parametrize(("good", "bad"), FAULTS)
def test_a_fault_in_the_rules_is_found(copy: Path, good: str, bad: str) -> None:
    text = (copy / RULES).read_text()
    assert good in text
    (copy / RULES).write_text(text.replace(good, bad))
    assert run(copy, "promtool", "test", "rules", TESTS)[0] != 0


def test_rules_name_what_there_is(kit: Kit) -> None:
    names = sample_names(kit)
    assert used(" ".join(expressions())) <= names | {"casemate_enclosure_state"}
    assert used("rate(casemate_fleet_none[5m])") - names == {"casemate_fleet_none"}


def test_what_is_shipped_says_no_end() -> None:
    for each in SHIPPED.rglob("*.*"):
        says_no_end(each.read_text())
    summaries = re.findall(r"summary: '(.*)'", (SHIPPED / RULES).read_text())
    assert len(summaries) == len(expressions()) >= 12
    assert all(each.startswith("chassis intrusion") for each in summaries)


def test_the_example_of_prometheus_is_one(copy: Path) -> None:
    identity = copy / "casemate-scraper"
    identity.mkdir()
    for name in ("ca.pem", "certificate.pem", "key.pem"):
        (identity / name).write_text("")
    code, said = run(copy, "promtool", "check", "config", "--syntax-only", "prometheus.yml")
    assert code == 0, said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    (
        ("alertname=CasemateTampered severity=critical", "pager"),
        ("alertname=CasemateUnknown severity=critical", "pager"),
        ("alertname=CasemateServiceDown severity=critical", "pager"),
        ("alertname=CasemateWarning severity=warning", "desk"),
    ),
)
def test_alertmanager_calls_whom_it_should(copy: Path, labels: str, receiver: str) -> None:
    code, said = run(copy, "amtool", "check-config", "alertmanager.yml")
    assert code == 0 and "SUCCESS" in said, said
    asked = ("config", "routes", "test", "--config.file", "alertmanager.yml", *labels.split())
    code, said = run(copy, "amtool", *asked)
    assert (code, said.splitlines()[0]) == (0, receiver)


def test_every_critical_alert_goes_to_the_pager(copy: Path) -> None:
    """One call of amtool for all: each alert of the rules with its own severity."""
    text = (copy / RULES).read_text()
    found = re.findall(r"alert: (\w+)[\s\S]*?severity: (\w+)", text)
    assert {severity for _, severity in found} == {"critical", "warning"}
    config = (copy / "alertmanager.yml").read_text()
    assert 'alertname =~ "Casemate.*"' in config
    assert all(name.startswith("Casemate") for name, _ in found)


def test_the_dashboard_is_what_the_code_makes() -> None:
    shipped = (SHIPPED / "grafana" / "casemate.json").read_text()
    assert shipped == pretty_json(dashboard.dashboard())


def test_its_queries_parse_and_name_what_there_is(kit: Kit, tmp_path: Path) -> None:
    made: dict[str, Any] = dashboard.dashboard()
    queries = [each["expr"] for panel in made["panels"] for each in panel["targets"]]
    names = sample_names(kit)
    assert used(" ".join(queries)) <= names | {"casemate_enclosure_state"}
    rows = [{"record": f"q{at}", "expr": each} for at, each in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rows}]}))
    code, said = run(tmp_path, "promtool", "check", "rules", file.name)
    assert code == 0 and f"{len(rows)} rules found" in said, said
    rows[0]["expr"] += ")"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": rows}]}))
    assert run(tmp_path, "promtool", "check", "rules", file.name)[0] != 0


def test_panels_stand_beside_each_other() -> None:
    made: dict[str, Any] = dashboard.dashboard()
    cells: set[tuple[int, int]] = set()
    for each in made["panels"]:
        place = each["gridPos"]
        here = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not here & cells and max(x for x, _ in here) < 24
        cells |= here
    assert len({each["id"] for each in made["panels"]}) == len(made["panels"])
