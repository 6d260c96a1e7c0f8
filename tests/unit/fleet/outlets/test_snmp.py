"""SNMPv3 against a receiver of pysnmp: encrypted and signed, confirmed, and as the MIB says."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from brokers import free_port, until
from outlets_kit import HOSTILE, counted, notice, says_no_end
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.proto.api import v2c

from casemate.fleet.alarms.notice import KINDS, spoken
from casemate.fleet.outlets import snmp
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.settings import Snmp
from casemate.fleet.outlets.snmp import MODULE, NOTIFICATIONS, OBJECTS, SnmpOutlet, engine_id

AUTH, PRIVACY = b"an auth passphrase", b"a privacy passphrase"
MIB = Path(__file__).parents[4] / "deploy" / "monitoring" / "CASEMATE-MIB.txt"
TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"


@dataclass(slots=True)
class Manager:
    """A receiver. got: objects by OID, of each notification. seen: datagrams as they came."""

    port: int
    got: list[dict[str, Any]] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)


@contextmanager
def manager(auth: bytes = AUTH, privacy: bytes = PRIVACY, *, boots: int = 0) -> Iterator[Manager]:
    """Yield a receiver that knows a user, also as the sender's engine has it."""
    held = Manager(free_port())
    ready, loops = threading.Event(), []

    def serve() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        made = engine.SnmpEngine()
        link = udp.UdpAsyncioTransport(loop=loop).open_server_mode(("127.0.0.1", held.port))
        real = link.datagram_received
        link.datagram_received = lambda data, at: (held.seen.append(data), real(data, at))
        config.add_transport(made, udp.DOMAIN_NAME, link)
        for engine_ in (None, v2c.OctetString(engine_id("fleet.test", "noc"))):
            given = {} if engine_ is None else {"securityEngineId": engine_}
            config.add_v3_user(
                made, "casemate", config.USM_AUTH_HMAC192_SHA256, auth.decode(),
                config.USM_PRIV_CFB128_AES, privacy.decode(), **given,
            )  # fmt: skip
        ntfrcv.NotificationReceiver(
            made, lambda _e, _s, _i, _n, binds, _c: held.got.append(
                {str(key): value for key, value in binds}
            ),
        )  # fmt: skip
        made.transport_dispatcher.job_started(1)
        loops.append(loop)
        loop.call_soon(ready.set)
        loop.run_forever()
        made.close_dispatcher()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield held
    finally:
        loops[0].call_soon_threadsafe(loops[0].stop)
        thread.join(20)


