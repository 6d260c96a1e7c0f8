"""A rack's inventory and integrity: snapshots, items of the stream "rack", by Redfish.

A snapshot is canonical JSON and holds what differs from the reference. It is signed when it has
changed, and once a minute. docs/formats/payload.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from casemate.control.adapters import redfish
from casemate.control.adapters.apart import Apart
from casemate.control.adapters.presence import Presence, until_due
from casemate.control.adapters.snapshot import FORMAT
from casemate.control.adapters.stream import Draft
from casemate.core.canonical import canonical_bytes, digest
from casemate.core.errors import CasemateError, InputError, OutputError
from casemate.detect.response import ALERT, LOG

SUFFIX = ".rack.json"
REFERENCE = "casemate-rack-reference/1"
AGAIN_S, POLL_S = 60.0, 10.0
"""A snapshot at the latest (issue 5: once a minute), and from one reading to the next (planning
value)."""
_SILENT_S = redfish.TOTAL_S + 2.0 * POLL_S
_SAME = ("kind", "Manufacturer", "Model", "PartNumber", "SerialNumber", "UUID")
"""Of a component: what differs if it is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which service is read. certificates: file to trust, the system's if None."""

    address: str
    login: redfish.Login
    authority: Path | None = None
    poll_s: float = POLL_S


def work(link: Connection, order: Order) -> None:
    """Read the service again and again, in a process of its own; send each reading as JSON."""
    service = redfish.Service(order.address, login=order.login, authority=order.authority)

    def asked(seconds: float) -> bool:
        return link.poll(seconds) and bool(link.recv_bytes())  # EOFError ends it

    for found in readings(service, asked, poll_s=order.poll_s):
        link.send_bytes(found)


def readings(
    service: redfish.Service, asked: Callable[[float], bool], *, poll_s: float
) -> Iterator[bytes]:
    """Yield readings as JSON, with what has changed between them. asked: as `until_due` has it."""
    marks: list[dict[str, str]] = []
    flips: list[dict[str, str]] = []
    while True:
        try:
            found: dict[str, Any] = {**redfish.read(service), "flips": flips}
            marks, flips = found["marks"], []
        except CasemateError as error:
            found = {"silent": error.message}
        yield json.dumps(found).encode()
        paths = [each["path"] for each in marks]
        look = partial(redfish.look, service, paths)
        changed = until_due(asked, look, marks, poll_s=poll_s)
        flips += [each for each in changed if each not in flips]


