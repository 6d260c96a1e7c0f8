"""The ASGI application under /redfish: requests to the gate, answers with Redfish's headers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse

from casemate.core.errors import CasemateError
from casemate.fleet.errors import BusyError, FleetError, TooManyError, TooSlowError
from casemate.fleet.redfish import odata, stream
from casemate.fleet.redfish.asked import MOST_BODY_BYTES, Answer, Redfish, Resource
from casemate.fleet.redfish.gate import Gate, Limited, Request
from casemate.fleet.redfish.messages import RedfishError, error_body
from casemate.fleet.redfish.paths import resource_at
from casemate.fleet.redfish.routes import STREAM
from casemate.fleet.redfish.turns import Turns
from casemate.fleet.web.bodies import STRANGERS, Bodies, Bound, sender

_LOG = logging.getLogger("casemate.fleet")
_HEADERS = {
    "OData-Version": "4.0",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'; style-src 'self'; img-src 'self'",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every answer."""
_WITH_BODY = ("POST", "PATCH", "PUT", "DELETE")
_BODY = Bound(most_bytes=MOST_BODY_BYTES)


class RedfishApp:
    """The application under /redfish."""

    def __init__(self, redfish: Redfish, limited: Limited | None = None) -> None:
        self.redfish, self._gate, self._bodies = redfish, Gate(redfish, limited), Bodies()
        self._turns = Turns()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        response, number = await self._respond(HttpRequest(scope, receive))
        try:
            await response(scope, receive, send)
        finally:  # also of a stream whose client was gone before its first line
            stream.close(self.redfish, number)

    async def _respond(self, http: HttpRequest) -> tuple[Response, int]:
        """Return the answer, and the number of the stream that it is; 0 if it is none."""
        resource, _ = resource_at(http.url.path)
        try:
            request = _head(http)
            _check_headers(request, resource)
            if request.path.rstrip("/") == STREAM and request.method == "GET":
                return await self._stream(request)
            answer, found = await self._serve(http, request)
            return _answered(answer, found, request), 0
        except RedfishError as error:
            return _failed(error, resource), 0
        except FleetError as error:
            return _failed(_as_redfish(error), resource), 0
        except CasemateError as error:
            _LOG.error("a request of Redfish failed: %s", error)
            return _failed(RedfishError("ServiceTemporarilyUnavailable"), resource), 0
        except Exception:
            _LOG.exception("a request of Redfish failed")
            return _failed(RedfishError("InternalError"), resource), 0

    async def _serve(self, http: HttpRequest, request: Request) -> tuple[Answer, Resource]:
        """Return the answer: who asks is known before a body is read."""
        if request.method not in _WITH_BODY and not request.query:
            return await run_in_threadpool(self._gate.serve, request)
        found = await run_in_threadpool(self._gate.admit, request)
        account = found.asked.account
        who = f"account {account.id}" if account is not None else sender(request.client)
        if found.asked.query.is_wide and account is not None:  # strangers see little of it
            async with self._turns.of(who):
                return await run_in_threadpool(self._gate.serve, request, found)
        if request.method not in _WITH_BODY:
            return await run_in_threadpool(self._gate.serve, request, found)
        async with self._bodies.read(http, who, _BODY if account else STRANGERS) as body:
            whole = replace(found, asked=replace(found.asked, body=body))
            return await run_in_threadpool(self._gate.serve, request, whole)

    async def _stream(self, request: Request) -> tuple[Response, int]:
        found = await run_in_threadpool(self._gate.admit, request)
        last = request.headers.get("last-event-id", "")
        account = found.asked.who
        number, at = await run_in_threadpool(stream.open_stream, self.redfish, account, last)
        body = stream.lines(self.redfish, account, number, at)
        headers = {**_HEADERS, "X-Accel-Buffering": "no"}
        return StreamingResponse(body, media_type="text/event-stream", headers=headers), number


def _head(http: HttpRequest) -> Request:
    """Return a request without its body."""
    return Request(
        method=http.method, path=http.url.path, query=http.url.query,
        headers={key.lower(): value for key, value in http.headers.items()},
        client=http.client.host if http.client else "",
    )  # fmt: skip


def _as_redfish(error: FleetError) -> RedfishError:
    """Return why a body was not taken."""
    match error:
        case BusyError():
            return RedfishError("ServiceTemporarilyUnavailable")
        case TooManyError():
            return RedfishError("RateLimitExceeded")
        case TooSlowError():
            return RedfishError("GeneralError", status=408)
    return RedfishError("GeneralError", status=413)


def _check_headers(request: Request, resource: Resource | None) -> None:
    """Refuse a version of OData that is none of ours, media that are not taken or not given."""
    if request.headers.get("odata-version", "4.0") != "4.0":
        raise RedfishError("PreconditionFailed")
    told = request.headers.get("content-length", "0")
    if request.method in ("POST", "PATCH") and (
        told != "0" or "transfer-encoding" in request.headers
    ):
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise RedfishError("GeneralError", status=415)
    wanted = request.headers.get("accept", "")
    if request.path.rstrip("/") == STREAM:
        given = "text/event-stream"
    elif request.path.endswith(("$metadata", ".xml")):
        given = "application/xml"
    else:
        given = "application/json"
    if resource is not None and wanted and not _is_accepted(wanted, given):
        raise RedfishError("GeneralError", status=406)


def _is_accepted(header: str, given: str) -> bool:
    kinds = [each.split(";")[0].strip().lower() for each in header.split(",")]
    return any(each in ("*/*", f"{given.split('/')[0]}/*", given) for each in kinds)


def _answered(answer: Answer, resource: Resource, request: Request) -> Response:
    headers = {**_HEADERS, "Allow": resource.allow, **answer.headers}
    if answer.row is None:
        if not answer.raw:
            return Response(status_code=answer.status, headers=headers)
        if answer.kind == "application/json":
            headers["Link"] = "</redfish/v1/JsonSchemas>; rel=related"
        return Response(answer.raw, media_type=None, headers={
            **headers, "Content-Type": answer.kind,
        })  # fmt: skip
    row = answer.row
    kind = str(row.get("@odata.type", "")).removeprefix("#").split(".")[0]
    if kind and "@odata.id" in row:
        row = row if answer.tag else odata.as_sent(row)
        headers["Link"] = f"<{odata.described_by(kind)}>; rel=describedby"
        headers["ETag"] = answer.tag or row["@odata.etag"]
        tags = request.headers.get("if-none-match", "")
        if tags and request.method in ("GET", "HEAD") and odata.matches(tags, headers["ETag"]):
            return Response(status_code=304, headers=headers)
    body = odata.encoded(row)
    return Response(body, answer.status, media_type="application/json", headers=headers)


def _failed(error: RedfishError, resource: Resource | None) -> Response:
    headers = dict(_HEADERS)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Casemate Redfish", charset="UTF-8"'
    if error.status == 405 and resource is not None:
        headers["Allow"] = resource.allow
    if error.status in (429, 503):
        headers["Retry-After"] = "5"
    body = odata.encoded(error_body(error))
    return Response(body, error.status, media_type="application/json", headers=headers)
