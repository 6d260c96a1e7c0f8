"""Exports are sent in parts: the same evidence, a part of it in memory, few at once."""

from __future__ import annotations

import http.client
import io
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_kit import Brought, Kit, bring, enter
from sqlalchemy import insert

from casemate.fleet.appraisal import evidence
from casemate.fleet.errors import BusyError
from casemate.fleet.service.application import cookie_name
from casemate.fleet.store.schema import ENTRIES
from casemate.fleet.story import export
from casemate.fleet.web import downloads
from casemate.fleet.web.downloads import Downloads
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest
from casemate.translog import tiles
from casemate.translog.bundle import Bundle, read_bundle


@pytest.fixture
def brought(kit: Kit) -> Brought:
    """An enclosure whose log has six bundles of entries, and some that wait for a checkpoint."""
    made = enter(kit)
    bring(kit, made)
    made.story.watch(3)
    bring(kit, made)
    return made


def stored(kit: Kit) -> Bundle:
    """Return all evidence as it is read whole."""
    with kit.service.store.read() as link:
        return evidence.bundle(link, evidence.enclosure(link, 1))


def source(kit: Kit) -> export.Source:
    """Return the evidence as it is read in parts."""
    with kit.service.store.read() as link:
        known = evidence.enclosure(link, 1)
    return export.source(kit.service.store, known)


def unpacked(data: bytes, folder: Path) -> Bundle:
    """Return the bundle in a ZIP file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return read_bundle(folder / "evidence")


def test_what_is_sent_in_parts_is_what_is_stored(
    kit: Kit, brought: Brought, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = stored(kit)
    assert held.pending
    assert len(held.witnessed) > 2
    answer = kit.client("inspector").get("/enclosures/1/evidence.zip")
    assert unpacked(answer.content, tmp_path / "a") == held
    assert source(kit).digest() == evidence.digest(held)
    monkeypatch.setattr(tiles, "WIDTH", 2)  # as of a log of many bundles
    found = source(kit)
    assert [len(each) for each in found.entries(0, 5)] == [2, 2, 1]
    assert found.digest() == evidence.digest(held)
    assert sum(path.startswith("pending/") for path, _ in found.files()) == 2
    assert tuple(found.checkpoints()) == (*held.witnessed, held.checkpoint)


def test_evidence_of_a_log_that_has_no_checkpoint(kit: Kit, tmp_path: Path) -> None:
    enter(kit, honest.Story())
    assert source(kit).digest() == evidence.digest(stored(kit))
    answer = kit.client("inspector").get("/enclosures/1/evidence.zip")
    assert unpacked(answer.content, tmp_path) == stored(kit)


def test_many_notes_of_one_size_stand_in_order(kit: Kit, brought: Brought) -> None:
    """Lines that come later, of other witnesses or other times, at sizes that sort as text."""
    story = brought.story
    for later_s in range(1, 12):
        story.now_s += 1
        story.seal(("w1", "w2") if "w1" in honest.WITNESSES else tuple(honest.WITNESSES)[:2])
        honest.watch(story)
        story.seal(at_s=story.now_s + later_s)
    bring(kit, brought, later_s=30)
    held = stored(kit)
    assert source(kit).digest() == evidence.digest(held)
    assert tuple(source(kit).checkpoints()) == (*held.witnessed, held.checkpoint)
    size = 10
    part = source(kit).until(size)
    assert part.total == part.sealed == size
    assert part.checkpoint == [x for x in part.checkpoints()][-1]


def test_a_part_of_it_lies_in_memory(kit: Kit) -> None:
    enter(kit, honest.Story())
    entry = bytes(10_000)
    with kit.service.store.write() as link:
        rows = [{"enclosure_id": 1, "number": n, "data": entry} for n in range(4000)]
        link.execute(insert(ENTRIES), rows)
    found = source(kit)
    tracemalloc.start()
    sent = sum(map(len, downloads.zipped(found.files())))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent > 40_000_000
    assert most < 16_000_000


def parts() -> Iterator[bytes]:
    """Yield a few parts."""
    yield from (b"a", b"b", b"c")


def test_few_are_sent_at_once_and_whoever_leaves_gives_the_place_free(
    kit: Kit, brought: Brought
) -> None:
    held = Downloads()
    first, second = held.begin("ann", parts()), held.begin("ann", parts())
    with pytest.raises(BusyError):
        held.begin("ann", parts())
    others = [held.begin(f"p{number}", parts()) for number in range(downloads.MOST - 2)]
    with pytest.raises(BusyError):
        held.begin("bob", parts())
    assert b"".join(first) == b"abc"
    next(second)
    del second  # as a connection that is cut
    assert b"".join(held.begin("ann", parts())) == b"abc"
    del others
    kept = [held.begin("ann", parts()) for _ in range(2)]
    service = kit.service
    own = [service.downloads.begin("inspector one", parts()) for _ in range(2)]
    assert kit.client("inspector").get("/enclosures/1/evidence.zip").status_code == 503
    assert kit.client("auditor").get("/enclosures/1/evidence.zip").status_code == 200
    del own, kept
    assert kit.client("inspector").get("/enclosures/1/evidence.zip").status_code == 200


def test_a_part_that_fails_gives_the_place_free() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the store went away")

    held = Downloads()
    for _ in range(3):
        with pytest.raises(OSError, match="went away"):
            list(held.begin("ann", broken()))


def test_a_connection_that_is_cut_gives_the_place_free(kit: Kit) -> None:
    """On a socket: one that reads a little, and goes; one that reads nothing holds one part."""
    enter(kit, honest.Story())
    with kit.service.store.write() as link:
        rows = [{"enclosure_id": 1, "number": n, "data": bytes(50_000)} for n in range(800)]
        link.execute(insert(ENTRIES), rows)
    server = Server(kit.fronted, "127.0.0.1", 0)
    held = kit.service.downloads._held
    cookie = f"{cookie_name(kit.service)}={kit.sessions['inspector']}"
    try:
        for _ in range(3):
            one = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
            one.request("GET", "/enclosures/1/evidence.zip", headers={"Cookie": cookie})
            answer = one.getresponse()
            assert answer.status == 200
            assert len(answer.read(1000)) == 1000
            assert held.total() == 1
            answer.close()
            one.close()
            end_s = time.monotonic() + 10
            while held.total():
                assert time.monotonic() < end_s
                time.sleep(0.02)
    finally:
        server.close()
