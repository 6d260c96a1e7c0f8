"""Two parties with accounts at one service: neither reads as the other, nor silences it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fleet_kit import PEER, Kit
from redfish_kit import ROLES, ROOT, RedfishKit, redfish_of
from sqlalchemy import update

from casemate.fleet.redfish import accounts, destinations, stream
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import REDFISH_ACCOUNTS

ADMIN, OPERATOR, READER = ROLES
ACCOUNTS = f"{ROOT}/AccountService/Accounts"
SUBSCRIPTIONS = f"{ROOT}/EventService/Subscriptions"
TEST = f"{ROOT}/EventService/Actions/EventService.SubmitTestEvent"


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A service whose Administrator is of one party, and whose other accounts are of another."""
    found = redfish_of(kit)
    with kit.service.store.write() as link:
        destinations.allow(link, "10.20.0.0/16")
        gone = update(REDFISH_ACCOUNTS).where(REDFISH_ACCOUNTS.c.role != ADMIN)
        link.execute(gone.values(party=PEER))
    return found


def number_of(made: RedfishKit, role: str) -> int:
    """Return the number of a role's account."""
    with made.kit.service.store.read() as link:
        found = accounts.by_name(link, f"{role}-one")
    assert found is not None
    return found.id


def test_an_administrator_has_no_power_over_accounts_of_another_party(made: RedfishKit) -> None:
    theirs = f"{ACCOUNTS}/{number_of(made, OPERATOR)}"
    for change in ({"Password": "another password of Mallory"}, {"Enabled": False},
                   {"RoleId": "ReadOnly"}):  # fmt: skip
        assert made.client(ADMIN).patch(theirs, json=change).status_code == 403
    assert made.client(ADMIN).delete(theirs).status_code == 403
    token = made.token(OPERATOR)
    sessions = made.client(ADMIN).get(f"{ROOT}/SessionService/Sessions").json()["Members"]
    assert len(sessions) == 1  # its own
    number = _session(made, token)
    answer = made.client(ADMIN).delete(f"{ROOT}/SessionService/Sessions/{number}")
    assert answer.status_code == 404
    assert made.client(OPERATOR).get(f"{ROOT}/Chassis").status_code == 200


def _session(made: RedfishKit, token: str) -> int:
    with made.kit.service.store.read() as link:
        found = accounts.of_session(link, token, made.kit.service.now_s())
    assert found is not None
    return found[0].session


def test_nobody_ends_what_another_party_listens_to(made: RedfishKit) -> None:
    asked = {"Destination": "https://10.20.0.9/", "Protocol": "Redfish"}
    theirs = made.client(OPERATOR).post(SUBSCRIPTIONS, json=asked).headers["location"]
    assert made.client(ADMIN).delete(theirs).status_code == 403
    with made.kit.service.store.read() as link:
        reader = accounts.by_name(link, f"{READER}-one")
    assert reader is not None
    number, _ = stream.open_stream(made.redfish, reader, "")
    assert made.client(ADMIN).delete(f"{SUBSCRIPTIONS}/sse-{number}").status_code == 403
    assert number in made.redfish.hub.streams
    assert made.client(OPERATOR).delete(theirs).status_code == 204


def test_test_events_do_not_hold_back_what_is_true(made: RedfishKit) -> None:
    answers = [made.client(OPERATOR).post(TEST, json={}).status_code for _ in range(12)]
    assert answers == [204] * 10 + [429] * 2
    assert made.client(ADMIN).post(TEST, json={}).status_code == 204  # each has its own share
    made.kit.clock.now_s += 60
    assert made.client(OPERATOR).post(TEST, json={}).status_code == 204


def test_streams_at_once_stay_within_their_bound(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_OF_ONE", 5)
    with made.kit.service.store.read() as link:
        reader: Any = accounts.by_name(link, f"{READER}-one")
    together, opened = threading.Barrier(12), list[int]()

    def ask() -> None:
        together.wait(10)
        try:
            opened.append(stream.open_stream(made.redfish, reader, "")[0])
        except RedfishError as error:
            assert error.key == "EventSubscriptionLimitExceeded"

    asking = [threading.Thread(target=ask) for _ in range(12)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(20)
    assert len(opened) == len(set(opened)) == 5
