"""rsyslog, syslog-ng, Net-SNMP and libsmi, as Debian has them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outside_receivers as outside
from judging import Judge
from outlets_kit import program
from stage import Stage, until

from casemate.fleet.alarms.notice import KINDS, Notice
from casemate.fleet.outlets.snmp import MODULE, NOTIFICATIONS, OBJECTS, SEVERITY

MIB = Path(__file__).parents[2] / "deploy" / "monitoring" / "CASEMATE-MIB.txt"
NAMED = {
    "raised": "casemateRaised", "grown": "casemateGrown", "acknowledged": "casemateSeen",
    "disposed": "casemateDisposed", "many": "casemateMany",
}  # fmt: skip
"""What the MIB calls the notifications."""
_SYSLOG_FIELDS = 12
_FACILITY, _ACTED = 10, 5
_LEVELS = {"alarm": 1, "unknown": 2, "warning": 4}
"""As the guide says, written down a second time."""


def judges(stage: Stage, sent: list[Notice], mibs: Path) -> Iterator[Judge]:
    """Yield what each made of the notices of the store."""
    yield _rsyslog(stage, sent)
    yield _syslog_ng(stage, sent)
    yield _snmptrapd(stage, sent)
    yield _smilint(mibs)
    yield _snmptranslate(mibs)


def _level(one: Notice) -> int:
    acted = one.what in ("acknowledged", "disposed")
    return 8 * _FACILITY + (_ACTED if acted else _LEVELS[one.severity])


def _rsyslog(stage: Stage, sent: list[Notice]) -> Judge:
    judge = Judge(
        "rsyslog", outside.version("rsyslogd", "-v"),
        "takes messages over TLS (GnuTLS) and their structured data apart",
    )  # fmt: skip
    until(lambda: len(stage.rsyslog.read()) >= len(sent), 20)
    rows = stage.rsyslog.read()
    judge.equal("messages, each once", len(rows), len(sent))
    for one, row in zip(sent, rows, strict=False):
        head = (row["pri"], row["version"], row["host"], row["app"], row["kind"])
        pri = str(_level(one))
        judge.equal("header", head, (pri, "1", "localhost", "casemate", one.what.upper()))
        judge.equal("text", row["text"].removeprefix("\ufeff"), one.text)
        data = json.loads(row["data"]).get("rfc5424-sd", {}).get("casemate@32473", {})
        _same_fields(judge, one, data)
    return judge


def _same_fields(judge: Judge, one: Notice, data: dict[str, str]) -> None:
    judge.equal("number of fields", len(data), _SYSLOG_FIELDS)
    seen = [data.get(each) for each in ("id", "name", "site", "incident", "finding", "calls")]
    wanted = [one.key, one.name, one.site, str(one.incident), one.code, str(one.calls).lower()]
    judge.equal("structured data", seen, wanted)


def _syslog_ng(stage: Stage, sent: list[Notice]) -> Judge:
    assert stage.syslog_ng is not None
    held = stage.syslog_ng
    judge = Judge(
        "syslog-ng", SYSLOG_NG.partition("-")[0],
        "takes messages over TLS (OpenSSL), answers the end of each connection",
    )  # fmt: skip
    until(lambda: len(held.read()) >= len(sent), 20)
    rows = held.read()
    judge.equal("messages, each once", len(rows), len(sent))
    for one, row in zip(sent, rows, strict=False):
        pri = _level(one)
        seen = (
            int(row["pri"]),
            row["PROGRAM"],
            row["MSGID"],
            row["MESSAGE"].removeprefix("\ufeff"),
        )
        judge.equal("header and text", seen, (pri, "casemate", one.what.upper(), one.text))
        _same_fields(judge, one, row.get("_SDATA", {}).get("casemate@32473", {}))
    with stage.service.store.read() as link:
        waits = outside_waiting(link)
    judge.equal("nothing waits, since each end was answered", waits["archive"], 0)
    return judge


def outside_waiting(link: Any) -> dict[str, int]:
    """Return how much waits for each outlet."""
    from sqlalchemy import select

    from casemate.fleet.alarms import outbox
    from casemate.fleet.store.schema import OUTLETS

    names = link.execute(select(OUTLETS.c.name)).scalars().all()
    return {name: outbox.waiting(link, name)[0] for name in names}


SYSLOG_NG = "3.38.1-5"
"""Debian 12's; its files are unpacked beside rsyslog, of which it is the alternative."""


