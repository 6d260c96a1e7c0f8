"""The description of all routes as OpenAPI 3.1, made from the tables that serve them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from casemate.fleet.access import roles
from casemate.fleet.web import api_words, shapes
from casemate.fleet.web.routes import Route

VERSION = "1"
_REDIRECT: dict[str, Any] = {
    "description": "Go on at Location.",
    "headers": {"Location": {"schema": {"type": "string"}}},
}
_STATUS = {
    401: "Nobody is signed in, or no certificate that is known.",
    403: "The role does not allow it, or the form is not of this session.",
    404: "There is no such thing.",
    409: "It does not fit what is here.",
    422: "What was sent cannot be taken; nothing of it was.",
    429: "Too often.",
    503: "The store or the audit log cannot be written, or evidence is being appraised: `work` "
    "says how far that is, and Retry-After when to ask again.",
}
_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-casemate"},
    "machine": {"type": "mutualTLS", "description": "The certificate of a controller."},
    "scraper": {"type": "mutualTLS", "description": "The certificate of monitoring."},
    "display": {"type": "mutualTLS", "description": "The certificate of a display on a wall."},
    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
    "basic": {"type": "http", "scheme": "basic"},
}


def document(
    routes: Sequence[Route], more: dict[str, Any], held: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Return the description of routes; more, held: paths and schemas that come from elsewhere."""
    paths: dict[str, Any] = {}
    for each in routes:
        for twin in (False, True) if each.template else (False,):
            path = _path(each.path + (".json" if twin else ""))
            paths.setdefault(path, {})[each.method.lower()] = _operation(each, twin=twin)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Casemate fleet", "version": VERSION,
            "description": "Pages, their JSON twins, the door for controllers, and Redfish.",
        },
        "paths": {**paths, **more},
        "components": {
            "securitySchemes": _SCHEMES, "schemas": {"Error": shapes.schema(shapes.ERROR), **held},
        },
    }  # fmt: skip


def _path(path: str) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def _operation(route: Route, *, twin: bool) -> dict[str, Any]:
    name = re.sub(r"\W+", "-", _path(route.path)).strip("-") or "home"
    made: dict[str, Any] = {
        "operationId": f"{route.method.lower()}-{name}{'-json' if twin else ''}",
        "tags": [route.permission],
        "summary": (inspect.getdoc(route.view) or "").partition("\n")[0],
        "security": _security(route),
        "parameters": _parameters(route),
        "responses": _responses(route, twin=twin),
    }
    if route.permission in roles.PERMISSIONS:
        made["x-casemate-roles"] = sorted(roles.PERMISSIONS[route.permission])
    if route.method == "POST":
        made["requestBody"] = _body(route)
    return made


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.permission in roles.OPEN:
        return []
    named = {roles.MACHINE: "machine", roles.SCRAPER: "scraper", roles.DISPLAY: "display"}
    return [{named.get(route.permission, "session"): []}]


def _parameters(route: Route) -> list[dict[str, Any]]:
    out = []
    for name in re.findall(r"\{(\w+)", route.path):
        schema, example = api_words.PATHS[name]
        out.append(
            {"name": name, "in": "path", "required": True, "schema": schema, "example": example}
        )
    for name, schema, example in api_words.QUERIES.get(route.path, ()):
        if route.method == "GET":
            out.append({"name": name, "in": "query", "schema": schema, "example": example})
    return out


def _body(route: Route) -> dict[str, Any]:
    if route.permission == roles.MACHINE:
        kind, example, told, most = api_words.BODIES[route.path]
        schema = {"description": f"{told}; at most {most} bytes. The example is in hexadecimal."}
        return {"required": True, "content": {kind: {"schema": schema, "example": example}}}
    fields = {**api_words.FORMS.get(route.path, {})}
    if route.permission not in roles.OPEN:
        fields["csrf"] = (
            {"type": "string", "description": "Of the session: a field of each form."}, "csrf"
        )  # fmt: skip
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: schema for name, (schema, _) in fields.items()},
        "required": [name for name in fields if name not in ("nonce", "passkey")],
    }
    filled = {name: shown for name, (_, shown) in fields.items()}
    kind = "application/x-www-form-urlencoded"
    if route.files:
        kind = "multipart/form-data"
        made["properties"]["file"] = {"type": "string", "contentMediaType": "application/cbor"}
        made["required"].append("file")
        filled["file"] = "a file of `casemate permit`"
    return {"required": True, "content": {kind: {"schema": made, "example": filled}}}


def _responses(route: Route, *, twin: bool) -> dict[str, Any]:
    as_json = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    gets = route.method == "GET"
    told = twin or (not route.template and (gets or route.permission in roles.MACHINES))
    errors: dict[str, Any] = as_json if told else {"text/html": {}}
    out: dict[str, Any] = {
        str(each): {"description": _STATUS[each], "content": errors}
        for each in sorted(_statuses(route))
    }
    by_rote: dict[str, Any] = (
        as_json if twin or route.path.endswith(".json") else {"text/plain": {}}
    )
    allow = {"Allow": {"schema": {"type": "string"}, "required": True}}
    out["405"] = {"description": "Not by this method.", "content": by_rote, "headers": allow}
    if "404" in out:
        out["404"]["content"] = {**errors, **by_rote}
    if route.template and gets and route.permission in roles.PERMISSIONS and not twin:
        out["401"]["description"] += " Pages lead to signing in instead (303)."
        out["303"] = _REDIRECT
    shows = route.path != "/" if gets else route.template or route.permission == roles.MACHINE
    if shows:
        told_ = "It is shown." if gets else "It was done."
        out["200"] = {"description": told_, "content": _content(route, twin=twin)}
    else:
        out["303"] = _REDIRECT
    return dict(sorted(out.items()))


def _statuses(route: Route) -> set[int]:
    """Return the statuses of errors that a route may answer with, beside 405."""
    gets, found = route.method == "GET", {422, 429, 503}
    if route.permission in roles.MACHINES:
        found |= {401}
    elif route.permission not in roles.OPEN:
        found |= {401, 403}
    elif not gets:
        found |= {401}
    if "{" in route.path or not gets:
        found |= {404}
    return found if gets else found | {409}


def _content(route: Route, *, twin: bool) -> dict[str, Any]:
    here = (route.method, route.path)
    if twin:
        return {"application/json": {"schema": shapes.schema(shapes.TWINS[here])}}
    if route.template:
        return {"text/html": {}}
    if route.path in api_words.FILES:
        kinds: dict[str, Any] = {api_words.FILES[route.path]: {}}
        return {**kinds, "text/javascript": {}} if route.permission == "static" else kinds
    return {"application/json": {"schema": shapes.schema(shapes.ANSWERS[here])}}
