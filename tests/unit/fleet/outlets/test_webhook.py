"""Webhooks: CloudEvents that are signed, never twice, and never where they should not go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from fleet_kit import Kit
from outlets_kit import HOSTILE, counted, find, notice, put, says_no_end, told, trigger
from receivers import Hook, hook, identity

from casemate.core.errors import SignatureError
from casemate.fleet import addresses
from casemate.fleet.alarms import outbox
from casemate.fleet.alarms.notice import KINDS, spoken
from casemate.fleet.outlets import destination, signature
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.sender import Sender
from casemate.fleet.outlets.settings import Tls, Webhook
from casemate.fleet.outlets.signature import TOLERANCE_S, Receiver, sign
from casemate.fleet.outlets.webhook import WebhookOutlet, event

SECRET = b"a secret that two sides share"
NOW_S = 1_800_000_000
HERE = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Hook]:
    """A receiver of webhooks."""
    with hook(tmp_path) as held:
        yield held


def outlet(
    folder: Path, port: int, *, networks: tuple[object, ...] = HERE,
    look: addresses.Lookup = addresses.lookup, host: str = "localhost",
) -> WebhookOutlet:  # fmt: skip
    """Return an outlet to a receiver of the same authority."""
    made = Webhook(
        name="soc", url=f"https://{host}:{port}/in?x=1", secret=SECRET,
        networks=networks,  # type: ignore[arg-type]
        tls=Tls(ca=str(identity(folder) / "ca.pem"), certificate="", key=""),
    )  # fmt: skip
    here = Told(service="fleet.test", clock=lambda: float(NOW_S), boots=1, again=counted())
    return WebhookOutlet(made, here, look=look)


def test_an_event_comes_signed_and_whole(tmp_path: Path, receiver: Hook) -> None:
    outlet(tmp_path, receiver.port).send([notice(), notice(id=8)])
    check = Receiver(SECRET)
    for headers, body in receiver.got:
        assert headers["content-type"].startswith("application/cloudevents+json")
        assert check.take(headers, body, NOW_S)
    row = json.loads(receiver.got[0][1])
    said = row["specversion"], row["id"], row["source"]
    assert said == ("1.0", "7-1800000000", "/casemate/fleet.test")
    assert row["data"]["text"] == notice().text
    assert not check.take(*receiver.got[0], NOW_S)  # it was taken before


@pytest.mark.parametrize("what", KINDS)
def test_events_have_what_cloudevents_ask_for(what: str) -> None:
    for name in HOSTILE:
        said = spoken(name, 3)
        row = event(notice(what=what, name=said, site=said), "fleet.test")
        for key in ("specversion", "id", "source", "type"):
            assert isinstance(row[key], str) and row[key]
        assert all(key.isalnum() and key.islower() and len(key) <= 20 for key in row)
        says_no_end(json.dumps(row))
    assert event(notice(), "a") == event(notice(), "a")


CHANGES = (
    {"webhook-id": "8"}, {"webhook-timestamp": str(NOW_S + 1)}, {"webhook-signature": "v1,AAAA"},
    {"webhook-signature": ""}, {"webhook-signature": "v1,%"}, {"webhook-timestamp": "soon"},
    {"webhook-timestamp": ""}, {"webhook-timestamp": "9" * 40}, {"webhook-id": "ü"},
)  # fmt: skip


def test_the_signature_is_that_of_the_specification() -> None:
    """Its own example: secret, id, time, body and what is signed of them."""
    made = sign(
        signature.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330, b'{"test": 2432232314}',
    )  # fmt: skip
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    for bad in ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_?", ""):
        with pytest.raises(ValueError):
            signature.key(bad)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_on_the_way_is_refused(change: dict[str, str]) -> None:
    headers = sign(SECRET, "7", NOW_S, b"body")
    assert Receiver(SECRET).take(headers, b"body", NOW_S)
    with pytest.raises(SignatureError):
        Receiver(SECRET).take({**headers, **change}, b"body", NOW_S)


def test_another_body_or_secret_or_time_is_refused() -> None:
    headers = sign(SECRET, "7", NOW_S, b"body")
    with pytest.raises(SignatureError):
        Receiver(SECRET).take(headers, b"bodY", NOW_S)
    with pytest.raises(SignatureError):
        Receiver(SECRET[:-1] + b"!").take(headers, b"body", NOW_S)
    for later_s in (-TOLERANCE_S - 1, TOLERANCE_S + 1):
        with pytest.raises(SignatureError):
            Receiver(SECRET).take(headers, b"body", NOW_S + later_s)
    both = {**headers, "webhook-signature": f"v1a,x v1,AAAA {headers['webhook-signature']}"}
    assert Receiver(SECRET).take(both, b"body", NOW_S)  # while a secret is exchanged


def test_a_receiver_remembers_only_so_many() -> None:
    check = Receiver(SECRET, most=2)
    for number in range(3):
        assert check.take(sign(SECRET, str(number), NOW_S, b""), b"", NOW_S)
    assert not check.take(sign(SECRET, "2", NOW_S, b""), b"", NOW_S)
    assert check.take(sign(SECRET, "0", NOW_S, b""), b"", NOW_S)


PRIVATE = (
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "::",
    "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "224.0.0.1", "255.255.255.255",
    "100.64.0.1", "240.0.0.1", "ff02::1", "192.0.2.1", "", "localhost", "0x7f.1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not destination.allowed(address, ())
    with pytest.raises(OutletError):
        destination.resolve("soc.example", 443, (), lambda _host, _port: [address])
    with pytest.raises(OutletError):  # one among good ones
        destination.resolve("soc.example", 443, (), lambda _host, _port: ["9.9.9.9", address])


def test_addresses_that_may_be() -> None:
    for address in ("9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"):
        assert destination.allowed(address, ())
        assert not destination.allowed(address, HERE)
    assert destination.allowed("127.0.0.1", HERE)
    assert destination.allowed("::ffff:127.0.0.1", HERE)
    with pytest.raises(OutletError):
        destination.resolve("soc.example", 443, (), lambda _host, _port: [])


def test_a_name_that_points_elsewhere_the_second_time(tmp_path: Path, receiver: Hook) -> None:
    """DNS rebinding: what was checked is what is connected to; each notice is looked up once."""
    answers = iter((["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]))
    to = outlet(tmp_path, receiver.port, look=lambda _host, _port: next(answers))
    to.send([notice()])
    for _ in range(2):
        with pytest.raises(OutletError, match="may have"):
            to.send([notice()])
    assert len(receiver.got) == 1


def test_nothing_is_looked_up_a_second_time(tmp_path: Path, receiver: Hook) -> None:
    """The name is nobody's: who looks it up again gets nowhere. Its certificate has to fit it."""
    here = lambda _host, _port: ["127.0.0.1"]  # noqa: E731
    outlet(tmp_path, receiver.port, look=here, host="hooks.example").send([notice()])
    assert receiver.got[0][0]["host"] == f"hooks.example:{receiver.port}"
    with pytest.raises(OutletError, match="certificate"):
        outlet(tmp_path, receiver.port, look=here, host="other.example").send([notice()])
    assert len(receiver.got) == 1


