"""A restored service signs another audit log: bound to the first, and one at each witness."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fleet_kit import Clock, on_sqlite
from test_backup import begun

from casemate.core.errors import InputError, OutputError
from casemate.fleet.audit import succession
from casemate.fleet.care import backup
from casemate.fleet.care.doctor import examine
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store.schema import ACTS, INCIDENTS
from casemate.fleet.web import audit_page
from casemate.fleet.web.asked import Asked, Service
from casemate.testing import honest_enclosure as honest
from casemate.translog import keep
from casemate.translog.serve import WitnessServer

ORIGIN = "fleet.test/audit"


@dataclass(slots=True)
class Watched:
    """A witness of a rival state on this machine, which knows the logs that were entered."""

    folder: Path
    key: str
    port: int = 0
    _server: WitnessServer | None = None

    def start(self) -> None:
        """Start it, at the same port as before."""
        self._server = WitnessServer(("127.0.0.1", self.port), keep.load(self.folder))
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        """End it."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        self._server.witness.close()

    def know(self, *keys: str) -> None:
        """Enter the keys of a log, as its operator does."""
        with (self.folder / "logs").open("a") as out:
            out.writelines(f"log {each}\n" for each in keys)
        self.end()
        self.start()


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Watched]:
    """A witness that runs, and knows no log."""
    key = keep.create(tmp_path / "w", "peer.test/w", "ed25519")
    made = Watched(tmp_path / "w", key.vkey())
    made.start()
    yield made
    made.end()


@pytest.fixture
def place(witness: Watched, tmp_path: Path) -> Home:
    """A service whose audit log the witness cosigns."""
    made = home.make(tmp_path / "fleet", "fleet.test")
    path = made.folder / home.SETTINGS
    url = f"http://127.0.0.1:{witness.port}"
    row = {**json.loads(path.read_text()),
           "witnesses": [{"name": "w", "key": witness.key, "url": url}]}  # fmt: skip
    path.write_text(json.dumps(row))
    with home.running(home.read(made.folder), secure=False) as service:
        witness.know(*keys(service))
        say(service, "begin")
    return home.read(made.folder)


def keys(service: Service) -> list[str]:
    """Return the keys of a service's audit log."""
    return [each.vkey() for each in service.audit.log.keys]


def say(service: Service, *what: str) -> None:
    """Have lines be written and sealed."""
    with service.store.write() as link:
        for each in what:
            errands.note(link, each, "", 1)
    errands.take_over(service.store, service.audit)
    service.audit.seal()


def lines(service: Service) -> list[str]:
    """Return what the audit log tells, the oldest first."""
    return [each.what.partition(": ")[2] or each.what for _, each in service.audit.latest(99)][::-1]


def told(place: Home, check: str) -> list[str]:
    """Return what doctor says of one thing."""
    found = examine(place.folder, 9)
    return [each.what for each in found if each.id == check and each.level == "bad"]


def test_no_two_services_sign_one_audit_log(place: Home, witness: Watched, tmp_path: Path) -> None:
    made = backup.backup(place, tmp_path / "backup")
    assert not (tmp_path / "backup" / "audit" / "key.json").exists()
    with home.running(place, secure=False) as original:
        say(original, "later", "and later")
        before, signed = keys(original), original.audit.log.size
    first = backup.restore(tmp_path / "backup", tmp_path / "one").succession
    second = backup.restore(tmp_path / "backup", tmp_path / "two").succession
    assert first is not None
    assert second is not None
    assert len({*before, *first.keys, *second.keys}) == 6
    assert first.origin == second.origin == f"{ORIGIN}/2"
    assert (first.before.origin, first.before.size) == (ORIGIN, made.audit)
    assert (first.seen, first.lost) == ({"w": signed}, signed - made.audit)
    one, two = (home.read(tmp_path / each) for each in ("one", "two"))
    with home.running(one, secure=False) as service:
        told_first = lines(service)
        assert told_first[:2] == [f"continue the audit log {ORIGIN}",
                                  "witness w had seen lines of it: "]  # fmt: skip
        say(service, "here")
        assert "does not know the log" in service.audit.failed
        witness.know(*first.keys, *second.keys)  # an operator who does not look
        service.audit.seal()
        assert service.audit.failed == ""
    with home.running(two, secure=False) as service:
        say(service, "there")
        assert "has cosigned" in service.audit.failed  # one of a generation
    assert told(one, "witnesses") == []
    assert any("seen other lines" in each for each in told(two, "witnesses"))
    with home.running(place, secure=False) as original:  # which should have been stopped
        say(original, "still here")
    assert any(f"of {ORIGIN}, and {signed} are known" in x for x in told(one, "witnesses"))


@on_sqlite
def test_a_copied_folder_is_noticed(place: Home, tmp_path: Path) -> None:
    """With the key, too: not by a backup, but whoever has the machine can."""
    shutil.copytree(place.folder, tmp_path / "copy")
    row = json.loads((tmp_path / "copy" / home.SETTINGS).read_text())
    row["store"] = f"sqlite:///{tmp_path}/copy/{home.DATABASE}"
    (tmp_path / "copy" / home.SETTINGS).write_text(json.dumps(row))
    copy = home.read(tmp_path / "copy")
    with home.running(place, secure=False) as service:
        say(service, "a", "b")
    assert told(place, "witnesses") == []
    assert any("a copy of this service" in each for each in told(copy, "witnesses"))
    with home.running(copy, secure=False) as service:
        say(service, "c")
        assert "has cosigned size" in service.audit.failed


