"""Debian's Prometheus scrapes the service over TLS with its certificate, and its alerts fire."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port
from fleet_kit import Kit
from outlets_kit import program, put

from casemate.fleet.access import certificates
from casemate.fleet.outlets import scrapers
from casemate.fleet.service.application import application
from casemate.fleet.service.home import Home
from casemate.fleet.service.identity import write_identity
from casemate.fleet.web.server import Server

SHIPPED = Path(__file__).parents[4] / "deploy" / "monitoring"
LONGEST_S = 60.0


def answer(port: int, path: str) -> Any:
    """Return what Prometheus says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as link:
        return json.loads(link.read())["data"]


def configured(folder: Path, door: int) -> Path:
    """Return the shipped example with this service's address, evaluated once a second."""
    place = Path(shutil.copytree(SHIPPED, folder / "monitoring"))
    file = place / "prometheus.yml"
    text = file.read_text().replace("fleet.example.org:7390", f"localhost:{door}")
    file.write_text(text.replace("interval: 30s", "interval: 1s"))
    rules = place / "casemate.rules.yml"
    rules.write_text(rules.read_text().replace("interval: 30s", "interval: 1s"))
    return file


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_alerts_fire_from_a_real_scrape(kit: Kit, tmp_path: Path) -> None:
    kit.clock.now_s = time.time()
    put(kit.service.store, 2, name="silent")
    home = Home(folder=tmp_path, name="localhost", store="")
    certificates.make_authority(home.tls, home.name)
    issued = certificates.issue(home.tls, "prometheus")
    with kit.service.store.write() as link:
        scrapers.let(link, issued.fingerprint, "prometheus", 0)
    server = Server(application(kit.service), "127.0.0.1", 0, tls=home.tls)
    file, port = configured(tmp_path, server.port), free_port()
    write_identity(home, file.parent / "casemate-scraper", issued)
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [
                program("prometheus"), f"--config.file={file}",
                f"--web.listen-address=127.0.0.1:{port}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        fired = wait_for(port, "CasemateUnknown")
        assert fired["labels"]["name"] == "silent"
        assert fired["annotations"]["summary"].startswith("chassis intrusion monitoring")
        (target,) = answer(port, "targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
    finally:
        running.terminate()
        running.wait(30)
        server.close()


def wait_for(port: int, name: str) -> Any:
    """Return an alert once it fires; fail if it does not within a minute."""
    end_s = time.monotonic() + LONGEST_S
    while time.monotonic() < end_s:
        time.sleep(0.5)
        try:
            found = answer(port, "alerts")["alerts"]
        except OSError:
            continue
        for each in found:
            if each["labels"]["alertname"] == name and each["state"] == "firing":
                return each
    pytest.fail(f"{name} does not fire")
