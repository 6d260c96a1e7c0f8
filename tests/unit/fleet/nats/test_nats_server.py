"""Evidence by a real nats-server: nothing acknowledged is lost, and nobody speaks for another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import until
from fleet_kit import Kit
from nats.aio.msg import Msg
from nats_kit import Carried, carried
from sqlalchemy import insert

from casemate.core.errors import ReaderError
from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence
from casemate.fleet.errors import RefusedError
from casemate.fleet.intake.ingest import Submission, Taken
from casemate.fleet.nats import check, wire
from casemate.fleet.nats import link as links
from casemate.fleet.nats.door import Door
from casemate.fleet.nats.receive import stream_config
from casemate.fleet.service import broker_files
from casemate.fleet.service.identity import write_identity
from casemate.fleet.store.schema import ENCLOSURES
from casemate.testing import honest_enclosure as honest

pytestmark = [pytest.mark.external, pytest.mark.timeout(300)]


@pytest.fixture
def way(kit: Kit, tmp_path: Path) -> Iterator[Carried]:
    """A service with a broker before it."""
    with carried(kit, tmp_path) as made:
        yield made


def test_a_folder_is_brought_by_the_broker_as_it_grows(way: Carried, tmp_path: Path) -> None:
    way.write()
    with way.receiver():
        pusher = way.pusher()
        first = pusher.once()
        assert (first.status, first.state) == (200, "ARMED")
        assert first.next_number == way.stored() == len(way.brought.story.entries)
        honest.watch(way.brought.story, 2)
        way.write()
        assert pusher.once().next_number == way.stored() == len(way.brought.story.entries)
        other = certificates.issue(way.place.tls, "UNIT-9999")  # known to nobody at the broker
        write_identity(way.place, tmp_path / "other", other)
        with pytest.raises(ReaderError, match="cannot be used"):
            way.pusher(tmp_path / "other").once()


@pytest.mark.slow
def test_what_waits_outlives_the_broker_and_the_service(way: Carried) -> None:
    """The service is away, the broker is killed; then all is taken that the broker had stored."""
    way.write()
    with way.receiver() as first:
        way.pusher().once()
        until(lambda: first.taken > 0)
    had, story = way.stored(), way.brought.story
    pusher = way.pusher(answer_s=0.5)
    with pytest.raises(ReaderError, match="has not answered"):
        pusher.once()
    pusher._next = had  # what it knew before the service went
    honest.watch(story, 2)
    way.write()
    with pytest.raises(ReaderError, match="has not answered"):
        pusher.once()
    way.server.kill()
    with pytest.raises(ReaderError, match="cannot be used"):
        pusher.once()
    way.server.start()
    with way.receiver():
        until(lambda: way.stored() == len(story.entries))
    assert way.kit.service.intake.look(1).state == "ARMED"


@pytest.mark.slow
def test_killed_between_commit_and_acknowledgement(
    way: Carried, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise OSError("killed before it was sent")

    way.write()
    with monkeypatch.context() as patch:
        patch.setattr(Msg, "ack", lost)
        with way.receiver(), pytest.raises(ReaderError):
            patch.setattr(wire, "answer", lambda *_: b"")  # nor was it answered
            way.pusher(answer_s=1.0).once()
            way.pusher(answer_s=1.0).once()
    door, seen = Door(way.kit.service, way.place.folder / "nats"), []
    with way.receiver(door) as again:
        until(lambda: again.taken >= 1)  # it came again
        seen.append(way.pusher().once())
    assert seen[0].next_number == way.stored() == len(way.brought.story.entries)


def other(way: Carried, folder: Path, serial: str = "UNIT-0002") -> tuple[Path, str]:
    """Enter another enclosure's controller; return its identity and its name at the broker."""
    made = certificates.issue(way.place.tls, serial)
    with way.kit.service.store.write() as link:
        row = {"name": "other", "serial": serial, "origin": "example.org/other", "kind": "camera",
               "site": "hall 2", "reference": b"x", "policy": b"x", "added_s": 0}  # fmt: skip
        number = link.execute(insert(ENCLOSURES).values(**row).returning(ENCLOSURES.c.id))
        evidence.let(link, int(number.scalar_one()), made.fingerprint, 0)
    write_identity(way.place, folder, made)
    way.server.kill()
    broker_files.write(way.place, way.server.folder, "127.0.0.1", port=way.server.port)
    way.server.start()
    return folder, made.fingerprint


def stored_by(way: Carried, change: Callable[[Any], None] | None = None) -> dict[str, int]:
    """Return how many messages wait at the broker, by subject. change: of the stream, before."""

    async def asked() -> dict[str, int]:
        inbox = f"{wire.INBOX}.fleet"
        async with links.connected(way.broker, inbox=inbox, name="x") as link:
            stream = link.jetstream(timeout=5.0)
            if change is not None:
                config = (await stream.stream_info("CASEMATE")).config
                change(config)
                await stream.update_stream(config)
            found = await stream.stream_info("CASEMATE", subjects_filter=">")
            return found.state.subjects or {}

    return asyncio.run(asked())


