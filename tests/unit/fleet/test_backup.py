"""Backups while the service runs, restorations, and the upgrade from the schema before."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fleet_kit import Brought, Clock, on_sqlite
from sqlalchemy import func, insert, select

from casemate.attest.reference_write import as_json
from casemate.core.errors import InputError, OutputError
from casemate.core.progress import Work
from casemate.fleet.access import certificates, displays, people
from casemate.fleet.appraisal import evidence
from casemate.fleet.audit.log import AuditLog
from casemate.fleet.care import backup
from casemate.fleet.care.doctor import examine
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store import database
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import (
    ACTS,
    CODES,
    DISPLAYS,
    ENTRIES,
    ERRANDS,
    INCIDENTS,
    METADATA,
    PASSKEYS,
    PEOPLE,
    SESSIONS,
)
from casemate.fleet.web.asked import Service
from casemate.testing import honest_enclosure as honest
from casemate.translog.errors import LogError


@dataclass(slots=True)
class Running:
    """A service in its folder, with an enclosure that brings evidence."""

    place: Home
    service: Service
    clock: Clock
    brought: Brought

    def go_on(self, batches: int = 1) -> None:
        """Bring some more."""
        for _ in range(batches):
            honest.watch(self.brought.story)
            self.clock.now_s = self.brought.story.now_s + 5
            self.service.intake.take(self.brought.enclosure_id, self.brought.rest())


def begun(place: Home, service: Service, clock: Clock) -> Running:
    """Enter the enclosure of the stories."""
    values = as_json(honest.reference()).encode()
    with service.store.write() as link:
        number = evidence.add(
            link, reference=values, policy=honest.policy_text(), serial=honest.SERIAL,
            kind="camera", site="hall 1", now_s=service.now_s(),
        )  # fmt: skip
        evidence.let(link, number, "ab" * 32, 0)
        people.add(link, "ann", "inspector", "peerland")
    return Running(place, service, clock, Brought(honest.armed(2), number))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A service that runs."""
    place, clock = home.make(tmp_path / "fleet", "fleet.test"), Clock(honest.START_S)
    with home.running(place, clock=clock) as service:
        made = begun(place, service, clock)
        made.go_on()
        yield made


def count(url: str) -> int:
    """Return how many entries a store has."""
    held = Store(url)
    with held.read() as link:
        found = int(link.execute(select(func.count()).select_from(ENTRIES)).scalar_one())
    held.close()
    return found


def test_a_backup_of_a_service_that_takes_evidence_meanwhile(
    running: Running, tmp_path: Path
) -> None:
    acknowledged, stop = [len(running.brought.story.entries)], threading.Event()

    def bring() -> None:
        while not stop.is_set():
            running.go_on()
            acknowledged.append(len(running.brought.story.entries))

    bringing = threading.Thread(target=bring)
    bringing.start()
    before = acknowledged[-1]
    try:
        made = backup.backup(running.place, tmp_path / "backup")
    finally:
        stop.set()
        bringing.join()
    assert before <= made.entries <= acknowledged[-1]
    assert backup.check(tmp_path / "backup") == made
    for path in (tmp_path / "backup", tmp_path / "backup" / home.DATABASE):
        assert path.stat().st_mode & 0o077 == 0
    backup.restore(tmp_path / "backup", tmp_path / "other")
    with home.running(home.read(tmp_path / "other"), clock=running.clock) as again:
        assert again.intake.look(1).tokens == made.entries
        with again.store.read() as link:
            held = evidence.bundle(link, evidence.enclosure(link, 1))
        assert held.entries == running.brought.story.entries[: len(held.entries)]
        now_s = int(running.clock())
    levels = {x.id: x.level for x in examine(tmp_path / "other", now_s, deep=True)}
    assert levels["evidence"] == "good"  # all of it, appraised anew
    with pytest.raises(InputError):
        backup.backup(running.place, tmp_path / "backup")  # nothing is overwritten


