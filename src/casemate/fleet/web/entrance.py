"""Signing in and out, and the door for controllers."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from casemate.core.canonical import canonical_bytes
from casemate.fleet.access import people
from casemate.fleet.appraisal import evidence
from casemate.fleet.errors import NotFoundError
from casemate.fleet.intake.ingest import decode
from casemate.fleet.web.asked import Asked, Reply, Service

_CSS, _JS = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
_ASSETS = {
    "fleet.css": ("fleet.css", _CSS),
    "passkey.js": ("passkey.js", _JS),
    "renew.js": ("renew.js", _JS),
    "scene.js": ("scene.js", _JS),
    "channels.js": ("channels.js", _JS),
    "uPlot.min.css": ("vendor/uPlot.min.css", _CSS),
    "uPlot.iife.min.js": ("vendor/uPlot.iife.min.js", _JS),
}
"""Every file that is served, and its media type: no path of a request reaches a disk."""


def sign_in_form(service: Service, asked: Asked) -> dict[str, Any]:
    """Return the form for a code."""
    return {"title": "Sign in"}


def sign_in(service: Service, asked: Asked) -> Reply:
    """Begin a session with a code."""
    with service.store.write() as link:
        secret = people.sign_in(link, asked.form.get("code", "").strip(), service.now_s())
    return Reply(to="/fleet", session=secret)


def sign_out(service: Service, asked: Asked) -> Reply:
    """End the session."""
    with service.store.write() as link:
        people.sign_out(link, asked.session)
    return Reply(to="/sign-in", session="")


def home(service: Service, asked: Asked) -> Reply:
    """Lead to the page of the fleet."""
    return Reply(to="/fleet")


def asset(service: Service, asked: Asked) -> Reply:
    """Return a file of the pages."""
    name = str(asked.path["name"])
    if name not in _ASSETS:
        raise NotFoundError("there is no such file.", remedy="reload the page.")
    path, kind = _ASSETS[name]
    data = resources.files("casemate.fleet.web").joinpath("static", *path.split("/")).read_bytes()
    return Reply(body=data, kind=kind)


def where(service: Service, asked: Asked) -> Reply:
    """Tell a controller which entry of its log comes next here."""
    assert asked.enclosure_id is not None
    with service.store.read() as link:
        number = evidence.next_number(link, asked.enclosure_id)
    return Reply(body=canonical_bytes({"next": number}))


def push(service: Service, asked: Asked) -> Reply:
    """Take evidence of the enclosure whose controller brings it."""
    assert asked.enclosure_id is not None
    taken = service.intake.take(asked.enclosure_id, decode(asked.body))
    row = {"next": taken.next_number, "state": taken.state, "headline": taken.headline}
    return Reply(body=json.dumps(row, ensure_ascii=False).encode())
