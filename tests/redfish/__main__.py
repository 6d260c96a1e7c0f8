"""Runs DMTF's three judges against the service: `python tests/redfish [TABLE]`.

Prints what each counts; the exit code is 1 if one has a failure, if an enclosure does not stand as
it should, or if a validator saw too little to say anything. Needs CASEMATE_DATA, for the schemas.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import enclosures

from casemate.fleet.redfish import accounts, destinations, oem_types, standing
from casemate.fleet.redfish.app import RedfishApp
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.delivery import Delivery
from casemate.fleet.redfish.gate import Limited
from casemate.fleet.service import home
from casemate.fleet.service.application import application
from casemate.fleet.web.gate import Limits
from casemate.fleet.web.server import Server

BIN = Path(sys.executable).parent
NAMES = ("pass", "warn", "fail", "not tested")
LEAST = {
    "redfish-service-validator": 2500, "redfish-protocol-validator": 300,
    "redfish-use-case-checkers": 20,
}  # fmt: skip
"""Passes below which a validator has not walked through all of the service."""
LONGEST_S = 600
WANTED = {
    "rack-armed": ("ARMED", "Normal", "OK"),
    "gate-tampered": ("TAMPERED", "TamperingDetected", "Critical"),
    "rack-unknown": ("UNKNOWN", None, "Critical"),
    "yard-stale": ("UNKNOWN", None, "Critical"),
    "bench-maintenance": ("MAINTENANCE", "HardwareIntrusion", "Warning"),
}
"""State, sensor and health that each has to show while it is validated."""


def main(table: Path | None) -> int:
    """Run all, and return the exit code."""
    data = os.environ.get("CASEMATE_DATA")
    if not data:
        print("CASEMATE_DATA is not set: the schemas are there", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="redfish-") as temporary:
        folder = Path(temporary)
        with served(folder) as (url, password, ca, wrong):
            schemas = _schemas(Path(data) / "redfish_csdl" / "csdl", folder / "schemas")
            found = {
                "redfish-service-validator": _service(folder, url, password, schemas),
                "redfish-protocol-validator": _protocol(folder, url, password, ca),
                "redfish-use-case-checkers": _queries(folder, url, password),
            }
            wrong += _differ(url, password, ca)
    for name, counts in found.items():
        shown = ", ".join(f"{count} {each}" for each, count in zip(NAMES, counts, strict=True))
        print(f"{name}: {shown}")
        if counts[2] or counts[0] < LEAST[name]:
            wrong.append(f"{name}: {counts[2]} failures, {counts[0]} passes")
    for each in wrong:
        print(f"wrong: {each}", file=sys.stderr)
    if table is not None and not wrong:
        table.write_text(page(found), encoding="utf-8")
    return 1 if wrong else 0


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, str, Path, list[str]]]:
    """Yield address, password, authority and what stands wrongly, of a service with enclosures."""
    place = home.make(folder / "service", "localhost")
    wide = Limits(per_s=1e9, burst=1e9)
    with home.running(place) as service:
        ids = enclosures.enter_all(service, service.now_s())
        with service.store.write() as link:
            password = accounts.add_here(link, "validator", "Administrator", "hostland")
            destinations.allow(link, "192.168.1.0/24")
        limited = Limited(all_=wide, wrong=wide, refusals=wide)
        redfish = RedfishApp(Redfish(service=service), limited)
        telling = Delivery(redfish.redfish, send=lambda *_: 503)  # what it is sent to is not there
        server = Server(application(service, redfish=redfish), "127.0.0.1", 0, tls=place.tls)
        try:
            time.sleep(1.5)  # events of how they stand are told once a second
            wrong = list(_stand(redfish.redfish, ids))
            yield f"https://localhost:{server.port}", password, place.tls / "ca.pem", wrong
            wrong += _stand(redfish.redfish, ids)
        finally:
            telling.close()
            server.close()


def _stand(redfish: Redfish, ids: dict[str, int]) -> Iterator[str]:
    with redfish.store.read() as link:
        for name, number in ids.items():
            now = standing.read(link, number, redfish.now_s())
            if (now.state, now.sensor, now.health) != WANTED[name]:
                yield f"{name} stands as {now.state}, {now.sensor}, {now.health}"


def _differ(url: str, password: str, ca: Path) -> list[str]:
    """Return what is wrong about what the service says of its OEM schemas."""
    import httpx

    wrong = []
    for name, file in oem_types.FILES.items():
        answer = httpx.get(
            f"{url}/redfish/v1/schema/{name}_v1.xml", auth=("validator", password), verify=str(ca)
        )
        if answer.content != oem_types.csdl(file):
            wrong.append(f"{name}_v1.xml is served otherwise than validated")
    return wrong


def _schemas(given: Path, folder: Path) -> Path:
    folder.mkdir()
    for each in given.glob("*.xml"):
        shutil.copy(each, folder / each.name)
    for name, file in oem_types.FILES.items():
        (folder / f"{name}_v1.xml").write_bytes(oem_types.csdl(file))
    return folder


def _service(folder: Path, url: str, password: str, schemas: Path) -> tuple[int, ...]:
    text = _run(
        folder, "rf_service_validator", "--rhost", url, "--user", "validator", "--password",
        password, "--schema_directory", str(schemas), "--skipschema", "--logdir",
        str(folder / "service-report"), "--collectionlimit", "LogEntry", "1000",
    )  # fmt: skip
    for log in (folder / "service-report").rglob("*.log"):
        for line in log.read_text(encoding="utf-8").splitlines():
            if found := re.search(r"((FAIL|WARN) - .*)", line):
                print(found[1])
    row = re.findall(r"\| +(\d+) +\| +(\d+) +\| +(\d+) +\| +(\d+) +\|", text)
    return _counts(row, text)


def _protocol(folder: Path, url: str, password: str, ca: Path) -> tuple[int, ...]:
    reports = folder / "protocol-report"
    text = _run(
        folder, "rf_protocol_validator", "--rhost", url, "--user", "validator", "--password",
        password, "--ca-bundle", str(ca), "--report-dir", str(reports), "--report-type", "tsv",
        "--avoid-http-redirect",
    )  # fmt: skip
    for report in reports.glob("*.tsv"):
        for line in report.read_text(encoding="utf-8").splitlines():
            if "\tFAIL\t" in f"\t{line}\t" or "\tWARN\t" in f"\t{line}\t":
                print(line)
    names = ("PASS", "WARN", "FAIL", "NOT_TESTED")
    row = [tuple(_count(text, each) for each in names)]
    return _counts(row if any(row[0]) else [], text)


def _queries(folder: Path, url: str, password: str) -> tuple[int, ...]:
    """Run the use cases of query parameters; others are of machines that can be switched."""
    text = _run(
        folder, "rf_use_case_checkers", "--rhost", url, "--user", "validator", "--password",
        password, "--report-dir", str(folder / "use-cases"), "--test-list", "QueryParameters",
    )  # fmt: skip
    for log in (folder / "use-cases").rglob("*.log"):
        for line in log.read_text(encoding="utf-8").splitlines():
            if re.search(r"(FAIL|WARN)", line):
                print(line)
    return _counts(re.findall(r"\| +(\d+) +\| +(\d+) +\| +(\d+) +\| +(\d+) +\|", text), text)


def _count(text: str, name: str) -> str:
    found = re.search(rf"{name}: (\d+)", text)
    return found[1] if found else "0"


def _counts(rows: list[tuple[str, ...]], text: str) -> tuple[int, ...]:
    if len(rows) != 1:
        print(text[-4000:], file=sys.stderr)
        raise SystemExit("a validator said nothing that can be counted")
    return tuple(int(each) for each in rows[0])


def _run(folder: Path, name: str, *given: str) -> str:
    theirs = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # they would come before --ca-bundle
    env = {key: value for key, value in os.environ.items() if key not in theirs}
    done = subprocess.run(
        [str(BIN / name), *given], cwd=folder, capture_output=True, text=True, check=False,
        timeout=LONGEST_S, env=env,
    )  # fmt: skip
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def page(found: dict[str, tuple[int, ...]]) -> str:
    """Return the page of documentation with the figures."""
    rows = "\n".join(
        f"| {name} {_version(name)} | {' | '.join(str(each) for each in counts)} |"
        for name, counts in found.items()
    )
    return f"""# Redfish validators

Made by `make validate-redfish`, which starts the service with five simulated enclosures (armed, tampered, unknown, stale, in maintenance), runs DMTF's two validators against it on the schemas of `CASEMATE_DATA/redfish_csdl`, OEM check on, and DMTF's use cases of query parameters; it fails above 0 failures.

| validator | pass | warn | fail | not tested |
|---|---|---|---|---|
{rows}
"""  # noqa: E501


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