def test_restored_onto_a_service_that_had_gone_on(tmp_path: Path) -> None:
    """Tables go back, the audit log does not: what was said there stays said, and it shows."""
    place, clock = home.make(tmp_path / "fleet", "fleet.test"), Clock(honest.START_S)
    with home.running(place, clock=clock) as service:
        made = begun(place, service, clock)
        made.go_on()
        backup.backup(place, tmp_path / "backup")
        made.go_on(3)
        later, lines = len(made.brought.story.entries), service.audit.log.next_index
        with pytest.raises(LogError):  # it runs
            backup.restore(tmp_path / "backup", place.folder, replace=True)
    with pytest.raises(InputError):
        backup.restore(tmp_path / "backup", place.folder)  # it is there
    found = backup.restore(tmp_path / "backup", place.folder, replace=True)
    held = found.backup
    assert found.succession is None  # it has its own
    assert held.entries < later
    assert count(place.store) == held.entries
    kept = [x for x in place.folder.iterdir() if ".before-" in x.name and "wal" not in x.name]
    assert len(kept) == 1  # nothing is thrown away
    with home.running(place, clock=clock) as service:
        assert service.audit.log.next_index >= lines
        with service.store.read() as link:
            told = list(link.execute(select(ERRANDS.c.what)).scalars())
        told += [each.what for _, each in service.audit.latest(9)]
        assert any("restore a backup" in each for each in told)
        story = made.brought.story  # the controller brings the rest again
        made.brought.entries = made.brought.notes = 0
        service.intake.take(1, made.brought.rest())
        assert service.intake.look(1).tokens == len(story.entries) == later
        assert service.intake.look(1).state == "ARMED"


CHANGED = ("tls/ca.pem", "tls/ca.key", "fleet.json", "walks.key", "audit/log/bundle.json")
"""Files of a backup by which somebody could get into the service that is restored."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup, whole, of a service that asks for passkeys and tells a receiver."""
    folder = tmp_path_factory.mktemp("kept")
    place = home.make(folder / "fleet", "fleet.test", passkeys=True)
    row = json.loads((place.folder / home.SETTINGS).read_text())
    row["outlets"] = [{"name": "soc", "kind": "webhook", "url": "https://soc.test/in",
                       "secret": "soc.secret"}]  # fmt: skip
    (place.folder / home.SETTINGS).write_text(json.dumps(row))
    (place.folder / "soc.secret").write_text("whsec_" + "k" * 32)
    (place.folder / "soc.secret").chmod(0o600)
    (place.folder / "notes.txt").write_text("of somebody")
    with home.running(home.read(place.folder)) as service:
        errands.take_over(service.store, service.audit)
    backup.backup(home.read(place.folder), folder / "backup")
    return folder / "backup"


