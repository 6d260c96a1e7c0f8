"""While long evidence is being appraised nothing good is shown, and all see how far it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fleet_kit import DISPLAY, Brought, Kit, bring, enter, let_display
from held_appraisal import FEW, LONG_S, Held, comes, held
from sqlalchemy import select, update
from test_pages import Reader

from casemate.attest import claims as c
from casemate.core import progress
from casemate.fleet.appraisal import verdicts
from casemate.fleet.care import doctor, whole_evidence
from casemate.fleet.care.checkup import Patient
from casemate.fleet.errors import AppraisingError
from casemate.fleet.intake import under_way
from casemate.fleet.redfish import standing
from casemate.fleet.store.schema import VERDICTS
from casemate.fleet.web import metrics
from casemate.fleet.web.asked import Asked, Reply
from casemate.testing import honest_enclosure as honest

PLACE = "/enclosures/1"
STOP = 10
"""Entry before which the appraisals of these tests are held, of 14."""


@pytest.fixture
def brought(kit: Kit) -> Brought:
    """An enclosure that is ARMED, and was appraised."""
    made = enter(kit, honest.armed(6))
    assert bring(kit, made).status_code == 200
    return made


@pytest.fixture
def walk(kit: Kit, brought: Brought, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Have its evidence be walked through anew, and stop at an entry."""
    monkeypatch.setattr(under_way, "WAIT_S", 0.01)
    with held(monkeypatch, STOP) as made:
        kit.service.intake.forget(1)
        yield made
    comes(lambda: not kit.service.intake.under_way._waiting)


def seen(kit: Kit, path: str = PLACE, role: str = "inspector") -> Any:
    return kit.client(role).get(f"{path}.json").json()


def state(kit: Kit) -> Any:
    with kit.service.store.read() as link:
        return link.execute(select(VERDICTS.c.state, VERDICTS.c.fresh_until_s)).one()


def begun(kit: Kit, walk: Held) -> dict[str, Any]:
    """Open the page, so that it is appraised, and return its twin once that stands."""
    seen(kit)
    comes(walk.there.is_set)
    row: dict[str, Any] = seen(kit)
    return row


def test_nothing_good_is_shown_anywhere_before_the_end(kit: Kit, walk: Held) -> None:
    let_display(kit)
    assert seen(kit, "/fleet")["counts"]["ARMED"] == 1
    row = begun(kit, walk)
    assert row["how"] == "UNKNOWN" and row["findings"] == [] and row["seen"] == ""
    assert row["seen_ago"] == "not known yet"
    assert (row["work"]["done"], row["work"]["total"]) == (STOP, 14)
    assert row["work"]["count"] == "10 of 14 tokens" and row["renews"] == 2
    fleet = seen(kit, "/fleet")
    assert fleet["counts"]["ARMED"] == 0 and not fleet["well"] and fleet["appraising"] == 1
    assert fleet["rows"][0]["state"] == "UNKNOWN" and fleet["rows"][0]["work"]["done"] == STOP
    assert fleet["rows"][0]["why"] == "its evidence is being appraised"
    report = seen(kit, "/continuity")
    assert report["totals"]["proven"]["share"] == 0
    assert report["ledger"][0]["cause"] == "its evidence is being appraised"
    assert seen(kit, f"{PLACE}/channels")["how"] == "UNKNOWN"
    kit.fronted.fingerprint = DISPLAY
    wall = kit.client().get("/wall.json").json()
    kit.fronted.fingerprint = ""
    assert wall["rows"][0]["state"] == "UNKNOWN" and wall["rows"][0]["work"]["total"] == 14
    with kit.service.store.read() as link:
        assert standing.read(link, 1, kit.service.now_s()).state == "UNKNOWN"
    told = metrics.view(kit.service, Asked())
    assert isinstance(told, Reply) and b'{state="UNKNOWN"} 1.0' in told.body
    walk.go.set()
    comes(lambda: seen(kit)["work"] is None)
    assert seen(kit)["how"] == "ARMED" and state(kit).state == "ARMED"
    assert "renews" not in seen(kit) and seen(kit, "/fleet")["well"]


