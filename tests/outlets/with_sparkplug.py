"""Eclipse Tahu, pysparkplug and the specification's rules on what the service publishes."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import brokers
from judging import Judge
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from programs import Answering
from sparkplug_rules import Published, Traffic, rules
from stage import Stage, until

from casemate.fleet.alarms import outbox
from casemate.fleet.outlets.outlet import Told
from casemate.fleet.outlets.settings import Mqtt
from casemate.fleet.outlets.sparkplug import Node, metrics
from casemate.fleet.outlets.standing import Standing, standings

GROUP, NODE, OUTLET = "hall-1", "casemate", "home"
CHANGES = 300
"""More than there are numbers, so that they begin anew."""
_CLASSES = {"NBIRTH": "NBirth", "DBIRTH": "DBirth", "DDATA": "DData", "NDEATH": "NDeath"}
Raw = tuple[str, bytes, int]


@contextmanager
def tapped(port: int) -> Iterator[list[Raw]]:
    """Yield what is published of Sparkplug: topic, payload, QoS."""
    got, ready = list[Raw](), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, m: got.append((m.topic, m.payload, m.qos))
    client.on_connect = lambda c, *_: c.subscribe("spBv1.0/#", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        assert ready.wait(20)
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


def recorded(stage: Stage, folder: Path, packages: Answering) -> tuple[list[Raw], Traffic]:
    """Return what a node published over its life: births, data, a cut, births asked for, an end."""
    folder.mkdir()
    broker = brokers.Mosquitto(folder, brokers.free_port(), "allow_anonymous true\nlog_type all")
    broker.start()
    store, now = stage.service.store, [stage.service.clock()]
    first_ms = int(1000 * now[0])
    with store.write() as link:
        _, boots = outbox.begin(link, OUTLET)
        held = list(standings(link, int(now[0])))
    told = Told(service="localhost", clock=lambda: now[0], boots=boots,
                again=partial(outbox.again, store, OUTLET))  # fmt: skip
    node = Node(Mqtt(
        name=OUTLET, host="127.0.0.1", port=broker.port, user="", password=b"", tls=None,
        base=NODE, discovery="", group=GROUP,
    ), told)  # fmt: skip
    try:
        with tapped(broker.port) as got:
            asked = _life(node, held, got, now, partial(_ask, broker.port, packages, now))
            until(lambda: any("/NDEATH/" in each[0] for each in got[asked + 1 :]))
            end = f"Received DISCONNECT from {_client(boots)}"
            until(lambda: end in (folder / "mosquitto.log").read_text(encoding="utf-8"), 20)
    finally:
        broker.stop()
    log = (folder / "mosquitto.log").read_text(encoding="utf-8")
    traffic = Traffic(
        messages=[_published(each, packages) for each in got], log=log, group=GROUP, node=NODE,
        asked=asked, now_ms=(first_ms, int(1000 * now[0])), client=_client(boots),
    )  # fmt: skip
    return got, traffic


def _client(boots: int) -> str:
    """Return by what name the node is known to its broker."""
    return f"casemate-{OUTLET}-{boots}-b"


def _life(
    node: Node, held: list[Standing], got: list[Raw], now: list[float],
    ask: Callable[[Node], None],
) -> int:  # fmt: skip
    """Live through it; return before which message births were asked for."""
    node.tend(held)
    for number in range(CHANGES):
        now[0] += 0.1
        held[0] = replace(held[0], incident=number + 1, acknowledged=bool(number % 2))
        node.tend(held)
    client = node._broker._client
    assert client is not None
    client.socket().shutdown(SHUT_RDWR)  # type: ignore[union-attr]
    until(lambda: not node._broker.connected)
    until(lambda: any("/NDEATH/" in each[0] for each in got))
    now[0] += 20
    node.tend(held)
    count = CHANGES + 2 * (1 + len(held)) + 1
    until(lambda: len(got) == count)
    asked = len(got)
    ask(node)
    held[1] = replace(held[1], state="UNKNOWN")
    node.tend(held)  # too soon after the last births: nothing may be sent before the next
    now[0] += 11
    node.tend(held)
    until(lambda: len(got) == count + 1 + len(held))
    node.close()
    return asked


def _ask(port: int, packages: Answering, now: list[float], node: Node) -> None:
    """Ask for births as Tahu's encoder writes it."""
    made = packages.ask("rebirth", at=int(1000 * now[0]))["answer"]
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    topic = f"spBv1.0/{GROUP}/NCMD/{NODE}"
    client.publish(topic, base64.b64decode(made), 0).wait_for_publish(10)
    until(node._asked.is_set)
    client.disconnect()
    client.loop_stop()


