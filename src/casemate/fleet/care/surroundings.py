"""Checks of the doctor around a service: its settings, files, receivers, witnesses and backups.

Receivers and witnesses are only connected to; nothing is sent but, to the service itself, the
first words of TLS.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, make_url, select

from casemate.attest.reference import load
from casemate.core.errors import CasemateError, InputError
from casemate.fleet.access import certificates, displays
from casemate.fleet.appraisal import walks
from casemate.fleet.audit import succession
from casemate.fleet.care.checkup import Finding, Patient, bad, warning
from casemate.fleet.clockface import ago, clock
from casemate.fleet.outlets import settings
from casemate.fleet.service import home
from casemate.fleet.service.home import Home
from casemate.fleet.store import database_server
from casemate.fleet.store.schema import ENCLOSURES, ENTRIES, OUTBOX, OUTLETS, WALKS
from casemate.translog.note import parse_vkey
from casemate.translog.policy import parse

REACH_S = 3.0
"""In which a receiver takes a connection (planning value)."""
OLD_S = 2 * 86_400
"""After which a backup is old: one night's was missed (planning value)."""
BEHIND_S = 600
"""For which an outlet's notices may wait (planning value)."""
DISPLAY_ENDS_S = 30 * 86_400
"""Before which a display's end is told of (planning value)."""
RESTORE = "restore it from a backup"


def database(place: Home) -> Iterator[Finding]:
    """Yield that the database is gone: opening it would make another, which knows of nothing."""
    if place.lacks_database:
        path = Path(str(make_url(place.store).database))
        moved = path.parent.absolute() != place.folder.absolute()
        yield bad(
            "store", f"the database {path} is not there, or empty",
            'name the one that there is as "store" in fleet.json' if moved else
            "casemate fleet restore BACKUP DIR --replace",
        )  # fmt: skip


def told(patient: Patient) -> Iterator[Finding]:
    """Yield what in the settings keeps the service from starting."""
    place = patient.place
    try:
        settings.read(place.outlets, place.folder, place.folder / home.SETTINGS)
    except CasemateError as error:
        yield bad("settings", str(error).partition(" Remedy: ")[0], error.remedy)
    for name, key, url in place.witnesses:
        try:
            parse_vkey(key)
        except CasemateError as error:
            yield bad("settings", f"the key of witness {name} is none: {error.message}",
                      "write the line that `casemate witness` prints for it")  # fmt: skip
        if urlsplit(url).scheme not in ("http", "https"):
            yield bad("settings", f"witness {name} has no address", "write http:// or https://")


def files(patient: Patient) -> Iterator[Finding]:
    """Yield files that are lost, and what is lost with them."""
    place = patient.place
    for name, lost in (
        (certificates.CA, "nobody gets in"), (certificates.CA_KEY, "no controller can be let in")
    ):  # fmt: skip
        if not (place.tls / name).exists():
            yield bad("files", f"tls/{name} is lost: {lost}", RESTORE)
    for name in (certificates.CERTIFICATE, certificates.KEY):
        if not (place.tls / name).exists():
            other = {certificates.CERTIFICATE, certificates.KEY} - {name}
            left = [each for each in other if (place.tls / each).exists()]
            also = f"move tls/{left[0]} away, and " if left else ""
            yield bad("files", f"tls/{name} is lost", f"{also}start the service: it makes another")
    log = place.folder / home.AUDIT
    if place.has_audit_log and not (log / "key.json").exists():
        yield bad("files", "audit/key.json is lost: nothing can be added to the audit log",
                  f"{RESTORE}: another log begins, which continues it")  # fmt: skip
    with patient.store.read() as link:
        begun = link.execute(select(ENTRIES.c.number).limit(1)).first() is not None
        kept = link.execute(select(func.count()).select_from(WALKS)).scalar_one()
    if begun and not place.has_audit_log:
        yield bad("files", "the audit log is gone, and evidence was taken", RESTORE)
    if kept and not (place.folder / walks.KEY_FILE).exists():
        yield bad("files", f"walks.key is lost: {kept} appraisals that were kept are not believed",
                  "start the service: it makes another, and walks through all evidence once more",
        )  # fmt: skip
    if not os.access(place.folder, os.W_OK):
        yield bad("files", f"{place.folder} cannot be written here",
                  "look as the service's user; see that its disk is not mounted read-only",
        )  # fmt: skip


def references(patient: Patient) -> Iterator[Finding]:
    """Yield enclosures whose reference values or policy cannot be read."""
    with patient.store.read() as link:
        asked = (ENCLOSURES.c[name] for name in ("id", "serial", "reference", "policy"))
        rows = link.execute(select(*asked)).all()
    for row in rows:
        for what, read, data in (("reference values", load, row.reference),
                                 ("policy", parse, row.policy)):  # fmt: skip
            try:
                read(bytes(data) if not isinstance(data, str) else data.encode())
            except (CasemateError, ValueError) as error:
                said = error.message if isinstance(error, CasemateError) else str(error)
                yield bad(
                    "references", f"enclosure {row.id} ({row.serial}): its {what} cannot be read: "
                    f"{said or 'nothing is there'}",
                    "the database was changed: keep it, and restore a backup",
                )  # fmt: skip


