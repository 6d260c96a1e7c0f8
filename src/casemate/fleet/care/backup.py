"""Backups of a service while it runs, and their restoration.

backup.json    when, of what schema, how much there is, and the SHA-256 of each file
fleet.db       all tables at one moment, always SQLite
fleet.json tls/ walks.key    as they are in the service's folder; tls/ holds keys
audit/         the audit log, without its key, and those before it
               and the files that outlets name; readings (series/) are not in it

What was said in the audit log stays said: a restoration brings the tables back, never the audit log
of a service that has gone on. Where there is none, another begins that continues it (`succession`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import URL, Connection, Integer, func, insert, make_url, select, text

from casemate.core.canonical import pretty_json
from casemate.core.errors import CasemateError, InputError, OutputError
from casemate.core.private_folder import private_folder
from casemate.core.progress import Work
from casemate.core.whole_file import write_whole
from casemate.fleet.audit import succession
from casemate.fleet.care import backup_files, backup_let
from casemate.fleet.clockface import clock
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store import lease
from casemate.fleet.store.database import Store, revision
from casemate.fleet.store.schema import ACTS, ENCLOSURES, ENTRIES, METADATA, WALKS
from casemate.translog.bundle import read_bundle, read_manifest
from casemate.translog.disk import FolderDisk
from casemate.translog.fsck import fsck

FORMAT, MANIFEST = "casemate-fleet-backup-3", "backup.json"
_FORMATS = (FORMAT, "casemate-fleet-backup-2")
"""Those that are read: the one before has the key of its audit log, which is left in it."""
_TRIES = 5
"""Of copying the audit log while it grows (planning value)."""
_ROWS = 500
"""Copied at once (planning value)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a backup holds. audit: lines of the audit log under its checkpoint."""

    made_s: int
    name: str
    audit: int
    schema: str = ""
    enclosures: int = 0
    entries: int = 0
    acts: int = 0
    database: str = ""
    files: dict[str, str] = field(default_factory=dict, hash=False)
    digest: str = ""
    """SHA-256 of the manifest: kept elsewhere, it tells a backup that somebody made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored. succession: the audit log that began; None where the one there stays."""

    backup: Backup
    succession: succession.Succession | None


def backup(place: Home, out: Path, work: Work | None = None) -> Backup:
    """Write a backup into a new folder. InputError if there is something already.

    What is in it was so at one moment; the audit log is no older than the tables.
    """
    work = work or Work("backup")
    if out.exists():
        raise InputError("it is there already.", remedy="name a new folder.", file=str(out))
    if place.lacks_database:
        raise InputError(
            "the database is not there, or empty.", remedy="see `casemate fleet doctor`.",
            file=str(place.folder),
        )  # fmt: skip
    private_folder(out)
    try:
        store = Store(place.store, migrates=False)
        try:
            _tell(store, "write a backup", out.name)  # it holds keys: that there is one, shows
            _copy_out(store, out / home.DATABASE, work)
            work.stage("audit log", counted=False)
            backup_files.copy(place, out)
            size = _copy_audit(place.folder / home.AUDIT, out / home.AUDIT)
            work.stage("looking at the copy", counted=False)
            made = _counted(out, Backup(made_s=int(time.time()), name=place.name, audit=size))
            files = _files(out, work)  # once nobody has the database open
            made = dataclasses.replace(made, files=files, database=files[home.DATABASE])
            row = {"format": FORMAT, **asdict(made)}
            del row["digest"]
            write_whole(out / MANIFEST, pretty_json(row))
            made = dataclasses.replace(made, digest=_digest(out / MANIFEST))
            _tell(store, "wrote a backup", made.digest)
        finally:
            store.close()
        write_whole(place.folder / home.BACKED_UP, pretty_json({"at_s": made.made_s}))
    except OSError as error:
        raise OutputError(
            f"the backup is not whole: {error}.", remedy="free space, and begin anew elsewhere."
        ) from None
    return made


def check(folder: Path, digest: str = "", work: Work | None = None) -> Backup:
    """Return what a backup holds, if it is whole. InputError says what is wrong with it.

    digest: what `backup` told when it was made; "": who could write to it is trusted.
    """
    work = work or Work("backup")
    try:
        row = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if row.pop("format") not in _FORMATS:
            raise ValueError("it is of another format")
        told = Backup(**{**row, "digest": ""})
        if digest not in ("", found := _digest(folder / MANIFEST)):
            raise ValueError("it is not the one of that digest")
        if wrong := backup_files.differing(told.files, _files(folder, work)):
            raise ValueError(wrong)
        work.stage("looking at its database and audit log", counted=False)
        if told != _counted(folder, told) or told.database != told.files[home.DATABASE]:
            raise ValueError("the database is not the one that was backed up")
        if _sound(folder / home.AUDIT) != told.audit:
            raise ValueError("the audit log is another one")
        return dataclasses.replace(told, digest=found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"this is no whole backup: {error}.", remedy="restore another one.", file=str(folder)
        ) from None
    except CasemateError as error:
        raise InputError(
            f"this is no whole backup: {error.message}", remedy="restore another one.",
            file=str(folder),
        ) from None  # fmt: skip


def restore(
    source: Path, folder: Path, *, store: str = "", replace: bool = False, digest: str = "",
    generation: int = 0, work: Work | None = None,
) -> Restored:  # fmt: skip
    """Make a service from a backup, or bring back the tables of one that is there (`replace`).

    No service may have the store. Of one that is there, certificates and the audit log stay, and
    the database that was is kept beside. generation: of an audit log that begins, if not the next.
    InputError if the backup is not whole, or this would overwrite something.
    """
    work = work or Work("restoration")
    held = check(source, digest, work)
    home.read(source)
    there = (folder / home.SETTINGS).exists()
    if there and not replace:
        raise InputError(
            "there is a service already.",
            remedy="name another folder, or say --replace.", file=str(folder),
        )  # fmt: skip
    begun = home.has_log(folder / home.AUDIT)
    of = folder if begun else source
    number = succession.number_after(of / home.AUDIT / succession.LOG, generation)
    place = home.read(folder) if there else _new(source, folder, held.name, store)
    (folder / home.AUDIT / "log").mkdir(exist_ok=True, parents=True)  # one that was never started
    disk = FolderDisk(folder / home.AUDIT / "log")
    disk.lock()
    try:
        with lease.unserved(place.store):
            before = backup_let.of(place) if there else None
            _copy_in(source / home.DATABASE, place, int(time.time()), work)
            work.stage("looking at what was restored", counted=False)
            _tidied(place, held, before)
    finally:
        disk.unlock()
    if not number or (begun and (folder / home.AUDIT / succession.KEY).exists()):
        return Restored(backup=held, succession=None)
    return Restored(backup=held, succession=_continued(source, place, held, number))


def _tidied(place: Home, held: Backup, before: backup_let.Let | None) -> None:
    """Have nobody be signed in, let in no more whom `before` does not, and write it down."""
    opened = place.opened()
    try:
        with opened.write() as link:
            out = backup_let.tidy(link, before)
            if out:
                what = f"let in no more, as before the restoration: {out}"
                errands.note(link, what, held.database[:16], int(time.time()))
            told = f"restore a backup of {held.made_s}, audit log at {held.audit}"
            errands.note(link, told, held.database[:16], int(time.time()))
    finally:
        opened.close()


def _continued(source: Path, place: Home, held: Backup, number: int) -> succession.Succession:
    """Begin an audit log that continues the one that is there, or that of the backup."""
    audit = place.folder / home.AUDIT
    if not place.has_audit_log:
        for each in (succession.LOG, succession.BEFORE):
            if (source / home.AUDIT / each).exists():
                shutil.copytree(source / home.AUDIT / each, audit / each, dirs_exist_ok=True)
    told = f"restored from a backup of {clock(held.made_s)}, {held.digest}"
    try:
        peers = home.witnesses(place)
    except CasemateError:
        peers = ()  # `doctor` says what is wrong with the settings
    return succession.begin(audit, place.name, number, told, time.time, peers)


def _new(source: Path, folder: Path, name: str, store: str) -> Home:
    private_folder(folder)
    url = store or str(URL.create("sqlite", database=str((folder / home.DATABASE).absolute())))
    private_folder(folder / home.AUDIT)
    held = home.read(source)
    backup_files.copy(held, folder)
    row = json.loads((source / home.SETTINGS).read_text(encoding="utf-8"))
    # passkeys that are asked for, witnesses and outlets stay: what guards it is part of it
    write_whole(folder / home.SETTINGS, pretty_json({**row, "name": name, "store": url}))
    return home.read(folder)


def _tell(store: Store, what: str, subject: str) -> None:
    with store.write() as link:
        errands.note(link, what, subject, int(time.time()))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path, work: Work) -> dict[str, str]:
    return backup_files.digests(folder, MANIFEST, work)


def _counted(folder: Path, told: Backup) -> Backup:
    """Return `told` with what the database in a folder holds. ValueError if it is damaged."""
    path = folder / home.DATABASE
    store = Store(_sqlite(path), migrates=False)
    try:
        with store.read() as link:
            if link.exec_driver_sql("PRAGMA quick_check").scalar_one() != "ok":
                raise ValueError("the database is damaged")
            counts = [
                int(link.execute(select(func.count()).select_from(each)).scalar_one())
                for each in (ENCLOSURES, ENTRIES, ACTS)
            ]
            schema = revision(link)
    finally:
        store.close()
    return dataclasses.replace(
        told, schema=schema, enclosures=counts[0], entries=counts[1], acts=counts[2]
    )


def _sqlite(path: Path) -> str:
    return str(URL.create("sqlite", database=str(path.absolute())))


def _copy_out(store: Store, path: Path, work: Work) -> None:
    """Write all tables at one moment into a new SQLite file."""
    if store.engine.dialect.name != "sqlite":
        made = Store(_sqlite(path))
        try:
            with store.read() as link, made.write() as into:
                _copy_rows(link, into, work)
        finally:
            made.close()
    else:
        with store.read() as link, closing(sqlite3.connect(path)) as into:
            held = link.connection.driver_connection
            assert isinstance(held, sqlite3.Connection)
            held.commit()  # the copy is consistent by itself
            work.stage("tables", _bytes(held), "bytes", gauge=lambda: path.stat().st_size)
            held.backup(into)
            into.execute("PRAGMA journal_mode=DELETE")
    path.chmod(0o600)


def _bytes(held: sqlite3.Connection) -> int:
    """Return how large a SQLite database is."""
    pages, each = (
        int(held.execute(f"PRAGMA {x}").fetchone()[0]) for x in ("page_count", "page_size")
    )
    return pages * each


def _copy_in(path: Path, place: Home, now_s: int, work: Work) -> None:
    """Put the tables of a SQLite file in place of those of a store, which are kept beside."""
    target = make_url(place.store)
    if target.get_backend_name() == "sqlite":
        into = Path(str(target.database))
        aside = _aside(into, now_s)
        for each in ("", "-wal", "-shm"):
            if (rest := into.with_name(into.name + each)).exists():
                rest.rename(rest.with_name(f"{rest.name}{aside}"))
        size = path.stat().st_size
        work.stage("tables", size, "bytes", gauge=lambda: into.stat().st_size)
        shutil.copyfile(path, into)
        into.chmod(0o600)
        return
    passing = path.with_name(f".{path.name}.{now_s}")
    shutil.copyfile(path, passing)
    source, store = Store(_sqlite(passing)), Store(place.store)
    try:
        kept = place.folder / home.DATABASE
        _copy_out(store, kept.with_name(f"{kept.name}{_aside(kept, now_s)}"), work)
        with source.read() as link, store.write() as into_link:
            for table in reversed(METADATA.sorted_tables):
                into_link.execute(table.delete())
            _copy_rows(link, into_link, work)
            _set_sequences(into_link)
    finally:
        source.close()
        store.close()
        passing.unlink()


def _aside(database: Path, now_s: int) -> str:
    """Return the end of a name under which nothing is kept yet of a database."""
    made = f".before-{now_s}"
    while database.with_name(f"{database.name}{made}").exists():
        made += "-again"
    return made


def _copy_rows(link: Connection, into: Connection, work: Work) -> None:
    for table in METADATA.sorted_tables:
        if table is WALKS:
            continue  # made anew
        count = link.execute(select(func.count()).select_from(table)).scalar_one()
        work.stage(f"table {table.name}", int(count), "rows")
        for rows in link.execution_options(yield_per=_ROWS).execute(select(table)).partitions():
            into.execute(insert(table), [dict(each._mapping) for each in rows])
            work.step(len(rows))


def _set_sequences(link: Connection) -> None:
    """Let numbers of new rows follow those that were copied."""
    for table in METADATA.sorted_tables:
        if "id" in table.c and isinstance(table.c.id.type, Integer):
            name = table.name
            link.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "
                    f"coalesce((SELECT max(id) FROM {name}), 0) + 1, false)"
                )
            )


def _copy_audit(source: Path, out: Path) -> int:
    """Copy the audit log, which may grow meanwhile, and return how many lines are under it."""
    for left in reversed(range(_TRIES)):
        shutil.rmtree(out, ignore_errors=True)
        try:
            private_folder(out)
            log = source / succession.LOG  # without its key: no other machine signs this log
            # the checkpoint first: what it states is never taken away
            for path in sorted(log.rglob("*"), key=lambda each: each.name != "checkpoint"):
                if path.is_file() and not path.name.startswith(".") and ".new" not in path.name:
                    to = out / "log" / path.relative_to(log)
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, to)
            if (source / succession.BEFORE).exists():
                shutil.copytree(source / succession.BEFORE, out / succession.BEFORE)
            return _sound(out)
        except (CasemateError, FileNotFoundError) as error:
            if not left:
                raise OutputError(
                    f"the audit log cannot be copied: {error}.", remedy="see `fleet doctor`."
                ) from None
    raise AssertionError


def _sound(audit: Path) -> int:
    """Return how many lines are under the checkpoint, if all of the log agrees."""
    log = audit / succession.LOG
    if not log.exists():
        return 0
    if wrong := succession.broken(audit):
        raise ValueError(wrong)
    origin = read_manifest(log)["origin"]
    found = fsck(FolderDisk(log), origin)
    read_bundle(log)
    return found.size
