"""The ASGI application: routes of the table behind the gate, pages in HTML and as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as HttpRoute

from casemate.core.errors import CasemateError
from casemate.fleet.access import roles
from casemate.fleet.access.people import Person
from casemate.fleet.appraisal import trust
from casemate.fleet.clockface import clock
from casemate.fleet.errors import (
    AppraisingError,
    BusyError,
    ConflictError,
    FleetError,
    NotSignedInError,
    RefusedError,
    TooSlowError,
)
from casemate.fleet.intake import submission
from casemate.fleet.readings import series
from casemate.fleet.redfish.app import RedfishApp
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.messages import RedfishError, error_body
from casemate.fleet.service.routes import ROUTES
from casemate.fleet.web import forms, work_part
from casemate.fleet.web.asked import Answer, Reply, Service, Wait
from casemate.fleet.web.bodies import STRANGERS, Bodies, Bound, sender
from casemate.fleet.web.downloads import InParts
from casemate.fleet.web.filters import FILTERS
from casemate.fleet.web.gate import Admitted, Gate, Request
from casemate.fleet.web.routes import Route

MOST_FORM_BYTES = 16_384
MOST_UPLOAD_BYTES = 100_000
"""Of a form with a file: a permit of sixteen signatures (planning value)."""
MOST_TAKEN_AT_ONCE = 16
"""Submissions that are checked at once (planning value)."""
_FORM, _UPLOAD = Bound(most_bytes=MOST_FORM_BYTES), Bound(most_bytes=MOST_UPLOAD_BYTES)
_BROUGHT = {
    "/evidence": Bound(most_bytes=submission.MOST_BYTES),
    "/series": Bound(most_bytes=series.MOST_BYTES),
    "/trust": Bound(most_bytes=trust.MOST_BYTES),
}
"""What controllers bring, by path; one enclosure has four under way, of all of them, at most."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer but pages with a script: nothing is fetched from elsewhere, no script runs."""
RENEWAL = "casemate-renewal"
"""Header of a page that renews itself. It says less than it could: it keeps no session alive."""


def headers_of(*, scripts: bool, renews: bool) -> dict[str, str]:
    """Return the headers of a page. scripts: it may run ours. renews: and fetch from us alone."""
    more = "; script-src 'self'" if scripts or renews else ""
    more += "; connect-src 'self'" if renews else ""
    return {**HEADERS, "Content-Security-Policy": HEADERS["Content-Security-Policy"] + more}


REDFISH = ("/redfish", "/redfish/{rest:path}")
"""What the Redfish service answers, with a table of resources of its own."""
_LOG = logging.getLogger("casemate.fleet")


def fingerprint_of(request: HttpRequest) -> str:
    """Return the SHA-256 of the client's certificate that the server has checked, "" if none."""
    return str(getattr(request.state, "fingerprint", ""))


def application(
    service: Service, *, gate: Gate | None = None, redfish: RedfishApp | None = None
) -> Starlette:
    """Return the application over a service: pages, the door for controllers, and Redfish.

    redfish: to be shared by several applications; by default one of its own.
    """
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("casemate.fleet.web"), autoescape=True,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters.update(FILTERS)
    doors = _Doors(service, gate or Gate(service))
    routes = []
    for each in ROUTES:
        paths = [(each.path, False)]
        if each.template:
            paths.append((f"{each.path}.json", True))
        routes += [
            HttpRoute(path, _endpoint(each, doors, pages, twin=twin), methods=[each.method])
            for path, twin in paths
        ]
    handlers: Mapping[Any, Any] = {404: _plain(404), 405: _plain(405), 500: _plain(500)}
    machines = redfish or RedfishApp(Redfish(service=service))
    routes += [HttpRoute(path, machines) for path in REDFISH]
    return Starlette(routes=routes, exception_handlers=handlers)


def _endpoint(
    route: Route, doors: _Doors, pages: jinja2.Environment, *, twin: bool
) -> Callable[[HttpRequest], Awaitable[Response]]:
    as_json = twin or (not route.template and route.method == "GET")
    service = doors.service

    async def serve(http: HttpRequest) -> Response:
        try:
            head = _head(route, http, service)
            answer, person = await doors.answer(http, head)
            made = partial(_respond, answer, person, route, service, pages, twin=twin)
            return made() if isinstance(answer, Reply) else await run_in_threadpool(made)
        except CasemateError as error:
            return _failed(error, pages, as_json=as_json, route=route)

    return serve


