"""`casemate fleet demo` as people see it: enclosures are armed, cut off, disturbed and opened."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")
pytest.importorskip("alembic")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

REASON = "seen by the guard, who was sent there at once"


class Browser:
    """Somebody who is signed in at the demo."""

    def __init__(self, url: str, code: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)
        answer = self._client.post("/sign-in", data={"code": code})
        assert answer.status_code == 303

    def see(self, path: str) -> Any:
        """Return what a page shows."""
        answer = self._client.get(f"{path}.json")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> bytes:
        """Return a file."""
        return bytes(self._client.get(path).content)

    def send(self, path: str, **form: str) -> int:
        """Fill in a form of the incident's page, and return the status."""
        page = self._client.get(path.rpartition("/")[0]).text
        csrf = page.split('name="csrf" value="')[1].split('"')[0]
        return int(self._client.post(path, data={"csrf": csrf, **form}).status_code)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """The demo as it runs: its folder, and what it has printed."""
    folder = tmp_path_factory.mktemp("demo") / "fleet"
    command = [sys.executable, "-m", "casemate", "fleet", "demo", str(folder), "--port", "0",
               "--without-designs"]  # fmt: skip
    running = subprocess.Popen(
        [*command, "--json", "--for", "1100"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        yield folder, json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.wait(120)


def until(found: Callable[[], bool], for_s: float = 600.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + for_s
    while not found():
        assert time.monotonic() < end, "it has not come to that"
        time.sleep(1.0)


def test_an_operator_and_an_inspector_see_it_and_decide(demo: tuple[Path, Any]) -> None:
    folder, shown = demo
    people = {name: Browser(shown["url"], code) for name, code in shown["codes"].items()}
    inspector, operator = people["inspector"], people["operator"]

    def states() -> dict[str, str]:
        return {each["name"]: each["state"] for each in inspector.see("/fleet")["rows"]}

    until(lambda: states()["gate-west"] == "TAMPERED")
    until(lambda: states()["rack-c"] == "UNKNOWN")
    assert states()["gate-north"] == "ARMED"
    rows = {each["name"]: each for each in inspector.see("/fleet")["rows"]}
    assert "stale" in rows["rack-c"]["why"] or "too old" in rows["rack-c"]["why"]
    path = f"/incidents/{rows['gate-west']['incident']}"
    story = inspector.see(path)
    assert story["level"] == "alarm"
    assert "state.tampered" in [each["finding"] for each in story["triggers"]]
    assert operator.send(f"{path}/acknowledge", seen=story["seen"]) == 303
    form = {"seen": story["seen"], "outcome": "referred", "reason": REASON}
    assert inspector.send(f"{path}/propose", **form) == 303
    assert inspector.see(path)["open"]
    assert operator.send(f"{path}/confirm", seen=story["seen"]) == 303
    assert inspector.see(path)["outcome"] == "referred"
    assert states()["gate-west"] == "TAMPERED"
    check_export(inspector.get(f"/enclosures/{rows['gate-west']['id']}/evidence.zip"), folder)
    channels = f"/enclosures/{rows['gate-west']['id']}/channels"

    def silent() -> set[str]:
        return {each["channel"] for each in inspector.see(channels)["rows"] if each["silent"]}

    until(lambda: silent() == {"loop 1", "loop 2"})  # broken as it was opened: for a minute now
    told = inspector.see(channels)
    assert told["channels"] == 8 and told["how"] == "TAMPERED" and told["signed"] is False
    assert people["auditor"].see("/audit")["lines"] > 20


def check_export(data: bytes, folder: Path) -> None:
    """`casemate verify` says of the exported evidence that it was opened."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder / "exported")
    trust = folder / "enclosures" / "gate-west" / "trust"
    done = subprocess.run(
        [sys.executable, "-m", "casemate", "verify", str(folder / "exported" / "evidence"),
         "--trust", str(trust), "--json"],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["state"] == "TAMPERED"
