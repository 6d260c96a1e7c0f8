"""The review queue: alike beside alike, many at once by policy alone, and all or none."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_kit import Kit
from sqlalchemy import insert, update

from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.store.schema import ENCLOSURES, INCIDENTS, TRIGGERS
from casemate.fleet.web import review_page

REASON = "lift tests in the hall, see its record"


def waiting(kit: Kit, number: int, *findings: str, severity: str = "warning") -> None:
    """Enter an enclosure with an open incident."""
    now_s = kit.service.now_s()
    with kit.service.store.write() as link:
        base = {"reference": b"x", "policy": b"x", "added_s": 0, "kind": "camera"}
        link.execute(
            insert(ENCLOSURES).values(
                id=number, name="cam", serial=f"S-{number}", origin=f"o/{number}", site="hall",
                **base,
            )
        )  # fmt: skip
        row = {"enclosure_id": number, "severity": severity, "opened_s": now_s, "last_s": now_s}
        link.execute(insert(INCIDENTS).values(id=number, **row))
        for each in findings:
            link.execute(
                insert(TRIGGERS).values(
                    incident_id=number, enclosure_id=number, finding=each, token=3,
                    severity=severity, what="w", remedy="r", at_s=now_s, first_s=now_s,
                    last_s=now_s, times=1, live=True,
                )
            )  # fmt: skip


def seen(kit: Kit, number: int) -> str:
    with kit.service.store.read() as link:
        return incidents.digest(decisions.read(link, number).triggers)


def decide(kit: Kit, role: str, *numbers: int, **changes: str) -> Any:
    taken = {f"take.{each}": seen(kit, each) for each in numbers}
    given = {"outcome": "explained", "reason": REASON, **taken, **changes}
    return kit.post(role, "/review/dispose", **given)


def is_open(kit: Kit, number: int) -> bool:
    with kit.service.store.read() as link:
        return decisions.read(link, number).disposed_s is None


@pytest.fixture
def queue(kit: Kit) -> Kit:
    for number in (1, 2, 3):
        waiting(kit, number, "verdict.interference")
    waiting(kit, 4, "verdict.interference", "sensor.fault")
    waiting(kit, 5, "state.tampered", severity="alarm")
    waiting(kit, 6, "state.unknown", severity="unknown")
    return kit


def test_the_queue_is_sorted_and_alike_beside_alike(queue: Kit) -> None:
    client = queue.client("inspector")
    row = client.get("/review.json").json()
    assert [(each["key"], each["count"]) for each in row["groups"]] == [
        ("state.tampered", 1), ("state.unknown", 1), ("verdict.interference", 3),
        ("sensor.fault verdict.interference", 1),
    ]  # fmt: skip
    assert row["key"] == "state.tampered" and not row["together"]
    row = client.get("/review.json?kinds=verdict.interference&severity=warning").json()
    assert ["detection was interfered with"] in [each["words"] for each in row["groups"]]
    assert [each["id"] for each in row["rows"]] == [1, 2, 3] and row["together"]
    assert "Choose incident 1" in client.get("/review?kinds=verdict.interference").text
    host = queue.client("host-operator").get("/review?kinds=verdict.interference").text
    assert "Choose incident" not in host and "does not decide many" in host
    assert client.get("/review?severity=note").status_code == 422


def test_one_reason_disposes_of_many_of_a_kind(queue: Kit) -> None:
    answer = decide(queue, "inspector", 1, 2)
    assert answer.headers["location"] == "/review"
    assert [is_open(queue, each) for each in (1, 2, 3)] == [False, False, True]
    with queue.service.store.read() as link:
        found = decisions.read(link, 1)
        acts = {incidents.act_digest(each, decisions.read(link, each).acts[0]) for each in (1, 2)}
    assert (found.outcome, found.acts[0].reason) == ("explained", REASON)
    told = {line.outcome for _, line in queue.service.audit.latest(2)}
    assert told == {f"done {each}" for each in acts}  # whole, each in a line: doctor looks for it


REFUSED: tuple[tuple[str, tuple[int, ...], dict[str, str], int], ...] = (
    ("inspector", (1, 4), {}, 403), ("inspector", (5,), {}, 403), ("inspector", (6,), {}, 403),
    ("inspector", (1, 5), {}, 403), ("host-operator", (1, 2), {}, 403),
    ("auditor", (1,), {}, 403), ("inspector", (), {}, 422),
    ("inspector", (1, 2), {"reason": "short"}, 422),
    ("inspector", (1, 2), {"outcome": "fine"}, 422),
    ("inspector", (1, 2), {"take.2": "x"}, 409), ("inspector", (1,), {"take.99": "x"}, 404),
    ("inspector", (1,), {"take.x": "x"}, 422),
)  # fmt: skip
"""Role, incidents, what else is sent, and the status of the refusal."""


def test_policy_holds_and_nothing_is_decided_in_part(queue: Kit) -> None:
    for role, numbers, changes, status in REFUSED:
        answer = decide(queue, role, *numbers, **changes)
        assert answer.status_code == status, (role, numbers, changes)
    assert all(is_open(queue, each) for each in range(1, 7))


def test_what_comes_meanwhile_is_not_disposed_with_the_rest(queue: Kit) -> None:
    """A host slips a finding in while an inspector reads."""
    before = {f"take.{each}": seen(queue, each) for each in (1, 2)}
    with queue.service.store.write() as link:
        link.execute(update(TRIGGERS).where(TRIGGERS.c.incident_id == 2).values(times=2))
    assert decide(queue, "inspector", **before).status_code == 409
    assert is_open(queue, 1) and is_open(queue, 2)


def test_what_is_disposed_is_not_disposed_again(queue: Kit) -> None:
    assert decide(queue, "inspector", 1).status_code == 303
    assert decide(queue, "inspector", 1, 2).status_code == 409
    assert is_open(queue, 2)


def test_a_form_decides_no_more_than_a_page_holds(queue: Kit) -> None:
    numbers = range(10, 10 + review_page.ROWS + 1)
    for each in numbers:
        waiting(queue, each, "verdict.denied")
    assert decide(queue, "inspector", *numbers).status_code == 422
    row = queue.client("inspector").get("/review.json?kinds=verdict.denied").json()
    assert (len(row["rows"]), row["pages"]) == (review_page.ROWS, 2)
    assert decide(queue, "inspector", *list(numbers)[:-1]).status_code == 303


def test_an_empty_queue_teaches(kit: Kit) -> None:
    assert "Nothing waits to be explained" in kit.client("inspector").get("/review").text
