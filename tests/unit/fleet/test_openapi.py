"""The description of all routes: complete, and true by schemathesis."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from api_kit import SCRAPER, full
from fleet_kit import DISPLAY, FINGERPRINT, Kit, bring, enter, kit_in
from redfish_kit import RedfishKit

from casemate.fleet.access import roles
from casemate.fleet.redfish.routes import RESOURCES, STREAM
from casemate.fleet.service.application import cookie_name
from casemate.fleet.service.routes import ROUTES
from casemate.fleet.web import shapes

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_schema_conformance", "response_headers_conformance", "ignored_auth",
    "unsupported_method", "missing_required_header",
)  # fmt: skip
INSPECTOR = ("see", "export", "permit", "acknowledge", "propose", "confirm", "dispose-many",
             "passkey")  # fmt: skip

CHEAP = r"^/(fleet|incidents|review|enclosures/\{id\}(/verdict)?)\.json$"
"""Of these the examples are tried in each run; of all others by `make validate`."""


@dataclass
class Run:
    """What schemathesis found. statuses: of operations, by their label."""

    failures: list[str] = field(default_factory=list)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)


def described(kit: Kit) -> dict[str, Any]:
    answer = kit.client("auditor").get("/openapi.json")
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def with_session(document: dict[str, Any], csrf: str) -> dict[str, Any]:
    """Return the description with the token of a session in forms."""
    made = copy.deepcopy(document)
    for operations in made["paths"].values():
        for each in operations.values():
            for content in each.get("requestBody", {}).get("content", {}).values():
                known = content["schema"].get("properties", {})
                if "csrf" in known:
                    known["csrf"] = {"const": csrf}
                    content["example"]["csrf"] = csrf
    return made


def configured(examples: int, *, machines: bool) -> dict[str, Any]:
    """Return the settings of schemathesis. machines: of Redfish, where what no resource knows is
    501 (DSP0266, 6.5)."""
    methods = ["PUT", "PATCH", "DELETE", *([] if machines else ["TRACE"])]
    well = ["2xx", "3xx", "4xx", *(["501"] if machines else [])]
    return {
        "seed": 7,
        "generation": {"max-examples": max(examples, 1), "deterministic": True,
                       "database": "none", "with-security-parameters": False},
        "checks": {
            "enabled": False, **{each: {"enabled": True} for each in CHECKS},
            "not_a_server_error": {"expected-statuses": well},
        },
        "phases": {
            "examples": {"enabled": True, "fill-missing": True},
            "coverage": {"enabled": examples > 0, "unexpected-methods": methods},
            "fuzzing": {"enabled": examples > 0}, "stateful": {"enabled": False},
        },
    }  # fmt: skip


def run(
    app: Any, document: dict[str, Any], tags: tuple[str, ...], headers: dict[str, str],
    *, examples: int = 0, paths: str = "",
) -> Run:  # fmt: skip
    """Have schemathesis try all operations with these tags, of paths of a form.

    examples: how many it makes itself beside those of the description.
    """
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    @schemathesis.serializer("application/cbor", "application/cose")
    def as_bytes(_context: Any, value: Any) -> bytes:
        text = str(value)
        plain = len(text) % 2 == 0 and set(text) <= set("0123456789abcdef")
        return bytes.fromhex(text) if plain else text.encode("utf-8", "replace")

    machines = tags == ("redfish",)
    config = SchemathesisConfig.from_dict(configured(examples, machines=machines))
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = app
    schema.config.headers = headers
    alone = {"path_regex": paths} if paths else {}
    chosen = schema.include(tag=list(tags), **alone)
    chosen = chosen.exclude(path="/sign-out")  # it ends the session
    found = Run()
    for event in from_schema(chosen).execute():
        if isinstance(event, events.ScenarioFinished):
            seen = found.statuses.setdefault(event.label or "", Counter())
            for sent in event.recorder.interactions.values():
                seen[sent.response.status_code if sent.response else 0] += 1
            for number, held in event.recorder.checks.items():
                uri = event.recorder.interactions[number].request.uri
                found.failures += [
                    f"{event.label} {each.name}: {each.failure_info.failure.title}: "
                    f"{each.failure_info.failure.message}"[:400]
                    for each in held if each.failure_info and not _is_meant(each, uri, machines)
                ]  # fmt: skip
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.failures.append(repr(event)[:400])
    return found


def _is_meant(check: Any, uri: str, redfish: bool) -> bool:
    """Return whether Redfish does so on purpose: strangers are not told which methods there are,
    and a part of a path such as `..` leads out of it."""
    if not redfish:
        return False
    stranger = check.name == "unsupported_method" and "returned 401" in str(
        check.failure_info.failure.message
    )
    way = normpath(unquote(urlsplit(uri).path))
    return stranger or not way.startswith("/redfish/")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, RedfishKit]]:
    """A service in which every path of the description leads to something."""
    with full(tmp_path_factory.mktemp("api") / "fleet") as made:
        yield made


def runs(kit: Kit, redfish: RedfishKit, examples: int) -> dict[str, Run]:
    """Return what was found as each kind of client."""
    document, found = described(kit), {}
    plain = copy.deepcopy(document)
    for who, tags in (("inspector", INSPECTOR), ("auditor", ("see-audit",))):
        cookie = {"Cookie": f"{cookie_name(kit.service)}={kit.sessions[who]}"}
        mine = with_session(document, kit.csrf[who])
        found[who] = run(kit.fronted, mine, tags, cookie, examples=examples)
    found["nobody"] = run(kit.fronted, plain, ("sign-in", "static"), {}, examples=examples)
    for who, shown, tag in (
        ("machine", FINGERPRINT, roles.MACHINE), ("scraper", SCRAPER, roles.SCRAPER),
        ("display", DISPLAY, roles.DISPLAY),
    ):  # fmt: skip
        kit.fronted.fingerprint = shown
        found[who] = run(kit.fronted, plain, (tag,), {}, examples=examples)
        kit.fronted.fingerprint = ""
    token = {"X-Auth-Token": redfish.token("Administrator")}
    found["redfish"] = run(kit.fronted, plain, ("redfish",), token, examples=examples)
    return found


def test_it_names_every_route(small: Kit) -> None:
    paths = described(small)["paths"]
    told = {(method.upper(), path) for path, held in paths.items() for method in held}
    want = {("GET", STREAM)} | {(name, x.path) for x in RESOURCES for name in x.methods}
    for each in ROUTES:
        path = each.path.replace(":int", "")
        want |= {(each.method, path)}
        want |= {(each.method, f"{path}.json")} if each.template else set()
    assert told == want
    twins = {(each.method, each.path) for each in ROUTES if each.template}
    assert set(shapes.TWINS) == twins


def test_who_is_not_signed_in_is_not_told(small: Kit) -> None:
    assert small.client().get("/openapi.json").status_code == 401


def failures(found: dict[str, Run]) -> list[str]:
    return sorted({f"{who}: {line}" for who, each in found.items() for line in each.failures})


def as_inspector(kit: Kit) -> dict[str, str]:
    return {"Cookie": f"{cookie_name(kit.service)}={kit.sessions['inspector']}"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """A service with an enclosure: it is made in a tenth of the time."""
    with kit_in(tmp_path_factory.mktemp("small") / "fleet") as kit:
        assert bring(kit, enter(kit)).status_code == 200
        yield kit


def test_examples_of_pages_do_as_it_says(small: Kit) -> None:
    found = run(small.fronted, described(small), ("see",), as_inspector(small), paths=CHEAP)
    assert found.failures == []
    assert len(found.statuses) == 5
    assert all(held[200] for held in found.statuses.values()), found.statuses


class Open:
    """Lets anybody in as an inspector."""

    def __init__(self, kit: Kit) -> None:
        self.app, self.cookie = kit.fronted, as_inspector(kit)["Cookie"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        rest = [each for each in scope["headers"] if each[0] != b"cookie"]
        await self.app(
            {**scope, "headers": [*rest, (b"cookie", self.cookie.encode())]}, receive, send
        )


@pytest.mark.parametrize(
    "fault",
    ("schema", "open", *(pytest.param(x, marks=pytest.mark.slow) for x in ("status", "media"))),
)
def test_faults_are_found(small: Kit, fault: str) -> None:
    kit, document = small, described(small)
    answers = document["paths"]["/fleet.json"]["get"]["responses"]
    told = answers["200"]["content"]["application/json"]["schema"]
    if fault == "schema":
        told["properties"]["total"] = {"type": "string"}
    elif fault == "status":
        del answers["200"]
    elif fault == "media":
        answers["200"]["content"] = {"text/html": {}}
    app = Open(kit) if fault == "open" else kit.fronted
    found = run(app, document, ("see",), as_inspector(kit), paths="^/fleet.json$")
    want = {"schema": "response_schema", "status": "status_code", "media": "content_type",
            "open": "ignored_auth"}[fault]  # fmt: skip
    assert any(want in each for each in found.failures), found


UNHAPPY = {
    "POST /passkeys",
    "POST /review/dispose",
    "POST /enclosures/{id}/permits/bring",
    "POST /incidents/{id}/acknowledge",
    "POST /incidents/{id}/propose",
    "POST /incidents/{id}/confirm",
    "POST /permits/{id}/sign",
    "POST /permits/{id}/withdraw",
    "POST /sign-in",
    "POST /sign-in/passkey",
    "POST /trust",
    "POST /redfish/v1/SessionService/Sessions",
    "POST /redfish/v1/SessionService/Sessions/Members",
    "PATCH /redfish/v1/Chassis/{chassis}",
    "DELETE /redfish/v1/AccountService/Accounts/{account}",
    *(
        f"{each} /redfish/v1/EventService/Subscriptions/{{subscription}}"
        for each in ("GET", "DELETE")
    ),
    "POST /redfish/v1/EventService/Subscriptions",  # it would be on this machine
}
"""What examples cannot do: they hold no secret, digest or signature."""
NO_LEAKS = ("Thermal", "Leak")
"""Resources that an enclosure without leak detection has not."""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_examples_lead_somewhere(served: tuple[Kit, RedfishKit]) -> None:
    found = runs(*served, examples=0)
    assert failures(found) == []
    got = {label: held for each in found.values() for label, held in each.statuses.items()}
    assert len(got) > 115
    dead = {label for label, held in got.items() if not any(0 < status < 400 for status in held)}
    assert {each for each in dead - UNHAPPY if not any(x in each for x in NO_LEAKS)} == set()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_that_is_made_up_breaks_it(served: tuple[Kit, RedfishKit]) -> None:
    assert failures(runs(*served, examples=8)) == []
