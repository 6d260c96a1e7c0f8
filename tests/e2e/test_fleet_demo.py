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

from casemate.cli.fleet_readings import LOOPS
from outside_programs import needs, package

httpx = package("httpx")
needs("starlette", "alembic")

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

    def send(self, path: str, page: str = "", **form: str) -> int:
        """Fill in a form of a page, by default that above it, and return the status."""
        data = {"csrf": self._csrf(page or path.rpartition("/")[0]), **form}
        return int(self._client.post(path, data=data).status_code)

    def bring(self, page: str, what: str, file: Path) -> int:
        """Upload a file by a page's form, and return the status."""
        answer = self._client.post(
            f"{page}/{what}", data={"csrf": self._csrf(page)},
            files={"file": (file.name, file.read_bytes())},
        )  # fmt: skip
        return int(answer.status_code)

    def _csrf(self, page: str) -> str:
        text = self._client.get(page).text
        return text.split('name="csrf" value="')[1].split('"')[0]


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
    assert operator.send(f"{path}/confirm", seen=story["seen"], agree="1") == 303
    assert inspector.see(path)["outcome"] == "referred"
    assert states()["gate-west"] == "TAMPERED"
    check_export(inspector.get(f"/enclosures/{rows['gate-west']['id']}/evidence.zip"), folder)
    channels = f"/enclosures/{rows['gate-west']['id']}/channels"

    def silent() -> set[str]:
        return {each["channel"] for each in inspector.see(channels)["rows"] if each["silent"]}

    until(lambda: silent() == set(LOOPS))  # broken as it was opened: for a minute now
    told = inspector.see(channels)
    assert told["channels"] == 8 and told["how"] == "TAMPERED" and told["signed"] is False
    assert people["auditor"].see("/audit")["lines"] > 20


def test_a_permit_that_both_parties_sign_is_carried_out(demo: tuple[Path, Any]) -> None:
    folder, shown = demo
    codes = {name: _code(folder, name) for name in ("operator", "inspector")}
    people = {name: Browser(shown["url"], code) for name, code in codes.items()}
    operator = people["operator"]
    row = next(x for x in operator.see("/fleet")["rows"] if x["name"] == "rack-a")
    path = f"/enclosures/{row['id']}"
    given = {"action.open": "1", "faces": "front", "reason": "a filter is changed"}
    from_s = time.time() - 60
    for name, at_s in (("from", from_s), ("until", from_s + 7200)):
        given[name] = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at_s))
    assert operator.send(f"{path}/permits", page=f"{path}/permits/new", **given) == 200
    for name, party in (("operator", "host"), ("inspector", "inspector")):
        asked, signed = folder / "asked", folder / f"signed-{party}"
        asked.write_bytes(people[name].get("/permits/1/file.cbor"))
        done = _command(
            "permit",
            "sign",
            str(asked),
            "--key",
            str(folder / "parties" / f"{party}-DEMO.json"),
            "-o",
            str(signed),
        )
        assert done.returncode == 0, done.stderr
        assert people[name].bring("/permits/1", "sign", signed) == 303
    seen: list[str] = []

    def closed() -> bool:
        rows = operator.see("/fleet")["rows"]
        state = next(x["state"] for x in rows if x["name"] == "rack-a")
        phase = operator.see("/permits/1")["phase"]
        seen.extend([state, phase])
        return phase == "closed" and state == "ARMED"

    until(closed)
    assert {"MAINTENANCE", "in use"} <= set(seen)
    assert operator.see(path)["incidents"] == []


def _command(*given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "casemate", *given], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def _code(folder: Path, name: str) -> str:
    done = _command("fleet", "code", str(folder), name)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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
