"""A rack read by Redfish from a made-up service: every fault planted, every finding seen."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from item_signer import Enclosure, kept, stream

from casemate.attest.reference import Digest
from casemate.control.adapters import made_up_rack, rack, redfish, snapshot
from casemate.control.adapters.contents import Contents
from casemate.control.parts import digest_of
from casemate.core.errors import CasemateError, FormatError, InputError, ReaderError

GPU = f"{redfish.ROOT}/Systems/Tray_1/Processors/GPU_0"
MEASURED = f"{redfish.ROOT}/ComponentIntegrity/Tray_1_GPU_0"


class Rack:
    """A made-up rack of two trays, and its service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        made_up_rack.write(self.folder, made_up_rack.tree(2, 1))
        self.server = made_up_rack.serve(self.folder)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def read(self) -> dict[str, Any]:
        service = redfish.Service(self.address)
        try:
            return redfish.read(service)
        finally:
            service.close()

    def change(self, path: str, change: Callable[[dict[str, Any]], Any]) -> None:
        place = self.folder / path.lstrip("/") / made_up_rack.FILE
        row = json.loads(place.read_text())
        change(row)
        place.write_text(json.dumps(row))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Rack]:
    made = Rack(tmp_path)
    yield made
    made.close()


def test_the_whole_rack_is_read(made_up: Rack) -> None:
    found = made_up.read()
    kinds = [each["kind"] for each in found["components"]]
    assert (kinds.count("Processor"), kinds.count("ComputerSystem"), kinds.count("Chassis")) == (
        12, 2, 3,
    )  # fmt: skip
    assert len(found["integrity"]) == 12
    row = next(each for each in found["integrity"] if each["path"] == MEASURED)
    assert row["target"] == GPU and row["verified"] == "Success"
    assert [each["index"] for each in row["measurements"]] == [1, 2, 3]
    assert all(len(each["value"]) == 96 for each in row["measurements"])
    assert rack.differences(found, found) == []


def swap(row: dict[str, Any]) -> None:
    row["SerialNumber"] = "OTHER"


def remeasure(row: dict[str, Any]) -> None:
    slot = row["SPDM"]["MeasurementSet"]["Measurements"][1]
    slot["Measurement"] = base64.b64encode(b"\7" * 48).decode()


def drop_member(row: dict[str, Any]) -> None:
    row["Members"].pop(0)


def drop_slot(row: dict[str, Any]) -> None:
    row["SPDM"]["MeasurementSet"]["Measurements"].pop()


def unverify(row: dict[str, Any]) -> None:
    row["SPDM"]["IdentityAuthentication"]["ResponderAuthentication"]["VerificationStatus"] = (
        "Failed"
    )


PROCESSORS = f"{redfish.ROOT}/Systems/Tray_1/Processors"
PLANTED = [
    (GPU, swap, "component.swapped"),
    (GPU, lambda row: row.update(Model="other"), "component.swapped"),
    (GPU, lambda row: row.pop("SerialNumber"), "component.swapped"),
    (GPU, lambda row: row.update(FirmwareVersion="6.66"), "component.firmware"),
    (GPU, lambda row: row["Status"].update(State="Absent"), "component.state"),
    (PROCESSORS, drop_member, "component.missing"),
    (f"{redfish.ROOT}/Systems", drop_member, "component.missing"),
    (f"{redfish.ROOT}/Chassis", drop_member, "component.missing"),
    (f"{redfish.ROOT}/ComponentIntegrity", drop_member, "integrity.missing"),
    (MEASURED, remeasure, "integrity.measurement"),
    (MEASURED, drop_slot, "integrity.measurement"),
    (MEASURED, unverify, "integrity.unverified"),
    (MEASURED, lambda row: row.update(ComponentIntegrityEnabled=False), "integrity.unverified"),
    (MEASURED, lambda row: row.update(TargetComponentURI=PROCESSORS), "integrity.changed"),
    (redfish.ROOT, lambda row: row.update(UUID="other"), "service.swapped"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "change", "finding"), PLANTED)
def test_each_fault_is_a_finding(made_up: Rack, path: str, change: Any, finding: str) -> None:
    reference = made_up.read()
    made_up.change(path, change)
    found = made_up.read()
    assert finding in {each["id"] for each in rack.differences(found, reference)}
    back = {each["id"] for each in rack.differences(reference, found)}
    added = finding.replace("missing", "added")
    assert added in back or finding == "integrity.unverified"  # which is told of what is now alone


