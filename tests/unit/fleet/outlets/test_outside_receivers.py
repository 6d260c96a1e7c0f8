"""What receivers of others make of what we send: rsyslog over TLS, Net-SNMP's snmptrapd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from brokers import until
from outlets_kit import notice
from outside_receivers import rsyslog, snmptrapd
from test_snmp import AUTH, PRIVACY
from test_snmp import outlet as snmp_outlet
from test_syslog import outlet as syslog_outlet

from casemate.fleet.alarms.notice import KINDS
from casemate.fleet.outlets.outlet import OutletError
from casemate.fleet.outlets.snmp import MODULE, NOTIFICATIONS, engine_id

NAME = 'räck "a"] \\b'
"""A name that each format has to escape."""


def test_rsyslog_takes_each_message_apart(tmp_path: Path) -> None:
    sent = [notice(id=number, what=what, name=NAME) for number, what in enumerate(KINDS, 1)]
    with rsyslog(tmp_path) as held:
        syslog_outlet(tmp_path, held.port, confirms=False).send(sent)
        until(lambda: len(held.read()) == len(sent))
        rows = held.read()
        with pytest.raises(OutletError) as told:  # it ends connections without an answer
            syslog_outlet(tmp_path, held.port).send(sent[:1])
    assert "confirms" in told.value.remedy
    for one, row in zip(sent, rows, strict=True):
        level = 85 if one.what in ("acknowledged", "disposed") else 81
        assert (row["pri"], row["version"], row["host"]) == (str(level), "1", "fleet.test")
        assert (row["app"], row["kind"]) == ("casemate", one.what.upper())
        assert row["time"] == "2027-01-15T08:00:00Z"
        assert row["text"].removeprefix("\ufeff") == one.text
        ((place, said),) = json.loads(row["data"])["rfc5424-sd"].items()
        assert place == "casemate@32473"
        assert (said["id"], said["name"], said["calls"]) == (one.key, NAME, "true")


def test_snmptrapd_takes_what_is_signed_and_encrypted(tmp_path: Path) -> None:
    words, engine = (AUTH.decode(), PRIVACY.decode()), engine_id("fleet.test", "noc")
    with snmptrapd(tmp_path, words, [engine]) as held:
        for boots, confirmed in enumerate((True, False), 1):
            with snmp_outlet(held.port, boots=boots, confirmed=confirmed) as to:
                to.send([notice(id=number, what=what) for number, what in enumerate(KINDS, 1)])
        with snmp_outlet(held.port, boots=3, confirmed=False, auth=b"another passphrase") as to:
            to.send([notice(id=99)])
        other = snmp_outlet(held.port, boots=3, auth=b"another passphrase")
        with other as to, pytest.raises(OutletError):
            to.send([notice(id=98)])
        until(lambda: len(held.read()) == 2 * len(KINDS))
        rows = held.read()
    for what, row in zip((*KINDS, *KINDS), rows, strict=True):
        assert row[".1.3.6.1.6.3.1.1.4.1.0"] == f"OID: .{MODULE}.0.{NOTIFICATIONS[what]}"
        assert row[f".{MODULE}.1.3.0"] == 'STRING: "rack-a"'
        assert row[f".{MODULE}.1.8.0"] == "INTEGER: 1"
        assert row[f".{MODULE}.1.10.0"] == f'STRING: "{notice(what=what).text}"'