def backups(patient: Patient) -> Iterator[Finding]:
    """Yield that the last backup is old, or that there was none."""
    path = patient.place.folder / home.BACKED_UP
    remedy = "casemate fleet backup DIR OUT, or start casemate-fleet-backup.timer"
    if not path.exists():
        yield warning("backups", "no backup was ever made of it", remedy)
        return
    at_s = int(json.loads(path.read_text(encoding="utf-8"))["at_s"])
    if patient.now_s - at_s > OLD_S:
        yield bad("backups", f"the last backup was made {ago(at_s, patient.now_s)}", remedy)


def outlets(patient: Patient) -> Iterator[Finding]:
    """Yield receivers that take no connection, and those that lag behind."""
    place = patient.place
    try:
        held = settings.read(place.outlets, place.folder, place.folder / home.SETTINGS)
    except CasemateError:
        return  # `told` has said so
    for each in held:
        where = _address(each)
        if where is not None and (why := unreachable(*where)):
            yield bad("outlets", f"{each.name} ({settings.kind_of(each)}) is not reached at "
                      f"{where[0]}:{where[1]}: {why}",
                      "start the receiver, or mend its address or the way to it; nothing is lost "
                      "meanwhile")  # fmt: skip
    with patient.store.read() as link:
        rows = {x.name: x for x in link.execute(select(OUTLETS)).all()}
        for each in held:
            last = rows[each.name].sent_id if each.name in rows else 0
            first = link.execute(
                select(func.min(OUTBOX.c.at_s), func.count()).where(OUTBOX.c.id > last)
            ).one()
            if first[1] and patient.now_s - first[0] > BEHIND_S:
                yield bad("outlets", f"{first[1]} notices wait for {each.name}, the first "
                          f"{ago(first[0], patient.now_s)}",
                          "see why its receiver does not take them")  # fmt: skip


def _address(held: settings.Settings) -> tuple[str, int] | None:
    """Return host and port of a receiver; None if it is asked by datagrams."""
    if isinstance(held, settings.Webhook):
        parts = urlsplit(held.url)
        return str(parts.hostname), parts.port or 443
    return None if isinstance(held, settings.Snmp) else (held.host, held.port)


def peers(patient: Patient) -> Iterator[Finding]:
    """Yield witnesses of the audit log that take no connection."""
    for name, _, url in patient.place.witnesses:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if parts.hostname and (why := unreachable(parts.hostname, port)):
            yield bad("witnesses", f"witness {name} is not reached at {parts.hostname}:{port}: "
                      f"{why}", "ask who runs it; until then it does not vouch")  # fmt: skip


def copies(patient: Patient) -> Iterator[Finding]:
    """Yield witnesses that have seen of an audit log what cannot be."""
    place = patient.place
    if not place.has_audit_log:
        return
    for told in succession.went_on(place.folder / home.AUDIT, home.witnesses(place)):
        yield bad("witnesses", f"witness {told}: a copy of this service signs it, or files of it "
                  "were set back", "find the other machine and stop it; keep the files of both, "
                  "and tell the parties")  # fmt: skip


def unreachable(host: str, port: int) -> str:
    """Return why no connection is made, "" if one is."""
    try:
        with socket.create_connection((host, port), timeout=REACH_S):
            return ""
    except OSError as error:
        return (error.strerror or str(error)).lower()


def door(patient: Patient) -> Iterator[Finding]:
    """Yield that at the address nobody answers, or another program does."""
    if not patient.listen:
        return
    host, _, port = patient.listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise InputError("this is no address.", remedy="write --listen HOST:PORT.")
    asked = (
        "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "[::]" else host.strip("[]")
    )
    if why := unreachable(asked, int(port)):
        yield bad("door", f"nobody answers at {asked}:{port}: {why}",
                  "start the service; if it runs, see its --listen")  # fmt: skip
        return
    try:
        context = ssl.create_default_context(cafile=str(patient.place.tls / certificates.CA))
        with (
            socket.create_connection((asked, int(port)), timeout=REACH_S) as plain,
            context.wrap_socket(plain, server_hostname=patient.place.name),
        ):
            return
    except OSError as error:
        yield bad("door", f"at {asked}:{port} answers something else than this service: "
                  f"{(error.strerror or str(error)).lower()}",
                  "end the other program (ss -ltnp names it), or choose another --listen",
        )  # fmt: skip


def server(patient: Patient) -> Iterator[Finding]:
    """Yield what the database server would lose of what it has acknowledged."""
    with patient.store.read() as link:
        for each in database_server.doubts(link):
            yield bad("server", f"the database server has {each} off: a power cut loses what was "
                       "acknowledged", f"set {each} = on, and restart the server")  # fmt: skip


def walls(patient: Patient) -> Iterator[Finding]:
    """Yield displays that show nothing more soon: a wall that goes dark is noticed late."""
    with patient.store.read() as link:
        held = displays.all_(link)
    for each in (one for one in held if one.expires_s - patient.now_s < DISPLAY_ENDS_S):
        over = each.expires_s <= patient.now_s
        yield warning(
            "displays", f"display {each.name} {'ended' if over else 'ends'} at "
            f"{clock(each.expires_s)}",
            f"casemate fleet display DIR {each.name} --remove, then let it in anew",
        )  # fmt: skip


def broker(patient: Patient) -> Iterator[Finding]:
    """Yield whether the broker is reached, and is as it has to be."""
    place = patient.place
    if place.nats is not None:
        from casemate.fleet.nats import check

        file, kept = place.folder / home.SETTINGS, place.folder / home.NATS
        for level, what, remedy in check.look(place.nats, place.folder, file, kept):
            yield Finding(id="broker", level=level, what=what, remedy=remedy)
