"""The commands of the guide for Redfish do as it says, typed as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from casemate.attest.reference_write import as_json
from casemate.fleet.appraisal import evidence
from casemate.fleet.intake.ingest import Submission
from casemate.fleet.redfish import accounts, delivery
from casemate.fleet.redfish.app import RedfishApp
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.service import home
from casemate.fleet.service.application import application
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest
from outside_programs import program

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "monitor-by-redfish.md"
HOST = "https://fleet.example.org"
COMMANDS = re.findall(r"(?m)^curl .*$", GUIDE.read_text(encoding="utf-8"))


@dataclass
class Place:
    """A service on a socket: its address, its authority, and the password of an account."""

    url: str
    ca: Path
    password: str

    def type(self, command: str) -> Any:
        """Run a command of the guide in a shell, against this service; return what it prints."""
        typed = command.replace(HOST, self.url).replace("ca.pem", str(self.ca))
        done = subprocess.run(
            ["sh", "-c", typed], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": os.environ["PATH"], "PASSWORD": self.password},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A service with an enclosure whose evidence is old."""
    program("curl", "curl")
    kept = home.make(tmp_path_factory.mktemp("guide") / "service", "localhost")
    with home.running(kept) as service:
        story = honest.armed()
        with service.store.write() as link:
            number = evidence.add(
                link, reference=as_json(honest.reference()).encode(), serial=honest.SERIAL,
                policy=honest.policy_text(), kind="camera", site="hall 1", now_s=service.now_s(),
            )  # fmt: skip
            password = accounts.add_here(link, "exporter", "ReadOnly", "hostland")
        service.intake.take(number, Submission(first=0, entries=story.entries, notes=story.notes))
        redfish = Redfish(service=service)
        delivery.look(redfish)
        whole = application(service, redfish=RedfishApp(redfish))
        server = Server(whole, "127.0.0.1", 0, tls=kept.tls)
        try:
            yield Place(f"https://localhost:{server.port}", kept.tls / "ca.pem", password)
        finally:
            server.close()


def test_the_guide_has_two() -> None:
    assert len(COMMANDS) == 2
    assert all(HOST in each and "$PASSWORD" in each for each in COMMANDS)


def test_many_enclosures_at_once(place: Place) -> None:
    row = place.type(COMMANDS[0])
    (member,) = row["Members"]
    assert member["SerialNumber"] == honest.SERIAL
    assert member["PhysicalSecurity"] == {"IntrusionSensor": None}  # its evidence is old
    assert member["Status"] == {"Health": "Critical"}
    assert set(member) == {
        "@odata.id", "@odata.type", "@odata.etag", "SerialNumber", "PhysicalSecurity", "Status",
    }  # fmt: skip


def test_what_still_stands(place: Place) -> None:
    found = place.type(COMMANDS[1])["Members"]
    assert found and all(each["Resolved"] is False for each in found)
    assert {each["Severity"] for each in found} <= {"Warning", "Critical"}
    assert "ChassisIntrusionUnknown" in {each["MessageId"].split(".")[-1] for each in found}
