"""Each page: what it shows, its JSON twin, and what none may ever say."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fleet_kit import Kit, bring, enter, kit_in
from sqlalchemy import insert, update

from casemate.cli.main import main
from casemate.fleet.clockface import ago, length
from casemate.fleet.store.schema import ENCLOSURES, VERDICTS
from casemate.fleet.web import timeline
from casemate.testing import honest_enclosure as honest
from casemate.verify.continuity import Interval

PAGES = (
    "/fleet", "/enclosures/1", "/enclosures/1/channels", "/enclosures/1/continuity",
    "/incidents", "/incidents/1", "/audit", "/sign-in",
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>\"\x1b[2J'&"


VOID = ("meta", "link", "input", "br")


class Reader(HTMLParser):
    """Reads a page: its elements, and whether they are closed as they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()


@pytest.fixture(scope="module")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """An enclosure that says hostile things about itself; it is only read."""
    with kit_in(tmp_path_factory.mktemp("pages")) as kit:
        brought = enter(kit)
        with kit.service.store.write() as link:
            link.execute(update(ENCLOSURES).values(site=HOSTILE.replace("\x1b", "")))
        honest.watch(brought.story)
        brought.story.change("UNKNOWN", HOSTILE.replace("\x1b", ""))
        brought.story.seal()
        assert bring(kit, brought).status_code == 200
        yield kit


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_and_fetches_nothing_from_elsewhere(trouble: Kit, path: str) -> None:
    answer = trouble.client("adjudicator").get(path)
    assert answer.status_code == 200
    page = Reader(answer.text)
    assert page.open == []
    names = [name for name, _ in page.found]
    assert names.count("h1") == 1 and names.count("main") == 1
    scripts = [given for name, given in page.found if name == "script"]
    assert scripts == ([{"src": "/static/renew.js"}] if "data-renews" in answer.text else [])
    assert ("html", {"lang": "en"}) in page.found
    for name, given in page.found:
        assert not any(key.startswith("on") or key == "style" for key in given), (name, given)
        for key in ("href", "src", "action"):
            value = given.get(key)
            assert value is None or re.match(r"[/?#](?!/)", value), (name, key, value)
    assert answer.text.count("<script") == len(scripts) == answer.text.count('.js"></script>')
    labelled = [each for each in page.found if each[0] in ("input", "select", "textarea")]
    for _, given in labelled:
        assert given.get("type") == "hidden" or "name" in given
    assert answer.text.count("<label>") == sum(
        given.get("type") != "hidden" for _, given in labelled
    )


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_twin_that_says_the_same(trouble: Kit, path: str) -> None:
    twin = trouble.client("adjudicator").get(f"{path}.json")
    assert twin.headers["content-type"] == "application/json"
    row = json.loads(twin.text)
    page = trouble.client("adjudicator").get(path).text
    assert f"<h1>{row['title']}</h1>" in page


def test_the_fleet_says_whether_all_is_well(kit: Kit) -> None:
    client = kit.client("inspector")
    assert "There is no enclosure yet" in client.get("/fleet").text
    brought = enter(kit)
    row = client.get("/fleet.json").json()
    assert (row["well"], row["counts"]["UNKNOWN"]) == (False, 1)
    assert row["rows"][0]["why"] == "no evidence was brought yet"
    bring(kit, brought)
    row = client.get("/fleet.json").json()
    assert (row["well"], row["counts"]["ARMED"], row["waiting"]) == (True, 1, 0)
    assert "proven up to now" in client.get("/fleet").text


