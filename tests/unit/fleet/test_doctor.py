"""The doctor: each fault is planted, and found under its name with a remedy."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from doctor_kit import NOW_S, copied, well
from fleet_kit import Clock, on_sqlite
from sqlalchemy import delete, insert, update

from casemate.cli.fleet_care import doctor as command
from casemate.fleet.access import certificates
from casemate.fleet.care import doctor
from casemate.fleet.intake.ingest import Intake
from casemate.fleet.service import errands, home
from casemate.fleet.service.home import Home
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import (
    ACTS,
    ENTRIES,
    FORKS,
    INCIDENTS,
    MACHINES,
    PEOPLE,
    VERDICTS,
    WALKS,
)

ROOMY = 10**13


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a service that was run, with one enclosure and one person."""
    return well(tmp_path_factory.mktemp("seed"))


@pytest.fixture
def place(seed: Path, tmp_path: Path) -> Home:
    """A copy of it that may be changed."""
    return copied(seed, tmp_path / "fleet")


def found(place: Home, now_s: int = NOW_S, **given: object) -> dict[str, list[doctor.Finding]]:
    """Return what is not good, by its id."""
    out: dict[str, list[doctor.Finding]] = {}
    given = {"free_bytes": lambda _path: ROOMY, **given}
    for each in doctor.examine(place.folder, now_s, **given):  # type: ignore[arg-type]
        if each.level != "good":
            assert each.remedy
            out.setdefault(each.id, []).append(each)
    return out


def test_a_service_that_is_well(place: Home) -> None:
    told = found(place, deep=True)  # this one has no witnesses and no backup, and is told so
    if not place.store.startswith("sqlite"):  # that of the tests writes to disk when it likes
        assert {each.level for each in told.pop("server")} == {"bad"}
    assert {name: [each.level for each in found] for name, found in told.items()} == {
        "witnesses": ["warning"], "backups": ["warning"],
    }  # fmt: skip


def changed(place: Home, act: Callable[[object], None]) -> None:
    """Change the store behind the service's back."""
    store = Store(place.store)
    with store.write() as link:
        act(link)
    store.close()


@pytest.mark.parametrize(
    ("statement", "id_"),
    [
        (insert(PEOPLE).values(name="x", role="auditor", party="p", active=False), ""),
        (update(PEOPLE).values(active=False), "service"),
        (delete(MACHINES), "enclosures"),
        (delete(ENTRIES), "enclosures"),
        (update(VERDICTS).values(fresh_until_s=NOW_S - 1), "enclosures"),
        (insert(FORKS).values(enclosure_id=1, digest="0", number=1, data=b"", at_s=1),
         "enclosures"),
        (update(VERDICTS).values(seen_s=NOW_S + 3600), "clock"),
        (update(VERDICTS).values(body='{"findings": [{"id": "log.awaiting"}]}'), "witnesses"),
        (update(WALKS).values(code=b""), "walks"),
    ],
)  # fmt: skip
def test_faults_of_the_store(place: Home, statement: object, id_: str) -> None:
    before = found(place)
    changed(place, lambda link: link.execute(statement))  # type: ignore[attr-defined]
    after = found(place)
    new = {x for x in after if len(after[x]) > len(before.get(x, []))}
    assert new == ({id_} if id_ else set())


@pytest.mark.parametrize(
    "shown", ({"fresh_until_s": NOW_S + 10**9}, {"state": "UNKNOWN", "fresh_until_s": None})
)
def test_what_pages_show_is_what_the_evidence_says(place: Home, shown: dict[str, object]) -> None:
    """A state that would never get stale; and a false alarm, which is no copied device."""
    changed(place, lambda link: link.execute(update(VERDICTS).values(**shown)))  # type: ignore[attr-defined]
    assert "and was shown as" in found(place, deep=True)["evidence"][0].what


def test_acts_that_were_forged_and_acts_that_were_removed(place: Home) -> None:
    row = {"incident_id": 1, "at_s": 1, "person": "ann", "role": "inspector", "party": "p"}

    def forge(link: object) -> None:
        link.execute(  # type: ignore[attr-defined]
            insert(INCIDENTS).values(enclosure_id=1, severity="alarm", opened_s=1, last_s=2)
        )
        link.execute(  # type: ignore[attr-defined]
            insert(ACTS).values(**row, act="confirm", outcome="explained", reason="x", seen="00")
        )

    changed(place, forge)
    assert "not those that the audit log tells of" in found(place)["audit"][0].what
    changed(place, lambda link: link.execute(delete(ACTS)))  # type: ignore[attr-defined]
    assert "audit" not in found(place)
    with home.running(place) as service:
        from casemate.fleet.audit.log import Line

        service.audit.write(
            Line(at_s=1, who="ann", role="inspector", party="p", what="POST /incidents/x",
                 subject="1", outcome=f"done {'ab' * 32}")
        )  # fmt: skip
    assert "are not in the database" in found(place)["audit"][0].what


