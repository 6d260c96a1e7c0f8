"""MQTT: alarms at QoS 1, and how each enclosure stands as Home Assistant shows alarm panels.

Under BASE: `status` (online; the broker says offline once we are gone), `alive` (Unix time, every
ten seconds), `enclosure/NUMBER/alarm` (notices), `enclosure/NUMBER/state` and `…/attributes`
(retained). Nothing is subscribed to: nobody can arm, disarm or end anything from there. Topics hold
numbers, never names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from casemate.fleet.alarms.notice import Notice
from casemate.fleet.outlets.broker import Broker, Message
from casemate.fleet.outlets.outlet import Told
from casemate.fleet.outlets.settings import Mqtt
from casemate.fleet.outlets.sparkplug import Node
from casemate.fleet.outlets.standing import Standing
from casemate.fleet.outlets.webhook import event

WORDS = {
    "ARMED": "armed_away", "MAINTENANCE": "armed_custom_bypass", "COMMISSIONING": "arming",
    "RETIRED": "disarmed", "UNKNOWN": "triggered", "TAMPERED": "triggered",
}  # fmt: skip
"""States as Home Assistant's panels have them. What is not known is an alarm."""
ALIVE_S = 10
SILENT_S = 60
"""After which Home Assistant shows the service as not available."""
REFUSAL = "{{ casemate_takes_no_commands() }}"
"""What Home Assistant has to make of a command. No such function is there, so it refuses, says why,
and publishes nothing: a panel always has a button to disarm it."""


_Shown: TypeAlias = tuple[bytes, str, bytes]
"""Of an enclosure: how it is discovered, its word, its attributes."""


def word(held: Standing) -> str:
    """Return what a panel shows: an open alarm is one, whatever the state is."""
    return "triggered" if held.alarming else WORDS[held.state]


def attributes(held: Standing) -> dict[str, Any]:
    """Return what stands beside a panel's word."""
    row: dict[str, Any] = {
        "state": held.state, "serial": held.serial, "site": held.site, "kind": held.kind,
        "incident": held.incident, "severity": held.severity, "seen_by_a_person": held.acknowledged,
    }  # fmt: skip
    if held.alarming:
        why = "how it stands is not known" if held.state == "UNKNOWN" else "see its page"
        row["text"] = f"chassis intrusion monitoring: {why}"
    return row


def discovery(settings: Mqtt, held: Standing) -> list[Message]:
    """Return what Home Assistant learns of an enclosure: one panel, which can be looked at."""
    base, slug = settings.base, settings.base.replace("/", "_")
    here = f"{base}/enclosure/{held.id}"
    panel = {
        "name": "chassis intrusion", "unique_id": f"casemate_{slug}_{held.id}",
        "state_topic": f"{here}/state", "json_attributes_topic": f"{here}/attributes",
        "command_topic": f"{here}/nobody-listens", "command_template": REFUSAL,
        "supported_features": [],
        "code_arm_required": False, "code_disarm_required": False, "qos": 1,
        "availability_topic": f"{base}/status",
        "device": {
            "identifiers": [f"casemate_{slug}_{held.id}"], "name": held.name,
            "manufacturer": "Casemate", "model": held.kind, "serial_number": held.serial,
            "suggested_area": held.site,
        },
        "origin": {"name": "casemate"},
    }  # fmt: skip
    topic = f"{settings.discovery}/alarm_control_panel/casemate_{slug}/{held.id}/config"
    return [Message(topic=topic, payload=_json(panel), retain=True)]


def service_discovery(settings: Mqtt, service: str) -> Message:
    """Return what Home Assistant learns of the service: whether it speaks."""
    base, slug = settings.base, settings.base.replace("/", "_")
    row = {
        "name": "Casemate service", "unique_id": f"casemate_{slug}", "device_class": "connectivity",
        "state_topic": f"{base}/alive", "value_template": "{{ 'ON' if value | int else 'OFF' }}",
        "expire_after": SILENT_S, "availability_topic": f"{base}/status", "qos": 1,
        "device": {"identifiers": [f"casemate_{slug}"], "name": service,
                   "manufacturer": "Casemate"},
        "origin": {"name": "casemate"},
    }  # fmt: skip
    topic = f"{settings.discovery}/binary_sensor/casemate_{slug}/service/config"
    return Message(topic=topic, payload=_json(row), retain=True)


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=True, sort_keys=True).encode("ascii")


class MqttOutlet:
    """Brings notices to a broker, and keeps up there how each enclosure stands."""

    most = 100

    def __init__(self, settings: Mqtt, told: Told) -> None:
        self._settings, self._told = settings, told
        self._broker = Broker(settings, f"casemate-{settings.name}-{told.boots}")
        self._will = Message(topic=f"{settings.base}/status", payload=b"offline", retain=True)
        self._shown: dict[int, _Shown] = {}
        self._alive_s = 0.0
        self._node = Node(settings, told) if settings.group else None

    def send(self, notices: Sequence[Notice]) -> None:
        """Publish notices in order. OutletError unless the broker acknowledges each."""
        self._up()
        base = self._settings.base
        self._broker.publish(
            Message(
                topic=f"{base}/enclosure/{each.enclosure}/alarm",
                payload=_json(event(each, self._told.service)),
            )
            for each in notices
        )

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        """Publish what has changed since it was last published; all, on a new connection."""
        self._up()
        now = held()
        self._broker.tended()
        said = [self._said(each) for each in now]
        self._broker.publish(one for messages, _ in said for one in messages)
        for each, (_, shown) in zip(now, said, strict=True):
            self._shown[each.id] = shown
        if self._told.clock() - self._alive_s >= ALIVE_S or self._told.clock() < self._alive_s:
            self._alive_s = self._told.clock()
            at = str(int(self._alive_s)).encode()
            self._broker.publish([Message(topic=f"{self._settings.base}/alive", payload=at)])
        if self._node is not None:
            self._node.tend(now)

    def _said(self, each: Standing) -> tuple[list[Message], _Shown]:
        """Return what has to be published of an enclosure, and what is shown of it then.

        All that is new goes out together: one by one, ten thousand answers of a broker that is far
        away would keep an alarm waiting.
        """
        here, out = f"{self._settings.base}/enclosure/{each.id}", list[Message]()
        made = discovery(self._settings, each) if self._settings.discovery else []
        found, word_, row = made[0].payload if made else b"", word(each), _json(attributes(each))
        before = self._shown.get(each.id)
        if before is None or before[0] != found:
            out += made
        if before is None or before[1:] != (word_, row):
            out += [
                Message(topic=f"{here}/attributes", payload=row, retain=True),
                Message(topic=f"{here}/state", payload=word_.encode(), retain=True),
            ]
        return out, (found, word_, row)

    def _up(self) -> None:
        """Connect unless that stands; what a new connection finds there is published anew."""
        if self._broker.connected:
            return
        self._shown, self._alive_s = {}, 0.0
        self._broker.connect(self._will)
        first = [Message(topic=self._will.topic, payload=b"online", retain=True)]
        if self._settings.discovery:
            first.append(service_discovery(self._settings, self._told.service))
        self._broker.publish(first)

    def close(self) -> None:
        """Say that nobody speaks any more, and end."""
        try:
            if self._broker.connected:
                self._broker.publish([self._will])
        finally:
            self._broker.close()
            if self._node is not None:
                self._node.close()