@pytest.mark.parametrize("path", [f"{PLACE}/continuity", f"{PLACE}/interval", f"{PLACE}/permits"])
def test_a_page_that_rests_on_it_waits_and_says_how_far(kit: Kit, walk: Held, path: str) -> None:
    begun(kit, walk)
    answer = kit.client("inspector").get(path)
    assert answer.status_code == 503 and 2 <= int(answer.headers["retry-after"]) <= 30
    page = Reader(answer.text)
    bars = [given for name, given in page.found if name == "progress"]
    assert [(each["max"], each["value"]) for each in bars] == [("14", "10")]
    assert "10 of 14 tokens" in answer.text and "you can leave this page" in answer.text
    assert not any(given.get("http-equiv") for _, given in page.found)
    twin = kit.client("inspector").get(f"{path}.json")
    assert twin.status_code == 503 and twin.json()["work"]["done"] == STOP
    assert "retry-after" in twin.headers
    walk.go.set()
    comes(lambda: kit.client("inspector").get(path).status_code == 200)


def test_what_is_no_page_says_so_too(kit: Kit, walk: Held) -> None:
    begun(kit, walk)
    for name in ("verdict.json", "interval.zip"):
        answer = kit.client("inspector").get(f"{PLACE}/{name}")
        assert answer.status_code == 503 and answer.json()["work"]["unit"] == "tokens"
    assert kit.client("inspector").get(f"{PLACE}/evidence.zip").status_code == 200
    refused = kit.post("host-operator", f"{PLACE}/permits", actions="open")
    assert refused.status_code == 503 and "being appraised" in refused.text
    assert kit.service.downloads._held.total() == 0


def test_tampered_stays_tampered(kit: Kit, brought: Brought, walk: Held) -> None:
    walk.go.set()
    brought.story.state = "TAMPERED"
    body = c.LastWord(reason="the front was drilled", erased_us=40)
    brought.story.token(body, signers=brought.story.last_word)
    brought.story.seal()
    assert bring(kit, brought).status_code == 200
    walk.go.clear()
    kit.service.intake.forget(1)
    row = begun(kit, walk)
    assert row["how"] == "TAMPERED" and row["work"]["done"] == STOP
    assert seen(kit, "/fleet")["counts"]["TAMPERED"] == 1


