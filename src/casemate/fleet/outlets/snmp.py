"""SNMPv3 notifications of CASEMATE-MIB, signed and encrypted (authPriv: SHA-256, AES-128).

Informs are answered by the receiver: they count once they are. Traps are not: one that is lost on
the way is lost, and nobody knows; they are for receivers that take nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pysnmp.error import PySnmpError  # type: ignore[import-untyped]
from pysnmp.hlapi.v3arch.asyncio import (  # type: ignore[import-untyped]
    ContextData,
    NotificationType,
    ObjectIdentity,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
)
from pysnmp.proto.rfc1902 import (  # type: ignore[import-untyped]
    Integer32,
    OctetString,
    Unsigned32,
)

from casemate.fleet.alarms.notice import ACKNOWLEDGED, DISPOSED, GROWN, MANY, RAISED, Notice
from casemate.fleet.outlets.outlet import OutletError, Told
from casemate.fleet.outlets.settings import Snmp
from casemate.fleet.outlets.standing import Standing
from casemate.fleet.outlets.syslog import ENTERPRISE

MODULE = f"1.3.6.1.4.1.{ENTERPRISE}.42"
"""Of CASEMATE-MIB, under the number set aside for documentation until ours is assigned."""
NOTIFICATIONS = {RAISED: 1, GROWN: 2, ACKNOWLEDGED: 3, DISPOSED: 4, MANY: 5}
"""Last number of a notification under MODULE.0, by what is told."""
OBJECTS = (
    "casemateNoticeId", "casemateEnclosure", "casemateName", "casemateSerial", "casemateSite",
    "casemateKind", "casemateIncident", "casemateSeverity", "casemateFinding", "casemateText",
    "casemateTime", "casemateCalls", "casemateMore",
)  # fmt: skip
"""Objects under MODULE.1, numbered from one; each notification has all, in this order."""
SEVERITY = {"alarm": 1, "unknown": 2, "warning": 3, "note": 4}
TIMEOUT_S, RETRIES = 2.0, 2


def engine_id(service: str, outlet: str) -> bytes:
    """Return the id of the engine of an outlet (RFC 3411, section 5: format 5, octets)."""
    own = hashlib.sha256(f"{service}\0{outlet}".encode()).digest()[:16]
    return (0x80000000 | ENTERPRISE).to_bytes(4, "big") + b"\x05" + own


def values(notice: Notice) -> list[tuple[str, Any]]:
    """Return the objects of a notification with their OIDs."""
    at = datetime.fromtimestamp(notice.at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found: tuple[Any, ...] = (
        Unsigned32(notice.id), Unsigned32(notice.enclosure), _text(notice.name),
        _text(notice.serial), _text(notice.site), _text(notice.kind), Unsigned32(notice.incident),
        Integer32(SEVERITY[notice.severity]), _text(notice.code), _text(notice.text), _text(at),
        Integer32(1 if notice.calls else 2), Unsigned32(notice.more),
    )  # fmt: skip
    return [(f"{MODULE}.1.{at + 1}.0", each) for at, each in enumerate(found)]


def _text(value: str) -> OctetString:
    """Return a text of at most 255 octets (SnmpAdminString), cut between characters."""
    return OctetString(value.encode()[:255].decode("utf-8", "ignore").encode())


class SnmpOutlet:
    """Brings notices to a receiver of SNMPv3."""

    most = 1

    def __init__(self, settings: Snmp, told: Told) -> None:
        self._settings = settings
        self._runner = asyncio.Runner()
        self._engine: SnmpEngine | None = None
        self._id, self._boots = engine_id(told.service, settings.name), told.boots
        self._user = UsmUserData(
            settings.user, settings.auth.decode(), settings.privacy.decode(),
            authProtocol=usmHMAC192SHA256AuthProtocol, privProtocol=usmAesCfb128Protocol,
        )  # fmt: skip

    def send(self, notices: Sequence[Notice]) -> None:
        """Bring notices. OutletError unless each inform is answered, or each trap is sent."""
        for each in notices:
            try:
                self._runner.run(self._notify(each))
            except (PySnmpError, OSError, ValueError) as error:
                raise OutletError(f"the receiver of SNMP cannot be told: {error}.") from None

    async def _notify(self, notice: Notice) -> None:
        if self._engine is None:
            self._engine = self._made()
        at = (self._settings.host, self._settings.port)
        target = await UdpTransportTarget.create(at, timeout=TIMEOUT_S, retries=RETRIES)
        told = NotificationType(ObjectIdentity(f"{MODULE}.0.{NOTIFICATIONS[notice.what]}"))
        told.add_varbinds(*values(notice))
        kind = "inform" if self._settings.confirmed else "trap"
        failed, status, _, _ = await send_notification(
            self._engine, self._user, target, ContextData(), kind, told, lookupMib=False
        )
        if failed or status:
            raise OutletError(f"the receiver of SNMP did not answer: {failed or status}.")

    def _made(self) -> SnmpEngine:
        """Return an engine with our id and boots.

        The library would keep boots in a folder that every user of the machine can write; ours are
        in the store. A receiver of traps takes none from an engine whose boots went back.
        """
        engine = SnmpEngine()
        load = engine.get_mib_builder().import_symbols
        id_, boots = load("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
        id_.syntax = id_.syntax.clone(self._id)
        engine.snmpEngineID = id_.syntax
        boots.syntax = boots.syntax.clone(self._boots)
        return engine

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        """Do nothing: states are read elsewhere."""

    def close(self) -> None:
        """Let go of sockets."""
        if self._engine is not None:
            self._runner.run(self._closed(self._engine))
        self._runner.close()

    async def _closed(self, engine: SnmpEngine) -> None:
        engine.close_dispatcher()
        await asyncio.sleep(0)  # its timer ends