class _Doors:
    """Requests to the gate: who asks first, then the body, then the view.

    Evidence is taken in by threads of its own, so that what takes long there keeps no page waiting.
    """

    def __init__(self, service: Service, gate: Gate) -> None:
        self.service, self._gate, self._bodies = service, gate, Bodies()
        self._taking = ThreadPoolExecutor(MOST_TAKEN_AT_ONCE, "taking")

    async def answer(self, http: HttpRequest, head: Request) -> tuple[Answer, Person | None]:
        """Return the view's answer, and who is signed in. A CasemateError says why not."""
        route = head.route
        if route.method == "GET":
            return await run_in_threadpool(self._gate.serve, head)
        found = await run_in_threadpool(self._gate.admit, head)
        who, bound = _bound(route, found, head)
        try:
            async with self._bodies.read(http, who, bound) as body:
                whole = _with_body(head, http.headers.get("content-type", ""), body)
                if route.permission != roles.MACHINE:
                    return await run_in_threadpool(self._gate.serve, whole, found)
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._taking, self._gate.serve, whole, found)
        except (TooSlowError, BusyError) as error:
            await run_in_threadpool(self._gate.refuse, head, error.status)
            raise


def _bound(route: Route, found: Admitted, head: Request) -> tuple[str, Bound]:
    """Return who sends a body, and what it may be."""
    if found.enclosure_id is not None:
        return f"enclosure {found.enclosure_id}", _BROUGHT[route.path]
    if found.person is not None:
        return f"person {found.person.id}", _UPLOAD if route.files else _FORM
    return sender(head.client), STRANGERS


def _head(route: Route, http: HttpRequest, service: Service) -> Request:
    """Return a request without its body."""
    _check_text(http.query_params.values())
    return Request(
        route=route,
        path=http.path_params,
        query=dict(http.query_params),
        session=http.cookies.get(cookie_name(service), ""),
        fingerprint=fingerprint_of(http),
        client=http.client.host if http.client else "",
        origin=http.headers.get("origin", ""),
        host=http.headers.get("host", ""),
        renewal=http.headers.get(RENEWAL, "") == "1",
    )


def _with_body(head: Request, kind: str, body: bytes) -> Request:
    if head.route.permission == roles.MACHINE:
        return replace(head, body=body)
    if head.route.files:
        form, files = forms.parse(kind, body)
        _check_text(form.values())
        return replace(head, form=form, files=files)
    try:
        form = dict(parse_qsl(body.decode("ascii"), max_num_fields=20, keep_blank_values=True))
    except ValueError:
        raise RefusedError("the form is malformed.", remedy="use the pages here.") from None
    _check_text(form.values())
    return replace(head, form=form)


def _check_text(texts: Iterable[str]) -> None:
    if any("\0" in each for each in texts):  # no store takes it
        raise RefusedError("there is a NUL in it.", remedy="leave it out.")


def cookie_name(service: Service) -> str:
    """Return the name of the session's cookie; over TLS browsers bind it to this host alone."""
    return "__Host-casemate" if service.secure else "casemate"


def _respond(
    answer: Answer, person: Person | None, route: Route, service: Service,
    pages: jinja2.Environment, *, twin: bool,
) -> Response:  # fmt: skip
    if isinstance(answer, Reply):
        return _reply(answer, service)
    if isinstance(answer, Wait):
        return _waits(answer, person, route, service, pages, twin=twin)
    if twin:
        data = json.dumps(answer, ensure_ascii=False, indent=1)
        return Response(data, media_type="application/json", headers=HEADERS)
    seen = person is not None or route.permission == roles.DISPLAY
    every_s = int(answer.get("renews", route.renews)) if seen else 0
    shown = pages.get_template(route.template).render(
        **answer, person=person, page_of=route.path, every_s=every_s,
        made=clock(service.now_s()) if seen else "",
    )  # fmt: skip
    asks = bool(answer.get("options") or answer.get("passkey") or answer.get("charts"))
    headers = headers_of(scripts=route.scripts and asks, renews=every_s > 0)
    return Response(shown, media_type="text/html", headers=headers)