@contextmanager
def outlet(port: int, *, boots: int = 1, **changes: Any) -> Iterator[SnmpOutlet]:
    """Yield an outlet to a receiver."""
    made = Snmp(
        name="noc", host="127.0.0.1", port=port, user="casemate", auth=AUTH, privacy=PRIVACY,
        confirmed=True,
    )  # fmt: skip
    told = Told(service="fleet.test", clock=lambda: 0.0, boots=boots, again=counted())
    held = SnmpOutlet(replace(made, **changes), told)
    try:
        yield held
    finally:
        held.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for receivers that are not there."""
    monkeypatch.setattr(snmp, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(snmp, "RETRIES", 1)


def said(row: dict[str, Any]) -> dict[str, str]:
    """Return objects of a notification by the names of the MIB."""
    return {
        name: bytes(value).decode() if isinstance(value, v2c.OctetString) else str(int(value))
        for at, name in enumerate(OBJECTS, 1)
        for value in [row[f"{MODULE}.1.{at}.0"]]
    }


@pytest.mark.parametrize("confirmed", (True, pytest.param(False, marks=pytest.mark.slow)))
def test_notices_come_in_order(confirmed: bool) -> None:
    with manager() as held, outlet(held.port, confirmed=confirmed) as to:
        to.send([notice(id=number, what=what) for number, what in enumerate(KINDS, 1)])
        until(lambda: len(held.got) == len(KINDS))
    for number, (what, row) in enumerate(zip(KINDS, held.got, strict=True), 1):
        assert str(row[TRAP_OID]) == f"{MODULE}.0.{NOTIFICATIONS[what]}"
        found = said(row)
        assert found["casemateNoticeId"] == str(number)
        assert found["casemateText"] == notice(what=what).text
        assert (found["casemateSeverity"], found["casemateCalls"]) == ("1", "1")


def test_nothing_is_said_in_the_open() -> None:
    with manager() as held, outlet(held.port) as to:
        to.send([notice()])
        until(lambda: len(held.got) == 1)
    assert held.seen
    for each in held.seen:
        assert b"rack-a" not in each and b"intrusion" not in each and AUTH not in each


@pytest.mark.parametrize(
    "keys",
    (
        (b"another passphrase", PRIVACY),
        pytest.param((AUTH, b"another passphrase of it"), marks=pytest.mark.slow),
    ),
)
def test_a_receiver_with_other_keys_takes_nothing(keys: tuple[bytes, bytes]) -> None:
    with manager(*keys) as held, outlet(held.port) as to:
        with pytest.raises(OutletError):
            to.send([notice()])
        assert held.got == []


def test_nobody_there() -> None:
    with outlet(free_port()) as to, pytest.raises(OutletError, match="answer"):
        to.send([notice()])


@pytest.mark.slow
def test_traps_say_how_often_the_outlet_has_started() -> None:
    """RFC 3414, section 3.2.7: a receiver takes none of an engine whose boots went back. Ours are
    kept in the store; they stand in the clear behind the engine's id."""
    with manager() as held:
        for boots in (1, 2, 7):
            with outlet(held.port, boots=boots, confirmed=False) as to:
                to.send([notice(id=boots)])
            until(lambda boots=boots: said(held.got[-1])["casemateNoticeId"] == str(boots)
                  if held.got else False)  # fmt: skip
    own = engine_id("fleet.test", "noc")
    for boots, data in zip((1, 2, 7), held.seen, strict=True):
        assert own + bytes((2, 1, boots)) in data


@pytest.mark.slow
def test_nothing_is_kept_where_others_can_write() -> None:
    place = Path(tempfile.gettempdir()) / "__pysnmp" / f"0x{engine_id('fleet.test', 'noc').hex()}"
    with manager() as held, outlet(held.port) as to:
        to.send([notice()])
    assert not place.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_texts_fit_and_say_no_end(name: str) -> None:
    one = notice(name=spoken(name, 3), site=spoken(name, 3), serial="ü" * 200)
    for key, value in snmp.values(one):
        assert key.startswith(f"{MODULE}.1.")
        data = bytes(value) if isinstance(value, v2c.OctetString) else b""
        assert len(data) <= 255
        data.decode("utf-8")
        says_no_end(data)


def test_the_mib_has_what_is_sent() -> None:
    """Names, numbers and order of the MIB are those of the code."""
    text = MIB.read_text()
    says_no_end(text)
    named = r"^(\w+) OBJECT-TYPE[\s\S]*?::= \{ casemateObjects (\d+) \}"
    numbers = dict(re.findall(named, text, re.M))
    assert numbers == {name: str(at) for at, name in enumerate(OBJECTS, 1)}
    told = re.findall(
        r"^\w+ NOTIFICATION-TYPE\s+OBJECTS \{([^}]*)\}[\s\S]*?"
        r"::= \{ casemateNotifications (\d+) \}", text, re.M,
    )  # fmt: skip
    assert [int(number) for _, number in told] == sorted(NOTIFICATIONS.values())
    for held, _ in told:
        assert tuple(re.findall(r"\w+", held)) == OBJECTS
    enterprise = re.findall(r"casemate OBJECT IDENTIFIER ::= \{ enterprises (\d+) \}", text)[0]
    own = re.findall(r"casemateMIB MODULE-IDENTITY[^}]*::= \{ casemate (\d+) \}", text)[0]
    assert MODULE == f"1.3.6.1.4.1.{enterprise}.{own}"
    for name, number in snmp.SEVERITY.items():
        assert f"{name}({number})" in text
    assert text.count("{") == text.count("}") and text.rstrip().endswith("END")
