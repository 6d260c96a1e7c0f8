"""A made-up Redfish service of a rack, from a tree of JSON files: for demonstrations and tests.

The tree is written once and read for each answer, so that who edits a file swaps a component.
Names are those of DMTF's schemas; makers, numbers and measurements are made up.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from casemate.control.adapters.redfish import ROOT
from casemate.core.whole_file import write_whole

TRAYS, GPUS, CPUS, SWITCHES = 18, 4, 2, 9
"""Of a GB200 NVL72: compute trays of four GPUs and two CPUs each, and switch trays."""
SLOTS = ("ImmutableROM", "MutableFirmware", "FirmwareConfiguration")
"""Kinds of measurement, DSP0274: slot 1, 2, 3 of each component."""
FILE = "index.json"
BEGAN = "2026-01-01T00:00:00Z"
"""When everything was reset last, as delivered."""


def parts(trays: int = TRAYS) -> tuple[str, ...]:
    """Return the names of places for trays, as permits name them."""
    return tuple(f"tray-{number}" for number in range(1, trays + 1))


def within(part: str) -> tuple[str, ...]:
    """Return the paths of what a tray consists of: its system, its chassis, its controller."""
    number = part.removeprefix("tray-")
    return (
        f"{ROOT}/Systems/Tray_{number}", f"{ROOT}/Chassis/Compute_{number}",
        f"{ROOT}/Managers/BMC_{number}",
    )  # fmt: skip


def tree(trays: int = TRAYS, switches: int = SWITCHES, *, seed: int = 1) -> dict[str, Any]:
    """Return the resources of a rack by path."""
    found: dict[str, Any] = {}
    systems = [_tray(found, number, seed) for number in range(1, trays + 1)]
    chassis = [f"{ROOT}/Chassis/Compute_{n}" for n in range(1, trays + 1)]
    chassis += [f"{ROOT}/Chassis/Switch_{n}" for n in range(1, switches + 1)]
    for path in chassis:
        _put(found, path, "Chassis.v1_25_0.Chassis", seed, Model="made-up tray")
    managers = [f"{ROOT}/Managers/BMC_{n}" for n in range(1, trays + 1)]
    for path in managers:
        _put(found, path, "Manager.v1_19_0.Manager", seed, Model="made-up BMC", LastResetTime=BEGAN)
    measured = [path for path in found if "/Processors/" in path]
    integrity = [_integrity(found, path, seed) for path in measured]
    _collection(found, f"{ROOT}/Systems", "ComputerSystemCollection", systems)
    _collection(found, f"{ROOT}/Chassis", "ChassisCollection", chassis)
    _collection(found, f"{ROOT}/Managers", "ManagerCollection", managers)
    _collection(found, f"{ROOT}/ComponentIntegrity", "ComponentIntegrityCollection", integrity)
    found[ROOT] = {
        "@odata.id": ROOT, "@odata.type": "#ServiceRoot.v1_16_0.ServiceRoot", "Id": "RootService",
        "Name": "made-up rack", "RedfishVersion": "1.18.0", "UUID": _uuid("service", seed),
        **{name: {"@odata.id": f"{ROOT}/{name}"} for name in
           ("Systems", "Chassis", "Managers", "ComponentIntegrity")},
    }  # fmt: skip
    return found


def _tray(found: dict[str, Any], number: int, seed: int) -> str:
    path = f"{ROOT}/Systems/Tray_{number}"
    inside = [f"GPU_{k}" for k in range(GPUS)] + [f"CPU_{k}" for k in range(CPUS)]
    for name in inside:
        _put(found, f"{path}/Processors/{name}", "Processor.v1_20_0.Processor", seed,
             Model=f"made-up {name[:3]}", ProcessorType=name[:3])  # fmt: skip
    _collection(found, f"{path}/Processors", "ProcessorCollection",
                [f"{path}/Processors/{name}" for name in inside])  # fmt: skip
    _put(found, path, "ComputerSystem.v1_22_0.ComputerSystem", seed, Model="made-up compute",
         Processors={"@odata.id": f"{path}/Processors"}, LastResetTime=BEGAN,
         PowerState="On")  # fmt: skip
    return path


def _put(found: dict[str, Any], path: str, kind: str, seed: int, **more: Any) -> None:
    found[path] = {
        "@odata.id": path, "@odata.type": f"#{kind}", "Id": path.rpartition("/")[2],
        "Name": path.rpartition("/")[2], "Manufacturer": "made up", "PartNumber": "000-MADE-UP",
        "SerialNumber": _serial(path, seed), "FirmwareVersion": "1.0",
        "Status": {"State": "Enabled", "Health": "OK"}, **more,
    }  # fmt: skip


def _serial(path: str, seed: int, number: int = 0) -> str:
    """Return the serial number of what is at a path: of the tray `number` that was put in there."""
    mark = f"{seed} {path}" if number == 0 else f"{seed} {path} {number}"
    return hashlib.sha256(mark.encode()).hexdigest().upper()[:12]


def _integrity(found: dict[str, Any], target: str, seed: int) -> str:
    name = target.removeprefix(f"{ROOT}/Systems/").replace("/Processors/", "_")
    path = f"{ROOT}/ComponentIntegrity/{name}"
    slots = [
        {
            "MeasurementIndex": index, "MeasurementType": kind,
            "MeasurementHashAlgorithm": "TPM_ALG_SHA_384",
            "Measurement": base64.b64encode(
                hashlib.sha384(f"{seed} {target[-5:-2]} {kind}".encode()).digest()
            ).decode(),
        }
        for index, kind in enumerate(SLOTS, start=1)
    ]  # fmt: skip
    responder = {
        "VerificationStatus": "Success",
        "ComponentCertificate": {"@odata.id": f"{path}/Certificates/0"},
    }
    found[path] = {
        "@odata.id": path, "@odata.type": "#ComponentIntegrity.v1_3_0.ComponentIntegrity",
        "Id": name, "Name": name, "ComponentIntegrityType": "SPDM",
        "ComponentIntegrityTypeVersion": "1.2.0", "ComponentIntegrityEnabled": True,
        "TargetComponentURI": target,
        "SPDM": {
            "IdentityAuthentication": {"ResponderAuthentication": responder},
            "MeasurementSet": {"MeasurementSpecification": "DMTF", "Measurements": slots},
        },
    }  # fmt: skip
    return path


def _collection(found: dict[str, Any], path: str, kind: str, members: list[str]) -> None:
    found[path] = {
        "@odata.id": path, "@odata.type": f"#{kind}.{kind}", "Name": kind,
        "Members@odata.count": len(members), "Members": [{"@odata.id": each} for each in members],
    }  # fmt: skip


def _uuid(name: str, seed: int) -> str:
    mark = hashlib.sha256(f"{seed} {name}".encode()).hexdigest()
    return f"{mark[:8]}-{mark[8:12]}-4{mark[13:16]}-8{mark[17:20]}-{mark[20:32]}"


def write(folder: Path, resources: dict[str, Any]) -> None:
    """Write a tree into a folder, a file each, if the folder is not there."""
    if folder.exists():
        return
    for path, row in resources.items():
        place = folder / path.lstrip("/") / FILE
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def put(folder: Path, part: str, number: int, *, seed: int) -> None:
    """Put tray `number` (0: as delivered) in the place `part` of a tree that `write` has written.

    Its components have other serial numbers and the firmware of those before. It has just begun to
    run, as a tray that is put in does.
    """
    began = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    for path in within(part):
        for place in sorted((folder / path.lstrip("/")).rglob(FILE)):
            row = json.loads(place.read_bytes())
            if "LastResetTime" in row:
                row["LastResetTime"] = began
            if "SerialNumber" in row:
                row["SerialNumber"] = _serial(row["@odata.id"], seed, number)
                write_whole(place, json.dumps(row, indent=1) + "\n")


def serve(folder: Path) -> ThreadingHTTPServer:
    """Return a server of the tree on this machine; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            names = self.path.strip("/").split("/")
            place = folder.joinpath(*names) / FILE
            known = ".." not in names and place.is_file()
            body = place.read_bytes() if known else b'{"error": {"code": "Base.1.0.NotFound"}}'
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def work(link: Connection, folder: Path) -> None:
    """Serve in a process of its own; send the address once."""
    server = serve(folder)
    link.send_bytes(f"http://127.0.0.1:{server.server_address[1]}".encode())
    server.serve_forever()


def address(messages: Iterator[bytes | None]) -> str:
    """Return the address that `work` sends."""
    return next(each for each in messages if each is not None).decode()
