"""Redfish services as they are elsewhere, and what must not be hidden in them.

Shapes (which fields are there, and which are not) are those of DMTF's mockup public-rackmount1
(DSP2043, Redfish 1.15) and of HPE's iLO (links that end in a slash); values are made up.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_enclosure import wait_for

from casemate.control.adapters import made_up_rack, rack, redfish
from casemate.control.adapters.presence import until_due
from casemate.core.errors import ReaderError
from outside_programs import needs

ROOT = redfish.ROOT
SYSTEM, CHASSIS = f"{ROOT}/Systems/WEB483", f"{ROOT}/Chassis/1U"
CPUS = f"{SYSTEM}/Processors"
TPM, SPDM, USB = (f"{ROOT}/ComponentIntegrity/{each}" for each in ("TPM-0", "SPDM-0", "USB"))


def link(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def collection(*paths: str) -> dict[str, Any]:
    return {"Members@odata.count": 1, "Members": [link(each) for each in paths]}


def measured(**mark: Any) -> dict[str, Any]:
    value = base64.b64encode(repr(sorted(mark.items())).encode().ljust(64, b".")).decode()
    return {**mark, "LastUpdated": "2021-10-31T20:14:27-07:00", "Measurement": value}


def shapes() -> dict[str, dict[str, Any]]:
    """Return resources of a rack-mounted server by path."""
    return _server() | _integrity()


def _server() -> dict[str, dict[str, Any]]:
    return {
        ROOT: {
            "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "@odata.id": f"{ROOT}/",
            "UUID": "00000000-1111", "Systems": link(f"{ROOT}/Systems/"),
            "Chassis": link(f"{ROOT}/Chassis"),
            "ComponentIntegrity": link(f"{ROOT}/ComponentIntegrity"),
        },
        f"{ROOT}/Systems": collection(f"{SYSTEM}/"),
        SYSTEM: {
            "@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
            "SerialNumber": "S1", "UUID": "u-1", "Status": {"State": "Enabled"},
            "Processors": link(CPUS), "Memory": link(f"{SYSTEM}/Memory"),
        },
        CPUS: collection(f"{CPUS}/CPU1", f"{CPUS}/CPU2"),
        f"{CPUS}/CPU1": {
            "@odata.id": f"{CPUS}/CPU1", "@odata.type": "#Processor.v1_17_0.Processor",
            "SerialNumber": "P1", "Status": {"State": "Enabled", "Health": "OK"},
        },
        f"{CPUS}/CPU2": {
            "@odata.id": f"{CPUS}/CPU2", "@odata.type": "#Processor.v1_17_0.Processor",
            "Socket": "CPU 2", "Status": {"State": "Absent"},
        },
        f"{ROOT}/Chassis": collection(CHASSIS),
        CHASSIS: {
            "@odata.id": CHASSIS, "@odata.type": "#Chassis.v1_22_0.Chassis", "SerialNumber": "C1",
            "TrustedComponents": link(f"{CHASSIS}/TrustedComponents"),
        },
        f"{CHASSIS}/TrustedComponents": collection(f"{CHASSIS}/TrustedComponents/TPM"),
        f"{CHASSIS}/TrustedComponents/TPM": {
            "@odata.type": "#TrustedComponent.v1_0_0.TrustedComponent", "SerialNumber": "T1",
            "FirmwareVersion": "1.13b",
        },
    }  # fmt: skip


def _integrity() -> dict[str, dict[str, Any]]:
    banks = [
        measured(PCR=pcr, MeasurementHashAlgorithm=bank)
        for bank in ("TPM_ALG_SHA256", "TPM_ALG_SHA512")
        for pcr in (1, 3)
    ]
    slots = [
        measured(MeasurementIndex=k, MeasurementHashAlgorithm="TPM_ALG_SHA_512")
        for k in (1, 3, 150)
    ]
    proven = {"VerificationStatus": "Success", "ComponentCertificate": link(f"{CHASSIS}/EKCert")}
    spdm = {
        "Requester": link(f"{ROOT}/Managers/BMC"),
        "MeasurementSet": {"MeasurementSpecification": "DMTF", "Measurements": slots},
        "IdentityAuthentication": {
            "ResponderAuthentication": {"ComponentCertificate": link(f"{CHASSIS}/DeviceCert")}
        },
    }
    kind = "#ComponentIntegrity.v1_2_0.ComponentIntegrity"
    return {
        f"{ROOT}/ComponentIntegrity": collection(SPDM, USB, TPM),
        SPDM: {
            "@odata.id": SPDM, "@odata.type": kind, "ComponentIntegrityType": "SPDM",
            "ComponentIntegrityTypeVersion": "1.1.0", "ComponentIntegrityEnabled": True,
            "TargetComponentURI": f"{CHASSIS}/TrustedComponents/AC-RoT0", "SPDM": spdm,
        },
        USB: {
            "@odata.type": kind, "ComponentIntegrityType": "SPDM",
            "ComponentIntegrityEnabled": False, "TargetComponentURI": f"{SYSTEM}/USBControllers/1",
        },
        TPM: {
            "@odata.id": f"{TPM}/", "@odata.type": kind, "ComponentIntegrityType": "TPM",
            "ComponentIntegrityTypeVersion": "1.2.0", "ComponentIntegrityEnabled": True,
            "TargetComponentURI": f"{CHASSIS}/TrustedComponents/TPM/",
            "TPM": {"MeasurementSet": {"Measurements": banks}, "IdentityAuthentication": proven},
        },
    }  # fmt: skip


class Service:
    """Serves resources, which may change."""

    def __init__(self, folder: Path) -> None:
        self.rows, self._folder = shapes(), folder / "tree"
        self.server = made_up_rack.serve(self._folder)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self) -> dict[str, Any]:
        shutil.rmtree(self._folder, ignore_errors=True)
        made_up_rack.write(self._folder, self.rows)
        service = redfish.Service(f"http://127.0.0.1:{self.server.server_address[1]}")
        try:
            return redfish.read(service)
        finally:
            service.close()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = Service(tmp_path)
    yield found
    found.close()


def test_what_is_there_is_read_and_what_is_not_is_none(service: Service) -> None:
    """`Memory` leads to nothing; a slot may be empty; links end in a slash, or say nothing."""
    found = service.read()
    paths = {each["path"]: each for each in found["components"]}
    assert set(paths) == {
        SYSTEM, f"{CPUS}/CPU1", f"{CPUS}/CPU2", CHASSIS,
        f"{CHASSIS}/TrustedComponents/TPM",
    }  # fmt: skip
    assert paths[f"{CPUS}/CPU2"]["State"] == "Absent"
    known = {each["path"]: each for each in found["integrity"]}
    assert set(known) == {TPM, SPDM, USB}
    assert known[TPM]["verified"] == "Success" and known[TPM]["certificate"].endswith("EKCert")
    assert known[TPM]["target"] == f"{CHASSIS}/TrustedComponents/TPM"
    assert [(each["index"], each["hash"][-3:]) for each in known[TPM]["measurements"]] == [
        (1, "256"), (1, "512"), (3, "256"), (3, "512"),
    ]  # fmt: skip
    assert [each["index"] for each in known[SPDM]["measurements"]] == [1, 3, 150]
    told = {(each["id"], each["component"]) for each in rack.differences(found, found)}
    assert told == {("integrity.unverified", SPDM), ("integrity.unverified", USB)}


def remeasured(rows: dict[str, Any], number: int) -> None:
    rows[TPM]["TPM"]["MeasurementSet"]["Measurements"][number]["Measurement"] = "AAAA"


PLANTED: list[tuple[Any, str, str]] = [
    *((lambda rows, k=k: remeasured(rows, k), "integrity.measurement", TPM) for k in range(4)),
    (lambda rows: rows[TPM]["TPM"]["IdentityAuthentication"].update(VerificationStatus="Failed"),
     "integrity.unverified", TPM),
    (lambda rows: rows[TPM]["TPM"]["MeasurementSet"]["Measurements"].pop(),
     "integrity.measurement", TPM),
    (lambda rows: rows[f"{CHASSIS}/TrustedComponents/TPM"].update(SerialNumber="T2"),
     "component.swapped", f"{CHASSIS}/TrustedComponents/TPM"),
    (lambda rows: rows.pop(CPUS), "component.missing",
     f"{CPUS}/CPU1"),
    (lambda rows: rows[f"{CPUS}/CPU1"].update(
        {"@odata.id": f"{CPUS}/CPU2", "SerialNumber": "P2"}),
     "component.swapped", f"{CPUS}/CPU1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "finding", "path"), PLANTED)
def test_each_fault_is_a_finding(service: Service, change: Any, finding: str, path: str) -> None:
    """The last: a component that gives itself out for its neighbour stays where it was found."""
    before = service.read()
    change(service.rows)
    found = rack.differences(service.read(), before)
    assert (finding, path) in {(each["id"], each["component"]) for each in found}


def test_a_measurement_that_is_told_twice_counts_twice(service: Service) -> None:
    """The first cannot be covered by another with its index and hash."""
    before = service.read()
    slots = service.rows[TPM]["TPM"]["MeasurementSet"]["Measurements"]
    slots.insert(0, {**slots[0], "Measurement": "AAAA"})
    found = rack.differences(service.read(), before)
    assert ("integrity.measurement", TPM) in {(each["id"], each["component"]) for each in found}


def test_a_member_that_is_not_there_is_an_error(service: Service) -> None:
    """Unlike a collection: a link to one component that leads to nothing is nobody's inventory."""
    service.rows.pop(f"{CPUS}/CPU2")
    with pytest.raises(ReaderError, match="nothing at"):
        service.read()


