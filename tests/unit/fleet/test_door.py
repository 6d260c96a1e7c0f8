"""The door for controllers: real TLS on a socket, and a folder of evidence that is brought."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from fleet_kit import Kit, enter
from sqlalchemy import delete

from casemate.core.errors import InputError, ReaderError
from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.notes import read_note
from casemate.fleet.intake.push import MOST_ENTRIES, Answer, Pusher, parts_of
from casemate.fleet.service.application import application
from casemate.fleet.service.home import Home
from casemate.fleet.service.identity import write_identity
from casemate.fleet.store.schema import ENTRIES, NOTES, VERDICTS
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story, write_bundle

pytestmark = pytest.mark.timeout(600)


@dataclass(slots=True)
class Door:
    """A service on a socket, and the identity of one controller."""

    kit: Kit
    url: str
    port: int
    tls: Path
    identity: Path
    story: Story
    folder: Path

    def write(self) -> None:
        """Write the story's evidence as its controller would."""
        shutil.rmtree(self.folder, ignore_errors=True)
        entries, size = self.story.entries, read_note(self.story.notes[-1]).stated.size
        held = self.story.bundle(entries=entries[:size], pending=entries[size:])
        write_bundle(held, self.folder)
        self.kit.clock.now_s = self.story.now_s + 5


@pytest.fixture
def door(kit: Kit, tmp_path: Path) -> Iterator[Door]:
    """A door with a story behind it."""
    home = Home(folder=tmp_path, name="fleet.test", store="")
    certificates.make_authority(home.tls, home.name)
    brought = enter(kit)
    made = certificates.issue(home.tls, honest.SERIAL)
    with kit.service.store.write() as link:
        evidence.let(link, brought.enclosure_id, made.fingerprint, 0)
    write_identity(home, tmp_path / "identity", made)
    server = Server(application(kit.service), "127.0.0.1", 0, tls=home.tls)
    try:
        yield Door(
            kit, server.url, server.port, home.tls, tmp_path / "identity", brought.story,
            tmp_path / "brought",
        )  # fmt: skip
    finally:
        server.close()


def test_a_folder_is_brought_as_it_grows(door: Door) -> None:
    door.write()
    pusher = Pusher(door.folder, door.url, door.identity)
    first = pusher.once()
    assert (first.status, first.state) == (200, "ARMED")
    assert first.next_number == len(door.story.entries)
    assert pusher.once().next_number == first.next_number
    honest.watch(door.story, 3)
    door.story.watch()
    door.write()
    assert pusher.once().next_number == len(door.story.entries)
    another = Pusher(door.folder, door.url, door.identity)  # a controller that was restarted
    assert another.once().status == 200


def test_a_service_that_was_restored_gets_all_again(door: Door) -> None:
    door.write()
    pusher = Pusher(door.folder, door.url, door.identity)
    assert pusher.once().state == "ARMED"
    with door.kit.service.store.write() as link:  # as a backup from before the first push has it
        for table in (VERDICTS, NOTES, ENTRIES):
            link.execute(delete(table))
    door.kit.service.intake.forget(1)
    assert pusher.once().state == "ARMED"
    with door.kit.service.store.read() as link:
        assert set(evidence.notes(link, 1)) == set(door.story.notes)


def test_who_shows_no_known_certificate_is_not_let_in(door: Door, tmp_path: Path) -> None:
    door.write()
    home = Home(folder=tmp_path, name="fleet.test", store="")
    other = certificates.issue(door.tls, "UNIT-9999")
    write_identity(home, tmp_path / "other", other)
    assert Pusher(door.folder, door.url, tmp_path / "other").once().status == 401
    foreign = tmp_path / "foreign"
    certificates.make_authority(foreign / "tls", "elsewhere")
    theirs = certificates.issue(foreign / "tls", honest.SERIAL)
    write_identity(home, tmp_path / "theirs", theirs)  # our authority, their certificate
    with pytest.raises(ReaderError):
        Pusher(door.folder, door.url, tmp_path / "theirs").once()
    write_identity(Home(folder=foreign, name="elsewhere", store=""), tmp_path / "misled", theirs)
    with pytest.raises(ReaderError):  # the controller does not talk to a service of others
        Pusher(door.folder, door.url, tmp_path / "misled").once()


def test_who_is_refused_before_all_was_sent_learns_why(door: Door, tmp_path: Path) -> None:
    """Nobody reads megabytes of one that may bring nothing, or of one that says too many."""
    home = Home(folder=tmp_path, name="fleet.test", store="")
    write_identity(home, tmp_path / "other", certificates.issue(door.tls, "UNIT-9999"))
    stranger = Pusher(door.folder, door.url, tmp_path / "other")
    assert stranger._ask("POST", bytes(6_000_000)).status == 401
    pusher = Pusher(door.folder, door.url, door.identity)
    assert pusher._ask("POST", bytes(9_000_000)).status == 422
    assert pusher._ask("POST", bytes(6_000_000)).status == 422  # it was read, and is no evidence


