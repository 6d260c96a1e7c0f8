"""How large evidence is before it is sent, and how far it is while it is being sent."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest
from fleet_kit import Brought, Kit, bring, enter
from held_appraisal import comes
from sqlalchemy import insert
from test_pages import Reader

from casemate.fleet.appraisal import evidence
from casemate.fleet.service.application import cookie_name
from casemate.fleet.store.schema import ENTRIES
from casemate.fleet.story import export, weights
from casemate.fleet.web.downloads import MOST_TOLD, TOLD_S, Downloads, zipped
from casemate.fleet.web.server import Server
from casemate.testing import honest_enclosure as honest

PAGE = "/enclosures/1"


@pytest.fixture
def brought(kit: Kit) -> Brought:
    made = enter(kit, honest.armed(20))
    assert bring(kit, made).status_code == 200
    return made


def source(kit: Kit) -> export.Source:
    with kit.service.store.read() as link:
        return export.source(kit.service.store, evidence.enclosure(link, 1))


def told(kit: Kit, role: str = "inspector") -> list[dict[str, object]]:
    found: list[dict[str, object]] = kit.client(role).get(f"{PAGE}.json").json()["downloads"]
    return found


def test_the_size_is_said_before(kit: Kit, brought: Brought) -> None:
    for _ in range(2):
        shown = kit.client("inspector").get(f"{PAGE}.json").json()["evidence"]
        sent = kit.client("inspector").get(f"{PAGE}/evidence.zip").content
        assert shown["bytes"] == pytest.approx(len(sent), rel=0.02)
        assert shown["tokens"] == len(brought.story.entries)
        assert shown["checkpoints"] == len(brought.story.notes)
        text = kit.client("inspector").get(PAGE).text
        assert f"about {shown['size']}: {shown['tokens']} tokens" in text
        honest.watch(brought.story, 3)  # what comes is added to what was weighed
        bring(kit, brought)


def test_a_part_weighs_what_is_sent_of_it(kit: Kit, brought: Brought) -> None:
    part = source(kit).until(21)
    sent = sum(map(len, zipped((f"evidence/{path}", data) for path, data in part.files())))
    assert weights.of_source(part).zipped == pytest.approx(sent, rel=0.02)
    assert weights.of_source(part).tokens == 21
    assert weights.of_source(part).zipped < 0.7 * weights.of_source(source(kit)).zipped


def test_nothing_weighs_nothing_much(kit: Kit) -> None:
    enter(kit, honest.Story())
    shown = kit.client("inspector").get(f"{PAGE}.json").json()["evidence"]
    assert (shown["tokens"], shown["checkpoints"]) == (0, 0) and shown["bytes"] < 1000


def test_it_is_told_to_whom_it_is_sent(kit: Kit, brought: Brought) -> None:
    assert told(kit) == []
    assert kit.client("inspector").get(f"{PAGE}/evidence.zip").status_code == 200
    (row,) = told(kit)
    assert row["what"] == "evidence-1.zip" and row["how"] == "done" and row["unit"] == "bytes"
    assert row["done"] == pytest.approx(row["total"], rel=0.02)
    assert told(kit, "auditor") == []
    assert kit.client("inspector").get(f"{PAGE}/interval.zip").status_code == 200
    assert [each["what"] for each in told(kit)] == ["evidence-1.zip", "interval-1.zip"]
    page = kit.client("inspector").get(PAGE).text
    assert "<progress" not in page and "while you are on other pages" not in page


def test_one_that_cannot_be_sent_says_so(
    kit: Kit, brought: Brought, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_held: export.Source, _work: object) -> str:
        raise OSError(5, "the disk went away", "/a/path")

    with monkeypatch.context() as broke:
        broke.setattr(export.Source, "digest", broken)
        with pytest.raises(OSError, match="went away"):
            kit.client("inspector").get(f"{PAGE}/interval.zip")
    (row,) = told(kit)
    assert row["how"] == "failed" and row["pace"] == "it has failed: the disk went away"
    assert kit.service.downloads._held.total() == 0


def test_its_way_is_seen_and_that_it_ended_early(kit: Kit) -> None:
    """On a socket: somebody reads a little, then nothing, then goes."""
    enter(kit, honest.Story())
    with kit.service.store.write() as link:
        rows = [{"enclosure_id": 1, "number": n, "data": bytes(50_000)} for n in range(800)]
        link.execute(insert(ENTRIES), rows)
    server = Server(kit.fronted, "127.0.0.1", 0)
    cookie = f"{cookie_name(kit.service)}={kit.sessions['inspector']}"
    try:
        one = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        one.request("GET", f"{PAGE}/evidence.zip", headers={"Cookie": cookie})
        answer = one.getresponse()
        answer.read(1_000_000)
        (look,) = comes(lambda: kit.service.downloads.of("inspector one"))
        assert look.how == "running" and look.done < look.total == pytest.approx(40e6, rel=0.02)
        page = Reader(kit.client("inspector").get(PAGE).text)
        bars = [given for name, given in page.found if name == "progress"]
        (bar,) = [each for each in bars if "evidence-1.zip" in str(each["aria-label"])]
        assert 0 < int(str(bar["value"])) < int(str(bar["max"])) and bar["aria-label"]
        answer.close()
        one.close()
        ended = comes(
            lambda: [x for x in kit.service.downloads.of("inspector one") if x.how != "running"]
        )
        assert ended[0].how == "cancelled" and ended[0].done < ended[0].total
    finally:
        server.close()


def parts() -> Iterator[bytes]:
    yield from (b"ab", b"c")


def test_few_are_told_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Downloads()
    for number in range(MOST_TOLD + 3):
        list(held.begin("ann", parts(), held.work("ann", f"{number}.zip")))
    assert [each.what for each in held.of("ann")] == [f"{n}.zip" for n in range(3, MOST_TOLD + 3)]
    assert {each.done for each in held.of("ann")} == {3}
    monkeypatch.setattr("casemate.fleet.web.downloads.TOLD_S", 0.0)
    assert held.of("ann") == [] and held._works == {} and TOLD_S > 0
