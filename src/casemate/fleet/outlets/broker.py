"""A connection to an MQTT broker: what is published counts once the broker has acknowledged it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from casemate.fleet.outlets.outlet import TIMEOUT_S, OutletError
from casemate.fleet.outlets.settings import Mqtt

KEEPALIVE_S = 20
"""After one and a half of which the broker says that we are gone (MQTT 3.1.1, section 3.1.2.10)."""
CUT_S = 60.0
"""For which nobody may have published before the connection is cut, so that the broker says by the
will that we are gone: the library keeps a connection alive also for one who hangs."""
_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is published. qos: 1 is acknowledged, 0 is not."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1


class Broker:
    """A connection that is made anew after each failure. heard: what comes under `listens`."""

    def __init__(
        self, settings: Mqtt, client_id: str, *, listens: str = "",
        heard: Callable[[bytes], None] | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._client_id = settings, client_id
        self._listens, self._heard = listens, heard
        self._client: Client | None = None
        self._ended = threading.Event()
        self._tended_s = 0.0
        self.greeted = False
        """Whether the broker may have heard of the will of the last attempt to connect."""

    @property
    def connected(self) -> bool:
        """Return whether the connection stands."""
        return self._client is not None and not self._ended.is_set()

    def connect(self, will: Message) -> None:
        """Connect. will: what the broker says once we are gone. OutletError if it refuses."""
        self.close()
        self.greeted = False
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self._client_id, reconnect_on_failure=False
        )
        up, said = threading.Event(), [""]

        def connected(_c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
            said[0] = str(reason) if reason.is_failure else ""
            if self._listens and not reason.is_failure:
                client.subscribe(self._listens, 1)
            up.set()

        ended = self._ended = threading.Event()
        client.on_connect = connected
        client.on_disconnect = lambda *_: ended.set()
        client.on_message = self._message
        client.max_queued_messages_set(10 * _AT_ONCE)
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        if self._settings.user:
            client.username_pw_set(self._settings.user, self._settings.password.decode())
        try:
            if self._settings.tls is not None:
                client.tls_set_context(self._settings.tls.context())
            client.connect_timeout = TIMEOUT_S
            client.connect(self._settings.host, self._settings.port, keepalive=KEEPALIVE_S)
            self.greeted, self._client = True, client
            client.loop_start()
        except (OSError, ssl.SSLError, ValueError) as error:
            raise OutletError(f"the broker cannot be reached: {error}.") from None
        if not up.wait(TIMEOUT_S) or said[0] or ended.is_set():
            self.close()
            raise OutletError(f"the broker refuses: {said[0] or 'no answer'}.")
        self.tended()
        threading.Thread(target=self._watch, args=(client, ended), daemon=True).start()

    def tended(self) -> None:
        """Say that somebody sees to what stands at the broker."""
        self._tended_s = time.monotonic()

    def _watch(self, client: Client, ended: threading.Event) -> None:
        """Cut a connection that nobody tends, without the farewell that keeps a will back."""
        while not ended.wait(CUT_S / 60):
            link = client.socket()
            overdue = time.monotonic() - self._tended_s > CUT_S
            if overdue and isinstance(link, socket.socket):
                with suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                return

    def publish(self, messages: Iterable[Message]) -> None:
        """Publish; returns once the broker has acknowledged each. OutletError if it has not."""
        if self._client is None or self._ended.is_set():
            raise OutletError("the connection to the broker has ended.")
        held: list[MQTTMessageInfo] = []
        for each in messages:
            held.append(
                self._client.publish(each.topic, each.payload, qos=each.qos, retain=each.retain)
            )
            if len(held) == _AT_ONCE:
                self._settle(held)
        self._settle(held)

    def _settle(self, held: list[MQTTMessageInfo]) -> None:
        try:
            for each in held:
                self.tended()
                each.wait_for_publish(TIMEOUT_S)
                if not each.is_published() or self._ended.is_set():
                    raise OutletError("the broker did not acknowledge.")
        except (ValueError, RuntimeError) as error:
            self.close()
            raise OutletError(f"the broker did not take it: {error}.") from None
        except OutletError:
            self.close()
            raise
        held.clear()

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._heard is not None:
            self._heard(bytes(message.payload))

    def close(self) -> None:
        """End the connection."""
        self._ended.set()
        if self._client is not None:
            with suppress(Exception):
                self._client.disconnect()
            self._client.loop_stop()
            self._client = None