def _published(raw: Raw, packages: Answering) -> Published:
    topic, payload, qos = raw
    parts = topic.split("/")
    told = packages.ask("decode", payload=base64.b64encode(payload).decode())
    return Published(
        kind=parts[2], device=parts[4] if len(parts) > 4 else "", topic=topic, qos=qos,
        made=told.get("answer", {"metrics": [], "error": told}),
    )  # fmt: skip


def commands_left_out(got: list[Raw], traffic: Traffic) -> tuple[list[Raw], Traffic]:
    """Return what the node itself published."""
    at = [number for number, each in enumerate(traffic.messages) if each.kind != "NCMD"]
    before = len([x for x in traffic.messages[: traffic.asked] if x.kind == "NCMD"])
    own = [traffic.messages[number] for number in at]
    return [got[x] for x in at], replace_messages(traffic, own, traffic.asked - before)


def replace_messages(traffic: Traffic, messages: Sequence[Published], asked: int) -> Traffic:
    """Return the same traffic with other messages."""
    return Traffic(
        messages=list(messages), log=traffic.log, group=traffic.group, node=traffic.node,
        asked=asked, now_ms=traffic.now_ms, client=traffic.client,
    )  # fmt: skip


def of_rules(traffic: Traffic, version: str) -> Judge:
    """Return which rules hold."""
    judge = Judge(
        "Sparkplug 3.0's rules, decoded by Eclipse Tahu",
        version,
        f"an edge node's life of {len(traffic.messages)} messages at mosquitto",
    )
    for name, rule in rules():
        try:
            judge.hold(name, rule(traffic), "the rule is broken")
        except (KeyError, IndexError, StopIteration, TypeError) as error:
            judge.hold(name, False, f"{type(error).__name__}: {error}")
    return judge


def of_tahu(stage: Stage, traffic: Traffic, version: str) -> Judge:
    """Return whether Tahu reads the values that the service meant."""
    judge = Judge("sparkplug-payload (Eclipse Tahu)", version, "decodes each payload, with values")
    for each in traffic.messages:
        judge.hold("decoded", "error" not in each.made and each.metrics, each.made)
    first = {each.device: each for each in reversed(traffic.of("DBIRTH"))}
    with stage.service.store.read() as link:
        held = list(standings(link, stage.service.now_s()))
    for one in held:
        values = {name: x["value"] for name, x in first[f"enclosure-{one.id}"].metrics.items()}
        judge.equal(one.name, values, dict(metrics(one)))
        stale = {
            x["properties"]["Quality"]["value"]
            for x in first[f"enclosure-{one.id}"].metrics.values()
        }
        judge.equal("quality", stale, {500 if one.state == "UNKNOWN" else 192})
    return judge


def of_python(got: list[Raw], traffic: Traffic, libraries: Answering, version: str) -> Judge:
    """Return whether pysparkplug reads the same as Tahu."""
    judge = Judge("pysparkplug", version, "decodes each payload to the values that Tahu has")
    for raw, each in zip(got, traffic.messages, strict=True):
        told = libraries.ask(
            "sparkplug", kind=_CLASSES[each.kind], payload=base64.b64encode(raw[1]).decode()
        )
        made: dict[str, Any] = told.get("answer", {"metrics": {}, "seq": told})
        seen = {name: value for name, (value, _) in made["metrics"].items()}
        wanted = {name: x["value"] for name, x in each.metrics.items() if name != "bdSeq"}
        judge.equal(each.kind, (made["seq"], {k: v for k, v in seen.items() if k != "bdSeq"}),
                    (each.seq, wanted))  # fmt: skip
    return judge
