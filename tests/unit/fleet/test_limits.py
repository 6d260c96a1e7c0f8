"""How often who may ask: each bound by itself, with the others out of the way."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_kit import DISPLAY, FINGERPRINT, Kit, bring, enter, let_display

from casemate.fleet.errors import NotAllowedError, NotSignedInError, TooManyError
from casemate.fleet.outlets import scrapers
from casemate.fleet.service.routes import ROUTES, Route
from casemate.fleet.web.gate import Gate, Limits, Request

SCRAPER = "cd" * 32


def route(path: str, method: str = "GET") -> Route:
    """Return a route of the table."""
    return next(each for each in ROUTES if (each.path, each.method) == (path, method))


def gate(kit: Kit, **limits: int) -> Gate:
    """Return a gate that lets these bounds be met, by name, and no other."""
    wide = {each: Limits(per_s=1e9, burst=1e9) for each in ("all_", "codes", "refusals", "acts")}
    tight = {name: Limits(per_s=0.0, burst=float(burst)) for name, burst in limits.items()}
    return Gate(kit.service, **{**wide, **tight})


def admitted(made: Gate, most: int, *asked: Request) -> int:
    """Return how many of `most` requests are admitted, asked in turn."""
    for at in range(most):
        try:
            made.admit(asked[at % len(asked)])
        except TooManyError:
            return at
    return most


def test_an_address_asks_so_often_and_no_more(kit: Kit) -> None:
    made, page = gate(kit, all_=3), route("/sign-in")
    assert admitted(made, 9, Request(route=page, client="192.0.2.1")) == 3
    assert admitted(made, 9, Request(route=page, client="192.0.2.2")) == 3


def test_a_certificate_asks_so_often_from_wherever(kit: Kit) -> None:
    enter(kit)
    asked = [
        Request(route=route("/evidence"), fingerprint=FINGERPRINT, client=f"192.0.2.{each}")
        for each in range(9)
    ]
    assert admitted(gate(kit, all_=3), 9, *asked) == 3


def test_a_person_asks_so_often_from_wherever(kit: Kit) -> None:
    for name, path, method, most in (
        ("all_", "/fleet", "GET", 3), ("acts", "/audit", "GET", 3), ("acts", "/fleet", "GET", 9),
        ("acts", "/sign-out", "POST", 3),
    ):  # fmt: skip
        here, session = route(path, method), kit.sessions["auditor"]
        asked = [
            Request(route=here, session=session, client=f"192.0.2.{each}") for each in range(9)
        ]
        assert admitted(gate(kit, **{name: 3}), 9, *asked) == most, (name, path)


def test_the_log_is_told_of_strangers_machines_and_forms_that_are_refused(kit: Kit) -> None:
    brought = enter(kit)
    kit.client().get("/sign-in")
    assert kit.client("inspector").post("/sign-out", data={"csrf": "x"}).status_code == 403
    assert bring(kit, brought).status_code == 200
    kit.service.audit.flush()
    told = {(x.who, x.what, x.outcome) for _, x in kit.service.audit.latest(9)}
    assert ("client testclient", "GET /sign-in", "asked") in told
    assert ("inspector one", "POST /sign-out", "refused 403") in told
    machine = [outcome for who, what, outcome in told if who == f"machine:{FINGERPRINT[:16]}"]
    assert "asked" in machine and any(each.startswith("done") for each in machine)


@pytest.mark.parametrize("path", ("/sign-in", "/sign-in/passkey"))
def test_reading_the_form_is_no_guess_and_sending_it_is(kit: Kit, path: str) -> None:
    made = gate(kit, codes=2)
    assert admitted(made, 9, Request(route=route(path), client="192.0.2.1")) == 9
    assert admitted(made, 9, Request(route=route(path, "POST"), client="192.0.2.1")) == 2
    signed_in = Request(route=route("/sign-out", "POST"), session=kit.sessions["auditor"],
                        client="192.0.2.1")  # fmt: skip
    assert admitted(made, 9, signed_in) == 9


def test_codes_that_are_none_fill_no_log(kit: Kit) -> None:
    made, here = gate(kit, refusals=3), route("/sign-in", "POST")
    before = kit.service.audit.log.next_index
    for each in range(9):
        with pytest.raises(NotSignedInError):
            made.serve(Request(route=here, form={"code": "x"}, client=f"192.0.2.{each}"))
    assert kit.service.audit.log.next_index - before == 3


def test_monitoring_and_walls_ask_so_often(kit: Kit) -> None:
    with kit.service.store.write() as link:
        scrapers.let(link, SCRAPER, "prometheus", kit.service.now_s())
    let_display(kit)
    for path, shown in (("/metrics", SCRAPER), ("/wall", DISPLAY)):
        asked = Request(route=route(path), fingerprint=shown, client="192.0.2.1")
        assert admitted(gate(kit), 30, asked) == 20, path


@pytest.mark.parametrize(
    ("origin", "fine"),
    (
        ("", True), ("https://fleet.test", True), ("http://fleet.test", True), ("null", False),
        ("https://fleet.test.evil.test", False), ("https://evil.test", False),
        ("fleet.test", False), ("https://fleet.test:444", False),
    ),
)  # fmt: skip
def test_a_form_comes_from_here(kit: Kit, origin: str, fine: bool) -> None:
    def ask(path: str, method: str, **changes: Any) -> None:
        given: dict[str, Any] = {"session": kit.sessions["auditor"], **changes}
        gate(kit).admit(
            Request(route=route(path, method), origin=origin, host="fleet.test", **given)
        )

    for path in ("/sign-in", "/sign-in/passkey", "/sign-out"):
        if fine:
            ask(path, "POST")
        else:
            with pytest.raises(NotAllowedError):
                ask(path, "POST")
    ask("/fleet", "GET")
    enter(kit)
    ask("/evidence", "POST", fingerprint=FINGERPRINT)  # a certificate is no browser's
