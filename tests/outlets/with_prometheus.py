"""Debian's Prometheus scrapes the service, and evaluates each query of dashboard and alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import brokers
import outlets_kit
import outside_receivers as outside
import with_alertmanager
from judging import Judge
from sqlalchemy import delete, update
from stage import Stage, until

from casemate.fleet.access import certificates
from casemate.fleet.alarms import outbox
from casemate.fleet.outlets import scrapers
from casemate.fleet.outlets.dashboard import PANELS
from casemate.fleet.service.application import application
from casemate.fleet.service.identity import write_identity
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS
from casemate.fleet.web.server import Server

SHIPPED = Path(__file__).parents[2] / "deploy" / "monitoring"
INTERVAL_S = 3
"""Of scrapes; a scraper is answered once in two seconds."""
STANDING = ("Tampered", "Unknown", "Alarm", "Warning", "Unseen")
"""Alerts of how the stage's enclosures stand: they hold from the start."""
TROUBLED = ("Stale", "ClockWrong", "ClockStopped", "OutletWaits", "Fewer")
GONE = ("ServiceDown", "NoMetrics")
"""Alerts that may hold in trouble alone; for each the judge makes that trouble."""


class Prometheus:
    """A server that is asked. port: where."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ready(self) -> bool:
        """Return whether it has read what it stores: it listens before that."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def ask(self, path: str, **given: object) -> Any:
        """Return its answer. RuntimeError if it refuses."""
        query = urllib.parse.urlencode(given)
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/{path}?{query}") as link:
            told = json.loads(link.read())
        if told["status"] != "success":
            raise RuntimeError(str(told))
        return told["data"]

    def series(self, query: str) -> list[Any]:
        """Return what a query gives now."""
        return list(self.ask("query", query=query)["result"])

    def drawn(self, query: str) -> list[Any]:
        """Return what a query gives of the last minute, as a chart draws it."""
        now = time.time()
        given = {"query": query, "start": now - 60, "end": now, "step": INTERVAL_S}
        return list(self.ask("query_range", **given)["result"])


def alerts() -> dict[str, str]:
    """Return the queries of the shipped rules, by alert without its first word."""
    text = (SHIPPED / "casemate.rules.yml").read_text(encoding="utf-8")
    found = re.findall(r"alert: Casemate(\w+)\n\s+expr: >-\n((?: {10}.*\n)+)", text)
    return {name: " ".join(query.split()) for name, query in found}


@contextmanager
def scraping(stage: Stage, server: Server, folder: Path, caller: int) -> Iterator[Prometheus]:
    """Yield a Prometheus with the shipped example, in which half an hour is already past.

    caller: port of the Alertmanager that it tells.
    """
    issued = certificates.issue(stage.home.tls, "prometheus")
    with stage.service.store.write() as link:
        scrapers.let(link, issued.fingerprint, "prometheus", 0)
    place, port = Path(shutil.copytree(SHIPPED, folder / "monitoring")), brokers.free_port()
    file = place / "prometheus.yml"
    text = file.read_text().replace("fleet.example.org:7390", f"localhost:{server.port}")
    text = text.replace("127.0.0.1:9093", f"127.0.0.1:{caller}")
    file.write_text(text.replace("interval: 30s", f"interval: {INTERVAL_S}s"))
    rules = place / "casemate.rules.yml"
    rules.write_text(rules.read_text().replace("interval: 30s", "interval: 1s"))
    write_identity(stage.home, place / "casemate-scraper", issued)
    _past(folder, f"localhost:{server.port}", len(stage.ids) + 2)
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                outlets_kit.program("prometheus"), f"--config.file={file}",
                f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'data'}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        made = Prometheus(port)
        assert until(made.ready)
        yield made
    finally:
        running.terminate()
        running.wait(30)


def _past(folder: Path, instance: str, count: int) -> None:
    """Write how many enclosures there were until twenty minutes ago."""
    rows = "".join(
        f'casemate_fleet_enclosures{{instance="{instance}",job="casemate",state="ARMED"}} {count} '
        f"{int(time.time()) - 60 * minute}\n"
        for minute in range(45, 20, -1)
    )
    text = f"# TYPE casemate_fleet_enclosures gauge\n{rows}# EOF\n"
    (folder / "past").write_text(text, encoding="ascii")
    made = ("tsdb", "create-blocks-from", "openmetrics", str(folder / "past"), str(folder / "data"))
    subprocess.run([outlets_kit.program("promtool"), *made], check=True, capture_output=True)