def test_a_service_without_room_gets_smaller_parts(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casemate.fleet.intake.push.FEW_ENTRIES", 3)
    door.write()
    pusher = Pusher(door.folder, door.url, door.identity)
    sizes, ask = list[int](), pusher._ask

    def busy_once(method: str, body: bytes) -> Answer:
        sizes.append(len(body))
        if len(sizes) == 2:
            return Answer(status=503, next_number=None, state="", said="no room")
        return ask(method, body)

    pusher._ask = busy_once  # type: ignore[method-assign]
    assert pusher.once().status == 503
    assert pusher.once().status == 200
    assert pusher._most == MOST_ENTRIES
    assert 0 < max(sizes[3:]) < sizes[1]


def request(door: Door, context: ssl.SSLContext, path: str) -> int:
    """Return the status that a client without a certificate gets."""
    link = http.client.HTTPSConnection("127.0.0.1", door.port, context=context, timeout=20)
    try:
        link.request("GET", path)
        return link.getresponse().status
    finally:
        link.close()


def test_people_need_no_certificate_and_old_tls_is_refused(door: Door) -> None:
    context = ssl.create_default_context(cafile=str(door.tls / certificates.CA))
    assert request(door, context, "/sign-in") == 200
    assert request(door, context, "/evidence") == 401
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        request(door, context, "/sign-in")


def test_nobody_names_another_address_as_its_own(door: Door) -> None:
    """As a proxy on the service's machine could: limits and the audit log go by addresses."""
    context = ssl.create_default_context(cafile=str(door.tls / certificates.CA))
    link = http.client.HTTPSConnection("127.0.0.1", door.port, context=context, timeout=20)
    named = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    link.request("GET", "/evidence", headers=named)
    assert link.getresponse().status == 401
    link.close()
    assert door.kit.service.audit.latest(1)[0][1].who == "client 127.0.0.1"


def test_who_begins_no_tls_holds_no_connection(
    kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casemate.fleet.web.server.HEAD_S", 0.2)
    certificates.make_authority(tmp_path / "tls", "fleet.test")
    server = Server(application(kit.service), "127.0.0.1", 0, tls=tmp_path / "tls")
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as silent:
            assert silent.recv(10) == b""  # the service ends it, not our patience
    finally:
        server.close()


def test_a_power_cut_between_key_and_certificate_leaves_a_pair_that_fits(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    certificates.make_authority(whole, "fleet.test")
    for left in (certificates.CA_KEY, certificates.KEY):
        folder = tmp_path / left
        if left == certificates.KEY:
            shutil.copytree(whole, folder)
            (folder / certificates.CERTIFICATE).unlink()
        else:
            folder.mkdir(mode=0o700)
            shutil.copy(whole / left, folder / left)
        certificates.make_authority(folder, "fleet.test")
        assert (folder / left).read_bytes() == (whole / left).read_bytes()  # it goes on with that
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / certificates.CERTIFICATE, folder / certificates.KEY)
        made = certificates.issue(folder, "UNIT-1")
        held = x509.load_pem_x509_certificate(made.certificate)
        authority = x509.load_pem_x509_certificate((folder / certificates.CA).read_bytes())
        held.verify_directly_issued_by(authority)


def test_private_keys_are_for_their_owner_alone(door: Door) -> None:
    for path in (
        door.tls / certificates.CA_KEY, door.tls / certificates.KEY,
        door.identity / certificates.KEY,
    ):  # fmt: skip
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0


def test_addresses_and_identities_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Pusher(tmp_path, "http://fleet.test", tmp_path)
    with pytest.raises(InputError):
        Pusher(tmp_path, "https://fleet.test", tmp_path)


def test_parts_are_never_too_large_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.fleet.intake.push.MOST_NOTES", 8)
    story = honest.armed(0)
    for _ in range(8 + 6):
        story.change("UNKNOWN" if story.state == "ARMED" else "ARMED", "back and forth")
        story.seal()
    held = story.bundle()
    for first in (0, 7, len(story.entries)):
        parts = parts_of(held, first, set())
        assert all(len(each.notes) <= 8 for each in parts)
        assert [x for each in parts for x in each.entries] == list(story.entries[first:])
        assert {x for each in parts for x in each.notes} == set(story.notes)
        for each in parts:
            size = each.first + len(each.entries)
            assert all(int(x.split(b"\n")[1]) <= size for x in each.notes)
    assert parts_of(held, len(story.entries), set(story.notes)) == []
    few = parts_of(held, 0, set(), most=5)
    assert [x for each in few for x in each.entries] == list(story.entries)
    assert max(len(each.entries) for each in few) == 5