EMULATOR = """
import sys
from sushy_tools.emulator import main
sys.argv = ["sushy-emulator", "--fake", "-i", "127.0.0.1", "-p", sys.argv[1]]
sys.exit(main.main())
"""


def switched(port: int, marks: list[dict[str, str]]) -> list[dict[str, str]]:
    """Switch the emulator's system on; return marks that change within a minute."""
    (path,) = [each["path"] for each in marks if "/Systems/" in each["path"]]
    link = http.client.HTTPConnection("127.0.0.1", port)
    link.request("POST", f"{path}/Actions/ComputerSystem.Reset", json.dumps({"ResetType": "On"}),
                 {"Content-Type": "application/json"})  # fmt: skip
    assert link.getresponse().status < 300
    link.close()
    service = redfish.Service(f"http://127.0.0.1:{port}")
    try:
        return until_due(
            lambda seconds: threading.Event().wait(seconds),
            lambda: redfish.look(service, [each["path"] for each in marks]),
            marks, poll_s=60.0, pulse_s=0.2,
        )  # fmt: skip
    finally:
        service.close()


def test_a_service_of_others_is_read(tmp_path: Path) -> None:
    """OpenStack's emulator: one system, its chassis, no integrity."""
    needs("sushy_tools")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-c", EMULATOR, str(port)], cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path)},  # what it remembers of earlier runs
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            found: dict[str, Any] = {}

            def answers() -> bool:
                service = redfish.Service(f"http://127.0.0.1:{port}")
                try:
                    found.update(redfish.read(service))
                except ReaderError as error:
                    found["why"] = error.message
                finally:
                    service.close()
                return "components" in found

            assert wait_for(answers, 60.0), found
            seen = switched(port, found["marks"])
        finally:
            process.kill()
    kinds = {each["kind"] for each in found["components"]}
    assert kinds == {"ComputerSystem", "Chassis", "Manager"}
    # a system that is switched on is seen by its mark, though its inventory is the same
    assert [(each["PowerState"], "/Systems/" in each["path"]) for each in seen] == [("On", True)]
    assert found["integrity"] == [] and found["service"]
    assert rack.differences(found, json.loads(json.dumps(found))) == []
