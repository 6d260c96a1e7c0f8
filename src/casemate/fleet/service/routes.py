"""All routes of the service, with the one that describes them: pages and Redfish."""

from __future__ import annotations

from functools import cache

from casemate.core.canonical import canonical_bytes
from casemate.fleet.redfish import openapi as redfish
from casemate.fleet.web import openapi
from casemate.fleet.web import routes as pages
from casemate.fleet.web.asked import Asked, Reply, Service
from casemate.fleet.web.routes import Route


def describe(service: Service, asked: Asked) -> Reply:
    """Return the description of all routes, OpenAPI 3.1."""
    return Reply(body=_encoded())


ROUTES = (*pages.ROUTES, Route(path="/openapi.json", view=describe, permission="see"))
"""Of pages, their JSON twins, and what machines bring; Redfish has a table of its own."""


@cache
def _encoded() -> bytes:
    return canonical_bytes(openapi.document(ROUTES, redfish.paths(), redfish.SCHEMAS))