@pytest.mark.parametrize("name", [*CHANGED, "added", "missing", "link"])
def test_a_backup_that_was_tampered_with_is_refused(kept: Path, name: str, tmp_path: Path) -> None:
    out = tmp_path / "backup"
    shutil.copytree(kept, out)
    if name == "added":
        (out / "tls" / "more.pem").write_text("x")
    elif name == "missing":
        (out / "soc.secret").unlink()
    elif name == "link":
        (out / "soc.secret").unlink()
        (out / "soc.secret").symlink_to("/etc/passwd")
    else:
        data = bytearray((out / name).read_bytes())
        data[len(data) // 2] ^= 1
        (out / name).write_bytes(data)
    with pytest.raises(InputError):
        backup.restore(out, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_one_made_anew_is_refused_by_who_kept_the_digest(kept: Path, tmp_path: Path) -> None:
    """Who has the whole backup can make its manifest fit."""
    digest, out = backup.check(kept).digest, tmp_path / "backup"
    shutil.copytree(kept, out)
    (out / home.SETTINGS).write_bytes((out / home.SETTINGS).read_bytes().replace(b"true", b"false"))
    row = json.loads((out / backup.MANIFEST).read_text())
    row["files"] = backup._files(out, Work("files"))
    (out / backup.MANIFEST).write_text(json.dumps(row))
    assert backup.check(out).digest != digest
    with pytest.raises(InputError, match="not the one of that digest"):
        backup.restore(out, tmp_path / "other", digest=digest)
    assert backup.restore(kept, tmp_path / "other", digest=digest).backup.digest == digest


def test_a_key_of_an_audit_log_in_an_older_backup_stays_there(kept: Path, tmp_path: Path) -> None:
    out = tmp_path / "backup"
    shutil.copytree(kept, out)
    (out / home.AUDIT / "key.json").write_text('{"seeds": {}}')
    row = json.loads((out / backup.MANIFEST).read_text())
    row |= {"format": "casemate-fleet-backup-2", "files": backup._files(out, Work("files"))}
    (out / backup.MANIFEST).write_text(json.dumps(row))
    assert backup.restore(out, tmp_path / "other").succession is not None
    with home.running(home.read(tmp_path / "other")) as service:  # its own key signs
        assert service.audit.log.origin == "fleet.test/audit/2"


def test_what_guards_a_service_is_restored_with_it(kept: Path, tmp_path: Path) -> None:
    backup.restore(kept, tmp_path / "other")
    place = home.read(tmp_path / "other")
    assert place.passkeys and place.store.endswith(f"{tmp_path}/other/{home.DATABASE}")
    assert (tmp_path / "other" / "soc.secret").stat().st_mode & 0o077 == 0
    assert not (tmp_path / "other" / "notes.txt").exists()
    levels = {each.id: each.level for each in examine(place.folder, 9) if each.id == "settings"}
    assert levels == {"settings": "good"}
    with home.running(place) as service:
        assert service.passkeys
        errands.take_over(service.store, service.audit)
        told = [each.what for _, each in service.audit.latest(9)]
    assert any("restore a backup" in each for each in told)


def test_what_is_restored_has_the_policy_and_nobody_signed_in(tmp_path: Path) -> None:
    """A restoration is no way around passkeys, witnesses, or the end of a session."""
    made = home.make(tmp_path / "fleet", "fleet.test", passkeys=True)
    path = made.folder / home.SETTINGS
    witness = {"name": "w", "key": "k", "url": "https://w.test"}
    row = {**json.loads(path.read_text()), "witnesses": [witness]}
    path.write_text(json.dumps(row))
    database = made.opened()
    with database.write() as link:
        people.add(link, "ann", "inspector", "peerland")
        people.sign_in(link, people.new_code(link, "ann", 1), 1)
        people.new_code(link, "ann", 1)
        displays.let(link, "ab" * 32, "hall-1", network="", now_s=1, expires_s=1 << 40)
    database.close()
    AuditLog(made.folder / home.AUDIT, "fleet.test/audit", clock=lambda: 1.0).close()
    backup.backup(made, tmp_path / "backup")
    backup.restore(tmp_path / "backup", tmp_path / "new")
    again = home.read(tmp_path / "new")
    assert (again.passkeys, again.witnesses) == (True, (("w", "k", "https://w.test"),))
    assert again.store != made.store
    database = again.opened()
    with database.read() as link:
        for table in (SESSIONS, CODES, DISPLAYS, PASSKEYS):
            assert not link.execute(select(table)).all()
        assert people.let_in(link, ["ann"]) == {"ann"}
    database.close()


def test_a_service_that_was_never_started_is_backed_up_and_restored(tmp_path: Path) -> None:
    place = home.make(tmp_path / "fleet", "fleet.test")
    backup.backup(place, tmp_path / "backup")
    backup.restore(tmp_path / "backup", tmp_path / "other")
    backup.restore(tmp_path / "backup", place.folder, replace=True)
    with home.running(place) as service:
        assert service.audit.log.next_index == 0


@pytest.mark.parametrize("bad", ["database", "manifest", "audit", "none"])
def test_a_backup_that_is_not_whole_is_not_restored(bad: str, tmp_path: Path) -> None:
    place = home.make(tmp_path / "fleet", "fleet.test")
    with home.running(place) as service:
        begun(place, service, Clock(honest.START_S))
        service.audit.log.append([b'{"format":"casemate-audit-1"}'])
        service.audit.seal()
    out = tmp_path / "backup"
    backup.backup(place, out)
    if bad == "database":
        held = Store(f"sqlite:///{out}/fleet.db", migrates=False)
        with held.write() as link:
            link.execute(insert(PEOPLE).values(name="eve", role="auditor", party="x", active=True))
        held.close()
    elif bad == "manifest":
        row = json.loads((out / backup.MANIFEST).read_text())
        (out / backup.MANIFEST).write_text(json.dumps({**row, "entries": 7}))
    elif bad == "audit":
        tile = next(x for x in (out / "audit" / "log" / "tile").rglob("*") if x.is_file())
        tile.write_bytes(tile.read_bytes()[:-1] + b"\x00")
    else:
        shutil.rmtree(out)
    with pytest.raises(InputError):
        backup.restore(out, tmp_path / "other")
    assert not (tmp_path / "other" / home.SETTINGS).exists()


def test_a_disk_that_is_full_leaves_no_backup_that_seems_whole(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.backup_files.shutil, "copytree", full)
    with pytest.raises(OutputError):
        backup.backup(running.place, tmp_path / "backup")
    with pytest.raises(InputError):
        backup.check(tmp_path / "backup")


def at_first_schema(path: Path) -> Home:
    """Return a service as the first release left it, with data in every table."""
    place = home.make(path, "fleet.test")
    (path / home.DATABASE).unlink()
    held = Store(place.store, migrates=False)
    as_first_release(held)
    held.close()
    return place


def as_first_release(held: Store) -> None:
    """Give an empty store the first schema, with data in every table."""
    from alembic import command

    with held.write() as link:
        config = database._config()
        config.attributes["connection"] = link
        command.upgrade(config, "a0001")
        values = as_json(honest.reference()).encode()
        number = evidence.add(
            link, reference=values, policy=honest.policy_text(), serial=honest.SERIAL,
            kind="camera", site="hall 1", now_s=1,
        )  # fmt: skip
        story = honest.armed(2)
        evidence.put(link, number, 0, story.entries, story.notes)
        evidence.put_fork(link, number, 3, b"another", 7)
        evidence.let(link, number, "ab" * 32, 1)
        people.add(link, "ann", "inspector", "peerland")
        people.sign_in(link, people.new_code(link, "ann", 1), 2)
        people.new_code(link, "ann", 3)
        link.execute(
            insert(INCIDENTS).values(enclosure_id=1, severity="alarm", opened_s=1, last_s=2)
        )
        row = {"incident_id": 1, "at_s": 1, "person": "ann", "role": "inspector", "party": "p"}
        link.execute(
            insert(ACTS).values(**row, act="acknowledge", outcome="", reason="", seen="00")
        )


@on_sqlite
def test_the_schema_before_is_brought_up_to_date_with_its_data(tmp_path: Path) -> None:
    place = at_first_schema(tmp_path / "fleet")
    before = Store(place.store, migrates=False)
    with before.read() as link:
        assert database.revision(link) == "a0001" != database.newest_revision()
        old = [name for name in METADATA.tables if before.engine.dialect.has_table(link, name)]
        rows = {name: link.execute(select(METADATA.tables[name])).all() for name in old}
    before.close()
    assert "walks" not in rows
    assert next(x.id for x in examine(place.folder, 9) if x.level == "bad") == "schema"
    after = Store(place.store)
    with after.read() as link:
        assert database.revision(link) == database.newest_revision()
        for name, held in rows.items():
            assert link.execute(select(METADATA.tables[name])).all() == held, name
        assert link.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    after.close()


def test_a_newer_schema_is_left_alone(tmp_path: Path) -> None:
    place = home.make(tmp_path / "fleet", "fleet.test")
    held = Store(place.store)
    with held.write() as link:
        link.exec_driver_sql("UPDATE alembic_version SET version_num = 'z9999'")
    held.close()
    with pytest.raises(OutputError, match="does not know"):
        Store(place.store)
    assert next(x.id for x in examine(place.folder, 9) if x.level == "bad") == "schema"


def test_a_certificate_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    place = home.make(tmp_path / "fleet", "fleet.test")
    old = (place.tls / certificates.CERTIFICATE).read_bytes()
    (place.tls / certificates.CERTIFICATE).unlink()
    (place.tls / certificates.KEY).unlink()
    with home.running(place):
        assert (place.tls / certificates.CERTIFICATE).read_bytes() != old
