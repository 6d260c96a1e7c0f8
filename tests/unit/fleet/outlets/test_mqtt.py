"""MQTT against mosquitto: alarms come once acknowledged, panels show no state that nobody knows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import SHUT_RDWR
from types import SimpleNamespace
from typing import Any

import pytest
from brokers import Ear, Mosquitto, ear, mosquitto, mosquitto_tls, until
from fleet_kit import Kit
from outlets_kit import HOSTILE, counted, find, notice, put, says_no_end, told, trigger, troubled
from receivers import identity

from casemate.fleet.alarms import outbox
from casemate.fleet.alarms.notice import spoken
from casemate.fleet.appraisal.shown import STATES
from casemate.fleet.outlets import broker as outlets_broker
from casemate.fleet.outlets.broker import Broker, Message
from casemate.fleet.outlets.mqtt import WORDS, MqttOutlet, attributes, discovery, word
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.sender import Sender
from casemate.fleet.outlets.settings import Mqtt, Tls
from casemate.fleet.outlets.standing import Standing


class Clock:
    """Time that stands still until it is set."""

    now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


def settings(port: int, **changes: Any) -> Mqtt:
    """Return settings of a broker on this machine."""
    made = Mqtt(
        name="ha", host="127.0.0.1", port=port, user="", password=b"", tls=None, base="casemate",
        discovery="homeassistant", group="",
    )  # fmt: skip
    return replace(made, **changes)


def outlet(port: int, clock: Clock | None = None, **changes: Any) -> MqttOutlet:
    """Return an outlet to a broker."""
    here = Told(service="fleet.test", clock=clock or Clock(), boots=1, again=counted())
    return MqttOutlet(settings(port, **changes), here)


def test_how_a_thousand_stand_goes_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer of a broker that is far away takes a while, and an alarm waits behind them."""
    made, calls = outlet(1), list[list[Message]]()
    monkeypatch.setattr(Broker, "connected", True)
    monkeypatch.setattr(Broker, "publish", lambda _self, said: calls.append(list(said)))
    held = [standing(id=each) for each in range(1, 1_001)]
    made.tend(lambda: held)
    assert sum(map(len, calls[:1])) == 3_000
    assert len(calls) == 2  # and that it lives
    held[7] = standing(id=8, state="UNKNOWN")
    made.tend(lambda: held)
    assert [each.topic.split("/")[-1] for each in calls[2]] == ["attributes", "state"]


def standing(**changes: Any) -> Standing:
    """Return how an enclosure stands that is well."""
    made = Standing(
        id=3, name="rack-a", serial="S3", kind="nvl72", site="hall 1", state="ARMED", severity="",
        incident=0, acknowledged=False, seen_s=1, fresh_until_s=2,
    )  # fmt: skip
    return replace(made, **changes)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker."""
    with mosquitto(tmp_path) as held:
        yield held


@pytest.fixture
def heard(broker: Mosquitto) -> Iterator[Ear]:
    """Somebody who hears all that it has."""
    with ear(broker.port) as held:
        yield held


def test_what_is_not_known_or_open_is_triggered() -> None:
    assert set(WORDS) == set(STATES)
    for state in STATES:
        shown = word(standing(state=state))
        assert (shown == "triggered") == (state in ("UNKNOWN", "TAMPERED"))
        assert word(standing(state=state, severity="alarm")) == "triggered"
        assert word(standing(state=state, severity="unknown", acknowledged=True)) == "triggered"
    assert word(standing(severity="warning")) == "armed_away"


@pytest.mark.parametrize("name", HOSTILE)
def test_names_get_into_no_topic_and_no_end_of_an_alarm(name: str) -> None:
    one = standing(
        id=9, name=spoken(name, 9), serial=spoken(name, 9), site=spoken(name, 9), state="UNKNOWN"
    )
    (made,) = discovery(settings(1), one)
    topic, row = made.topic, json.loads(made.payload)
    assert topic == "homeassistant/alarm_control_panel/casemate_casemate/9/config"
    for key, value in row.items():
        if key.endswith("topic"):
            assert re.fullmatch(r"[a-z0-9/_-]+", value)
    says_no_end(made.payload)
    says_no_end(json.dumps(attributes(one)))


def test_panels_come_up_and_follow(broker: Mosquitto, heard: Ear) -> None:
    to = outlet(broker.port)
    to.tend(lambda: [standing()])
    until(lambda: heard.last("casemate/enclosure/3/state") == b"armed_away")
    assert heard.last("casemate/status") == b"online"
    config = json.loads(heard.of("alarm_control_panel")[0])
    assert config["state_topic"] == "casemate/enclosure/3/state"
    assert config["supported_features"] == [] and config["device"]["name"] == "rack-a"
    to.tend(lambda: [standing(state="UNKNOWN")])
    until(lambda: heard.last("casemate/enclosure/3/state") == b"triggered")
    count = len(heard.got)
    to.tend(lambda: [standing(state="UNKNOWN")])  # nothing new, nothing said
    to.close()
    until(lambda: heard.last("casemate/status") == b"offline")
    assert len(heard.got) == count + 1
    with ear(broker.port) as late:  # a panel that starts later learns how it stands
        until(lambda: late.last("casemate/enclosure/3/state") == b"triggered")
        assert dict((x[0], x[2]) for x in late.got)["casemate/enclosure/3/state"]


def test_the_service_says_that_it_lives(broker: Mosquitto, heard: Ear) -> None:
    clock = Clock()
    to = outlet(broker.port, clock)
    for seconds in (0, 1, 10, 11):
        clock.now_s = 1_800_000_000.0 + seconds
        to.tend(list)
    until(lambda: heard.last("casemate/alive") == b"1800000010")
    assert len(heard.of("casemate/alive")) == 2
    (row,) = (json.loads(each) for each in heard.of("binary_sensor"))
    assert row["expire_after"] == 60 and row["state_topic"] == "casemate/alive"
    to.close()


def test_a_service_that_dies_is_offline(broker: Mosquitto, heard: Ear) -> None:
    """The broker says so by the will; panels show no state that is kept."""
    to = outlet(broker.port)
    to.tend(lambda: [standing()])
    client = to._broker._client
    assert client is not None
    client.socket().shutdown(SHUT_RDWR)  # type: ignore[union-attr]
    until(lambda: not to._broker.connected)
    until(lambda: heard.last("casemate/status") == b"offline")
    to.tend(lambda: [standing()])  # it comes again, and says all anew
    until(lambda: heard.last("casemate/status") == b"online")
    until(lambda: len(heard.of("enclosure/3/state")) == 2)
    to.close()


def test_who_hangs_does_not_keep_panels_armed(
    broker: Mosquitto, heard: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would keep the connection alive: states would stand there for ever."""
    now, looked = [0.0], list[float]()
    monotonic = SimpleNamespace(monotonic=lambda: looked.append(now[0]) or now[0])
    monkeypatch.setattr(outlets_broker, "time", monotonic)
    monkeypatch.setattr(outlets_broker, "CUT_S", 6.0)  # looked at ten times a second
    to = outlet(broker.port, group="hall")
    for _ in range(3):
        now[0] += 5
        to.tend(lambda: [standing()])
        count = len(looked)
        until(lambda count=count: len(looked) > count + 3)  # type: ignore[misc]
    assert heard.last("casemate/status") == b"online" and not heard.of("/NDEATH/")
    now[0] += 7
    until(lambda: heard.last("casemate/status") == b"offline" and bool(heard.of("/NDEATH/")))
    to.tend(lambda: [standing()])
    until(lambda: heard.last("casemate/status") == b"online")
    to.close()


