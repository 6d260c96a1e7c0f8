"""Where the service connects to by itself: checked addresses, and receivers that drip."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from casemate.fleet import addresses
from casemate.fleet.access import certificates
from casemate.fleet.addresses import AddressError
from casemate.fleet.redfish import destinations
from casemate.fleet.redfish.destinations import Destination

ALL = [destinations.ipaddress.ip_network(each) for each in ("0.0.0.0/0", "::/0")]


def test_one_bad_address_among_good_ones_spoils_them() -> None:
    def may(text: str) -> bool:
        return text.startswith("10.")

    assert addresses.checked("x", 443, may, lambda *_: ["10.0.0.1", "10.0.0.2"]) == (
        "10.0.0.1", "10.0.0.2",
    )  # fmt: skip
    for found in ([], ["10.0.0.1", "127.0.0.1"]):
        with pytest.raises(AddressError):
            addresses.checked("x", 443, may, lambda *_, found=found: found)

    def fails(*_: object) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(AddressError):
        addresses.checked("x", 443, may, fails)


def test_an_address_that_stands_for_another_is_no_destination_of_clients() -> None:
    for bad in ("64:ff9b::a14:9", "64:ff9b:1::1", "2002:a14:9::1", "::ffff:10.20.0.9"):
        assert not destinations.is_allowed(bad, ALL), bad


def test_an_own_address_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of receivers may hold the service itself: what listens there is not a receiver."""
    assert addresses.is_here(destinations.ipaddress.ip_address("127.0.0.1"))
    assert not addresses.is_here(destinations.ipaddress.ip_address("203.0.113.9"))
    assert destinations.is_allowed("203.0.113.9", ALL)
    own = destinations.ipaddress.ip_address("203.0.113.9")
    monkeypatch.setattr(addresses, "is_here", lambda address: address == own)
    assert not destinations.is_allowed("203.0.113.9", ALL)
    assert destinations.is_allowed("203.0.113.10", ALL)


@pytest.fixture
def drips(tmp_path: Path) -> Iterator[int]:
    """The port of a receiver that takes all, and answers a byte at a time for ever."""
    certificates.make_authority(tmp_path, "receiver.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / certificates.CERTIFICATE, tmp_path / certificates.KEY)
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        with suppress(OSError), closing(context.wrap_socket(listening.accept()[0], True)) as link:
            link.sendall(b"HTTP/1.1 200 OK\r\nx: ")
            while not stop.wait(0.05):
                link.sendall(b"y")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    stop.set()
    listening.close()
    thread.join(5)


def test_a_receiver_that_drips_ends(
    drips: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else four subscriptions would hold all that send, and no alarm would be told any more."""
    monkeypatch.setattr(destinations, "WHOLE_S", 0.3)
    context = ssl.create_default_context(cafile=str(tmp_path / certificates.CA))
    to = Destination(host="receiver.test", port=drips, path="/")
    begun_s = time.monotonic()
    with pytest.raises((OSError, http.client.HTTPException)):
        destinations.send(to, "127.0.0.1", b"{}", context)
    assert time.monotonic() - begun_s < destinations.TIMEOUT_S
