"""Events: streams, subscriptions, and where they may be sent."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet_kit import Kit, kit_in
from redfish_kit import ROLES, ROOT, RedfishKit, armed, redfish_of, stand, unknown
from sqlalchemy import select

from casemate.core.errors import InputError
from casemate.fleet.access import certificates
from casemate.fleet.redfish import accounts, delivery, destinations, events, stream, subscriptions
from casemate.fleet.redfish.destinations import Destination
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import REDFISH_SUBSCRIPTIONS
from casemate.fleet.web.server import Server

ADMIN, OPERATOR, READER = ROLES
SUBSCRIPTIONS = f"{ROOT}/EventService/Subscriptions"
TEST = f"{ROOT}/EventService/Actions/EventService.SubmitTestEvent"
GOOD = {"Destination": "https://10.20.0.9/events", "Protocol": "Redfish", "Context": "rack 4"}


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A Redfish service that may send to one network."""
    with kit.service.store.write() as link:
        destinations.allow(link, "10.20.0.0/16")
    return redfish_of(kit)


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """The same, for tests that change nothing."""
    with kit_in(tmp_path_factory.mktemp("events")) as kit:
        with kit.service.store.write() as link:
            destinations.allow(link, "10.20.0.0/16")
        yield redfish_of(kit)


def subscribe(made: RedfishKit, role: str = OPERATOR, **change: Any) -> Any:
    """Ask for a subscription."""
    return made.client(role).post(SUBSCRIPTIONS, json={**GOOD, **change})


@pytest.mark.parametrize(
    "url",
    (
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://0.0.0.0/",
        "https://169.254.169.254/latest/meta-data", "https://[fe80::1]/", "https://224.0.0.1/",
        "https://[::ffff:10.20.0.9]/", "https://[2002:0a14:0009::1]/", "https://192.168.0.1/",
        "https://10.21.0.1/", "https://8.8.8.8/", "http://10.20.0.9/", "ftp://10.20.0.9/",
        "https://user:pw@10.20.0.9/", "https://10.20.0.9:22/", "https://10.20.0.9:99999/",
        "https://10.20.0.9/#x", "https://", "//10.20.0.9/", "https://10.20.0.9/a b",
        "https://10.20.0.9/\r\nX: y", "https://0x7f000001/", "https://2130706433/",
        "https://10.20.0.9\\@127.0.0.1/", "https://" + "a" * 600, 5, None, ["https://10.20.0.9/"],
    ),
)  # fmt: skip
def test_destinations_that_are_refused(still: RedfishKit, url: Any) -> None:
    answer = subscribe(still, Destination=url)
    assert answer.status_code == 400, url
    (info,) = answer.json()["error"]["@Message.ExtendedInfo"]
    assert info["RelatedProperties"] == ["#/Destination"]
    with still.kit.service.store.read() as link:
        assert not subscriptions.all_(link)


def test_nothing_is_allowed_until_somebody_on_the_machine_says_so(made: RedfishKit) -> None:
    with made.kit.service.store.write() as link:
        destinations.forbid(link, "10.20.0.0/16")
        with pytest.raises(InputError):
            destinations.forbid(link, "10.20.0.0/16")
        for network in (
            "127.0.0.0/8",
            "169.254.0.0/16",
            "::1/128",
            "224.0.0.0/4",
            "x",
            "10.1.1.1/8",
        ):
            with pytest.raises(InputError):
                destinations.allow(link, network)
    assert subscribe(made).status_code == 400


def test_this_machine_links_and_groups_are_never_allowed_whatever_is() -> None:
    all_ = [destinations.ipaddress.ip_network(each) for each in ("0.0.0.0/0", "::/0")]
    for good in ("10.20.0.9", "8.8.8.8", "2001:db8::9"):
        assert destinations.is_allowed(good, all_)
    for bad in (
        "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "fe80::1%1",
        "224.0.0.1", "ff02::1", "::ffff:10.20.0.9", "2002:0a14:9::1", "2001:0:1::1", "10.20.0.9.",
    ):  # fmt: skip
        assert not destinations.is_allowed(bad, all_), bad


def test_all_addresses_of_a_name_have_to_be_allowed() -> None:
    allowed = [destinations.ipaddress.ip_network("10.20.0.0/16")]
    to = Destination(host="receiver.test", port=443, path="/")
    assert destinations.checked(to, allowed, lambda *_: ["10.20.0.9"]) == ("10.20.0.9",)
    for found in ([], ["10.20.0.9", "127.0.0.1"], ["fe80::1%eth0"], ["10.20.0.9", "not one"]):
        with pytest.raises(RedfishError):
            destinations.checked(to, allowed, lambda *_, found=found: found)


