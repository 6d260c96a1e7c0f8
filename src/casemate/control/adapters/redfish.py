"""A small Redfish client: what a rack consists of, and what its components measured of themselves.

DMTF DSP0266 for the protocol; schemas ComputerSystem, Chassis, Processor, Memory, PCIeDevice,
NetworkAdapter, TrustedComponent, ComponentIntegrity for the names. What a service answers is not
trusted: paths stay on it, sizes and counts have ends, and only the fields named here are taken
over. A resource is known by the link that led to it, whatever it says of itself.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casemate.core.errors import InputError, ReaderError

ROOT = "/redfish/v1"
MOST_BYTES, MOST_RESOURCES, MOST_TEXT = 4 << 20, 20_000, 1000
"""Of an answer, of resources read at a time, of a field (planning values)."""
MOST_SLOTS = 254
"""Of SPDM, 1 to 254 (DSP0274); 24 registers of a TPM in several banks are fewer."""
TIMEOUT_S, TOTAL_S = 5.0, 60.0
"""For an answer, and for all of them (planning values)."""
_LOCAL = ("127.0.0.1", "::1", "localhost")
_INSIDE = {
    "Systems": ("Processors", "Memory", "PCIeDevices"),
    "Chassis": ("NetworkAdapters", "PCIeDevices", "TrustedComponents"),
    "Managers": (),
}
"""Collections at the root, and what is read inside their members."""
_MARKS = ("LastResetTime", "PowerState")
"""Of members of these collections: what does not stay as it was if one was away (DSP0268:
LastResetTime of ComputerSystem 1.12 and Manager 1.9 on; beside them its state, and the intrusion
sensor of a chassis)."""
_FIELDS = ("Manufacturer", "Model", "PartNumber", "SerialNumber", "FirmwareVersion", "UUID")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks. Both are empty for a service that asks for nobody."""

    user: str = ""
    password: str = ""


class _NotThereError(ReaderError):
    """A link leads to nothing."""