def test_an_audit_log_that_was_changed(place: Home) -> None:
    with home.running(place) as service:
        for number in range(3):
            with service.store.write() as link:
                errands.note(link, "something", str(number), NOW_S)
            errands.take_over(service.store, service.audit)
        service.audit.seal()
    tile = next(x for x in (place.folder / "audit/log/tile").rglob("*") if x.is_file())
    data = bytearray(tile.read_bytes())
    data[-3] ^= 1
    tile.write_bytes(bytes(data))
    assert found(place)["audit"][0].level == "bad"


def test_errands_that_wait(place: Home) -> None:
    changed(place, lambda link: errands.note(link, "enter", "x", NOW_S - 3600))  # type: ignore[arg-type]
    assert "waits for the audit log" in found(place)["service"][0].what


def test_a_disk_that_is_nearly_full(place: Home) -> None:
    assert "disk" in found(place, free_bytes=lambda _path: 10**9)


def test_certificates_that_expire_or_have_expired(place: Home) -> None:
    days = certificates.DAYS
    late = datetime.now(UTC) + timedelta(days=days - 10)
    told = found(place, int(late.timestamp()))["certificates"]
    assert [each.level for each in told] == ["warning"]
    gone = datetime.now(UTC) + timedelta(days=366 * certificates.YEARS + 1)
    told = found(place, int(gone.timestamp()))["certificates"]
    assert [each.level for each in told] == ["bad", "bad"]
    made = certificates.issue(place.tls, "other", server=True)
    (place.tls / certificates.KEY).write_bytes(made.key)
    told = found(place, int(datetime.now(UTC).timestamp()))["certificates"]
    assert "is not the key" in told[0].what
    (place.tls / certificates.CERTIFICATE).write_bytes(b"rubbish")
    assert "cannot be looked at" in found(place)["certificates"][0].what


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "tls", "tls/ca.key", "tls/key.pem", "audit/key.json",
                                  "walks.key"])  # fmt: skip
def test_secrets_that_others_may_read(place: Home, path: str) -> None:
    target = place.folder / path if path else place.folder
    target.chmod(target.stat().st_mode | 0o044)
    assert "permissions" in found(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving files away takes root")
@pytest.mark.parametrize(
    "name", ["tls/key.pem", pytest.param("fleet.db", marks=on_sqlite), "audit/log"]
)
def test_files_of_another_user(place: Home, name: str) -> None:
    """What root has made there, the service cannot write."""
    os.chown(place.folder / name, 65534, 65534)
    assert any("of another user" in each.what for each in found(place)["permissions"])


def test_evidence_that_was_changed_and_verdicts_that_were(place: Home) -> None:
    assert "evidence" not in found(place, deep=True)
    changed(
        place,
        lambda link: link.execute(  # type: ignore[attr-defined]
            update(VERDICTS).values(state="TAMPERED")
        ),
    )
    assert "was shown as TAMPERED" in found(place, deep=True)["evidence"][0].what
    changed(
        place,
        lambda link: link.execute(  # type: ignore[attr-defined]
            update(ENTRIES).where(ENTRIES.c.number == 3).values(data=b"x")
        ),
    )
    assert "were changed" in found(place, deep=True)["evidence"][0].what


@on_sqlite
def test_what_is_no_service_or_cannot_be_opened(place: Home, tmp_path: Path) -> None:
    assert [each.id for each in doctor.examine(tmp_path / "none", 1)] == ["settings"]
    (place.folder / home.DATABASE).write_bytes(b"rubbish" * 1000)
    assert "schema" in found(place)
    row = json.loads((place.folder / home.SETTINGS).read_text())
    (place.folder / home.SETTINGS).write_text(json.dumps({**row, "store": "nonsense://"}))
    assert next(iter(found(place))) == "store"


def test_looking_changes_nothing(place: Home) -> None:
    def listed() -> dict[str, bytes]:
        return {
            str(x): x.read_bytes() for x in sorted(place.folder.rglob("*"))
            if x.is_file() and x.suffix not in (".db-shm", ".db-wal") and "-shm" not in x.name
        }  # fmt: skip

    before = listed()
    doctor.examine(place.folder, NOW_S, deep=True)
    assert listed() == before


def test_the_command(place: Home, capsys: pytest.CaptureFixture[str]) -> None:
    given = argparse.Namespace(folder=place.folder, deep=False, listen="", json=False)
    assert command(given) == 1
    assert "witnesses" in capsys.readouterr().out
    assert command(argparse.Namespace(folder=place.folder, deep=False, listen="", json=True)) == 1
    assert {"id", "level", "what", "remedy"} == set(json.loads(capsys.readouterr().out)[0])


def test_a_walk_of_this_service_is_no_fault(place: Home) -> None:
    from casemate.fleet.appraisal import walks

    store = Store(place.store)
    made = Intake(store, Clock(NOW_S), key=walks.key_in(place.folder))
    made.look(1)
    store.close()
    assert "walks" not in found(place)