def test_commands_are_for_nobody(broker: Mosquitto, heard: Ear) -> None:
    to = outlet(broker.port)
    to.tend(lambda: [standing(state="TAMPERED")])
    until(lambda: bool(heard.of("enclosure/3/state")))
    topic = json.loads(heard.of("alarm_control_panel")[0])["command_topic"]
    assert heard.client is not None
    heard.client.publish(topic, b"DISARM", 1).wait_for_publish(10)
    heard.client.publish("casemate/enclosure/3/alarm", b"x", 1).wait_for_publish(10)
    to.tend(lambda: [standing(state="TAMPERED")])
    assert heard.last("casemate/enclosure/3/state") == b"triggered"
    to.close()


def test_alarms_come_in_order_and_over_a_broker_that_falls(
    kit: Kit, broker: Mosquitto, tmp_path: Path
) -> None:
    store = kit.service.store
    troubled(kit)
    for number in range(150):
        find(store, put(store, number), 1000, trigger("sensor.fault", 1000, 1))
    with store.write() as link:
        sent, _ = outbox.begin(link, "ha")
    kit.service.pulse.begun("ha", "mqtt")
    to = outlet(broker.port)
    sender = Sender(store, kit.service.pulse, kit.clock, "ha", to, sent)
    with ear(broker.port) as heard:
        assert sender.once() == 100
        until(lambda: len(heard.of("/alarm")) == 100)
        first = [json.loads(each)["id"] for each in heard.of("/alarm")]
    broker.stop()
    with pytest.raises(OutletError):
        sender.once()
    with pytest.raises(OutletError):
        sender.tend()
    broker.start()
    with ear(broker.port) as heard:
        while sender.once():
            pass
        until(lambda: len(heard.of("/alarm")) == 51)
        rest = [json.loads(each)["id"] for each in heard.of("/alarm")]
        says_no_end(b"".join(heard.of("")))
    to.close()
    assert first + rest == [each.key for each in told(store)]


def test_tls_and_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlets_broker, "TIMEOUT_S", 2.0)
    with mosquitto_tls(tmp_path, "casemate", "a long secret word") as held:
        tls = Tls(ca=str(identity(tmp_path / "ca") / "ca.pem"), certificate="", key="")
        given = {"user": "casemate", "host": "localhost", "tls": tls}
        to = outlet(held.port, password=b"a long secret word", **given)
        to.send([notice()])
        to.close()
        for wrong in (
            {"password": b"another secret word"}, {"password": b"a long secret word", "user": "x"},
            {"password": b"a long secret word", "tls": Tls(ca="", certificate="", key="")},
            {"password": b"a long secret word", "tls": None},
        ):  # fmt: skip
            with pytest.raises(OutletError):
                outlet(held.port, **{**given, **wrong}).send([notice()])


def test_nobody_there() -> None:
    with pytest.raises(OutletError):
        outlet(1).send([notice()])
