"""Sparkplug B: births, data and deaths as its specification has them, against mosquitto."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from socket import SHUT_RDWR

import pytest
from brokers import ear, mosquitto, until
from fleet_kit import Kit
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from test_mqtt import Clock, outlet, settings, standing

from casemate.fleet.alarms import outbox
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.sparkplug import (
    GOOD,
    REBIRTH,
    STALE,
    Node,
    _payload,
    asks_for_rebirth,
    encode,
)
from casemate.fleet.store.schema import OUTLETS


def read(data: bytes) -> tuple[int | None, dict[str, object], set[int]]:
    """Return seq, metrics and qualities of a payload."""
    said = _payload().FromString(data)
    found, qualities = {}, set()
    for each in said.metrics:
        kinds = {4: "long_value", 8: "long_value", 11: "boolean_value", 12: "string_value"}
        found[each.name] = getattr(each, kinds[each.datatype])
        qualities |= {value.int_value for value in each.properties.values}
    return (said.seq if said.HasField("seq") else None), found, qualities


def test_bytes_are_those_of_the_specification() -> None:
    """Field by field after the numbers of Sparkplug 3.0, section 6.4.1, by hand."""
    # timestamp 1000; a metric of 10 bytes: name a, timestamp 1000, datatype 11, true
    made = encode([("a", True)], 1.0)
    assert made == bytes.fromhex("08e807120a0a016118e807200b7001")
    # a metric of 14 bytes: name bdSeq, timestamp 1000, datatype 4 (Int64), 3
    made = encode([("bdSeq", 3)], 1.0)
    assert made == bytes.fromhex("08e807120e0a05626453657118e80720045803")
    quality = encode([("a", "b")], 1.0, seq=3, quality=500)
    assert quality.endswith(bytes.fromhex("7a01621803"))
    assert bytes.fromhex("4a100a07" + b"Quality".hex() + "1205080318f403") in quality


@given(st.binary(max_size=200))
def test_commands_that_are_none(data: bytes) -> None:
    assert not asks_for_rebirth(data) or REBIRTH.encode() in data
    assert not asks_for_rebirth(encode([(REBIRTH, False)], 1.0) + data) or REBIRTH.encode() in data


def test_only_a_birth_can_be_asked_for() -> None:
    assert asks_for_rebirth(encode([(REBIRTH, True)], 1.0))
    assert not asks_for_rebirth(encode([(REBIRTH, False)], 1.0))
    assert not asks_for_rebirth(encode([("Node Control/Reboot", True)], 1.0))
    assert not asks_for_rebirth(encode([("x" * 5000, True), (REBIRTH, True)], 1.0))


def test_births_data_and_deaths(tmp_path: Path) -> None:
    clock = Clock()
    with mosquitto(tmp_path) as broker, ear(broker.port) as heard:
        to = outlet(broker.port, clock, group="hall", discovery="")
        to.tend(lambda: [standing(), standing(id=4, state="UNKNOWN")])
        until(lambda: len(heard.of("/DBIRTH/")) == 2)
        seq, said, _ = read(heard.of("spBv1.0/hall/NBIRTH/casemate")[0])
        assert (seq, said["bdSeq"], said[REBIRTH]) == (0, 1, False)
        births = [read(each) for each in heard.of("spBv1.0/hall/DBIRTH/casemate/enclosure-")]
        assert [each[0] for each in births] == [1, 2]
        assert [each[1]["State"] for each in births] == ["ARMED", "UNKNOWN"]
        assert [each[2] for each in births] == [{GOOD}, {STALE}]
        to.tend(lambda: [standing(state="TAMPERED"), standing(id=4, state="UNKNOWN")])
        until(lambda: len(heard.of("/DDATA/")) == 1)
        seq, said, _ = read(heard.of("/DDATA/")[0])
        assert (seq, said["State"], said["Alarm"]) == (3, "TAMPERED", True)
        ask_anew(heard, clock, to)
        to.close()
        until(lambda: len(heard.of("/NDEATH/")) == 1)
        assert read(heard.of("/NDEATH/")[0]) == (None, {"bdSeq": 1}, set())


def ask_anew(heard, clock, to) -> None:  # type: ignore[no-untyped-def]
    """Ask for births, twice at once; only one comes, and not within ten seconds of the last.

    Whoever asks has lost data: until the births nothing further is sent.
    """
    assert heard.client is not None
    for _ in range(2):
        data = encode([(REBIRTH, True)], 1.0)
        heard.client.publish("spBv1.0/hall/NCMD/casemate", data, 1).wait_for_publish(10)
    until(to._node._asked.is_set)
    to.tend(lambda: [standing(state="RETIRED")])
    until(lambda: heard.last("casemate/enclosure/3/state") == b"disarmed")
    assert len(heard.of("/NBIRTH/")) == len(heard.of("/DDATA/")) == 1
    clock.now_s += 11
    to.tend(lambda: [standing(state="UNKNOWN")])
    to.tend(lambda: [standing(state="UNKNOWN")])
    until(lambda: len(heard.of("/DBIRTH/")) == 3)
    seq, said, _ = read(heard.of("/NBIRTH/")[1])
    assert (seq, said["bdSeq"], len(heard.of("/NBIRTH/"))) == (0, 1, 2)
    seq, said, qualities = read(heard.of("/DBIRTH/")[2])
    assert (seq, said["State"], qualities, len(heard.of("/DDATA/"))) == (1, "UNKNOWN", {STALE}, 1)


def test_a_node_that_dies_says_which_birth_it_was(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, ear(broker.port) as heard:
        to = outlet(broker.port, group="hall", discovery="")
        to.tend(lambda: [standing()])
        assert to._node is not None
        client = to._node._broker._client
        assert client is not None
        client.socket().shutdown(SHUT_RDWR)  # type: ignore[union-attr]
        until(lambda: len(heard.of("/NDEATH/")) == 1)
        until(lambda: not to._node._broker.connected)  # type: ignore[union-attr]
        to.tend(lambda: [standing()])
        until(lambda: len(heard.of("/NBIRTH/")) == 2)
        said = [read(each)[1]["bdSeq"] for each in heard.of("/NBIRTH/")]
        assert said == [1, 2]
        assert read(heard.of("/NDEATH/")[0])[1] == {"bdSeq": 1}
        to.close()


def test_no_connection_has_the_number_of_another(kit: Kit, tmp_path: Path) -> None:
    """Over reconnecting, brokers that are not there, and restarts: one more each time, then 0."""
    store, numbers = kit.service.store, list[int]()
    with mosquitto(tmp_path) as broker, ear(broker.port) as heard:
        for _ in range(2):
            with store.write() as link:
                _, boots = outbox.begin(link, "ha")
            again = partial(outbox.again, store, "ha")
            here = Told(service="fleet.test", clock=Clock(), boots=boots, again=again)
            node = Node(settings(1, group="hall"), here)
            for _ in range(2):
                with pytest.raises(OutletError):
                    node.tend([])
            node._broker._settings = settings(broker.port)
            for _ in range(2):
                count = len(heard.of("/NBIRTH/"))
                node.tend([])
                until(lambda count=count: len(heard.of("/NBIRTH/")) == count + 1)  # type: ignore[misc]
                numbers.append(node._birth)
                node.close()
            with store.write() as link:
                link.execute(update(OUTLETS).values(boots=253 + len(numbers) // 2))
        said = [read(each)[1]["bdSeq"] for each in heard.of("/NBIRTH/")]
        deaths = [read(each)[1]["bdSeq"] for each in heard.of("/NDEATH/")]
    assert numbers == said == deaths == [1, 2, 255, 0]