def test_one_that_stands_still_says_so(
    kit: Kit, walk: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(kit, walk)
    monkeypatch.setattr(progress, "STALL_S", 0.0)
    row = seen(kit)
    assert row["work"]["stands"] and row["work"]["pace"].startswith("nothing has moved for")
    for path in (PLACE, "/fleet", f"{PLACE}/continuity"):
        assert '<strong class="bad">nothing has moved for' in kit.client("auditor").get(path).text


def test_one_that_fails_says_so_and_is_tried_again(
    kit: Kit, walk: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.fails = "the disk went away"
    begun(kit, walk)
    walk.go.set()
    failed = comes(lambda: (row := seen(kit))["work"]["how"] == "failed" and row)
    assert failed["how"] == "UNKNOWN" and "the disk went away" in failed["work"]["pace"]
    assert failed["headline"].endswith("could not be appraised")
    assert "goes on by itself" not in kit.client("auditor").get(PLACE).text
    page = kit.client("auditor").get("/fleet").text
    assert "the disk went away" in page and "/a/path" not in page
    assert state(kit).fresh_until_s == verdicts.BEING_APPRAISED
    kit.service.intake.tick()  # not at once again
    assert seen(kit)["work"]["how"] == "failed"
    monkeypatch.setattr(under_way, "RETRY_S", 0.0)
    walk.fails = ""
    kit.service.intake.tick()
    comes(lambda: seen(kit)["how"] == "ARMED")


def test_after_a_power_cut_it_is_begun_again(kit: Kit, brought: Brought) -> None:
    with kit.service.store.write() as link:
        link.execute(update(VERDICTS).values(fresh_until_s=verdicts.BEING_APPRAISED))
    assert seen(kit, "/fleet")["rows"][0]["state"] == "UNKNOWN"
    kit.service.intake.tick()
    assert seen(kit, "/fleet")["rows"][0]["state"] == "ARMED"


def test_a_push_as_it_comes_every_day_changes_nothing(
    kit: Kit, brought: Brought, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is short is not told of: nothing flickers."""
    said = []
    monkeypatch.setattr(verdicts, "unsay", lambda *given: said.append(given))
    for _ in range(3):
        honest.watch(brought.story)
        assert bring(kit, brought).status_code == 200
    kit.service.intake.forget(1)
    assert seen(kit)["how"] == "ARMED" and said == []
    assert kit.service.intake.under_way.looks() == {}


def test_other_reference_values_end_an_appraisal_by_those_before(kit: Kit, walk: Held) -> None:
    begun(kit, walk)
    work = kit.service.intake.under_way._works[1]
    renewing = threading.Thread(target=kit.service.intake.renew, args=(1,))
    renewing.start()  # it waits for the enclosure's lock
    comes(lambda: work._asked_to_end)
    walk.go.set()
    renewing.join(LONG_S)
    assert not renewing.is_alive() and work.look().how == "cancelled"
    comes(lambda: seen(kit)["how"] == "ARMED")


def test_a_page_never_waits_for_a_long_push(kit: Kit, brought: Brought, walk: Held) -> None:
    """Another thread has the enclosure's lock, and is told of."""
    place = kit.service.intake._places[1]
    with place.lock, kit.service.intake.under_way.of(1) as work:
        work.stage("tokens", 9, "tokens")
        row = seen(kit)
        assert row["how"] == "UNKNOWN" and row["work"]["total"] == 9
        work.stage("tokens", 0, "tokens")
        work.step(5)  # of nobody knows how many: a count, and no bar
        row, page = seen(kit), kit.client("inspector").get(PLACE).text
        assert row["work"]["total"] is None and row["work"]["left_s"] is None
        assert "5 tokens" in page and "<progress" not in page


def test_the_service_ends_without_waiting_for_it(kit: Kit, walk: Held) -> None:
    begun(kit, walk)
    under_way_ = kit.service.intake.under_way
    work = under_way_._works[1]
    closing = threading.Thread(target=under_way_.close)
    closing.start()
    comes(lambda: work._asked_to_end)
    walk.go.set()
    closing.join(LONG_S)
    assert not closing.is_alive() and work.look().how == "cancelled"
    with pytest.raises(AppraisingError):
        under_way_.wait(1, lambda: pytest.fail("it was begun"))
    assert state(kit).fresh_until_s == verdicts.BEING_APPRAISED  # begun again at the next start


def test_a_log_that_is_odd_is_not_walked_through_at_each_look(
    kit: Kit, brought: Brought, walk: Held
) -> None:
    """Each of its appraisals takes all; pages show the latest for a while, and count none twice."""
    walk.go.set()
    brought.story.seal(("north",), at_s=brought.story.now_s - 5000)  # a witness's clock went back
    bring(kit, brought)
    honest.watch(brought.story)
    bring(kit, brought)
    appraiser = kit.service.intake._places[1].appraiser
    assert appraiser is not None
    appraiser.irregular = True
    comes(lambda: seen(kit)["work"] is None)
    walked = appraiser.walked
    assert seen(kit)["work"] is None and seen(kit)["work"] is None
    assert appraiser.walked == walked > FEW
    kit.clock.now_s += 31
    comes(lambda: seen(kit)["work"] is None and appraiser.walked > walked)


def test_the_doctor_does_not_call_it_wrong(kit: Kit, brought: Brought, walk: Held) -> None:
    begun(kit, walk)
    patient = Patient(place=None, store=kit.service.store, now_s=0, free_bytes=lambda _: 0)  # type: ignore[arg-type]
    assert list(whole_evidence.check(patient)) == []
    walk.go.set()
    comes(lambda: seen(kit)["how"] == "ARMED")
    with kit.service.store.write() as link:
        link.execute(update(VERDICTS).values(state="MAINTENANCE"))
    assert [each.level for each in whole_evidence.check(patient)] == ["bad"]
    assert patient.work.look().count == "14 of 14 tokens" and doctor.DEEP
    assert json.dumps(seen(kit))
