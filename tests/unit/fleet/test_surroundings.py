"""Faults around a service, planted one by one: the doctor names cause and remedy, exit code 1."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doctor_kit import NOW_S, change, copied, well
from sqlalchemy import insert, text, update

from casemate.cli.fleet_care import doctor as command
from casemate.core.errors import CasemateError
from casemate.fleet.access import certificates
from casemate.fleet.care import backup, doctor
from casemate.fleet.care.checkup import Finding
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import ACTS, DISPLAYS, ENCLOSURES, INCIDENTS, OUTBOX, WALKS
from casemate.fleet.web.server import Server


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service that was run, and backed up an hour ago."""
    folder = well(tmp_path_factory.mktemp("seed"))
    (folder / home.BACKED_UP).write_text(json.dumps({"at_s": NOW_S - 3600}))
    return folder


@pytest.fixture
def place(seed: Path, tmp_path: Path) -> Home:
    """A copy of it that may be broken."""
    return copied(seed, tmp_path / "fleet")


def found(place: Home, now_s: int = NOW_S, listen: str = "") -> list[Finding]:
    """Return what is not good, but for the witnesses that this service never had."""
    told = doctor.examine(
        place.folder, now_s, listen=listen, free_bytes=lambda _path: 10**13
    )  # fmt: skip
    assert all(each.remedy for each in told if each.level != "good")
    return [x for x in told if x.level != "good" and "nobody but this machine" not in x.what]


def stored(*statements: object) -> Callable[[Path], None]:
    """Return what changes the database behind the service's back."""

    def plant(folder: Path) -> None:
        store = Store(f"sqlite:///{folder / home.DATABASE}")
        with store.write() as link:
            for each in statements:
                link.execute(each)  # type: ignore[call-overload]
        store.close()

    return plant


def lose(*names: str) -> Callable[[Path], None]:
    """Return what takes files or folders away."""

    def plant(folder: Path) -> None:
        for name in names:
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return plant


def write(name: str, data: bytes) -> Callable[[Path], None]:
    """Return what overwrites a file."""
    return lambda folder: (folder / name).write_bytes(data) and None


def torn(folder: Path) -> None:
    """Damage the database in its middle."""
    path = folder / home.DATABASE
    data = path.read_bytes()
    path.write_bytes(data[:20_000] + b"\xff" * 30_000 + data[50_000:])


def soon(folder: Path) -> None:
    """Give it a certificate that ends tomorrow."""
    made = certificates.issue(folder / home.TLS, "localhost", server=True)
    (folder / home.TLS / certificates.CERTIFICATE).write_bytes(made.certificate)
    (folder / home.TLS / certificates.KEY).write_bytes(made.key)


LAPSED = {"name": "siem", "kind": "mqtt", "host": "127.0.0.1", "port": 9, "plain": True}
WALK = update(WALKS).values(trust="")
KEYLESS = [{"name": "north", "key": "rubbish", "url": "http://127.0.0.1:9/"}]
FAULTS: tuple[tuple[str, Callable[[Path], None], str, str, str], ...] = (
    ("database of a newer release", stored(text("UPDATE alembic_version SET version_num='zzzz'")),
     "schema", "newer release", "use the release that wrote it"),
    ("database torn", torn, "schema", "damaged", "fleet restore"),
    ("database is another file", write(home.DATABASE, b"x" * 9999), "schema", "damaged",
     "fleet restore"),
    ("database lost", lose(home.DATABASE), "store", "not there", "fleet restore"),
    ("database empty", write(home.DATABASE, b""), "store", "empty", "fleet restore"),
    ("folder moved", lambda folder: change(folder, store="sqlite:////nowhere/fleet.db"),
     "store", "/nowhere/fleet.db", "fleet.json"),
    ("settings torn", write(home.SETTINGS, b"{"), "settings", "cannot be read", "backup"),
    ("outlet without its secret",
     lambda folder: change(folder, outlets=[{"name": "soc", "kind": "webhook",
                                               "url": "https://x.test/in", "secret": "none"}]),
     "settings", "outlets[0].secret", "name a file"),
    ("witness whose key is none", lambda folder: change(folder, witnesses=KEYLESS),
     "settings", "north", "casemate witness"),
    ("broker away", lambda folder: change(folder, outlets=[LAPSED]), "outlets",
     "siem (mqtt) is not reached at 127.0.0.1:9", "start the receiver"),
    ("authority's key lost", lose("tls/ca.key"), "files", "ca.key is lost", "backup"),
    ("own key lost", lose("tls/key.pem"), "files", "key.pem is lost", "move tls/certificate.pem"),
    ("audit key lost", lose("audit/key.json"), "files", "audit/key.json", "backup"),
    ("audit log gone", lose("audit"), "files", "audit log is gone", "backup"),
    ("key of walks lost", lambda folder: (stored(WALK)(folder), lose("walks.key")(folder))[0],
     "files", "walks.key is lost", "start the service"),
    ("reference values lost", stored(update(ENCLOSURES).values(reference=b"")), "references",
     "enclosure 1", "backup"),
    ("policy damaged", stored(update(ENCLOSURES).values(policy=b"nonsense\n")), "references",
     "its policy", "backup"),
    ("backup too old", write(home.BACKED_UP, b'{"at_s": 1000}'), "backups", "the last backup",
     "fleet backup"),
    ("display that has ended", stored(insert(DISPLAYS).values(
        fingerprint="ab" * 32, name="hall-1", network="", added_s=0,
        expires_s=1000)), "displays", "display hall-1 ended at", "--remove"),
    ("no backup", lose(home.BACKED_UP), "backups", "no backup", "fleet backup"),
)  # fmt: skip


