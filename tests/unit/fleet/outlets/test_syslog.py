"""Syslog: the form of RFC 5424, framing and TLS of RFC 5425; nothing is lost on the way."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

import pytest
from fleet_kit import Kit
from outlets_kit import HOSTILE, counted, find, notice, put, says_no_end, told, trigger
from receivers import Collector, collector, identity

from casemate.fleet.access import certificates
from casemate.fleet.alarms import incidents, outbox
from casemate.fleet.alarms.notice import spoken
from casemate.fleet.outlets import syslog
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.sender import Sender
from casemate.fleet.outlets.settings import Syslog, Tls
from casemate.fleet.outlets.syslog import SyslogOutlet, frame, message
from casemate.verify.findings import KINDS

FORM = re.compile(
    r"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) "
    r'\[([^ =\]"]{1,32})((?: [^ =\]"]{1,32}="(?:\\["\\\]]|[^"\\\]])*")*)\] \ufeff([^\n\r\0]*)'
)
"""RFC 5424, section 6: header, one element of structured data, and a message in UTF-8."""


def fields(data: bytes) -> tuple[dict[str, str], str]:
    """Return the structured data and the text; fails if the message is not of the form."""
    found = FORM.fullmatch(data.decode("utf-8"))
    assert found, data
    pairs = re.findall(r' ([a-z]+)="((?:\\.|[^"\\])*)"', found[8])
    return {key: re.sub(r"\\(.)", r"\1", value) for key, value in pairs}, found[9]


def outlet(
    folder: Path, port: int, *, confirms: bool = True, host: str = "localhost"
) -> SyslogOutlet:
    """Return an outlet to a receiver of the same authority."""
    tls = Tls(ca=str(identity(folder) / "ca.pem"), certificate="", key="")
    made = Syslog(name="siem", host=host, port=port, tls=tls, confirms=confirms)
    told = Told(service="fleet.test", clock=lambda: 0.0, boots=1, again=counted())
    return SyslogOutlet(made, told)


def test_every_notice_is_of_the_form() -> None:
    for finding in (*KINDS, incidents.FORKED):
        for name in HOSTILE:
            one = notice(finding=finding, name=spoken(name, 3), site=spoken(name, 3, "site-of"))
            data = message(one, "fleet.test")
            says_no_end(data)
            said, text = fields(data)
            assert (said["name"], said["site"]) == (one.name, one.site)
            assert text == one.text and text.startswith("chassis intrusion")


def test_severity_and_facility() -> None:
    for severity, level in (("alarm", 1), ("unknown", 2), ("warning", 4)):
        assert message(notice(severity=severity), "x").startswith(b"<%d>1 " % (80 + level))
    assert message(notice(what="acknowledged"), "x").startswith(b"<85>1 ")


@pytest.mark.parametrize("name", ("", "a b", "a\nb", "zürich"))
def test_a_name_that_no_header_can_hold(name: str) -> None:
    assert b"Z - casemate - RAISED" in message(notice(), name)


def test_frames_say_how_long_they_are() -> None:
    assert frame("ü".encode()) == b"2 \xc3\xbc"


def test_notices_come_over_tls_in_order(tmp_path: Path) -> None:
    sent = [notice(id=number, name=f"räck-{number}") for number in range(1, 60)]
    with collector(tmp_path) as held:
        outlet(tmp_path, held.port).send(sent)
        outlet(tmp_path, held.port).send([notice(id=60)])
    assert [fields(each)[0]["id"] for each in held.frames] == [
        f"{x}-1800000000" for x in range(1, 61)
    ]


def test_who_is_not_the_receiver_hears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.create_connection
    with collector(tmp_path / "theirs") as held:
        certificates.make_authority(tmp_path / "ours", "localhost")
        other = SyslogOutlet(
            Syslog(
                name="siem", host="localhost", port=held.port, confirms=True,
                tls=Tls(ca=str(tmp_path / "ours" / "ca.pem"), certificate="", key=""),
            ),
            Told(service="x", clock=lambda: 0.0, boots=1, again=counted()),
        )  # fmt: skip
        with pytest.raises(OutletError, match="certificate"):
            other.send([notice()])
        monkeypatch.setattr(
            syslog.socket, "create_connection",
            lambda at, timeout: real(("127.0.0.1", at[1]), timeout),
        )  # fmt: skip
        with pytest.raises(OutletError, match="siem"):  # it is certified as another
            outlet(tmp_path / "theirs", held.port, host="siem.example").send([notice()])
    assert held.frames == []


def test_a_receiver_that_breaks_off_gets_it_again(kit: Kit, tmp_path: Path) -> None:
    """What lay in a buffer when the connection broke is gone: it counts as not told."""
    store = kit.service.store
    for number in range(20):
        find(store, put(store, number), 1000, trigger("state.tampered", 1000, 1))
    with store.write() as link:
        sent, _ = outbox.begin(link, "siem")
    with collector(tmp_path) as held:
        held.after = 300
        kit.service.pulse.begun("siem", "syslog")
        to = outlet(tmp_path, held.port)
        sender = Sender(store, kit.service.pulse, kit.clock, "siem", to, sent)
        with pytest.raises(OutletError):
            sender.once()
        with store.read() as link:
            assert outbox.waiting(link, "siem")[0] == 20
        held.after = 0
        assert sender.once() == 20
        with store.read() as link:
            assert outbox.waiting(link, "siem") == (0, None)
    assert [fields(each)[0]["id"] for each in held.frames] == [x.key for x in told(store)]


def test_a_receiver_that_never_answers_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is brought again, unless the settings say that this receiver never answers."""
    monkeypatch.setattr(syslog, "TIMEOUT_S", 0.5)
    with collector(tmp_path) as held:
        held.answers = False
        with pytest.raises(OutletError) as told:
            outlet(tmp_path, held.port).send([notice()])
        assert "confirms" in told.value.remedy
        outlet(tmp_path, held.port, confirms=False).send([notice()])
    assert len(held.frames) == 2


def test_a_reset_is_no_end(tmp_path: Path) -> None:
    """What a receiver had not read when its end of the connection went is gone in any case."""
    with collector(tmp_path) as held:
        held.after = 300
        with pytest.raises(OutletError):
            outlet(tmp_path, held.port, confirms=False).send([notice(id=x) for x in range(100)])
    assert held.frames == []


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(OutletError):
        outlet(tmp_path, 1).send([notice()])


def test_the_receiver_of_these_tests_sees_bad_frames() -> None:
    from receivers import frames

    assert frames(b"2 ab3 abc") == [b"ab", b"abc"]
    for bad in (b"2 a", b"x ab", b"02 ab", b"ab"):
        with pytest.raises(AssertionError):
            frames(bad)
    assert Collector().answers and threading.active_count() < 20