def _snmptrapd(stage: Stage, sent: list[Notice]) -> Judge:
    judge = Judge(
        "snmptrapd (Net-SNMP)", outside.version("snmptrapd", "-v"),
        "decrypts informs and traps of SNMPv3, and names all they hold by the MIB",
    )  # fmt: skip
    until(lambda: len(stage.traps.read()) >= 2 * len(sent), 20)
    rows = stage.traps.read()
    judge.equal("notifications, as informs and as traps", len(rows), 2 * len(sent))
    order = {"alarm": "alarm(1)", "unknown": "unknown(2)", "warning": "warning(3)"}
    for one in sent:
        mine = [x for x in rows if x.get("CASEMATE-MIB::casemateNoticeId.0", "").endswith(
            f": {one.id}")]  # fmt: skip
        judge.equal("twice told", len(mine), 2)
        for row in mine:
            judge.equal(
                "notification",
                [value for key, value in row.items() if key.endswith("1.1.4.1.0")
                 or key.endswith("snmpTrapOID.0")],
                [f"OID: CASEMATE-MIB::{NAMED[one.what]}"],
            )  # fmt: skip
            named = [each for each in row if each.startswith("CASEMATE-MIB::")]
            judge.equal("objects", named, [f"CASEMATE-MIB::{each}.0" for each in OBJECTS])
            seen = [
                row.get(f"CASEMATE-MIB::casemate{each}.0") for each in ("Name", "Severity", "Text")
            ]
            wanted = [f"STRING: {one.name}", f"INTEGER: {order[one.severity]}",
                      f"STRING: {one.text}"]  # fmt: skip
            judge.equal("values", seen, wanted)
    return judge


def _said(mibs: Path, *command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"SMIPATH": str(mibs)}, cwd=mibs
    )
    return done.stdout + done.stderr


def _smilint(mibs: Path) -> Judge:
    judge = Judge(
        "smilint (libsmi)", outside.version("smilint", "-V"), "reads the MIB at its strictest level"
    )
    said = _said(mibs, program("smilint"), "-l", "9", "-s", "./CASEMATE-MIB")
    judge.equal("no remark", said, "")
    faulty = mibs / "FAULTY-MIB"
    text = (mibs / "CASEMATE-MIB").read_text(encoding="ascii")
    faulty.write_text(text.replace("{ casemateObjects 3 }", "{ casemateObjects 2 }"))
    judge.hold("a number given twice is seen", _said(mibs, program("smilint"), "./FAULTY-MIB"))
    faulty.unlink()
    return judge


def _snmptranslate(mibs: Path) -> Judge:
    judge = Judge(
        "snmptranslate (Net-SNMP)", outside.version("snmptranslate", "-V"),
        "compiles the MIB: numbers and types of each object",
    )  # fmt: skip
    own = ("-M", str(mibs), "-m", "CASEMATE-MIB")
    tree = _said(mibs, program("snmptranslate"), *own, "-Pu", "-Tp", "CASEMATE-MIB::casemateMIB")
    judge.hold("no error", "rror" not in tree and "annot" not in tree, tree[:300])
    for number, name in enumerate(OBJECTS, 1):
        judge.hold(f"{name} has number {number}", re.search(rf"\b{name}\({number}\)", tree))
    for what in KINDS:
        oid = _said(mibs, program("snmptranslate"), *own, "-On", f"CASEMATE-MIB::{NAMED[what]}")
        judge.equal(what, oid.strip(), f".{MODULE}.0.{NOTIFICATIONS[what]}")
    values = ", ".join(f"{name}({number})" for name, number in SEVERITY.items())
    judge.hold("severities", f"Values: {values}" in tree, tree)
    return judge