def test_nothing_is_confirmed_to_whom_a_publisher_names(way: Carried, tmp_path: Path) -> None:
    """The broker may write anywhere: it would fill another's place, or empty the whole stream."""
    identity, name = other(way, tmp_path / "second")
    with way.receiver():
        pass
    stored_by(way, lambda config: setattr(config, "no_ack", False))  # as a release before made it
    with way.receiver():
        pass
    ours, theirs = wire.subject(wire.EVIDENCE, name), way.pusher()._name
    broker = way.pusher(identity)._broker

    async def attack() -> None:
        async with links.connected(broker, inbox="_INBOX.x", name="x") as link:
            for reply in (
                wire.subject(wire.EVIDENCE, theirs), wire.subject(wire.ANSWER, theirs),
                "$JS.API.STREAM.PURGE.CASEMATE", "_INBOX.fleet.x",
            ):  # fmt: skip
                await link.publish(ours, b"junk", reply=reply)
            await link.flush()
            await asyncio.sleep(0.3)

    asyncio.run(attack())
    assert stored_by(way) == {ours: 4}


def test_headers_of_one_controller_hold_up_nobody(way: Carried, tmp_path: Path) -> None:
    """The library takes them for the broker's word, or fails at them: neither ends the shift."""
    identity, name = other(way, tmp_path / "second")
    pusher = way.pusher(identity)

    async def attack() -> None:
        async with links.connected(pusher._broker, inbox="_INBOX.x", name="x") as link:
            to = wire.subject(wire.EVIDENCE, name)
            for head in (b"NATS/1.0\r\nStatus: 503\r\n\r\n", b"NATS/1.0 503 gone\r\n\r\n",
                         b"NATS/1.0 \xff\xff\xff\r\n\r\n", b"NATS/1.0",
                         b"NATS/1.0\r\nStatus: 100\r\n\r\n"):  # fmt: skip
                whole = head + b"junk"
                text = f"HPUB {to} {len(head)} {len(whole)}\r\n".encode()
                await link._send_command(text + whole + b"\r\n")
            await link._flush_pending()
            await link.flush()

    with way.receiver() as held:
        begun = held.began
        asyncio.run(attack())
        way.write()
        assert way.pusher().once().state == "ARMED"
        until(lambda: not stored_by(way))  # each was refused, once
        assert (held.failed, held.began) == ("", begun)


@pytest.mark.slow
def test_nobody_speaks_or_hears_for_another_and_a_flood_holds_up_nobody(
    way: Carried, tmp_path: Path
) -> None:
    identity, name = other(way, tmp_path / "second")
    flood, mine = way.pusher(identity), way.pusher()
    stuck = threading.Event()

    def slow(enclosure_id: int, brought: Submission) -> Taken:
        if enclosure_id != way.brought.enclosure_id:
            stuck.wait(60)
            raise RefusedError("junk.", remedy="none.")
        return way.kit.service.intake.take(enclosure_id, brought)

    door = Door(way.kit.service, way.place.folder / "nats", take=slow)
    way.write()

    async def attack() -> None:
        inbox = f"{wire.INBOX}.{name}"
        async with links.connected(flood._broker, inbox=inbox, name="x") as link:
            for _ in range(wire.MOST_WAITING + 2):
                await link.publish(wire.subject(wire.EVIDENCE, name), b"\x83\0\x80\x80")
            await link.publish(wire.subject(wire.EVIDENCE, mine._name), b"junk")
            ears = await link.subscribe(wire.subject(wire.ANSWER, mine._name))
            with pytest.raises(Exception):  # noqa: B017 - the broker cuts off who asks for it
                await ears.next_msg(1.0)

    with way.receiver():  # the service alone may make the stream
        pass
    asyncio.run(attack())
    full = {wire.subject(wire.EVIDENCE, name): wire.MOST_WAITING}
    assert stored_by(way) == full  # nor is anything stored under another's name
    try:
        with way.receiver(door):
            assert mine.once().state == "ARMED"
            stuck.set()
            until(lambda: not list((way.place.folder / "nats" / "trying").iterdir()))
    finally:
        stuck.set()


def found(way: Carried) -> list[tuple[str, str]]:
    """Return what doctor says of the broker."""
    row = {"host": "127.0.0.1", "port": way.server.port, "ca": "nats/ca.pem",
           "certificate": "nats/certificate.pem", "key": "nats/key.pem"}  # fmt: skip
    folder = way.place.folder
    held = check.look(row, folder, folder / "fleet.json", folder / "nats")
    return [(level, what) for level, what, _ in held]


@pytest.mark.slow
def test_doctor_sees_what_is_wrong_with_the_broker(way: Carried) -> None:
    assert found(way) == [("warning", "the broker has no stream CASEMATE")]
    with way.receiver():
        assert found(way) == []
    (way.place.folder / "nats" / "aside" / "x.cbor").write_bytes(b"x")
    assert "1 messages" in found(way)[0][1]
    (way.place.folder / "nats" / "aside" / "x.cbor").unlink()

    async def change() -> None:
        inbox = f"{wire.INBOX}.fleet"
        async with links.connected(way.broker, inbox=inbox, name="x") as link:
            stream = link.jetstream()
            await stream.delete_stream("CASEMATE")
            made = stream_config("CASEMATE")
            made.storage, made.max_msgs_per_subject = "memory", -1
            made.discard_new_per_subject, made.max_bytes, made.no_ack = False, 1_000_000, False
            await stream.add_stream(made)

    asyncio.run(change())
    told = [what.split(" of ")[0] for _, what in found(way)]
    assert told == ["storage", "discard_new_per_subject", "max_msgs_per_subject", "no_ack"]
    way.server.kill()
    assert "cannot be used" in found(way)[0][1]