class Snapshots:
    """Snapshots of a rack as they come. tell: gets lines for the operator, with their level.

    reference: file of the reference; the first reading becomes it if there is none. readings: what
    the process sends, None while there is nothing. `reading`: the last whole one, and its number.
    `presence`: what was away between readings. `pinned`: the reference that both parties have
    signed, whatever becomes of its file; None before.
    """

    def __init__(
        self,
        readings: Callable[[], Iterator[bytes | None]],
        reference: Path,
        *,
        tell: Callable[[str, int], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readings, self.path, self._tell, self._now_s = readings, reference, tell, now_s
        self._last: dict[str, Any] = {}
        self.reading: tuple[int, dict[str, Any]] = (0, {})
        self.presence = Presence()
        self._signed_s = self._read_s = now_s()
        self._known: set[tuple[str, str]] = set()
        self._well = False
        self.pinned: dict[str, Any] | None = None

    @property
    def well(self) -> bool:
        """Return whether the inventory was read lately and is that of the reference.

        What a component could not prove when the reference was made may stay unproved.
        """
        return self._well and self._now_s() - self._read_s <= _SILENT_S

    def __iter__(self) -> Iterator[Draft | None]:
        """Yield a snapshot when something has changed, and once a minute."""
        for message in self._readings():
            now_s = self._now_s()
            if message is not None:
                self._read_s = now_s
                content = self._content(json.loads(message))
            elif now_s - self._read_s > _SILENT_S:
                content = _silent("the process that reads says nothing")
            else:
                content = self._last
            due = bool(content) and now_s - self._signed_s >= AGAIN_S
            if content != self._last or due:
                self._last, self._signed_s = content, now_s
                yield draft(content, int(time.time()))
            else:
                yield None

    def _content(self, reading: dict[str, Any]) -> dict[str, Any]:
        if "silent" in reading:
            content, self._well = _silent(str(reading["silent"])), False
        else:
            reference = self._reference(reading)
            self.presence.take(reading.pop("flips", []), reading["marks"])
            found = sorted(
                (*differences(reading, reference), *self.presence.findings()),
                key=lambda row: (row["id"], row["component"]),
            )
            usual = differences(reference, reference)
            self._well = all(each in usual for each in found)
            self.reading = self.reading[0] + 1, reading
            content = {**reading, "reference": digest(reference), "findings": found}
        self._report(
            {(each["id"], each["component"]): each["what"] for each in content["findings"]}
        )
        return content

    def _report(self, is_now: dict[tuple[str, str], str]) -> None:
        for key in sorted(is_now.keys() - self._known):
            self._tell(f"rack: {key[0]}: {key[1]}: {is_now[key]}", ALERT)
        for key in sorted(self._known - is_now.keys()):
            self._tell(f"rack: {key[0]}: {key[1]}: no longer so", LOG)
        self._known = set(is_now)

    def held(self) -> dict[str, Any]:
        """Return the reference that counts: the pinned one, else that of the file; InputError."""
        return self.pinned or load_reference(self.path)

    def _reference(self, reading: dict[str, Any]) -> dict[str, Any]:
        if self.pinned is not None:
            return self.pinned
        if not self.path.exists():
            self._tell("rack: this reading is the reference until both parties sign one", ALERT)
            try:
                self.path.write_bytes(as_reference(reading))
            except OSError as error:
                raise OutputError(
                    f"the rack's reference cannot be kept: {error.strerror}.", remedy="free space."
                ) from None
        return load_reference(self.path)


def as_reference(reading: dict[str, Any]) -> bytes:
    """Return a reading as a reference: what it consists of, without the marks of that moment."""
    lasting = {name: reading[name] for name in ("service", "components", "integrity")}
    return canonical_bytes({"format": REFERENCE, **lasting})


def load_reference(path: Path) -> dict[str, Any]:
    """Return the reference in a file; InputError if it is none."""
    try:
        found = json.loads(path.read_bytes())
        if found["format"] == REFERENCE and {each["path"] for each in found["components"]}:
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise InputError(
        "this is no reference of a rack.", remedy="restore it, or commission anew.", file=str(path)
    )


def draft(content: dict[str, Any], at_s: int) -> Draft:
    """Return the draft of a snapshot: number and snapshot before come when it is signed."""

    def made(number: int, before: bytes) -> tuple[str, bytes]:
        row = {"format": FORMAT, "number": number, "before": before.hex(), "time": at_s, **content}
        return f"{number:08d}{SUFFIX}", canonical_bytes(row)

    return made


def differences(reading: dict[str, Any], reference: dict[str, Any]) -> list[dict[str, str]]:
    """Return findings: what is missing, added, swapped, changed, unverified; sorted."""
    found: list[tuple[str, str, str]] = []
    is_now = {each["path"]: each for each in reading["components"]}
    was = {each["path"]: each for each in reference["components"]}
    found += [("component.missing", path, "it was there") for path in was.keys() - is_now.keys()]
    found += [("component.added", path, "it was not there") for path in is_now.keys() - was.keys()]
    for path in was.keys() & is_now.keys():
        found += _component(path, is_now[path], was[path])
    measured = {each["path"]: each for each in reading["integrity"]}
    known = {each["path"]: each for each in reference["integrity"]}
    found += [("integrity.missing", p, "it was there") for p in known.keys() - measured.keys()]
    found += [("integrity.added", p, "it was not there") for p in measured.keys() - known.keys()]
    for path, row in measured.items():
        found += _integrity(path, row, known.get(path, row))
    if reading["service"] != reference["service"]:
        found.append(("service.swapped", redfish.ROOT, "another service answers"))
    return [{"id": i, "component": path, "what": what} for i, path, what in sorted(found)]


def _component(
    path: str, row: dict[str, Any], was: dict[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for name in _SAME:
        if row.get(name) != was.get(name):
            yield (
                "component.swapped",
                path,
                f"{name} {row.get(name, '-')}, was {was.get(name, '-')}",
            )
            return
    if row.get("FirmwareVersion") != was.get("FirmwareVersion"):
        new, old = row.get("FirmwareVersion", "-"), was.get("FirmwareVersion", "-")
        yield "component.firmware", path, f"{new}, was {old}"
    if row["State"] != was["State"]:
        yield "component.state", path, f"{row['State'] or '-'}, was {was['State'] or '-'}"


def _integrity(
    path: str, row: dict[str, Any], was: dict[str, Any]
) -> Iterator[tuple[str, str, str]]:
    if not row["enabled"] or row["verified"] != "Success":
        yield "integrity.unverified", path, row["verified"] or "not enabled"
    for name in ("target", "type", "version", "certificate"):
        if row[name] != was[name]:
            yield "integrity.changed", path, f"{name} {row[name] or '-'}, was {was[name] or '-'}"
            return
    now, before = _slots(row), _slots(was)
    for slot in sorted(now.keys() | before.keys()):
        if now.get(slot) != before.get(slot):
            values = now.get(slot, ("", "nothing"))[1]
            yield "integrity.measurement", path, f"slot {slot[0]} measures {values[:16]}"
            return


def _slots(row: dict[str, Any]) -> dict[tuple[int, str, int], tuple[str, str]]:
    """Return type and value by index and hash; one that is there several times counts each time."""
    found: dict[tuple[int, str, int], tuple[str, str]] = {}
    for each in row["measurements"]:
        again = sum(key[:2] == (each["index"], each["hash"]) for key in found)
        found[each["index"], each["hash"], again] = each["type"], each["value"]
    return found


def _silent(why: str) -> dict[str, Any]:
    row = {"id": "service.silent", "component": redfish.ROOT, "what": why}
    return {"findings": [row]}


def reader(order: Order) -> Apart:
    """Return the process that reads the service."""
    return Apart(work, order)