def test_what_is_stale_is_shown_as_unknown_everywhere(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    kit.clock.now_s += 1000
    client = kit.client("inspector")
    fleet = client.get("/fleet.json").json()
    assert (fleet["well"], fleet["counts"]["ARMED"]) == (False, 0)
    assert fleet["rows"][0]["state"] == "UNKNOWN"
    assert fleet["rows"][0]["why"].startswith("stale")
    assert client.get("/enclosures/1.json").json()["how"] == "UNKNOWN"
    kit.service.intake.tick()
    assert client.get("/incidents/1.json").json()["live"]["state"] == "UNKNOWN"


def test_while_an_alarm_stands_no_page_says_that_it_ended(trouble: Kit) -> None:
    """Words that controllers of infrastructure take for the end of an alarm."""
    for path in ("/fleet", "/incidents", "/incidents/1", "/enclosures/1"):
        text = re.sub(r"<[^>]*>", " ", trouble.client("inspector").get(path).text).lower()
        for word in ("clear", "deassert", "reset"):
            assert not re.search(rf"\b{word}", text), (path, word)


def test_a_page_holds_a_hundred_rows_and_filters_are_in_the_address(kit: Kit) -> None:
    story = honest.Story()
    brought = enter(kit, story)
    with kit.service.store.write() as link:
        base = {"reference": b"x", "policy": b"x", "added_s": 0, "kind": "camera"}
        rows = [
            {**base, "name": "cam", "serial": f"S-{each:04d}", "origin": f"o/{each}",
             "site": f"hall {each % 3}"}
            for each in range(250)
        ]  # fmt: skip
        link.execute(insert(ENCLOSURES), rows)
        link.execute(
            insert(VERDICTS),
            [
                {"enclosure_id": each + 2, "state": "ARMED", "worst": "note", "headline": "h",
                 "fresh_until_s": kit.service.now_s() + (each % 2) - 1, "tokens": 1, "proven": 1,
                 "seen_s": 1, "since_s": 1, "appraised_s": 1, "body": "{}"}
                for each in range(250)
            ],
        )  # fmt: skip
    client = kit.client("inspector")
    first = client.get("/fleet.json").json()
    assert (len(first["rows"]), first["pages"], first["total"]) == (100, 3, 251)
    assert {each["state"] for each in first["rows"]} == {"UNKNOWN"}
    armed = client.get("/fleet.json?state=ARMED").json()
    assert armed["total"] == 125 == armed["counts"]["ARMED"]
    found = client.get("/fleet.json?q=HALL 2&state=ARMED&page=1").json()
    assert {each["site"] for each in found["rows"]} == {"hall 2"}
    assert "q=HALL+2" in client.get("/fleet.json?q=HALL 2&page=1").json()["links"].get(
        "after", "q=HALL+2"
    )
    assert client.get("/fleet.json?q=100%25").json()["total"] == 0
    last = client.get("/fleet?page=3")
    assert last.status_code == 200 and "Page before" in last.text
    assert brought.enclosure_id == 1


def test_the_enclosure_shows_health_beside_data_and_zooms(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    client = kit.client("inspector")
    row = client.get("/enclosures/1.json").json()
    assert row["how"] == "ARMED" and row["tokens"] == len(brought.story.entries)
    assert row["told"]["state"] == "ARMED" and row["told"]["boots"] == 1
    for level, _ in timeline.LEVELS:
        shown = client.get(f"/enclosures/1?zoom={level}&at={brought.story.now_s}")
        assert shown.status_code == 200 and "<svg" in shown.text
    assert client.get("/enclosures/1?zoom=era").status_code == 422


def test_the_timeline_tells_gaps_permits_and_hours_of_interference(kit: Kit) -> None:
    brought = enter(kit)
    story = brought.story
    allowed = story.allow()
    story.seal()
    story.open_up(allowed)
    story.watch()
    story.close_up(allowed)
    story.watch(verdict="INTERFERENCE")
    honest.watch(story)
    bring(kit, brought)
    client = kit.client("inspector")
    row = client.get("/enclosures/1.json").json()
    assert row["zoom"] == "hour"
    assert (row["hours"]["maintenance"], row["hours"]["interfered"]) == ("1 min", "1 min 1 s")
    assert [each["letter"] for each in row["window_events"]] == list("SCPPCPCD")
    assert {letter for each in row["marks"] for letter in each["letter"]} == set("SCPD")
    places = [each["x"] for each in row["marks"]]
    assert all(b - a >= 30 for a, b in zip(places, places[1:], strict=False))
    gap = next(each for each in row["window_gaps"] if each["kind"] == "interfered")
    near = client.get(f"/enclosures/1.json?zoom={gap['zoom']}&at={gap['at']}").json()
    assert near["zoom"] == "hour" and gap in near["window_gaps"]
    near = client.get(f"/enclosures/1.json?zoom=minute&at={gap['at']}").json()
    assert near["hours"] == {
        "proven": "0 s", "maintenance": "0 s", "interfered": "1 min", "unknown": "0 s",
    }  # fmt: skip
    assert client.get(f"/enclosures/1.json?zoom=day&at={1 << 40}").status_code == 200
    assert client.get("/enclosures/1.json?at=0").json()["marks"] == []


def test_continuity_has_gaps_with_cause_and_cover(trouble: Kit) -> None:
    row = trouble.client("inspector").get("/enclosures/1/continuity.json").json()
    assert row["gaps"] and row["gaps"][0]["covered_by"] == "commissioning"
    shares = [each["share"] for each in row["totals"].values()]
    assert abs(sum(shares) - 100) < 0.01
    assert row["uncovered"] == sum(not each["covered_by"] for each in row["gaps"])


def test_an_export_is_a_bundle_that_verify_accepts(kit: Kit, tmp_path: Path) -> None:
    brought = enter(kit)
    honest.watch(brought.story)
    brought.story.watch()
    bring(kit, brought)
    data = kit.client("inspector").get("/enclosures/1/evidence.zip").content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    trust = tmp_path / "mine"
    trust.mkdir()
    from casemate.attest.reference_write import as_json

    (trust / "reference.json").write_text(as_json(honest.reference()))
    (trust / "policy").write_bytes(honest.policy_text())
    bundle, now = str(tmp_path / "evidence"), str(brought.story.now_s + 5)
    assert main(["verify", bundle, "--trust", str(trust), "--now", now]) == 0
    tile = next((tmp_path / "evidence" / "tile" / "entries").rglob("000.p/*"))
    whole = tile.read_bytes()
    tile.write_bytes(whole[:900] + bytes([whole[900] ^ 1]) + whole[901:])
    assert main(["verify", bundle, "--trust", str(trust), "--now", now]) != 0


def test_a_short_gap_is_seen_in_a_year() -> None:
    year = 366 * 86_400
    gap = Interval(start_s=1000, end_s=1001, kind="unknown", cause="no token")
    calm = Interval(start_s=0, end_s=year, kind="proven")
    bars = timeline.draw([calm, gap], 0, year)
    assert [each["kind"] for each in bars] == ["proven", "unknown"]
    assert bars[1]["width"] >= timeline.LEAST
    assert all(0 <= each["x"] <= each["x"] + each["width"] <= timeline.WIDTH for each in bars)
    assert timeline.draw([gap], 2000, 3000) == []


def test_lengths() -> None:
    assert [length(each) for each in (0, 59, 60, 3601, 90_000, -5)] == [
        "0 s", "59 s", "1 min", "1 h", "1 d 1 h", "-5 s",
    ]  # fmt: skip
    assert (ago(None, 5), ago(3, 5), ago(9, 5)) == ("never", "2 s ago", "0 s ago")


def test_a_clock_that_was_set_back_makes_nothing_fresh(kit: Kit) -> None:
    brought = enter(kit)
    bring(kit, brought)
    client = kit.client("inspector")
    kit.clock.now_s = brought.story.now_s - 30
    assert client.get("/fleet.json").json()["counts"]["ARMED"] == 1
    kit.clock.now_s = brought.story.now_s - 31
    row = client.get("/fleet.json").json()
    assert (row["counts"]["ARMED"], row["counts"]["UNKNOWN"], row["well"]) == (0, 1, False)
    assert "yet to come" in row["rows"][0]["why"]