def test_without_networks_this_machine_is_no_destination(tmp_path: Path, receiver: Hook) -> None:
    with pytest.raises(OutletError, match="may have"):
        outlet(tmp_path, receiver.port, networks=()).send([notice()])
    assert receiver.got == []


@pytest.mark.parametrize("status", (301, 302, 307, 308, 400, 404, 410, 429, 500, 503))
def test_redirects_and_refusals_are_not_taken(tmp_path: Path, receiver: Hook, status: int) -> None:
    receiver.status, receiver.location = status, f"https://127.0.0.1:{receiver.port}/elsewhere"
    with pytest.raises(OutletError, match=str(status)) as caught:
        outlet(tmp_path, receiver.port).send([notice()])
    assert len(receiver.got) == 1  # nobody followed
    assert "elsewhere" not in str(caught.value)


def test_order_is_kept_and_nothing_lost_where_a_receiver_refuses(
    kit: Kit, tmp_path: Path, receiver: Hook
) -> None:
    store = kit.service.store
    for number in range(5):
        find(store, put(store, number), 1000, trigger("state.tampered", 1000, 1))
    with store.write() as link:
        sent, _ = outbox.begin(link, "soc")
    kit.service.pulse.begun("soc", "webhook")
    to = outlet(tmp_path, receiver.port)
    sender = Sender(store, kit.service.pulse, kit.clock, "soc", to, sent)
    sender.once()
    receiver.status = 503
    for _ in range(3):
        with pytest.raises(OutletError):
            sender.once()
    receiver.status = 200
    while sender.once():
        pass
    ids = [json.loads(body)["id"] for _, body in receiver.got]
    assert list(dict.fromkeys(ids)) == [each.key for each in told(store)]
    check = Receiver(SECRET)
    taken = [check.take(headers, body, NOW_S) for headers, body in receiver.got]
    assert taken.count(True) == 5  # who brings one again is known by its id


def test_a_restored_store_tells_no_alarm_under_a_number_that_was_taken(
    tmp_path: Path, receiver: Hook
) -> None:
    """After a restore numbers are given anew; a receiver takes the later alarm all the same."""
    for at_s in (1_700_000_000, 1_700_000_060):
        outlet(tmp_path, receiver.port).send([notice(id=9, at_s=at_s)])
    check = Receiver(SECRET)
    assert [check.take(*each, NOW_S) for each in receiver.got] == [True, True]


def test_headers_hold_nothing_from_names(tmp_path: Path, receiver: Hook) -> None:
    outlet(tmp_path, receiver.port).send([replace(notice(), name="x\r\nX-Evil: 1")])
    headers, body = receiver.got[0]
    assert "x-evil" not in headers
    assert json.loads(body)["data"]["name"] == "x\r\nX-Evil: 1"  # inside JSON, escaped
