"""Senders: one outlet's trouble is its own, nothing is lost over a restart, and all end in time."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fleet_kit import Kit
from outlets_kit import find, put, told, trigger
from receivers import collector
from sqlalchemy import select

from casemate.core.errors import CasemateError
from casemate.fleet.alarms.notice import Notice
from casemate.fleet.outlets import sender
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.sender import Senders
from casemate.fleet.outlets.settings import Settings, Syslog, Tls
from casemate.fleet.outlets.standing import Standing
from casemate.fleet.service import home
from casemate.fleet.store.schema import OUTLETS


@dataclass(slots=True)
class Ear:
    """An outlet that keeps what it gets. fails: as often, then not. error: with which."""

    most: int = 3
    fails: int = 0
    error: Exception = field(default_factory=lambda: OutletError("nobody\n there"))
    got: list[Notice] = field(default_factory=list)
    shown: list[Standing] = field(default_factory=list)
    closed: bool = False
    boots: int = 0

    def send(self, notices: Sequence[Notice]) -> None:
        if self.fails:
            self.fails -= 1
            raise self.error
        self.got += notices

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        self.shown = list(held())

    def close(self) -> None:
        self.closed = True


def settings(name: str) -> Syslog:
    """Return settings under a name."""
    tls = Tls(ca="", certificate="", key="")
    return Syslog(name=name, host="h", port=1, tls=tls, confirms=True)


def senders(kit: Kit, **ears: Ear) -> Senders:
    """Start senders to ears by name."""

    def maker(held: Settings, who: Told) -> Ear:
        ears[held.name].boots = who.boots
        return ears[held.name]

    held = [settings(name) for name in ears]
    service = kit.service
    return Senders(service.store, service.pulse, kit.clock, "fleet.test", held, maker=maker)


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds; fail after 20 s."""
    end_s = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let senders look more often."""
    monkeypatch.setattr(sender, "PAUSE_S", 0.02)
    monkeypatch.setattr(sender, "LONGEST_PAUSE_S", 0.04)


def alarms(kit: Kit, count: int, first: int = 0) -> None:
    """Let enclosures be tampered with."""
    store = kit.service.store
    for number in range(first, first + count):
        find(store, put(store, number), 1000, trigger("state.tampered", 1000, 1))


@pytest.mark.parametrize("error", (OutletError("nobody\n there"), ValueError("bug"), OSError()))
def test_one_that_fails_holds_up_nobody_and_loses_nothing(
    kit: Kit, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    alarms(kit, 8)
    bad, good = Ear(fails=4, error=error), Ear()
    with caplog.at_level(logging.ERROR):
        running = senders(kit, bad=bad, good=good)
        until(lambda: len(good.got) == 8 and len(bad.got) == 8)
        running.close()
    assert good.got == bad.got == told(kit.service.store)
    assert kit.service.pulse.outlets()["bad"].failures == 4
    assert bad.closed and good.closed
    assert len(caplog.records) == 1  # said once, not each time
    assert "\n" not in caplog.records[0].getMessage()
    until(lambda: len(good.shown) == 8)


def test_nothing_is_lost_over_a_restart(kit: Kit) -> None:
    alarms(kit, 4)
    deaf = Ear(fails=1_000_000)
    running = senders(kit, siem=deaf)
    until(lambda: kit.service.pulse.outlets()["siem"].failures > 1)
    running.close()
    alarms(kit, 3, first=4)  # while nobody sends
    ear = Ear()
    running = senders(kit, siem=ear)
    until(lambda: len(ear.got) == 7)
    running.close()
    assert ear.got == told(kit.service.store) and (deaf.boots, ear.boots) == (1, 2)


def test_a_power_cut_after_sending_tells_twice_and_never_not(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power goes between the receiver's answer and its entry here."""
    alarms(kit, 2)
    ear = Ear()

    def cut(*_: object) -> None:
        raise CasemateError("power", remedy="none")

    with monkeypatch.context() as patch:
        patch.setattr(sender.outbox, "advance", cut)
        running = senders(kit, siem=ear)
        until(lambda: len(ear.got) >= 2)
        running.close()
    again = Ear()
    running = senders(kit, siem=again)
    until(lambda: len(again.got) == 2)
    running.close()
    assert again.got == ear.got[:2]


def test_a_receiver_that_holds_its_outlet_does_not_hold_the_end(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_JOIN_S", 0.1)
    begun, held, ended = threading.Event(), threading.Event(), threading.Event()

    class Slow(Ear):
        def send(self, notices: Sequence[Notice]) -> None:
            begun.set()
            held.wait(60)
            ended.set()

    alarms(kit, 1)
    running = senders(kit, siem=Slow())
    assert begun.wait(60)
    running.close()
    assert not ended.is_set()
    held.set()
    assert ended.wait(60)


def test_what_is_old_goes_once_an_hour(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(sender.outbox, "prune", lambda _link, _names, now_s: asked.append(now_s))
    running = senders(kit, siem=Ear())
    for now_s in (10_000, 10_001, 13_599, 13_600):
        running.tick(now_s)
    running.close()
    assert asked == [10_000, 13_600]


def test_what_fails_by_itself_holds_up_no_alarm_and_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit log cannot be written, say, its disk is full: floods are still called for,
    and the beat that monitoring reads stands still."""
    made = home.make(tmp_path / "service", "fleet.test")
    monkeypatch.setattr(home, "_TICK_S", 0.02)
    with home.running(made) as service:
        until(lambda: service.pulse.ticked_s > 0)
        monkeypatch.setattr(home.errands, "take_over", lambda *_: 1 / 0)
        with service.store.write():  # all at once: no round sees a part of them
            for number in range(3):
                find(service.store, put(service.store, number), 1000, trigger("time.stale", 1000))
        until(lambda: told(service.store)[-1].what == "many")
        stood = service.pulse.ticked_s
        time.sleep(0.2)
        assert service.pulse.ticked_s == stood


def test_the_service_starts_its_outlets(tmp_path: Path) -> None:
    """From the settings file to a receiver: TLS, the outbox and the service's own threads."""
    with collector(tmp_path / "siem") as held:
        made = home.make(tmp_path / "service", "fleet.test")
        (made.folder / "siem.pem").write_bytes((tmp_path / "siem" / "ca.pem").read_bytes())
        row = json.loads((made.folder / home.SETTINGS).read_text())
        row["outlets"] = [
            {"name": "siem", "kind": "syslog", "host": "localhost", "port": held.port,
             "ca": "siem.pem"}
        ]  # fmt: skip
        (made.folder / home.SETTINGS).write_text(json.dumps(row))
        with home.running(home.read(made.folder)) as service:
            find(service.store, put(service.store, 1), 1000, trigger("state.tampered", 1000, 1))
            until(lambda: len(held.frames) == 1)
            until(lambda: service.pulse.outlets()["siem"].sent == 1)
            until(lambda: service.pulse.ticked_s > 0)
            with service.store.read() as link:
                assert link.execute(select(OUTLETS.c.sent_id)).scalar_one() == 1
    assert b"tampering was detected" in held.frames[0] and b" fleet.test " in held.frames[0]
