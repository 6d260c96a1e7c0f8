"""What is wrong with a service, and how to mend it. Nothing is changed by looking.

Each check looks at one thing and knows its remedy. A check that cannot look says so: what is not
known to be well is not shown as well.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sqlalchemy import func, select

from casemate.core.errors import CasemateError
from casemate.core.progress import Work
from casemate.fleet.access import certificates
from casemate.fleet.alarms.incidents import Act, act_digest
from casemate.fleet.appraisal import walks
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.audit import succession
from casemate.fleet.audit.log import decode
from casemate.fleet.care import room, surroundings, whole_evidence
from casemate.fleet.care.checkup import Finding, Patient
from casemate.fleet.care.checkup import bad as _bad
from casemate.fleet.care.checkup import warning as _warning
from casemate.fleet.clockface import ago, clock
from casemate.fleet.service import home
from casemate.fleet.store.database import Store, is_known, newest_revision, revision
from casemate.fleet.store.schema import (
    ACTS,
    ENCLOSURES,
    ENTRIES,
    ERRANDS,
    FORKS,
    MACHINES,
    PEOPLE,
    VERDICTS,
    WALKS,
)
from casemate.translog.bundle import read_bundle, read_manifest
from casemate.translog.disk import FolderDisk
from casemate.translog.fsck import fsck
from casemate.verify.clocks import TOLERANCE_S

SOON_DAYS = 30
"""Before a certificate expires (planning value)."""
LAST_DAYS = 3
"""Before it does, in which no weekend is left to mend it (planning value)."""
WAITS_S = 600
"""For which what was done on the machine may wait for the audit log (planning value)."""
MOST_NAMED = 5


def examine(
    folder: Path, now_s: int, *, deep: bool = False, listen: str = "",
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    work: Work | None = None,
) -> tuple[Finding, ...]:  # fmt: skip
    """Return what was found, in the order of checks. deep: appraise all evidence anew, too.

    listen: HOST:PORT where the service has to answer; "": it is not looked for. work: is told what
    is looked at.
    """
    try:
        place = home.read(folder)
    except CasemateError as error:
        return (_bad("settings", error.message, error.remedy),)
    if gone := tuple(surroundings.database(place)):
        return gone
    try:
        store = Store(place.store, migrates=False)
    except CasemateError as error:
        return (_bad("store", error.message, error.remedy),)
    patient = Patient(
        place=place, store=store, now_s=now_s, free_bytes=free_bytes, listen=listen,
        work=work or Work("doctor"),
    )  # fmt: skip
    out: list[Finding] = []
    try:
        patient.work.stage("schema", counted=False)
        first = list(_guarded("schema", _schema, patient))
        out += first
        known = all(each.level == "good" for each in first)
        for name, check, needs in (*CHECKS, *(DEEP if deep else ())):
            patient.work.stage(name, counted=False)
            if known or not needs:
                out += _guarded(name, check, patient)
    finally:
        store.close()
    return tuple(out)


def _guarded(
    name: str, check: Callable[[Patient], Iterator[Finding]], patient: Patient
) -> Iterator[Finding]:
    """Yield what a check finds, or that it could not look; that all is well if it finds nothing."""
    found = False
    try:
        for each in check(patient):
            found = True
            yield each
    except CasemateError as error:
        found = True
        yield _bad(name, f"this cannot be looked at: {error.message}", error.remedy)
    except (OSError, ValueError) as error:
        found = True
        yield _bad(name, f"this cannot be looked at: {error}", "mend what is named, and look again")
    if not found:
        yield Finding(id=name, level="good", what="well")


def _schema(patient: Patient) -> Iterator[Finding]:
    restore = "casemate fleet restore BACKUP DIR --replace: what is damaged is kept beside it"
    try:
        with patient.store.read() as link:
            have, want = revision(link), newest_revision()
            told = "ok"
            if link.dialect.name == "sqlite":
                told = str(link.exec_driver_sql("PRAGMA quick_check").scalar_one())
    except CasemateError as error:
        if "malformed" in error.message or "not a database" in error.message:
            yield _bad("schema", f"the database is damaged: {error.message}", restore)
            return
        raise
    if told != "ok":
        yield _bad("schema", f"the database is damaged: {told}", restore)
    if have != want and have and not is_known(have):
        yield _bad(
            "schema", f"the schema is {have}, of a newer release; this one's is {want}",
            "use the release that wrote it; do not start this one",
        )  # fmt: skip
    elif have != want:
        yield _bad(
            "schema", f"the schema is {have or 'none'}, and this release's is {want}",
            "make a backup, and start the service: it brings the schema up to date",
        )  # fmt: skip


def _clock(patient: Patient) -> Iterator[Finding]:
    """What witnesses have seen lies in the past, if this clock is right."""
    latest = select(func.max(VERDICTS.c.seen_s))
    with patient.store.read() as link:
        seen_s = link.execute(latest).scalar_one()
        later = link.execute(select(func.max(ACTS.c.at_s))).scalar_one()
    ahead = max((each for each in (seen_s, later) if each is not None), default=0)
    if ahead > patient.now_s + TOLERANCE_S:
        yield _bad(
            "clock", f"it is {clock(patient.now_s)} here, and {clock(ahead)} was seen already",
            "set the clock by sources that you trust (chrony with NTS); until then enclosures are "
            "shown as UNKNOWN",
        )  # fmt: skip


def _certificates(patient: Patient) -> Iterator[Finding]:
    now = datetime.fromtimestamp(patient.now_s, UTC)
    for name, key_name in (
        (certificates.CA, certificates.CA_KEY), (certificates.CERTIFICATE, certificates.KEY)
    ):  # fmt: skip
        path = patient.place.tls / name
        if not (path.exists() and (patient.place.tls / key_name).exists()):
            continue  # `surroundings.files` tells it
        held = x509.load_pem_x509_certificate(path.read_bytes())
        ends_s, left = int(held.not_valid_after_utc.timestamp()), held.not_valid_after_utc - now
        anew = "move it and its key away, and start the service: it makes another"
        if name == certificates.CA:
            anew = "make a new service and give every controller a new identity"
        if left < timedelta(0) or held.not_valid_before_utc > now:
            yield _bad("certificates", f"{name} is not valid now: nobody gets in", anew)
        elif left < timedelta(days=SOON_DAYS):
            level = _bad if left < timedelta(days=LAST_DAYS) else _warning
            yield level("certificates", f"{name} expires at {clock(ends_s)}", anew)
        key = serialization.load_pem_private_key((patient.place.tls / key_name).read_bytes(), None)
        if key.public_key() != held.public_key():
            yield _bad("certificates", f"{key_name} is not the key of {name}", "restore a backup")


def _permissions(patient: Patient) -> Iterator[Finding]:
    folder = patient.place.folder
    private = [
        folder, patient.place.tls, patient.place.tls / certificates.CA_KEY,
        patient.place.tls / certificates.KEY, folder / home.AUDIT / "key.json",
        folder / walks.KEY_FILE, folder / home.DATABASE,
    ]  # fmt: skip
    for path in (each for each in private if each.exists()):
        found = path.stat()
        loose = stat.S_IMODE(found.st_mode) & 0o077
        if path.name == home.DATABASE:
            loose &= 0o022  # it lies in a folder that nobody else gets into
        if loose:
            yield _bad(
                "permissions", f"others may use {path.relative_to(folder.parent)}",
                f"chmod go= {path.name}, and think who could have read it",
            )  # fmt: skip
    owner = folder.stat().st_uid
    theirs = [*private, *folder.glob(f"{home.AUDIT}/*"), folder / home.SERIES]
    for path in (each for each in theirs if each.exists() and each.stat().st_uid != owner):
        yield _bad(
            "permissions", f"{path.relative_to(folder.parent)} is of another user",
            "give it to the service's user: chown -R --reference=DIR DIR",
        )  # fmt: skip


def _audit(patient: Patient) -> Iterator[Finding]:
    folder = patient.place.folder / home.AUDIT / "log"
    if not patient.place.has_audit_log:
        yield _warning("audit", "there is no audit log yet", "start the service once")
        return
    told, torn = set(), 0
    for each in (folder, *succession.before(folder.parent)):
        torn += len(fsck(FolderDisk(each), read_manifest(each)["origin"]).torn_files)
        held = read_bundle(each)
        lines = (decode(data) for data in (*held.entries, *held.pending))
        told |= {line.outcome.partition("done ")[2] for line in lines}
    if wrong := succession.broken(folder.parent):
        yield _bad("audit", wrong, "audit/before was changed: keep it, and restore a backup")
    rows = select(ACTS.c.incident_id, *(ACTS.c[each] for each in Act.__slots__))
    with patient.store.read() as link:
        acts = set()
        for row in link.execute(rows):
            values = dict(row._mapping)
            acts.add(act_digest(int(values.pop("incident_id")), Act(**values)))
    if unsaid := acts - told:
        yield _bad(
            "audit", f"{len(unsaid)} acts of people are not those that the audit log tells of",
            "the database was changed: keep it, and restore a backup",
        )  # fmt: skip
    if lost := {each for each in told if len(each) == 64} - acts:
        yield _bad(
            "audit", f"{len(lost)} acts of the audit log are not in the database",
            "a backup was restored, or rows were removed: the persons have to act again",
        )  # fmt: skip
    if torn:
        yield _warning(
            "audit", f"{torn} files were torn by a power cut",
            "nothing that was done is lost; keep them",
        )  # fmt: skip


def _witnesses(patient: Patient) -> Iterator[Finding]:
    """Whether checkpoints get their quorum: of the audit log, and of enclosures."""
    path = patient.place.folder / home.AUDIT / "log" / "checkpoint"
    held = read_note(path.read_bytes()) if path.exists() else None
    if held is None or all(each.name == held.stated.origin for each in held.note.lines):
        yield _warning(
            "witnesses", "nobody but this machine vouches for the audit log",
            'name witnesses of rival states in fleet.json: "witnesses": [{"name", "key", "url"}]',
        )  # fmt: skip
    waiting = []
    with patient.store.read() as link:
        asked = select(ENCLOSURES.c.name, ENCLOSURES.c.serial, VERDICTS.c.body).join_from(
            ENCLOSURES, VERDICTS
        )
        for row in link.execute(asked):
            ids = {each["id"] for each in json.loads(row.body)["findings"]}
            if ids & {"log.awaiting", "log.cosignatures"}:
                waiting.append(f"{row.name} {row.serial}")
    if waiting:
        yield _bad(
            "witnesses", f"checkpoints lack a quorum: {_some(waiting)}",
            "ask the host which witness its controller does not reach",
        )  # fmt: skip


def _enclosures(patient: Patient) -> Iterator[Finding]:
    """Yield enclosures without a controller, that bring nothing, or whose state was copied."""
    with patient.store.read() as link:
        rows = link.execute(
            select(ENCLOSURES.c.id, ENCLOSURES.c.name, ENCLOSURES.c.serial, VERDICTS.c.seen_s,
                   VERDICTS.c.fresh_until_s, VERDICTS.c.state)
            .select_from(ENCLOSURES.outerjoin(VERDICTS))
        ).all()  # fmt: skip
        let = set(link.execute(select(MACHINES.c.enclosure_id)).scalars())
        brought = set(link.execute(select(ENTRIES.c.enclosure_id).distinct()).scalars())
        forked = set(link.execute(select(FORKS.c.enclosure_id)).scalars())
    named = {each.id: f"{each.name} {each.serial}" for each in rows}
    if none := [named[each] for each in named if each not in let]:
        yield _bad("enclosures", f"no controller may bring evidence of {_some(none)}",
                   "give it an identity: casemate fleet identity")  # fmt: skip
    if none := [named[each] for each in named if each not in brought]:
        yield _bad("enclosures", f"nothing was ever brought of {_some(none)}",
                   "see that its controller has its identity, reaches the door, and that "
                   "`casemate fleet push` runs")  # fmt: skip
    stale = [
        f"{named[each.id]} ({ago(each.seen_s, patient.now_s)})" for each in rows
        if each.fresh_until_s is not None and each.fresh_until_s < patient.now_s
    ]  # fmt: skip
    if stale:
        yield _bad("enclosures", f"stale: {_some(stale)}",
                   "ask the host for power, network and witnesses; meanwhile they are UNKNOWN",
        )  # fmt: skip
    if forked:
        yield _bad("enclosures", f"copied: {_some(sorted(named[each] for each in forked))}",
                   "keep all files and have them inspected")  # fmt: skip


def _waiting(patient: Patient) -> Iterator[Finding]:
    with patient.store.read() as link:
        first = link.execute(select(func.min(ERRANDS.c.at_s))).scalar_one()
        people = link.execute(select(func.count()).select_from(PEOPLE).where(PEOPLE.c.active))
        if not people.scalar_one():
            yield _warning("service", "nobody may sign in", "casemate fleet person")
    if first is not None and patient.now_s - first > WAITS_S:
        yield _bad(
            "service", f"what was done here {ago(first, patient.now_s)} waits for the audit log",
            "start the service; if it runs, see why its audit log cannot be written",
        )  # fmt: skip


def _walks(patient: Patient) -> Iterator[Finding]:
    if not (patient.place.folder / walks.KEY_FILE).exists():
        return  # `surroundings.files` tells it, if there is anything to believe
    key = walks.key_in(patient.place.folder)
    with patient.store.read() as link:
        rows = link.execute(select(WALKS)).all()
        bad = [int(each.enclosure_id) for each in rows if not walks.is_sound(each, key)]
    if bad:
        yield _bad(
            "walks", f"{len(bad)} walks are not of this service's hand (enclosure {bad[0]})",
            "they are not believed; ask who has written to the database",
        )  # fmt: skip


def _some(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


CHECKS: tuple[tuple[str, Callable[[Patient], Iterator[Finding]], bool], ...] = (
    ("settings", surroundings.told, False),
    ("files", surroundings.files, True),
    ("server", surroundings.server, False),
    ("disk", room.disk, False),
    ("certificates", _certificates, False),
    ("permissions", _permissions, False),
    ("clock", _clock, True),
    ("audit", _audit, True),
    ("witnesses", _witnesses, True),
    ("witnesses", surroundings.peers, False),
    ("witnesses", surroundings.copies, False),
    ("references", surroundings.references, True),
    ("enclosures", _enclosures, True),
    ("outlets", surroundings.outlets, True),
    ("door", surroundings.door, False),
    ("backups", surroundings.backups, False),
    ("service", _waiting, True),
    ("walks", _walks, True),
    ("broker", surroundings.broker, False),
    ("displays", surroundings.walls, True),
)
"""Name, check, and whether it needs the tables of this release."""
DEEP: tuple[tuple[str, Callable[[Patient], Iterator[Finding]], bool], ...] = (
    ("evidence", whole_evidence.check, True),
)
