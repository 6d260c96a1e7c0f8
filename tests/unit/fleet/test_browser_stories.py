"""The work of each role before a browser, from beginning to end, without a script of ours.

The evidence is that of the stories; keys of parties stay in files that the browser never reads.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser_kit import SCHEMES, Room, Seat, grave, room_in
from fleet_kit import Brought, Kit, bring
from page_places import tell
from permit_kit import key_file, log
from small_papers import box, case

from casemate.attest import claims as c
from casemate.attest.reference_write import as_json
from casemate.cli.main import main
from casemate.core.canonical import pretty_json
from casemate.fleet.permits import papers
from casemate.testing import honest_enclosure as honest

pytestmark = pytest.mark.slow
REASON = "a drill was found at the front, photographs with both parties"


@contextmanager
def furnished(folder: Path, browser: Any) -> Iterator[tuple[Kit, Brought, Room]]:
    with room_in(folder, browser) as (kit, brought, made):
        with kit.service.store.write() as link:
            papers.put(link, 1, "design", pretty_json(box()).encode(), 0)
            papers.put(link, 1, "case", pretty_json(case()).encode(), 0)
        yield kit, brought, made


def signed_in(room: Room, role: str) -> Seat:
    """Return a seat of somebody who has signed in with a code, as people do."""
    seat = room.seat()
    seat.go("/sign-in")
    seat.page.get_by_label("Code").fill(room.code(role))
    seat.press("Sign in")
    return seat


def agreed(seat: Seat) -> None:
    seat.page.get_by_label("I have read what was found").check()
    seat.press("Confirm as the second person")


def modules(seat: Seat, name: str) -> None:
    """Name a module: it is ticked if the reference values have it, or else written down."""
    ticks = seat.page.get_by_label(name, exact=True)
    if ticks.count():
        ticks.check()
    else:
        seat.page.get_by_label("Modules").fill(name)


def opened(brought: Brought) -> None:
    story = brought.story
    story.state = "TAMPERED"
    story.token(c.LastWord(reason="the front was drilled", erased_us=40), signers=story.last_word)
    story.seal()


def test_an_operators_day(tmp_path: Path, browser: Any) -> None:
    """All is well; detection is disturbed; it is seen, acknowledged, and left to the inspector."""
    with furnished(tmp_path, browser) as (kit, brought, room):
        bring(kit, brought)
        seat = signed_in(room, "host-operator")
        assert "every one that is in service is proven up to now" in seat.text
        brought.story.watch(verdict="INTERFERENCE")
        honest.watch(brought.story, 2)
        bring(kit, brought)
        seat.go("/fleet?needs=decision")
        seat.follow("warning not acknowledged")
        assert "Detection was disturbed: by a nuisance, or to blind it" in seat.text
        assert "Next for you: Acknowledge it" in seat.text
        seat.press("Acknowledge: I have seen it")
        assert "Carry out the runbook, and tell the inspector" in seat.text
        assert seat.page.get_by_role("button", name="Dispose of it").count() == 0
        seat.follow("camera UNIT-0001")
        assert "interfered 1 min" in seat.text
        seat.follow("Continuity of knowledge, with the ledger of gaps")
        assert "gaps, of which nothing covers" in seat.text
        assert not seat.foreign and grave(seat.page) == []


def test_an_inspectors_review_and_a_disposition_by_two_persons(
    tmp_path: Path, browser: Any
) -> None:
    with furnished(tmp_path, browser) as (kit, brought, room):
        opened(brought)
        bring(kit, brought)
        inspector, host = signed_in(room, "inspector"), signed_in(room, "host-operator")
        inspector.follow("Review")
        assert "tampering was detected" in inspector.text.lower()
        assert "Alarms and what is not known are decided one by one" in inspector.text
        inspector.follow("alarm 1")
        assert "front-low-1-1" in inspector.text and "the front was drilled" in inspector.text
        inspector.press("Acknowledge: I have seen it")
        assert inspector.page.get_by_label("Outcome").input_value() == ""
        inspector.page.get_by_label("Outcome").select_option("referred")
        inspector.page.get_by_label("Reason").fill(REASON)
        inspector.press("Propose to a second person")
        assert inspector.page.get_by_role("button", name="Confirm").count() == 1
        agreed(inspector)
        assert "who confirms is another person, of another party" in inspector.text
        host.go("/incidents/1")
        assert REASON in host.text and "Next for you: Confirm what" in host.text
        with_one_click = host.page.get_by_role("button", name="Confirm as the second person")
        with_one_click.click()  # the browser asks for the tick, and nothing is sent
        assert host.page.url.endswith("/incidents/1") and "Disposition\nopen" in host.text
        agreed(host)
        assert "Disposition\nreferred" in host.text and "TAMPERED, until both parties" in host.text
        host.go("/fleet")
        assert "Not all is well" in host.text  # the decision changes nothing about the enclosure


def test_an_alarm_is_seen_found_and_acknowledged_by_the_keyboard_alone(
    tmp_path: Path, browser: Any
) -> None:
    """Every stop of the focus is seen, on a page that is drawn without motion."""
    with furnished(tmp_path, browser) as (kit, brought, room):
        opened(brought)
        bring(kit, brought)
        seat = room.seat("host-operator", reduced_motion="reduce")
        seat.go("/fleet")
        on(seat, "1 incident not acknowledged yet")
        with seat.page.expect_navigation():
            seat.page.keyboard.press("Enter")
        on(seat, "Go to it")
        seat.page.keyboard.press("Enter")
        assert seat.page.url.endswith("#decide")
        assert on(seat, "Acknowledge: I have seen it") <= 2  # the link has led past the rest
        with seat.page.expect_navigation():
            seat.page.keyboard.press("Enter")
        assert "host-operator one" in seat.text


def on(seat: Seat, words: str) -> int:
    """Move the focus by Tab until it is on what has these words; return after how many stops."""
    told = """(() => { const at = document.activeElement, how = getComputedStyle(at);
    return [at.innerText || at.value || "", how.outlineStyle, parseFloat(how.outlineWidth)]; })()"""
    for stop in range(1, 120):
        seat.page.keyboard.press("Tab")
        text, style, wide = seat.page.evaluate(told)
        assert style != "none" and wide >= 2, text
        if words in text:
            return stop
    raise AssertionError((words, "is reached by no key"))


def test_a_permit_with_two_signatures(tmp_path: Path, browser: Any) -> None:
    with furnished(tmp_path, browser) as (kit, brought, room):
        bring(kit, brought)
        host, inspector = signed_in(room, "host-operator"), signed_in(room, "inspector")
        host.go("/enclosures/1/permits")
        host.follow("Ask for a permit")
        for each in ("open", "replace", "re-anchor"):
            host.page.get_by_label(f"{each}: ").check()
        host.page.get_by_label("front", exact=True).check()
        modules(host, "reader-loop")
        host.page.get_by_label("Reason").fill("reader is noisy")
        host.press("File the request")
        assert grave(host.page) == []
        token = host.page.locator("code.token").inner_text()
        assert len(token.replace("-", "")) == 32
        host.go("/permits/1")
        assert token not in host.text
        for seat, party in ((host, "hostland"), (inspector, "peerland")):
            seat.go("/permits/1")
            with seat.page.expect_download() as coming:
                seat.page.get_by_role("link", name="The file to sign").click()
            asked, out = tmp_path / f"{party}-asked", tmp_path / f"{party}-signed"
            coming.value.save_as(asked)
            key = str(key_file(tmp_path, party))
            assert main(["permit", "sign", str(asked), "--key", key, "-o", str(out)]) == 0
            seat.page.get_by_label("File that your party has signed").set_input_files(out)
            seat.press("Bring the signatures")
        assert "hostland (host), peerland (inspector): enough." in inspector.text
        row = kit.client("auditor").get("/permits/1.json").json()
        digest = bytes.fromhex(row["digest"])
        log(brought, row["digest"], kit.client("inspector").get("/permits/1/file.cbor").content)
        brought.story.open_up(digest)
        brought.story.watch()
        brought.story.seal()
        bring(kit, brought)
        host.go("/enclosures/1/permits")
        assert "in use" in host.text and "2 of 8 stand in the way" in host.text
        brought.story.close_up(digest)
        honest.watch(brought.story, 2)
        bring(kit, brought)
        host.go("/enclosures/1/permits")
        assert "closed" in host.text and "Nothing stands in the way." in host.text
        for seat in (host, inspector):
            assert not seat.foreign


def test_an_attack_is_seen_live(tmp_path: Path, browser: Any) -> None:
    """A person who only loads the page again sees it, where it is, and what it costs."""
    with furnished(tmp_path, browser) as (kit, brought, room):
        bring(kit, brought)
        seat = signed_in(room, "auditor")
        seat.go("/enclosures/1?view=front-left-top")
        assert seat.page.locator("svg.scene.is-armed").count() == 1
        assert seat.page.locator("g.place").count() == 0
        opened(brought)
        bring(kit, brought)
        seat.page.reload()
        assert seat.page.locator("svg.scene.is-tampered").count() == 1
        assert seat.page.locator("g.place text").all_text_contents() == ["1"]
        assert grave(seat.page) == []
        seat.go("/fleet")
        assert "Not all is well: 1 incident waits for a decision. 1 TAMPERED" in seat.text
        seat.follow("alarm not acknowledged")
        assert "0 of 1 cameras at hall 1" in seat.text
        assert seat.page.get_by_role("button", name="Acknowledge").count() == 0


@pytest.mark.parametrize("interval", (False, True))
def test_an_export_is_verified_offline(tmp_path: Path, browser: Any, interval: bool) -> None:
    with furnished(tmp_path / "service", browser) as (kit, brought, room):
        honest.watch(brought.story, 3)
        bring(kit, brought)
        seat = signed_in(room, "inspector")
        seat.go("/enclosures/1")
        if interval:
            seat.follow("An interval, as a bundle")
        name = "Evidence that shows this interval" if interval else "Evidence as an offline bundle"
        with seat.page.expect_download() as coming:
            seat.page.get_by_role("link", name=name).click()
        coming.value.save_as(tmp_path / "evidence.zip")
    trust = tmp_path / "mine"
    trust.mkdir()
    (trust / "reference.json").write_text(as_json(honest.reference()))
    (trust / "policy").write_bytes(honest.policy_text())
    with zipfile.ZipFile(io.BytesIO((tmp_path / "evidence.zip").read_bytes())) as archive:
        archive.extractall(tmp_path)
    now = str(brought.story.now_s + 5)
    assert main(["verify", str(tmp_path / "evidence"), "--trust", str(trust), "--now", now]) == 0


def test_a_case_is_read_down_to_its_evidence(tmp_path: Path, browser: Any) -> None:
    with furnished(tmp_path, browser) as (kit, brought, room):
        bring(kit, brought)
        seat = signed_in(room, "adjudicator")
        seat.go("/enclosures/1")
        seat.follow("Security case")
        assert seat.text.index("Doubts") < seat.text.index("Targets")
        for each in ("Strategy S1", "Goal G2", "Solution Sn1"):
            seat.follow(each)
        assert "casemate build enclosure.toml -o out" in seat.text
        seat.go("/audit")
        assert "GET /enclosures/{id:int}/case" in seat.text


def drawn(seat: Seat) -> None:
    seat.go("/enclosures/1")
    seat.page.evaluate("document.querySelector('[data-scene]').scrollIntoView()")


def pictures(seat: Seat) -> dict[str, Callable[[], Any]]:
    return {
        "fleet": lambda: seat.go("/fleet"),
        "enclosure": lambda: drawn(seat),
        "channels": lambda: seat.go("/enclosures/1/channels"),
        "alarm": lambda: seat.go("/incidents/1"),
        "permits": lambda: seat.go("/enclosures/1/permits"),
        "review": lambda: seat.go("/review"),
        "continuity": lambda: seat.go("/enclosures/1/continuity"),
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_pictures_of_the_main_pages_are_kept(tmp_path: Path, browser: Any, scheme: str) -> None:
    """They go into the docs: small, and the same evidence each time."""
    docs = Path(__file__).parents[3] / "docs" / "img"
    with furnished(tmp_path, browser) as (kit, brought, room):
        opened(brought)
        bring(kit, brought)
        tell(kit, kit.service.now_s() - 500, 180)
        tell(kit, kit.service.now_s() - 260, 240)
        tell(
            kit, kit.service.now_s() - 20, 18, ("loop/right-1-2/In1.Cu-3", "loop/top-1-2/In1.Cu-1")
        )
        tell(kit, kit.service.now_s() - 300, 180, ("loop/right-2-2/In1.Cu-2",))
        seat = room.seat("inspector", scheme=scheme)
        looks = pictures(seat) if scheme == "light" else {"enclosure": pictures(seat)["enclosure"]}
        for name, look in looks.items():
            look()
            file = docs / f"fleet-{name}{'' if scheme == 'light' else '-dark'}.png"
            seat.page.screenshot(path=str(file))
            assert 5_000 < file.stat().st_size < 200_000, file.name