@pytest.mark.parametrize(
    "change",
    (
        {"Protocol": "FTP"}, {"Protocol": None}, {"EventFormatType": "MetricReport"},
        {"SubscriptionType": "SSE"}, {"VerifyCertificate": False}, {"VerifyCertificate": 1},
        {"HttpHeaders": [{"Authorization": "x"}]}, {"Context": 5}, {"Context": "x" * 201},
        {"Context": "a\r\nb"}, {"Severities": ["Fatal"]}, {"Severities": "OK"},
        {"MessageIds": ["Casemate.1.0.None"]}, {"RegistryPrefixes": ["Base"]},
        {"DeliveryRetryPolicy": "TerminateAfterRetries"}, {"Severities": ["OK"] * 9},
    ),
)  # fmt: skip
def test_subscriptions_that_cannot_be(still: RedfishKit, change: dict[str, Any]) -> None:
    answer = subscribe(still, **change)
    assert answer.status_code == 400
    name = next(iter(change))
    assert name in answer.json()["error"]["@Message.ExtendedInfo"][0]["MessageArgs"]


def test_subscriptions_have_an_end_and_owners(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "MOST_OF_ONE", 4)
    assert subscribe(made, READER).status_code == 403
    first = subscribe(made)
    assert first.status_code == 201 and first.json()["VerifyCertificate"] is True
    for _ in range(subscriptions.MOST_OF_ONE - 1):
        assert subscribe(made).status_code == 201
    assert subscribe(made).status_code == 503
    assert made.client(READER).delete(first.headers["location"]).status_code == 403
    assert made.client(ADMIN).delete(first.headers["location"]).status_code == 204
    assert made.client(ADMIN).delete(first.headers["location"]).status_code == 404
    page = made.get(f"{SUBSCRIPTIONS}?$top=1&$skip=1")
    assert (len(page["Members"]), page["Members@odata.count"]) == (1, 3)
    with made.kit.service.store.write() as link:
        accounts.change(link, 2, {"enabled": False})
        assert not subscriptions.active(link)
        accounts.remove(link, 2)
        assert not link.execute(select(REDFISH_SUBSCRIPTIONS)).all()


def test_delivery_filters_retries_and_goes_on_where_it_stood(made: RedfishKit) -> None:
    assert subscribe(made, Severities=["Critical"]).status_code == 201
    sent: list[tuple[str, Any]] = []
    statuses = [503, 302, 204]

    def send(to: Destination, address: str, body: bytes) -> int:
        sent.append((address, json.loads(body)))
        return statuses.pop(0)

    def once() -> int | None:
        with made.kit.service.store.read() as link:
            (each,) = subscriptions.all_(link)
        return delivery.deliver(made.redfish, each, send)

    assert once() == 0 and not sent
    assert made.client(OPERATOR).post(TEST, json={}).status_code == 204
    assert once() == 1 and not sent  # it is not wanted
    stand(made, unknown)
    assert once() is None and once() is None  # a failure, and a redirection that nobody follows
    last = once()
    with made.kit.service.store.read() as link:
        assert last == events.latest(link)
    address, body = sent[-1]
    assert address == "10.20.0.9" and body["Context"] == "rack 4"
    assert {each["MessageSeverity"] for each in body["Events"]} == {"Critical"}
    assert "chassis intrusion" in str(body)
    with made.kit.service.store.write() as link:
        destinations.forbid(link, "10.20.0.0/16")
    assert once() is None and len(sent) == 3  # what is allowed is asked each time


def test_a_receiver_that_fails_holds_up_no_other(made: RedfishKit) -> None:
    for host in ("10.20.0.1", "10.20.0.2"):
        assert subscribe(made, Destination=f"https://{host}/").status_code == 201
    taken = threading.Event()

    def send(to: Destination, address: str, body: bytes) -> int:
        if address == "10.20.0.1":
            taken.wait(60)  # as long as the other takes, however busy the machine is
            raise OSError("it does not answer")
        taken.set()
        return 200

    telling = delivery.Delivery(made.redfish, send=send)
    try:
        made.client(OPERATOR).post(TEST, json={})
        assert taken.wait(60)
    finally:
        taken.set()
        telling.close()
    with made.kit.service.store.read() as link:
        first, second = subscriptions.all_(link)
    assert (first.sent, second.sent, second.failed) == (0, 1, 0)
    assert first.failed >= 1
    assert made.get(f"{SUBSCRIPTIONS}/{first.id}")["Status"]["Health"] == "Warning"


def test_tries_come_ever_later_and_never_too_late() -> None:
    waits = [delivery.wait_after(each) for each in (0, 1, 2, 8, 9, 5000)]
    assert waits == [0.0, 2.0, 4.0, 256.0, 300.0, 300.0]


def test_a_connection_goes_to_the_checked_address_with_the_names_certificate(
    tmp_path: Path,
) -> None:
    certificates.make_authority(tmp_path, "receiver.test")
    got: list[bytes] = []

    async def receiver(scope: Any, receive: Any, send: Any) -> None:
        got.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 307,
                    "headers": [(b"location", b"https://127.0.0.1/other")]})  # fmt: skip
        await send({"type": "http.response.body"})

    server = Server(receiver, "127.0.0.1", 0, tls=tmp_path)
    context = ssl.create_default_context(cafile=str(tmp_path / certificates.CA))
    try:
        to = Destination(host="receiver.test", port=server.port, path="/x")
        assert destinations.send(to, "127.0.0.1", b"{}", context) == 307
        assert got == [b"{}"]
        other = Destination(host="other.test", port=server.port, path="/x")
        with pytest.raises(ssl.SSLCertVerificationError):
            destinations.send(other, "127.0.0.1", b"{}", context)
        with pytest.raises(ssl.SSLCertVerificationError):  # of an authority that nobody trusts
            destinations.send(to, "127.0.0.1", b"{}")
    finally:
        server.close()
    assert got == [b"{}"]