def _waits(
    answer: Wait, person: Person | None, route: Route, service: Service,
    pages: jinja2.Environment, *, twin: bool,
) -> Response:  # fmt: skip
    """Return what is said in place of an answer: how far it is, and when to ask again."""
    error, work = AppraisingError(answer.look), work_part.row(answer.look)
    again = {"Retry-After": str(work_part.again_s(answer.look))}
    if twin or not route.template:
        row = {"error": error.message, "remedy": error.remedy, "work": work}
        data = json.dumps(row, ensure_ascii=False)
        return Response(data, error.status, media_type="application/json", headers=HEADERS | again)
    shown = pages.get_template("waiting.html").render(
        title="Being appraised", work=work, id=answer.path.get("id"), person=person,
        of_enclosure=route.path.startswith("/enclosures/"), page_of=route.path,
        every_s=work_part.RENEWS_S, made=clock(service.now_s()),
    )  # fmt: skip
    headers = headers_of(scripts=False, renews=True) | again
    return Response(shown, error.status, media_type="text/html", headers=headers)


def _reply(answer: Reply, service: Service) -> Response:
    headers = dict(HEADERS)
    if answer.name:
        headers["Content-Disposition"] = f'attachment; filename="{answer.name}"'
    if answer.to:
        response = Response(status_code=303, headers={**headers, "Location": answer.to})
    elif answer.parts is not None:
        response = InParts(answer.parts, {**headers, "Content-Type": answer.kind})
    else:
        response = Response(answer.body, headers={**headers, "Content-Type": answer.kind})
    if answer.session is not None:
        given: dict[str, Any] = {
            "path": "/", "secure": service.secure, "httponly": True, "samesite": "strict",
        }  # fmt: skip
        if answer.session:
            response.set_cookie(cookie_name(service), answer.session, **given)
        else:
            response.delete_cookie(cookie_name(service), **given)
    return response


def _failed(
    error: CasemateError, pages: jinja2.Environment, *, as_json: bool, route: Route
) -> Response:
    status = error.status if isinstance(error, FleetError) else 503
    machine = route.permission in roles.MACHINES and not route.template
    person = route.permission not in roles.MACHINES
    if isinstance(error, NotSignedInError) and route.template and person and not as_json:
        return Response(status_code=303, headers={**HEADERS, "Location": "/sign-in"})
    if as_json or machine:
        row: dict[str, Any] = {"error": error.message, "remedy": error.remedy}
        if isinstance(error, ConflictError) and error.next_number is not None:
            row["next"] = error.next_number
        data = json.dumps(row, ensure_ascii=False)
        return Response(data, status, media_type="application/json", headers=HEADERS)
    shown = pages.get_template("error.html").render(
        title="This cannot be done", error=error.message, remedy=error.remedy, person=None,
        page_of="", every_s=0, made="",
    )  # fmt: skip
    return Response(shown, status, media_type="text/html", headers=HEADERS)


def _plain(status: int) -> Callable[[HttpRequest, Exception], Response]:
    texts = {404: "There is no such page.", 405: "Not by this method.", 500: "A fault of ours."}
    remedies = {404: "follow a link of a page.", 405: "see /openapi.json.", 500: "try again later."}

    def handle(http: HttpRequest, error: Exception) -> Response:
        if status == 500:
            _LOG.error("a request failed", exc_info=error)
        headers = dict(HEADERS)
        if status == 405:
            headers["Allow"] = ", ".join(_allowed(http))
        if http.url.path.startswith("/redfish/") and status == 404:  # such as with a line feed
            body = json.dumps(error_body(RedfishError("ResourceNotFound")))
            return Response(body, status, media_type="application/json", headers=headers)
        if http.url.path.endswith(".json"):
            data = json.dumps({"error": texts[status], "remedy": remedies[status]})
            return Response(data, status, media_type="application/json", headers=headers)
        return Response(texts[status] + "\n", status, media_type="text/plain", headers=headers)

    return handle


def _allowed(http: HttpRequest) -> list[str]:
    """Return the methods by which the path of a request is served, by all of its routes."""
    found: set[str] = set()
    for each in http.app.routes:
        if isinstance(each, HttpRoute) and each.matches(http.scope)[0] is not Match.NONE:
            found |= each.methods or set()
    return sorted(found)