ALIKE = ("database is another file", "settings torn", "own key lost", "no backup", "policy damaged",
         "witness whose key is none", "database lost")  # fmt: skip
"""Found as another fault of the list is: looked at by `make validate`."""


def test_one_that_is_well_has_nothing_to_mend(place: Home) -> None:
    assert found(place) == []


@pytest.mark.parametrize(
    "fault",
    [pytest.param(x, id=x[0], marks=[pytest.mark.slow] if x[0] in ALIKE else []) for x in FAULTS],
)
def test_a_fault_is_named_with_its_cause_and_its_remedy(
    place: Home, fault: tuple[str, Callable[[Path], None], str, str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _, plant, id_, cause, remedy = fault
    plant(place.folder)
    given = {"folder": place.folder, "deep": False, "listen": ""}
    assert command(argparse.Namespace(**given, json=True)) == 1
    rows = [each for each in json.loads(capsys.readouterr().out) if each["id"] == id_]
    assert any(cause in x["what"] and remedy in x["remedy"] for x in rows), rows
    assert {each["level"] for each in rows} <= {"bad", "warning"}
    if id_ == "store":  # and so it is printed
        assert command(argparse.Namespace(**given, json=False)) == 1
        assert cause in (said := capsys.readouterr().out) and remedy in said


def test_what_was_lost_is_not_made_anew_by_looking_or_by_starting(place: Home) -> None:
    (place.folder / home.DATABASE).unlink()
    doctor.examine(place.folder, NOW_S)
    with pytest.raises(CasemateError, match="database is not there"), home.running(place):
        pass
    with pytest.raises(CasemateError, match="database is not there"):
        backup.backup(place, place.folder.parent / "backup")
    assert not (place.folder / home.DATABASE).exists()
    assert not (place.folder.parent / "backup").exists()


def test_another_audit_log_never_begins_in_its_place(place: Home) -> None:
    (place.folder / "audit" / "key.json").rename(place.folder / "kept")
    with pytest.raises(CasemateError, match="key of the audit log"), home.running(place):
        pass
    (place.folder / "kept").rename(place.folder / "audit" / "key.json")
    row = {"incident_id": 1, "at_s": 1, "person": "ann", "role": "inspector", "party": "p"}
    stored(
        insert(INCIDENTS).values(enclosure_id=1, severity="alarm", opened_s=1, last_s=2),
        insert(ACTS).values(**row, act="confirm", outcome="explained", reason="x", seen="00"),
    )(place.folder)
    shutil.rmtree(place.folder / "audit")
    with pytest.raises(CasemateError, match="what people did"), home.running(place):
        pass
    assert not (place.folder / "audit").exists()


def test_a_certificate_that_ends_tomorrow_is_bad(
    place: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "DAYS", 1)
    soon(place.folder)
    assert [x.level for x in found(place, int(time.time())) if x.id == "certificates"] == ["bad"]
    monkeypatch.setattr(certificates, "DAYS", 20)
    soon(place.folder)
    told = [x for x in found(place, int(time.time())) if x.id == "certificates"]
    assert [x.level for x in told] == ["warning"] and "expires at" in told[0].what


def test_a_witness_that_is_away(place: Home) -> None:
    from casemate.fleet.hammer.enclosure import witnesses

    key = witnesses([bytes([each]) * 32 for each in range(3)])[0].public.vkey()
    with socket.create_server(("127.0.0.1", 0)) as there:
        url = f"http://127.0.0.1:{there.getsockname()[1]}/"
        change(place.folder, witnesses=[{"name": "north", "key": key, "url": url}])
        assert found(place) == []
    assert "witness north is not reached" in found(place)[0].what


def test_notices_that_wait_for_an_outlet(place: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        change(place.folder, outlets=[{**LAPSED, "port": port}])
        assert found(place) == []
        stored(
            insert(INCIDENTS).values(enclosure_id=1, severity="alarm", opened_s=1, last_s=2),
            insert(OUTBOX).values(enclosure_id=1, incident_id=1, at_s=NOW_S - 3600, body="{}"),
        )(place.folder)
        assert "1 notices wait for siem" in found(place)[0].what


@pytest.fixture
def service_port(place: Home) -> Iterator[int]:
    """A port at which something answers with the service's certificate."""

    async def nothing(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    certificates.make_server(place.tls, place.name)
    server = Server(nothing, "127.0.0.1", 0, tls=place.tls)
    yield server.port
    server.close()


def test_who_answers_at_the_door(place: Home, service_port: int) -> None:
    assert found(place, listen=f"0.0.0.0:{service_port}") == []
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def hang_up() -> None:
            link, _ = other.accept()
            link.close()
            link, _ = other.accept()
            link.close()

        threading.Thread(target=hang_up, daemon=True).start()
        told = found(place, listen=f"127.0.0.1:{port}")
    assert [(x.id, "something else" in x.what) for x in told] == [("door", True)]
    told = found(place, listen=f"127.0.0.1:{port}")
    assert [(x.id, "nobody answers" in x.what) for x in told] == [("door", True)]
    assert "HOST:PORT" in found(place, listen="7390 please")[0].remedy


def test_a_backup_leaves_a_line_for_the_audit_log(place: Home, tmp_path: Path) -> None:
    """It holds keys: who has made one has to show."""
    backup.backup(place, tmp_path / "another")
    with home.running(place) as service:
        errands.take_over(service.store, service.audit)
        told = [line for _, line in service.audit.latest(9)]
    assert any("write a backup" in each.what and each.subject == "another" for each in told)