def test_a_stream_tells_each_event_once_and_ends_when_it_is_deleted(made: RedfishKit) -> None:
    stand(made, armed)
    server = Server(made.app, "127.0.0.1", 0)
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        token = {"X-Auth-Token": made.token(OPERATOR)}
        link.request("GET", f"{ROOT}/EventService/SSE", headers=token)
        answer = link.getresponse()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.readline() == b": open\n"
        (member,) = made.get(SUBSCRIPTIONS)["Members"]
        row = made.get(member["@odata.id"])
        assert row["SubscriptionType"] == "SSE" and isinstance(row["Context"], str)
        made.client(OPERATOR).post(TEST, json={})
        answer.readline()
        number = answer.readline()
        data = json.loads(answer.readline().removeprefix(b"data: "))
        assert number == b"id: %d\n" % int(data["Id"])
        assert data["Events"][0]["MessageId"] == "Casemate.1.0.TestEvent"
        assert made.client(READER).delete(member["@odata.id"]).status_code == 403
        assert made.client(OPERATOR).delete(member["@odata.id"]).status_code == 204
        assert answer.read() == b"\n"
        assert made.get(SUBSCRIPTIONS)["Members"] == []
        link.request("GET", f"{ROOT}/EventService/SSE", headers=token)
        gone = link.getresponse()
        assert gone.readline() == b": open\n" and made.redfish.hub.streams
        gone.close()
        link.close()
        for _ in range(100):
            if not made.redfish.hub.streams:
                break
            time.sleep(0.05)
        assert not made.redfish.hub.streams  # whoever leaves takes nobody's place
    finally:
        made.redfish.hub.ended = True
        link.close()
        server.close()


async def _some(made: RedfishKit, account: accounts.Account, last_id: str, count: int) -> list[str]:
    number, last = stream.open_stream(made.redfish, account, last_id)
    found, lines = [], stream.lines(made.redfish, account, number, last)
    async for each in lines:
        found.append(each.decode().split("\n")[0])
        if len(found) == count:
            await lines.aclose()
            break
    return found


def test_streams_go_on_from_the_last_event_and_are_few(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        made.client(OPERATOR).post(TEST, json={})
    with made.kit.service.store.read() as link:
        account = accounts.by_id(link, 2)
    made.redfish.hub.latest = 4
    assert asyncio.run(_some(made, account, "2", 3)) == [": open", "id: 3", "id: 4"]
    assert not made.redfish.hub.streams and not made.redfish.hub.owners
    for odd, known in (("99", 4), ("x", 4), ("-1", 4), ("1" * 40, 4), ("0", 0)):
        number, last = stream.open_stream(made.redfish, account, odd)
        assert last == known, odd
        made.redfish.hub.streams.pop(number), made.redfish.hub.owners.pop(number)
    for _ in range(stream.MOST_OF_ONE):
        stream.open_stream(made.redfish, account, "")
    with pytest.raises(RedfishError, match="too many subscriptions"):
        stream.open_stream(made.redfish, account, "")
    monkeypatch.setattr(stream, "ALIVE_S", 0.0)
    with made.kit.service.store.write() as link:
        accounts.change(link, 2, {"enabled": False})
    made.redfish.hub.streams.clear(), made.redfish.hub.owners.clear()
    assert asyncio.run(_some(made, account, "", 5)) == [": open"]  # the account may no more


def test_a_service_that_looks_no_more_says_so(made: RedfishKit) -> None:
    made.scan()
    assert made.get(f"{ROOT}/EventService")["Status"]["Health"] == "OK"
    made.kit.clock.now_s += 31
    assert made.get(f"{ROOT}/EventService")["Status"]["Health"] == "Critical"
    assert made.get(f"{ROOT}/Managers/fleet")["Status"]["Health"] == "Critical"


def test_a_client_that_leaves_before_the_first_line_takes_no_place(made: RedfishKit) -> None:
    path, token = f"{ROOT}/EventService/SSE", made.token(OPERATOR).encode()
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": [(b"x-auth-token", token), (b"host", b"fleet.test")],
        "client": ("192.0.2.1", 5), "server": ("fleet.test", 443), "scheme": "https",
        "asgi": {"version": "3.0", "spec_version": "2.3"}, "root_path": "",
    }  # fmt: skip
    seen: list[int] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(_message: dict[str, Any]) -> None:
        seen.append(len(made.redfish.hub.streams))
        raise OSError("it is gone")

    with pytest.raises(BaseException):  # noqa: B017 - of the framework's, whichever it is
        asyncio.run(made.app(scope, receive, send))
    assert seen == [1]
    assert not made.redfish.hub.streams and not made.redfish.hub.owners