def test_what_was_done_before_is_told_in_the_log_before(tmp_path: Path) -> None:
    """The doctor holds acts against all generations, and a chain that was changed is not whole."""
    place, clock = home.make(tmp_path / "fleet", "fleet.test"), Clock(honest.START_S)
    with home.running(place, secure=False, clock=clock) as service:
        begun(place, service, clock).go_on()
        with service.store.write() as link:
            row = {"enclosure_id": 1, "severity": "alarm", "opened_s": 1, "last_s": 2}
            link.execute(INCIDENTS.insert().values(**row))
            act = {"incident_id": 1, "at_s": 1, "person": "ann", "role": "inspector", "party": "p",
                   "act": "acknowledge", "outcome": "", "reason": "", "seen": "00"}  # fmt: skip
            link.execute(ACTS.insert().values(**act))
        digest = told(place, "audit")
        assert digest == ["1 acts of people are not those that the audit log tells of"]
        from casemate.fleet.alarms.incidents import Act, act_digest
        from casemate.fleet.audit.log import Line

        values = {key: act[key] for key in Act.__slots__}
        outcome = f"done {act_digest(1, Act(**values))}"  # type: ignore[arg-type]
        service.audit.write(Line(at_s=1, who="ann", role="", party="", what="x", subject="1",
                                 outcome=outcome))  # fmt: skip
    assert told(place, "audit") == []
    backup.backup(place, tmp_path / "b1")
    backup.restore(tmp_path / "b1", tmp_path / "one")
    one = home.read(tmp_path / "one")
    assert told(one, "audit") == []
    with home.running(one, secure=False, clock=clock):
        backup.backup(one, tmp_path / "b2")
    then = backup.restore(tmp_path / "b2", tmp_path / "two").succession
    assert then is not None
    assert then.origin == f"{ORIGIN}/3"
    two = home.read(tmp_path / "two")
    assert told(two, "audit") == []
    with home.running(two, secure=False, clock=clock) as service:
        shown = audit_page.view(service, Asked())
        assert [each["origin"] for each in shown["before"]] == [f"{ORIGIN}/2", ORIGIN]
        names = dict(audit_page._all(service.audit.folder))
        assert {"audit/bundle.json", "before/1/bundle.json", "before/2/bundle.json"} <= names.keys()
    shutil.rmtree(two.folder / "audit" / "before" / "2")
    assert told(two, "audit") == [f"the audit log {ORIGIN} is not the one that was continued"]
    shutil.rmtree(tmp_path / "b2" / "audit" / "before" / "1")
    with pytest.raises(InputError):
        backup.restore(tmp_path / "b2", tmp_path / "three")


def test_a_key_that_is_lost_is_followed_by_another_log(place: Home, tmp_path: Path) -> None:
    backup.backup(place, tmp_path / "backup")
    with home.running(place, secure=False) as service:
        say(service, "after the backup")
        size = service.audit.log.next_index
    (place.folder / "audit" / "key.json").unlink()
    with pytest.raises(OutputError, match="key of the audit log"), home.running(place):
        pass
    then = backup.restore(tmp_path / "backup", place.folder, replace=True).succession
    assert then is not None
    assert (then.before.size, then.lost) == (size, 0)  # what is here, not what the backup has
    with home.running(place, secure=False) as service:
        assert service.audit.log.origin == f"{ORIGIN}/2"
    again = backup.restore(tmp_path / "backup", place.folder, replace=True)
    assert again.succession is None  # it has its key
    shutil.rmtree(place.folder / "audit" / "log")
    with pytest.raises(OutputError, match="continues the one before"), home.running(place):
        pass


def test_a_generation_that_a_dead_service_has_used_up_is_passed_over(
    place: Home, tmp_path: Path
) -> None:
    backup.backup(place, tmp_path / "backup")
    for wrong in (1, 10_000):
        with pytest.raises(InputError, match="generation"):
            backup.restore(tmp_path / "backup", tmp_path / "one", generation=wrong)
        assert not (tmp_path / "one").exists()
    then = backup.restore(tmp_path / "backup", tmp_path / "one", generation=4).succession
    assert then is not None
    assert then.origin == f"{ORIGIN}/4"
    assert told(home.read(tmp_path / "one"), "audit") == []
    assert succession.generation(then.origin) == 4


def test_a_restoration_that_was_cut_off_is_done_again(
    place: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise OSError(5, "cut")

    backup.backup(place, tmp_path / "backup")
    with monkeypatch.context() as patch:
        patch.setattr(succession, "AuditLog", cut)
        with pytest.raises(OSError, match="cut"):
            backup.restore(tmp_path / "backup", tmp_path / "one")
    one = home.read(tmp_path / "one")
    with pytest.raises(OutputError, match="continues the one before"), home.running(one):
        pass
    assert backup.restore(tmp_path / "backup", one.folder, replace=True).succession is not None
    assert told(one, "audit") == []


def test_what_stood_there_is_kept_of_each_restoration(
    place: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However fast they follow each other."""
    backup.backup(place, tmp_path / "backup")
    monkeypatch.setattr("casemate.fleet.care.backup.time.time", lambda: 1_800_000_000.0)
    for _ in range(3):
        backup.restore(tmp_path / "backup", place.folder, replace=True)
    kept = [each.name for each in place.folder.iterdir() if ".db.before-" in each.name]
    assert len([each for each in kept if "-wal" not in each and "-shm" not in each]) == 3