def read_in_turn(made_up: Rack, steps: list[Any]) -> Callable[[], Iterator[bytes | None]]:
    def readings() -> Iterator[bytes | None]:
        for step in steps:
            step()
            yield json.dumps(made_up.read()).encode()
        while True:
            yield None

    return readings


def test_a_change_is_signed_told_and_in_the_digest(made_up: Rack, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    read = threading.Event()
    steps = [lambda: None, lambda: None, lambda: made_up.change(GPU, swap), lambda: None, read.set]
    source = rack.Snapshots(
        read_in_turn(made_up, steps), tmp_path / "rack.json",
        tell=lambda text, level: told.append((text, level)),
    )  # fmt: skip
    enclosure = Enclosure()
    made = stream(enclosure, source, tmp_path / "out", "rack")
    assert read.wait(20.0)
    made.close()
    paths = kept(tmp_path / "out")
    assert len(paths) == 2  # readings that are alike are one
    rows = [snapshot.decode(each.read_bytes()) for each in paths]
    assert rows[0]["findings"] == []
    assert [(each["id"], each["component"]) for each in rows[1]["findings"]] == [
        ("component.swapped", GPU)
    ]
    assert broken(enclosure, paths) == [
        f"snapshot {number} is held against an inventory that the parties did not sign"
        for number in (0, 1)
    ]
    (unit,) = enclosure.reference.units
    signed = Digest(name="first", digest=digest_of((tmp_path / "rack.json").read_bytes()))
    enclosure.reference = replace(
        enclosure.reference, units=(replace(unit, inventories=(signed,)),)
    )
    assert broken(enclosure, paths) == []
    assert rows[1]["before"] == enclosure.check(paths[0]).leaf.hex()
    assert any("component.swapped" in text and level == 1 for text, level in told)


def broken(enclosure: Enclosure, paths: list[Path]) -> list[str]:
    """Return what a consumer is told of snapshots; nothing else is to be known of them."""
    contents = Contents()
    for each in paths:
        contents.take(each.read_bytes(), enclosure.check(each))
    found, notes = contents.end()
    assert notes == []
    return found


def test_a_snapshot_a_minute_and_silence_told(tmp_path: Path) -> None:
    clock = [0.0]
    one = json.dumps(made_up_reading(tmp_path)).encode()
    messages: list[bytes | None] = [one, *[None] * 400]

    def readings() -> Iterator[bytes | None]:
        for each in messages:
            clock[0] += 1.0
            yield each

    told: list[str] = []
    source = rack.Snapshots(
        readings, tmp_path / "rack.json", tell=lambda text, _level: told.append(text),
        now_s=lambda: clock[0],
    )  # fmt: skip
    made, times = [], []
    for each in source:
        if each is not None:
            made.append(snapshot.decode(each(0, b"")[1]))
            times.append(clock[0])
    assert max(b - a for a, b in zip(times, times[1:], strict=False)) <= rack.AGAIN_S
    assert made[0]["findings"] == [] and made[-1]["findings"][0]["id"] == "service.silent"
    assert not source.well


def test_it_is_well_only_as_long_as_it_is_read_and_as_it_was(tmp_path: Path) -> None:
    clock, message = [0.0], [b""]
    source = rack.Snapshots(
        lambda: iter([message[0]]), tmp_path / "rack.json", tell=lambda _text, _level: None,
        now_s=lambda: clock[0],
    )  # fmt: skip

    def read(**changes: Any) -> bool:
        message[0] = json.dumps({**reading, **changes}).encode()
        list(source)
        return source.well

    reading = made_up_reading(tmp_path)
    unproved = [{**each, "verified": "Failed"} for each in reading["integrity"]]
    assert not source.well and read()
    assert not read(service="other") and read()
    assert not read(integrity=unproved) and read()
    message[0] = json.dumps({"silent": "gone"}).encode()
    list(source)
    assert not source.well and read()
    clock[0] += 81.0  # who reads has died, and says nothing
    assert not source.well
    (tmp_path / "rack.json").write_bytes(rack.as_reference({**reading, "integrity": unproved}))
    assert read(integrity=unproved)  # both parties signed it so


def made_up_reading(folder: Path) -> dict[str, Any]:
    made = Rack(folder)
    try:
        return made.read()
    finally:
        made.close()


def test_a_service_that_is_gone_is_a_finding_and_comes_back(made_up: Rack, tmp_path: Path) -> None:
    order = rack.Order(address=made_up.address, login=redfish.Login(), poll_s=0.2)
    apart = rack.reader(order)
    told: list[str] = []
    try:
        source = iter(rack.Snapshots(apart.messages, tmp_path / "rack.json",
                                     tell=lambda text, _level: told.append(text)))  # fmt: skip
        first = next(each for each in source if each is not None)
        assert snapshot.decode(first(0, b"")[1])["findings"] == []
        made_up.change(redfish.ROOT, lambda row: row.update(Systems="gone"))
        second = next(each for each in source if each is not None)
        assert snapshot.decode(second(1, b"")[1])["findings"][0]["id"] == "service.silent"
        made_up.change(redfish.ROOT, lambda row: row.update(
            Systems={"@odata.id": f"{redfish.ROOT}/Systems"}))  # fmt: skip
        third = next(each for each in source if each is not None)
        assert snapshot.decode(third(2, b"")[1])["findings"] == []
    finally:
        apart.close()
    assert "rack: service.silent: /redfish/v1: no longer so" in told


class Hostile:
    """A service that answers everything with one body."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/redfish/v1")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.service = redfish.Service(f"http://127.0.0.1:{self.server.server_address[1]}")

    def close(self) -> None:
        self.service.close()
        self.server.shutdown()
        self.server.server_close()


def answers(**row: Any) -> bytes:
    return json.dumps({"@odata.id": redfish.ROOT, **row}).encode()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{}", 302, "answered with 302"),
        (b"{}", 401, "answered with 401"),
        (b"<html>", 200, "no JSON"),
        (b"[" * 100_000, 200, "no JSON"),
        (b"[]", 200, "no resource"),
        (b'{"x": "' + b"x" * redfish.MOST_BYTES + b'"}', 200, "larger than"),
        (answers(Systems={"@odata.id": "http://elsewhere/redfish/v1"}), 200, "leads elsewhere"),
        (answers(Systems={"@odata.id": "/redfish/v1/../../etc"}), 200, "leads elsewhere"),
        (answers(Systems={"@odata.id": "/redfish/v1/x\r\nHost: y"}), 200, "no line of text"),
        (answers(Systems={"@odata.id": "/redfish/v1/Systems"}), 200, "has no members"),
        (answers(UUID="x" * 2000), 200, "no line of text"),
        (answers(Systems=3), 200, "a link is none"),
    ],
)
def test_what_a_hostile_service_answers_is_refused(body: bytes, status: int, said: str) -> None:
    hostile = Hostile(body, status)
    try:
        with pytest.raises(ReaderError, match=said):
            redfish.read(hostile.service)
    finally:
        hostile.close()


def test_pages_without_an_end_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redfish, "MOST_RESOURCES", 50)
    here = {"@odata.id": "/redfish/v1/Systems"}
    body = answers(Systems=here, Members=[], **{"Members@odata.nextLink": "/redfish/v1/Systems"})
    hostile = Hostile(body)
    try:
        with pytest.raises(ReaderError, match="no end of resources"):
            redfish.read(hostile.service)
    finally:
        hostile.close()


@pytest.mark.parametrize(
    "address", ["", "rack", "ftp://rack", "http://rack.example", "https://", "http://10.0.0.1"]
)
def test_addresses_that_are_none_or_in_clear_are_refused(address: str) -> None:
    with pytest.raises(InputError):
        redfish.Service(address)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
NAMES = ("@odata.id", "Systems", "Chassis", "ComponentIntegrity", "Members", "SPDM", "Status")


class Canned:
    """Answers of which each is a made-up resource."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = iter(rows)

    def get(self, path: str) -> dict[str, Any]:
        return next(self.rows, {"@odata.id": path})


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), JSON | st.fixed_dictionaries(
    {"@odata.id": st.just(redfish.ROOT)})), max_size=6))  # fmt: skip
def test_any_answers_give_a_reading_or_an_error_of_ours(rows: list[dict[str, Any]]) -> None:
    try:
        found = redfish.read(Canned(rows))  # type: ignore[arg-type]
    except CasemateError:
        return
    assert set(found) == {"service", "components", "integrity", "marks"}


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_snapshot_or_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(FormatError):
        snapshot.decode(data)


def test_a_reference_that_is_none_is_refused(made_up: Rack, tmp_path: Path) -> None:
    (tmp_path / "rack.json").write_text("{}")
    source = rack.Snapshots(
        read_in_turn(made_up, [lambda: None]), tmp_path / "rack.json", tell=lambda *_: None
    )
    with pytest.raises(InputError, match="no reference"):
        next(iter(source))
