"""The Redfish resources in the words of OpenAPI. What they hold is said by DMTF's schemas."""

from __future__ import annotations

import re
from typing import Any

from casemate.fleet.redfish.asked import OPEN, Method, Resource
from casemate.fleet.redfish.odata import ROOT
from casemate.fleet.redfish.routes import RESOURCES, STREAM

PATHS = {
    "chassis": "1", "sensor": "EvidenceAge", "component": "Controller", "detector": "1",
    "log": "Security", "entry": "1", "manager": "fleet", "registry": "Casemate.1.0.0",
    "schema": "CasemateChassis.v1_0_0", "file": "CasemateChassis_v1.xml", "account": "1",
    "role": "ReadOnly", "session": "1",
    "subscription": "1", "metric": "EvidenceAge", "report": "1", "trigger": "State",
}  # fmt: skip
"""Examples of what stands in paths."""
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/SessionService/Sessions"): {"UserName": "ann", "Password": "no such password"},
    ("POST", "/SessionService/Sessions/Members"): {"UserName": "ann", "Password": "no such one"},
    ("POST", "/AccountService/Accounts"): {
        "UserName": "ann", "Password": "a password of many words", "RoleId": "ReadOnly",
    },
    ("PATCH", "/AccountService/Accounts/{account}"): {"Enabled": True},
    ("PATCH", "/Chassis/{chassis}"): {"PhysicalSecurity": {"IntrusionSensor": "Normal"}},
    ("POST", "/EventService/Subscriptions"): {
        "Destination": "https://127.0.0.1:8443/in", "Protocol": "Redfish", "Context": "hall 1",
    },
    ("POST", "/EventService/Actions/EventService.SubmitTestEvent"): {},
}  # fmt: skip
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "@Message.ExtendedInfo"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "@Message.ExtendedInfo": {"type": "array", "minItems": 1},
            },
        }
    },
}
_TOLD = {
    400: "The body, a header or a query cannot be read.", 401: "No session or account came.",
    403: "The account has not the privileges.", 404: "There is no resource here.",
    405: "Not by this method.", 406: "None of the media that are accepted.",
    409: "It does not fit what is here.", 412: "The ETag is not that of the resource.",
    413: "The body is too long.", 415: "The body is no JSON by its type.", 429: "Too often.",
    501: "Such a query is not supported.", 503: "The service cannot do it now.",
    507: "The answer would be too long.",
}  # fmt: skip
_PART = {"type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z._-]*$"}
_WRITES, _READS = (409, 413, 415), (507,)
_QUERIES = {
    "$expand": "Resources in place of links: . outside `Links`, ~ within, * all; ($levels=N).",
    "$select": "Properties that are shown, with / within and , between them.",
}
_OF_MEMBERS = {
    "$filter": "Which members are shown: property, eq ne lt le gt ge, literal; and or not ( ).",
    "$skip": "Members that are left out before the first.", "$top": "Members that are shown.",
    "only": "Of a collection with one member, that member; it has no value.",
}  # fmt: skip
SCHEMAS = {"RedfishError": _ERROR}
_ERRORS = {"application/json": {"schema": {"$ref": "#/components/schemas/RedfishError"}}}


def paths() -> dict[str, Any]:
    """Return every resource with its methods, and the stream of events."""
    out: dict[str, Any] = {}
    for each in RESOURCES:
        out[each.path] = {
            name.lower(): _operation(each, name, method) for name, method in each.methods.items()
        }
    out[STREAM] = {"get": _stream()}
    return out


def _operation(resource: Resource, name: str, method: Method) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{name.lower()}{re.sub(r'[^0-9A-Za-z]+', '-', resource.path)}",
        "tags": ["redfish"],
        "security": [{"token": []}, {"basic": []}] if method.any_of != OPEN else [],
        "parameters": [
            {"name": each, "in": "path", "required": True, "schema": _PART,
             "example": _example(resource, each)}
            for each in re.findall(r"\{(\w+)\}", resource.path)
        ] + (_queries(resource) if name == "GET" else []),
        "responses": _responses(resource, name),
    }  # fmt: skip
    if method.any_of:
        made["x-casemate-privileges"] = sorted(method.any_of)
    body = _BODIES.get((name, resource.path.removeprefix(ROOT)))
    if body is not None:
        given = {"application/json": {"schema": {"type": "object"}, "example": body}}
        made["requestBody"] = {"content": given}
    return made


def _queries(resource: Resource) -> list[dict[str, Any]]:
    """Return the query parameters of a read: none where no schema says what is there."""
    known = _QUERIES if resource.kind else {}
    if resource.kind.endswith("Collection"):
        known = known | _OF_MEMBERS
    return [
        {"name": name, "in": "query", "required": False, "allowReserved": True, "description": told,
         "schema": {"type": "string"}}
        for name, told in known.items()
    ]  # fmt: skip


def _example(resource: Resource, name: str) -> str:
    return "1" if resource.kind == "ComponentIntegrity" else PATHS[name]


def _responses(resource: Resource, name: str) -> dict[str, Any]:
    left_out = {*_READS} if name != "GET" else {*_WRITES}
    out: dict[str, Any] = {
        str(status): {"description": told, "content": _ERRORS}
        for status, told in _TOLD.items() if status not in left_out
    }  # fmt: skip
    out["200"] = {"description": "As it is now.", "content": _content(resource)}
    if name == "GET":
        out["304"] = {"description": "It is as the ETag has it."}
    elif name == "POST":
        out["201"] = {"description": "It was made.", "content": _content(resource)}
    if name != "GET":
        out["204"] = {"description": "It was done."}
    return dict(sorted(out.items()))


def _content(resource: Resource) -> dict[str, Any]:
    if resource.path.endswith(("$metadata", "{file}")):
        return {"application/xml": {}}
    made: dict[str, Any] = {"type": "object"}
    if resource.kind and "{registry}" not in resource.path and "{schema}" not in resource.path:
        kinds = {"type": "string", "pattern": "^#"}
        made |= {
            "required": ["@odata.id", "@odata.type", "Name"],
            "properties": {"@odata.id": {"type": "string"}, "@odata.type": kinds},
        }
    return {"application/json": {"schema": made}}


def _stream() -> dict[str, Any]:
    told = {str(each): {"description": _TOLD[each], "content": _ERRORS} for each in (401, 403, 503)}
    return {
        "operationId": "get-redfish-stream", "tags": ["redfish-stream"],
        "summary": "Events as they come; it does not end.",
        "security": [{"token": []}, {"basic": []}],
        "responses": {"200": {"description": "Events.", "content": {"text/event-stream": {}}},
                      **told},
    }  # fmt: skip
