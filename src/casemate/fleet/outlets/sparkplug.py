"""Sparkplug B (3.0): the service is an edge node, each enclosure a device of it.

Sparkplug sends data at QoS 0, so it shows how things stand and brings no alarms: those go to the
alarm topics at QoS 1. What is not known has the quality STALE. Of commands one is heeded, the
asking for a new birth, and that once in ten seconds at most; until it comes no data is sent, as the
specification asks: whoever asks has lost some.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    message,
    message_factory,
)

from casemate.fleet.outlets.broker import Broker, Message
from casemate.fleet.outlets.outlet import Told
from casemate.fleet.outlets.settings import Mqtt
from casemate.fleet.outlets.standing import Standing

GOOD, STALE = 192, 500
"""Values of the property Quality (Sparkplug 3.0, section 6.4.16)."""
_INT32, _INT64, _UINT64, _BOOLEAN, _STRING = 3, 4, 8, 11, 12
REBIRTH = "Node Control/Rebirth"
BIRTH = "bdSeq"
"""Which connection a birth and a death belong to; an Int64 (Sparkplug 3.0, section 5.4)."""
REBIRTH_S = 10.0
_MOST_COMMAND = 4096
_FIELDS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "PropertyValue": (("type", 1, "UINT32"), ("is_null", 2, "BOOL"), ("int_value", 3, "UINT32")),
    "PropertySet": (("*keys", 1, "STRING"), ("*values", 2, "PropertyValue")),
    "Metric": (
        ("name", 1, "STRING"), ("alias", 2, "UINT64"), ("timestamp", 3, "UINT64"),
        ("datatype", 4, "UINT32"), ("is_historical", 5, "BOOL"), ("is_transient", 6, "BOOL"),
        ("is_null", 7, "BOOL"), ("properties", 9, "PropertySet"), ("int_value", 10, "UINT32"),
        ("long_value", 11, "UINT64"), ("float_value", 12, "FLOAT"), ("double_value", 13, "DOUBLE"),
        ("boolean_value", 14, "BOOL"), ("string_value", 15, "STRING"), ("bytes_value", 16, "BYTES"),
    ),
    "Payload": (
        ("timestamp", 1, "UINT64"), ("*metrics", 2, "Metric"), ("seq", 3, "UINT64"),
        ("uuid", 4, "STRING"), ("body", 5, "BYTES"),
    ),
}  # fmt: skip
"""Fields of the payload that are used here or could come (Sparkplug 3.0, section 6.4.1)."""


@cache
def _payload() -> Any:
    """Return the class of payloads."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="casemate/sparkplug.proto", package="casemate.sparkplug", syntax="proto2"
    )
    for name, fields in _FIELDS.items():
        made = file.message_type.add(name=name)
        for key, number, kind in fields:
            label = field.LABEL_REPEATED if key.startswith("*") else field.LABEL_OPTIONAL
            one = made.field.add(name=key.lstrip("*"), number=number, label=label)
            if kind in _FIELDS:
                one.type, one.type_name = field.TYPE_MESSAGE, f".casemate.sparkplug.{kind}"
            else:
                one.type = getattr(field, f"TYPE_{kind}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("casemate.sparkplug.Payload")
    return message_factory.GetMessageClass(found)


def encode(
    metrics: Sequence[tuple[str, object]], at_s: float, *, seq: int | None = None,
    quality: int | None = None,
) -> bytes:  # fmt: skip
    """Return a payload. metrics: name and value (str, bool or int). quality: of each of them."""
    made = _payload()(timestamp=int(1000 * at_s))
    if seq is not None:
        made.seq = seq
    for name, value in metrics:
        one = made.metrics.add(name=name, timestamp=int(1000 * at_s))
        if isinstance(value, bool):
            one.datatype, one.boolean_value = _BOOLEAN, value
        elif isinstance(value, int):
            one.datatype, one.long_value = (_INT64 if name == BIRTH else _UINT64), value
        else:
            one.datatype, one.string_value = _STRING, str(value)
        if quality is not None:
            one.properties.keys.append("Quality")
            one.properties.values.add(type=_INT32, int_value=quality)
    return bytes(made.SerializeToString())


def asks_for_rebirth(data: bytes) -> bool:
    """Return whether a command asks for a new birth; whatever else it is, it is not heeded."""
    if len(data) > _MOST_COMMAND:
        return False
    try:
        said = _payload().FromString(data)
    except (message.DecodeError, ValueError):
        return False
    return any(each.name == REBIRTH and each.boolean_value for each in said.metrics)


def metrics(held: Standing) -> list[tuple[str, object]]:
    """Return what is said of an enclosure."""
    return [
        ("State", held.state), ("Alarm", held.alarming), ("Incident/Number", held.incident),
        ("Incident/Severity", held.severity), ("Incident/Seen", held.acknowledged),
        ("Properties/Name", held.name), ("Properties/Serial", held.serial),
        ("Properties/Site", held.site), ("Properties/Kind", held.kind),
    ]  # fmt: skip


class Node:
    """The edge node, on a connection of its own: its will is its death certificate.

    Each connection has the number after the last one's, also over restarts: else a host that hears
    of an old one's death late would take it for that of the new one.
    """

    def __init__(self, settings: Mqtt, told: Told) -> None:
        node = settings.base.replace("/", "_")
        self._told, self._place = told, f"spBv1.0/{settings.group}"
        self._node, self._seq = node, 0
        self._birth, self._next = 0, told.boots
        self._asked = threading.Event()
        self._born_s = 0.0
        self._shown: dict[int, list[tuple[str, object]]] = {}
        self._broker = Broker(
            settings, f"casemate-{settings.name}-{told.boots}-b",
            listens=f"{self._place}/NCMD/{node}", heard=self._heard,
        )  # fmt: skip

    def tend(self, now: Sequence[Standing]) -> None:
        """Publish what has changed; births first, on a new connection or if somebody asked."""
        at_s = self._told.clock()
        if not self._broker.connected:
            self._connect(at_s)
            self._born(at_s)
        elif self._asked.is_set():
            if 0 <= at_s - self._born_s < REBIRTH_S:
                self._broker.tended()
                return
            self._born(at_s)
        self._broker.tended()
        for each in now:
            said = metrics(each)
            if self._shown.get(each.id) != said:
                kind = "DDATA" if each.id in self._shown else "DBIRTH"
                quality = STALE if each.state == "UNKNOWN" else GOOD
                self._publish(self._topic(kind, each.id), said, at_s, quality)
                self._shown[each.id] = said

    def _connect(self, at_s: float) -> None:
        """Connect. A number that no broker has heard of is used for the next attempt."""
        if not self._next:
            self._next = self._told.again()
        self._birth = self._next % 256
        try:
            self._broker.connect(Message(topic=self._topic("NDEATH"), payload=self._death(at_s)))
        finally:
            if self._broker.greeted:
                self._next = 0

    def _death(self, at_s: float) -> bytes:
        return encode([(BIRTH, self._birth)], at_s)

    def _born(self, at_s: float) -> None:
        self._asked.clear()
        self._seq, self._shown, self._born_s = 0, {}, at_s
        said: list[tuple[str, object]] = [(BIRTH, self._birth), (REBIRTH, False)]
        self._publish(self._topic("NBIRTH"), said, at_s, None)

    def _publish(
        self, topic: str, said: list[tuple[str, object]], at_s: float, quality: int | None
    ) -> None:
        data = encode(said, at_s, seq=self._seq, quality=quality)
        self._broker.publish([Message(topic=topic, payload=data, qos=0)])
        self._seq = (self._seq + 1) % 256

    def _heard(self, data: bytes) -> None:
        if asks_for_rebirth(data):
            self._asked.set()

    def _topic(self, kind: str, device: int | None = None) -> str:
        here = f"{self._place}/{kind}/{self._node}"
        return here if device is None else f"{here}/enclosure-{device}"

    def close(self) -> None:
        """Die as the certificate says, and end."""
        try:
            if self._broker.connected:
                death = self._death(self._told.clock())
                self._broker.publish([Message(topic=self._topic("NDEATH"), payload=death)])
        finally:
            self._broker.close()
