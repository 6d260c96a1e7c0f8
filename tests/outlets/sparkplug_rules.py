"""What Sparkplug 3.0 asks of an edge node, as checks of what one published and of a broker's log.

Each rule has the id that the specification and its test kit give it. Payloads are as Eclipse Tahu
decodes them; that it decodes all of them is the first rule of each kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

TYPES = frozenset({"Int64", "UInt64", "Boolean", "String"})
"""Of the specification's types those that we use."""
_RESERVED = re.compile(r"[+#/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A message. kind: NBIRTH and so on. device: "" of the node. made: as Tahu decodes it."""

    kind: str
    device: str
    topic: str
    qos: int
    made: dict[str, Any]

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Return its metrics by name."""
        return {each.get("name", ""): each for each in self.made.get("metrics", [])}

    @property
    def seq(self) -> int | None:
        """Return its number."""
        return self.made.get("seq")


@dataclass(slots=True)
class Traffic:
    """All that a node published, in order, and what its broker wrote down.

    asked: before which message births were asked for. now_ms: its clock, first and last.
    """

    messages: list[Published]
    log: str
    group: str
    node: str
    asked: int
    now_ms: tuple[int, int]
    client: str = field(default="")

    def of(self, *kinds: str) -> list[Published]:
        """Return the messages of these kinds."""
        return [each for each in self.messages if each.kind in kinds]

    def sessions(self) -> list[list[Published]]:
        """Return the messages from each birth of the node on."""
        found: list[list[Published]] = []
        for each in self.messages:
            if each.kind == "NBIRTH":
                found.append([])
            if found:
                found[-1].append(each)
        return found

    def bd(self, kind: str) -> list[int]:
        """Return the numbers of connections in births or deaths, in order."""
        return [each.metrics["bdSeq"]["value"] for each in self.of(kind)]


Rule = Callable[[Traffic], bool]
BIRTHS, DATA = ("NBIRTH", "DBIRTH"), ("NBIRTH", "DBIRTH", "DDATA")


def _unretained(kind: str) -> Rule:
    """By the broker's log: who has subscribed before is not told that a message is kept."""

    def rule(t: Traffic) -> bool:
        form = rf"PUBLISH from {re.escape(t.client)} \(d0, q\d, r(\d), m\d+, '[^']*/{kind}/"
        return re.findall(form, t.log) == ["0"] * len(t.of(kind)) != []

    return rule


def _qos(level: int, *kinds: str) -> Rule:
    return lambda t: bool(t.of(*kinds)) and {x.qos for x in t.of(*kinds)} == {level}


def _each(*kinds: str, true: Callable[[Published], object]) -> Rule:
    return lambda t: bool(t.of(*kinds)) and all(true(x) for x in t.of(*kinds))


def _metric(*kinds: str, true: Callable[[dict[str, Any]], object]) -> Rule:
    return _each(*kinds, true=lambda x: all(true(m) for m in x.made["metrics"]))


def _increasing(t: Traffic) -> bool:
    runs = ([x.seq for x in run if x.kind != "NDEATH"] for run in t.sessions())
    return all(b == (a + 1) % 256 for run in runs for a, b in pairwise(run) if a is not None)


def _wrapped(t: Traffic) -> bool:
    return any(a.seq == 255 and b.seq == 0 and b.kind == "DDATA" for a, b in pairwise(t.messages))


def _births_first(t: Traffic) -> bool:
    for run in t.sessions():
        kinds = [x.kind for x in run if x.kind != "NDEATH"]
        births = len([x for x in kinds if x in BIRTHS])
        if kinds[0] != "NBIRTH" or any(x != "DBIRTH" for x in kinds[1:births]):
            return False
    return True


def _known_metrics(t: Traffic) -> bool:
    for run in t.sessions():
        born = {x.device: x.metrics.keys() for x in run if x.kind in BIRTHS}
        if any(not x.metrics.keys() <= born.get(x.device, set()) for x in run if x.kind == "DDATA"):
            return False
    return True


def _quality(true: Callable[[dict[str, Any]], object]) -> Rule:
    return _metric("DBIRTH", "DDATA", true=lambda m: true(m["properties"]["Quality"]))


def _wills(t: Traffic) -> list[tuple[str, str, str]]:
    found = re.findall(
        rf"as {re.escape(t.client)} \(p2, c1, k\d+\)\.\n.*Will message specified \(\d+ bytes\) "
        r"\(r(\d), q(\d)\)\.\n\d+: \t(\S+)", t.log,
    )  # fmt: skip
    return [(retain, qos, topic) for retain, qos, topic in found]


def _will(place: int, value: str) -> Rule:
    return lambda t: bool(_wills(t)) and {x[place] for x in _wills(t)} == {value}


def _asked_then_born(t: Traffic) -> bool:
    rest = t.messages[t.asked :]
    return bool(rest) and rest[0].kind == "NBIRTH"


def _whole_birth(t: Traffic) -> bool:
    before = {x.device for x in t.messages[: t.asked] if x.kind == "DBIRTH"}
    run = next(run for run in t.sessions() if run[0] is t.messages[t.asked])
    return before == {x.device for x in run if x.kind == "DBIRTH"}


def _same_number_when_asked(t: Traffic) -> bool:
    before = [x for x in t.messages[: t.asked] if x.kind == "NBIRTH"][-1]
    return bool(before.metrics["bdSeq"]["value"] == t.messages[t.asked].metrics["bdSeq"]["value"])


def _one_more(t: Traffic) -> bool:
    numbers = t.bd("NDEATH")
    return len(numbers) > 1 and all(b == (a + 1) % 256 for a, b in pairwise(numbers))


def _deaths_match(t: Traffic) -> bool:
    last = None
    for each in t.of("NBIRTH", "NDEATH"):
        number = each.metrics["bdSeq"]["value"]
        if each.kind == "NDEATH" and number != last:
            return False
        last = number
    return True


def _death_then_end(t: Traffic) -> bool:
    own = [x for x in t.log.splitlines() if re.search(rf"\b{re.escape(t.client)}\b", x)]
    own = [x for x in own if "Received" in x and "PINGREQ" not in x]
    return "/NDEATH/" in own[-2] and "Received DISCONNECT" in own[-1]


def _in_time(t: Traffic) -> bool:
    stamps = [x.made["timestamp"] for x in t.of(*DATA)]
    return all(t.now_ms[0] <= x <= t.now_ms[1] for x in stamps)


def _topic(kind: str, t: Traffic) -> bool:
    device = r"/enclosure-\d+" if kind.startswith("D") else ""
    form = rf"spBv1\.0/{t.group}/{kind}/{t.node}{device}"
    return bool(t.of(kind)) and all(re.fullmatch(form, x.topic) for x in t.of(kind))


def _birth_metric(name: str, key: str, value: object) -> Rule:
    return _each("NBIRTH", true=lambda x: x.metrics[name].get(key) == value)


def rules() -> Iterator[tuple[str, Rule]]:
    """Yield the rules with their ids, of sections 4 to 6."""
    flow, acts = "message-flow-edge-node-birth-publish", "operational-behavior"
    yield "message-flow-edge-node-ncmd-subscribe", lambda t: bool(
        re.search(
            rf"SUBSCRIBE from {t.client}\n.*spBv1\.0/{t.group}/NCMD/{t.node} \(QoS 1\)", t.log
        )
    )  # fmt: skip
    yield f"{flow}-will-message", lambda t: len(_wills(t)) == len(set(t.bd("NBIRTH")))
    yield (
        f"{flow}-will-message-topic",
        lambda t: {x[2] for x in _wills(t)} == {f"spBv1.0/{t.group}/NDEATH/{t.node}"},
    )
    yield f"{flow}-will-message-qos", _will(1, "1")
    yield f"{flow}-will-message-will-retained", _will(0, "0")
    yield (
        f"{flow}-will-message-payload-bdSeq",
        lambda t: (
            _one_more(t) and all(x.metrics["bdSeq"]["type"] == "Int64" for x in t.of("NDEATH"))
        ),
    )
    yield f"{flow}-nbirth-topic", lambda t: _topic("NBIRTH", t)
    yield f"{flow}-nbirth-payload-bdSeq", _birth_metric("bdSeq", "type", "Int64")
    yield f"{flow}-nbirth-qos", _qos(0, "NBIRTH")
    yield f"{flow}-nbirth-retained", _unretained("NBIRTH")
    yield "message-flow-device-birth-publish-nbirth-wait", lambda t: t.messages[0].kind == "NBIRTH"
    yield "message-flow-device-birth-publish-dbirth-topic", lambda t: _topic("DBIRTH", t)
    yield (
        f"{acts}-edge-node-intentional-disconnect-ndeath",
        lambda t: t.messages[-1].kind == "NDEATH",
    )
    yield f"{acts}-edge-node-intentional-disconnect-packet", _death_then_end
    yield f"{acts}-data-publish-dbirth", _known_metrics
    name = "Node Control/Rebirth"
    yield f"{acts}-data-commands-rebirth-name", _each("NBIRTH", true=lambda x: name in x.metrics)
    yield f"{acts}-data-commands-rebirth-datatype", _birth_metric(name, "type", "Boolean")
    yield f"{acts}-data-commands-rebirth-value", _birth_metric(name, "value", False)
    yield f"{acts}-data-commands-rebirth-action-1", _asked_then_born
    yield f"{acts}-data-commands-rebirth-action-2", _whole_birth
    yield f"{acts}-data-commands-rebirth-action-3", _same_number_when_asked
    yield from _payload_rules()


def _payload_rules() -> Iterator[tuple[str, Rule]]:
    yield "payloads-timestamp-in-UTC", _in_time
    yield "payloads-sequence-num-always-included", _each(*DATA, true=lambda x: x.seq is not None)
    yield "payloads-sequence-num-zero-nbirth", _each("NBIRTH", true=lambda x: x.seq == 0)
    yield "payloads-sequence-num-incrementing", lambda t: _increasing(t) and _wrapped(t)
    yield "payloads-name-requirement", _metric(*DATA, true=lambda m: m.get("name"))
    yield "payloads-name-birth-data-requirement", _metric(*DATA, true=lambda m: m.get("timestamp"))
    yield "payloads-metric-datatype-req", _metric(*BIRTHS, true=lambda m: m.get("type"))
    yield "payloads-metric-datatype-value", _metric(*DATA, true=lambda m: m["type"] in TYPES)
    yield (
        "payloads-propertyset-keys-array-size",
        _metric("DBIRTH", "DDATA", true=lambda m: set(m["properties"]) == {"Quality"}),
    )
    yield "payloads-propertyset-quality-value-type", _quality(lambda q: q["type"] == "Int32")
    yield "payloads-propertyset-quality-value-value", _quality(lambda q: q["value"] in (192, 500))
    yield "payloads-nbirth-bdseq-repeat", _deaths_match
    yield "payloads-dbirth-order", _births_first
    yield "payloads-dbirth-qos", _qos(0, "DBIRTH")
    yield "payloads-dbirth-retain", _unretained("DBIRTH")
    yield "payloads-ddata-timestamp", _each("DDATA", true=lambda x: x.made.get("timestamp"))
    yield "payloads-ddata-order", _births_first
    yield "payloads-ddata-qos", _qos(0, "DDATA")
    yield "payloads-ddata-retain", _unretained("DDATA")
    yield "payloads-ndeath-seq", _each("NDEATH", true=lambda x: x.seq is None)
    yield "payloads-ndeath-will-message", lambda t: len(_wills(t)) == len(t.of("NDEATH"))
    yield "payloads-ndeath-bdseq", lambda t: t.bd("NDEATH") == sorted(set(t.bd("NBIRTH")))
    yield (
        "topics-ids-hold-nothing-reserved",
        lambda t: (
            not any(_RESERVED.search(x) for x in (t.group, t.node, *(m.device for m in t.messages)))
        ),
    )