def judges(stage: Stage, folder: Path) -> Iterator[Judge]:
    """Yield what each query gives while all is well, in trouble, and once the service is gone; and
    who was called."""
    judge = Judge(
        "Prometheus", outside.version("prometheus", "--version"),
        "scrapes the service, evaluates each query of dashboard and alerts",
    )  # fmt: skip
    folder.mkdir()
    extra = outlets_kit.put(stage.service.store, 99, name="one-more")
    outlets_kit.put(stage.service.store, 98, name="vanishing")
    server = Server(application(stage.service), "127.0.0.1", 0, tls=stage.home.tls)
    try:
        with (
            with_alertmanager.calling(folder, SHIPPED / "alertmanager.yml") as (caller, called),
            scraping(stage, server, folder, caller) as asked,
        ):
            until(lambda: len(asked.drawn("rate(casemate_outlet_failures_total[1m])")) > 0)
            _calm(judge, asked)
            _annotations(judge, asked)
            calls = with_alertmanager.judge_calls(called, "one-more")
            _trouble(judge, stage, asked, extra)
            server.close()
            for name in GONE:
                holds = until(lambda name=name: asked.series(alerts()[name]))  # type: ignore[misc]
                judge.hold(f"{name}: holds once the service is gone", holds)
    finally:
        server.close()
    yield calls
    yield judge


def _calm(judge: Judge, asked: Prometheus) -> None:
    (target,) = asked.ask("targets")["activeTargets"]
    judge.equal("the service is scraped", (target["health"], target["lastError"]), ("up", ""))
    for panel in PANELS:
        for legend, query in panel.queries:
            found = asked.drawn(query) if panel.kind == "timeseries" else asked.series(query)
            judge.hold(f"panel {panel.title}: series", found, query)
            names = re.findall(r"{{(\w+)}}", legend)
            lacking = [x for x in names if any(x not in each["metric"] for each in found)]
            judge.equal(f"panel {panel.title}: labels of its legend", lacking, [])
    queries = alerts()
    judge.equal("alerts", sorted(queries), sorted((*STANDING, *TROUBLED, *GONE)))
    for name in STANDING:
        judge.hold(f"{name}: holds", asked.series(queries[name]), queries[name])
    for name in (*TROUBLED, *GONE):
        judge.equal(f"{name}: does not hold", asked.series(queries[name]), [])


def _trouble(judge: Judge, stage: Stage, asked: Prometheus, extra: int) -> None:
    """Set the clock back with old evidence, lose a receiver, stop the clock's thread, lose one."""
    service, queries = stage.service, alerts()

    def holds(name: str) -> None:
        judge.hold(f"{name}: holds in trouble", until(lambda: asked.series(queries[name])))

    real_s = int(time.time())
    stage.clock.ahead_s = -3600
    with service.store.write() as link:
        outbox.begin(link, "lost")
        link.execute(
            update(VERDICTS).where(VERDICTS.c.enclosure_id == stage.ids["rack-armed"])
            .values(seen_s=real_s - 7200, fresh_until_s=real_s - 60)
        )  # fmt: skip
    service.pulse.begun("lost", "webhook")
    made = outlets_kit.trigger("state.tampered", service.now_s(), 61)
    outlets_kit.find(service.store, extra, service.now_s(), made)
    for name in ("Stale", "ClockWrong", "OutletWaits"):
        holds(name)
    with patch.object(outbox, "gather", side_effect=RuntimeError("stopped by the judge")):
        time.sleep(3)
        stage.clock.ahead_s += 120
        holds("ClockStopped")
    stage.clock.ahead_s = 0
    with service.store.write() as link:
        link.execute(delete(ENCLOSURES).where(ENCLOSURES.c.name == "vanishing"))
    holds("Fewer")


def _annotations(judge: Judge, asked: Prometheus) -> None:
    """Look at what people would read: every label that a text names is there, and none ends it."""

    def held() -> dict[str, Any]:
        return {each["labels"]["alertname"]: each for each in asked.ask("alerts")["alerts"]}

    until(lambda: set(held()) >= {f"Casemate{name}" for name in STANDING})
    for name in STANDING:
        each = held().get(f"Casemate{name}", {"annotations": {}, "labels": {}})
        text, labels = " ".join(each["annotations"].values()), each["labels"]
        whole = text and "<no value>" not in text and "  " not in text
        judge.hold(f"{name}: its text is whole", whole, text)
        named = all(labels.get(x) and labels[x] in text for x in ("name", "serial", "site"))
        judge.hold(f"{name}: it says which", named, each)
        outlets_kit.says_no_end(text)
