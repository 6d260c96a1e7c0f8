"""Shapes that all Redfish resources have in common (DSP0266): types, links, collections, ETags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ROOT = "/redfish/v1"
VERSIONS = {
    "AccountService": "v1_18_1",
    "Chassis": "v1_28_0",
    "ComponentIntegrity": "v1_3_2",
    "Event": "v1_13_0",
    "EventDestination": "v1_16_0",
    "EventService": "v1_12_0",
    "JsonSchemaFile": "v1_1_5",
    "LeakDetection": "v1_2_0",
    "LeakDetector": "v1_6_0",
    "LogEntry": "v1_21_0",
    "LogService": "v1_9_0",
    "Manager": "v1_24_0",
    "ManagerAccount": "v1_14_1",
    "ManagerNetworkProtocol": "v1_12_0",
    "Message": "v1_3_0",
    "MessageRegistry": "v1_7_0",
    "MessageRegistryFile": "v1_1_5",
    "MetricDefinition": "v1_3_5",
    "MetricReport": "v1_5_2",
    "MetricReportDefinition": "v1_4_7",
    "Role": "v1_3_3",
    "Sensor": "v1_12_0",
    "ServiceRoot": "v1_20_0",
    "Session": "v1_8_0",
    "SessionService": "v1_2_0",
    "TelemetryService": "v1_4_1",
    "ThermalSubsystem": "v1_5_0",
    "Triggers": "v1_4_0",
    "TrustedComponent": "v1_4_0",
}
"""Versions of DMTF's schemas that resources here are of (bundle 2025.4)."""
COLLECTIONS = {
    "Chassis", "ComponentIntegrity", "EventDestination", "JsonSchemaFile", "LeakDetector",
    "LogEntry", "LogService", "Manager", "ManagerAccount", "MessageRegistryFile",
    "MetricDefinition", "MetricReport", "MetricReportDefinition", "Role", "Sensor", "Session",
    "Triggers", "TrustedComponent",
}  # fmt: skip
"""Kinds of which there are collections; those have no version."""
SCHEMAS = "http://redfish.dmtf.org/schemas/v1"
PAGE = 100
"""Members of a page of a collection (planning value)."""
NEXT = "Members@odata.nextLink"
Row = dict[str, Any]


def type_of(kind: str) -> str:
    """Return the value of @odata.type for a kind of resource."""
    if kind.endswith("Collection"):
        return f"#{kind}.{kind}"
    return f"#{kind}.{VERSIONS[kind]}.{kind}"


def described_by(kind: str) -> str:
    """Return where the JSON schema of a kind is, for the header Link."""
    name = kind if kind.endswith("Collection") else f"{kind}.{VERSIONS[kind]}"
    return f"{SCHEMAS}/{name}.json"


def resource(kind: str, path: str, id_: str, name: str, **more: Any) -> Row:
    """Return a resource of a kind at a path."""
    head = {"@odata.id": path, "@odata.type": type_of(kind), "Id": id_, "Name": name}
    return {**head, **{key: value for key, value in more.items() if value is not ...}}


def link(path: str) -> Row:
    """Return a reference to a resource."""
    return {"@odata.id": path}


def links(base: str, names: Sequence[object]) -> list[Row]:
    """Return references to members below a path."""
    return [link(f"{base}/{each}") for each in names]


def collection(
    kind: str, path: str, name: str, members: Sequence[Row], *, total: int | None = None,
    skip: int = 0, top: int | None = None,
) -> Row:  # fmt: skip
    """Return a page of a collection. members: of this page. total: in all pages."""
    count = len(members) if total is None else total
    row = {"@odata.id": path, "@odata.type": type_of(f"{kind}Collection"), "Name": name}
    return paged(row, members, total=count, skip=skip, top=top)


def paged(
    row: Row, members: Sequence[Row], *, total: int, skip: int = 0, top: int | None = None
) -> Row:  # fmt: skip
    """Return a collection with a page of its members, and the address of those that follow.

    Who asks for `top` members pages by itself: of more than came of these a link leads to the rest.
    """
    out = {key: row[key] for key in row if key != NEXT}
    out |= {"Members": list(members), "Members@odata.count": total}
    given, asked = len(members), total - skip if top is None else min(top, total - skip)
    if given < asked:
        rest = "" if top is None else f"&$top={top - given}"
        out[NEXT] = f"{row['@odata.id']}?$skip={skip + given}{rest}"
    return out


def is_collection(row: Mapping[str, Any]) -> bool:
    """Return whether a resource is a collection of others."""
    kind = str(row.get("@odata.type", "")).rpartition(".")[2]
    return kind.endswith("Collection") and "Members" in row


def status(state: str, health: str) -> Row:
    """Return a Resource.Status."""
    return {"State": state, "Health": health, "HealthRollup": health}


def when(time_s: int | float | None) -> str | None:
    """Return Unix seconds as an OData time in UTC, None for None or what no calendar has."""
    if time_s is None:
        return None
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def encoded(row: Mapping[str, Any]) -> bytes:
    """Return a resource as JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def etag(row: Mapping[str, Any]) -> str:
    """Return the strong ETag of a representation: its SHA-256, shortened to 128 bit."""
    bare = {key: value for key, value in row.items() if key != "@odata.etag"}
    return f'"{hashlib.sha256(encoded(bare)).hexdigest()[:32]}"'


def tagged(row: Row) -> Row:
    """Return a resource with its ETag inside, as the header has it."""
    return {**row, "@odata.etag": etag(row)}


def as_sent(row: Row) -> Row:
    """Return a resource as a GET of it is answered: with its ETag, if it is one."""
    if "@odata.id" not in row or "@odata.type" not in row:
        return row
    return tagged({key: row[key] for key in row if key != "@odata.etag"})


def matches(header: str, tag: str) -> bool:
    """Return whether one of the tags in If-Match or If-None-Match names a representation."""
    named = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in named or tag in named
