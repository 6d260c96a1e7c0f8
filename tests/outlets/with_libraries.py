"""Libraries of CloudEvents and Standard Webhooks, in Python and Node."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import outside_receivers as outside
from judging import Judge
from programs import Answering
from stage import SECRETS, Stage, until
from with_debian import NAMED

from casemate.fleet.alarms.notice import Notice
from casemate.fleet.outlets.snmp import MODULE, NOTIFICATIONS, OBJECTS

SECRET = SECRETS["soc.secret"]


def of_python(stage: Stage, sent: list[Notice], libraries: Answering, versions: Any) -> Judge:
    """Return what the libraries of Python made of each request."""
    judge = Judge(
        "cloudevents, standardwebhooks (Python)",
        f"{versions['cloudevents']}, {versions['standardwebhooks']}",
        "verify who signed each webhook, and parse it as a CloudEvent 1.0",
    )
    until(lambda: len(stage.hook.got) >= len(sent), 20)
    judge.equal("requests, each once", len(stage.hook.got), len(sent))
    for one, (headers, body) in zip(sent, stage.hook.got, strict=False):
        told = libraries.ask("webhook", **_asked(headers, body))
        judge.hold("verified and parsed", "answer" in told, told)
        kind = headers.get("content-type", "").partition(";")[0]  # the library takes any
        judge.equal("media type of structured mode", kind, "application/cloudevents+json")
        made = told.get("answer", {})
        seen = [made.get(each) for each in ("specversion", "id", "type", "source", "subject")]
        judge.equal("attributes", seen, [
            "1.0", one.key, f"casemate.incident.{one.what}", "/casemate/localhost",
            f"enclosure/{one.enclosure}",
        ])  # fmt: skip
        data = made.get("data") or {}
        judge.equal("data", (data.get("text"), data.get("calls")), (one.text, one.calls))
    headers, body = stage.hook.got[0]
    for name, asked in _faults(headers, body).items():
        told = libraries.ask("webhook", **asked)
        judge.hold(f"refused: {name}", "error" in told, told)
    return judge


def of_node(stage: Stage, packages: Answering, version: str) -> Judge:
    """Return what the library of Node made of each request."""
    judge = Judge("standardwebhooks (Node)", version, "verifies who signed each webhook")
    for headers, body in stage.hook.got:
        told = packages.ask("webhook", **_asked(headers, body))
        judge.equal("verified", told.get("answer"), json.loads(body))
    headers, body = stage.hook.got[0]
    for name, asked in _faults(headers, body).items():
        told = packages.ask("webhook", **asked)
        judge.hold(f"refused: {name}", "error" in told, told)
    return judge


def of_node_mib(mibs: Path, packages: Answering, version: str) -> Judge:
    """Return what another compiler of MIBs makes of ours."""
    judge = Judge("net-snmp (Node)", version, "compiles the MIB: the number of each object")
    files = [str(mibs / x) for x in (*outside.IETF, "CASEMATE-MIB")]
    told = packages.ask("mib", files=files, module="CASEMATE-MIB")
    judge.hold("it is read", told.get("answer"), told)
    made = told.get("answer") or {}
    for number, name in enumerate(OBJECTS, 1):
        judge.equal(name, made.get(name, {}).get("OID"), f"{MODULE}.1.{number}")
    for what, name in NAMED.items():
        seen = made.get(name, {})
        judge.equal(name, seen.get("OID"), f"{MODULE}.0.{NOTIFICATIONS[what]}")
        judge.equal("its objects", seen.get("OBJECTS"), list(OBJECTS))
    return judge


def _asked(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    return {"secret": SECRET, "headers": headers, "body": base64.b64encode(body).decode()}


def _faults(headers: dict[str, str], body: bytes) -> dict[str, dict[str, Any]]:
    """Return requests that nobody may take."""
    old = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 3600)}
    return {
        "another body": _asked(headers, body.replace(b'"calls": true', b'"calls": false') + b" "),
        "another id": _asked({**headers, "webhook-id": "1-1"}, body),
        "another time": _asked(old, body),
        "another secret": {**_asked(headers, body), "secret": SECRET[:-4] + "AAAA"},
    }