class Service:
    """A Redfish service at an address, https://host[:port]; plain http on this machine alone.

    authority: a file of certificates to trust, the system's if None. ReaderError if it cannot be
    reached, refuses, or answers with what is no Redfish.
    """

    def __init__(
        self, address: str, *, login: Login | None = None, authority: Path | None = None
    ) -> None:
        parts = urlsplit(address)
        plain = parts.scheme == "http" and parts.hostname in _LOCAL
        if not parts.hostname or not (parts.scheme == "https" or plain):
            raise InputError(
                "this is no address of a Redfish service.",
                remedy="write https://host; http is for this machine alone.",
                key="--redfish", value=address,
            )  # fmt: skip
        self._login, self._session = login or Login(), ""
        if plain:
            self._link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
        else:
            context = _trusting(authority)
            self._link = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=TIMEOUT_S, context=context
            )

    def get(self, path: str) -> dict[str, Any]:
        """Return a resource."""
        if not path.startswith(ROOT) or ".." in path or not path.isprintable() or " " in path:
            raise _bad(f"a link leads elsewhere: {path[:80]!r}")
        if self._login.user and not self._session:
            self._log_in()
        status, body = self._ask("GET", path)
        if status == 404:
            raise _NotThereError(
                f"the Redfish service has nothing at {path}.", remedy="see the service's own log."
            )
        if status != 200:
            raise _bad(f"{path} is answered with {status}")
        return _object(body, path)

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _log_in(self) -> None:
        said = json.dumps({"UserName": self._login.user, "Password": self._login.password})
        status, _ = self._ask("POST", f"{ROOT}/SessionService/Sessions", said.encode())
        if status != 201 or not self._session:
            raise _bad(f"the login is answered with {status}")

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = {"Accept": "application/json", "OData-Version": "4.0"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._session:
            headers["X-Auth-Token"] = self._session
        try:
            self._link.request(method, path, body, headers)
            answer = self._link.getresponse()
            found = answer.read(MOST_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._link.close()
            raise _bad(f"it does not answer ({error or type(error).__name__})") from None
        if len(found) > MOST_BYTES:
            self._link.close()
            raise _bad(f"{path} is larger than {MOST_BYTES} bytes")
        if method == "POST":
            self._session = answer.headers.get("X-Auth-Token", "")
        elif answer.status == 401:
            self._session = ""  # it has ended; the next read logs in again
        return answer.status, found


def _trusting(authority: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"certificates cannot be read: {error}.", remedy="name a PEM file.",
            key="--redfish-ca", file=str(authority),
        ) from None  # fmt: skip


def read(service: Service) -> dict[str, Any]:
    """Return components and integrity of all that a service knows, sorted by path.

    As JSON values: {"service": UUID, "components": [...], "integrity": [...], "marks": [...]};
    see docs/formats/payload.md.
    """
    walk = _Walk(service)
    root = walk.get(ROOT)
    components: dict[str, dict[str, str]] = {}
    marks = []
    for name, inside in _INSIDE.items():
        for path, member in walk.members(root, name):
            components[path] = _component(path, member)
            marks.append(_mark(path, member))
            for collection in inside:
                for within, part in walk.members(member, collection):
                    components[within] = _component(within, part)
    integrity = [_integrity(*each) for each in walk.members(root, "ComponentIntegrity")]
    return {
        "service": _text(root, "UUID"),
        "components": [components[path] for path in sorted(components)],
        "integrity": sorted(integrity, key=lambda row: (row["target"], row["path"])),
        "marks": sorted(marks, key=lambda row: row["path"]),
    }


def look(service: Service, paths: Iterable[str]) -> list[dict[str, str]]:
    """Return the marks of resources; that of one that is gone says so. ReaderError as `read`."""
    walk, found = _Walk(service), []
    for path in paths:
        try:
            found.append(_mark(path, walk.get(path)))
        except _NotThereError:
            found.append({"path": path, "State": "missing"})
    return found


def inside(path: str, root: str) -> bool:
    """Return whether a resource is `root` or lies in it."""
    return path == root or path.startswith(f"{root}/")


class _Walk:
    """Follows links, up to an end of resources and of time."""

    def __init__(self, service: Service) -> None:
        self._service, self._left = service, MOST_RESOURCES
        self._until_s = time.monotonic() + TOTAL_S

    def get(self, path: str) -> dict[str, Any]:
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._until_s:
            raise _bad("it has no end of resources, or takes too long")
        return self._service.get(path)

    def members(self, resource: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield paths and members of a collection (or a list of links) that a resource names.

        A collection that is named and not there has none: what was in it is missing.
        """
        named = resource.get(name)
        if isinstance(named, list):
            for link in named:
                yield self._followed(link)
            return
        path = _link(named) if named is not None else ""
        while path:
            try:
                page = self.get(path)
            except _NotThereError:
                return
            members = page.get("Members")
            if not isinstance(members, list):
                raise _bad(f"{path} has no members")
            for link in members:
                yield self._followed(link)
            path = _text(page, "Members@odata.nextLink")

    def _followed(self, link: Any) -> tuple[str, dict[str, Any]]:
        path = _link(link)
        return path.rstrip("/"), self.get(path)


def _mark(path: str, row: dict[str, Any]) -> dict[str, str]:
    found = {name: _text(row, name) for name in _MARKS}
    found["State"] = _text(_inner(row, "Status"), "State")
    found["Intrusion"] = _text(_inner(row, "PhysicalSecurity"), "IntrusionSensor")
    return {"path": path} | {name: value for name, value in found.items() if value}


def _component(path: str, row: dict[str, Any]) -> dict[str, str]:
    kind = _text(row, "@odata.type").lstrip("#").partition(".")[0]
    status = row.get("Status")
    state = _text(status, "State") if isinstance(status, dict) else ""
    fields = {name: _text(row, name) for name in _FIELDS}
    return {"path": path, "kind": kind, "State": state} | {k: v for k, v in fields.items() if v}


def _integrity(path: str, row: dict[str, Any]) -> dict[str, Any]:
    kind = _text(row, "ComponentIntegrityType")
    about = _inner(row, "TPM" if kind == "TPM" else "SPDM")
    identity = _inner(about, "IdentityAuthentication")
    # a TPM's identity stands there itself, that of SPDM under who was asked
    proof = identity if kind == "TPM" else _inner(identity, "ResponderAuthentication")
    slots = _inner(about, "MeasurementSet").get("Measurements", [])
    if not isinstance(slots, list) or len(slots) > MOST_SLOTS:
        raise _bad(f"{path} has no list of measurements")
    index = "PCR" if kind == "TPM" else "MeasurementIndex"
    return {
        "path": path,
        "target": _text(row, "TargetComponentURI").rstrip("/"),
        "type": kind,
        "version": _text(row, "ComponentIntegrityTypeVersion"),
        "enabled": row.get("ComponentIntegrityEnabled") is True,
        "verified": _text(proof, "VerificationStatus"),
        "certificate": _text(_inner(proof, "ComponentCertificate"), "@odata.id"),
        "measurements": sorted(
            (_slot(each, index) for each in slots), key=lambda slot: (slot["index"], slot["hash"])
        ),
    }


def _slot(row: Any, index: str) -> dict[str, Any]:
    if not isinstance(row, dict) or type(row.get(index)) is not int:
        raise _bad("a measurement has no index")
    try:
        value = base64.b64decode(_text(row, "Measurement"), validate=True)
    except (binascii.Error, ValueError):
        raise _bad("a measurement is not base64") from None
    return {
        "index": row[index],
        "type": _text(row, "MeasurementType"),
        "hash": _text(row, "MeasurementHashAlgorithm"),
        "value": value.hex(),
    }


def _object(body: bytes, path: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _bad(f"{path} is no JSON") from None
    if not isinstance(found, dict):
        raise _bad(f"{path} is no resource")
    return found


def _inner(row: dict[str, Any], name: str) -> dict[str, Any]:
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def _link(value: Any) -> str:
    found = _text(value, "@odata.id") if isinstance(value, dict) else ""
    if not found:
        raise _bad("a link is none")
    return found


def _text(row: dict[str, Any], name: str) -> str:
    found = row.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > MOST_TEXT or not found.isprintable():
        raise _bad(f"{name} is no line of text")
    return found


def _bad(why: str) -> ReaderError:
    return ReaderError(
        f"the Redfish service cannot be relied on: {why}.",
        remedy="see the service's own log; until it answers, nobody knows what the rack holds.",
    )
