"""The load generator: bounds, what it counts, and evidence that the verifier accepts."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from casemate.attest.reference import load
from casemate.cli.fleet_care import hammer as command
from casemate.control.demo_parties import demo_parties
from casemate.core.errors import InputError, OutputError
from casemate.core.progress import Work
from casemate.fleet.access import certificates
from casemate.fleet.appraisal import evidence
from casemate.fleet.care import doctor
from casemate.fleet.hammer import child_process, loading, run
from casemate.fleet.hammer.enclosure import HammerEnclosure, witnesses
from casemate.fleet.hammer.loading import Load
from casemate.fleet.hammer.makers import ahead
from casemate.fleet.hammer.plan import Figures, Plan
from casemate.fleet.intake.ingest import Submission, decode, encode
from casemate.fleet.service.home import Home
from casemate.fleet.store.schema import ENCLOSURES
from casemate.translog.bundle import Bundle
from casemate.translog.policy import parse
from casemate.verify import appraise

START_S = 1_800_000_000


def test_its_evidence_is_what_the_verifier_accepts(tmp_path: Path) -> None:
    parties = [each.party for each in demo_parties(tmp_path)]
    made = HammerEnclosure(7, witnesses([bytes([n] * 32) for n in range(3)]), parties, 360)
    parts = [made.commission(START_S), made.batch(START_S + 360), made.batch(START_S + 720)]
    entries = tuple(x for each in parts for x in each.entries)
    notes = tuple(x for each in parts for x in each.notes)
    held = Bundle(
        enclosure="hammer", serial=made.serial, origin=made.origin, checkpoint=notes[-1],
        witnessed=notes[:-1], entries=entries, pending=(), torn_bytes=0,
    )  # fmt: skip
    trust = load(made.reference()), parse(made.policy())
    found = appraise(held, *trust, now_s=START_S + 730)
    assert (found.state, found.tokens, found.proven) == ("ARMED", 5, 5)
    assert [each for each in found.findings if each.severity != "note"] == []
    twice = replace(held, entries=(*entries[:-1], made.another(START_S + 721)))
    assert appraise(twice, *trust, now_s=START_S + 730).worst == "alarm"


@pytest.mark.parametrize(
    ("enclosures", "period_s", "for_s"),
    [(0, 360, 60), (20_001, 360, 60), (10, 4, 60), (10, 360, 0), (10, 360, 1801), (9000, 5, 60)],
)
def test_it_is_bounded(enclosures: int, period_s: int, for_s: float) -> None:
    with pytest.raises(InputError):
        Plan(enclosures=enclosures, period_s=period_s, for_s=for_s)


def test_ten_thousand_at_one_hertz_are_28_pushes_a_second() -> None:
    plan = Plan(enclosures=10_000, period_s=360, for_s=60)
    assert (round(plan.rate, 1), plan.pushes) == (27.8, 1666)
    which, at_s = plan.at(plan.pushes - 1)
    assert which == 1665
    assert 59 < at_s < 60


def figures(**changes: object) -> Figures:
    """Return figures of a service that keeps up."""
    plan = Plan(enclosures=100, period_s=10, for_s=10)
    given: dict[str, object] = {
        "plan": plan, "done": 100, "refused": 0, "failed": 0, "late": 0, "wall_s": 10.1,
        "cpu_s": 1.0, "acknowledged_s": (0.01,) * 98 + (0.5, 0.9), "pages_s": (0.1, 0.3),
        "page_cpu_s": 0.05, "memory_bytes": 10**8, "states": {"ARMED": 100},
    }  # fmt: skip
    return Figures(**{**given, **changes})  # type: ignore[arg-type]


def test_who_does_not_keep_up_is_told_so() -> None:
    good = figures()
    assert good.keeps_up
    assert good.as_json()["acknowledged_p99_ms"] == 900.0
    assert good.as_json()["acknowledged_p50_ms"] == 10.0
    assert not figures(done=99, refused=1).keeps_up
    assert not figures(wall_s=11.0).keeps_up


@pytest.mark.slow
def test_a_service_under_load_and_a_push_that_is_refused(tmp_path: Path) -> None:
    plan = Plan(enclosures=10, period_s=5, for_s=3)
    bad: Future[bytes] = Future()
    bad.set_result(encode(Submission(first=9, entries=(b"x",), notes=())))
    with loading.prepared(tmp_path / "fleet", plan, Work("load")) as load:
        asked = [load.signed] * (plan.pushes - 1) + [lambda _which, _at_s: bad]
        signed = iter(asked)
        load = replace(load, signed=lambda which, at_s: next(signed)(which, at_s))
        found = run.run(load, Work("load"))
    assert (found.done, found.refused, found.failed) == (plan.pushes - 1, 1, 0)
    assert found.said.startswith("409")
    assert not found.keeps_up
    assert found.states == {"ARMED": 10}
    assert found.cpu_s > 0
    assert found.pages_s


@pytest.mark.slow
def test_the_command_prints_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    args = argparse.Namespace(
        enclosures=4, period=5, for_s=4.0, folder=tmp_path / "kept", json=True
    )
    assert command(args) in (0, 1)  # how busy this machine is, is not for a test
    row = json.loads(capsys.readouterr().out)
    assert row["acknowledged"] == row["pushes"] == 3
    with pytest.raises((InputError, OutputError)):
        command(args)  # the folder is there


@pytest.mark.slow
def test_killed_in_the_middle_of_pushes_it_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    plan = Plan(enclosures=20, period_s=5, for_s=9)
    with loading.prepared(tmp_path / "fleet", plan, Work("load")) as load:
        bodies = list(loading.pushes(load, load.start_s))
    tally, acknowledged, ca = run.Tally(), set(), load.place.tls / certificates.CA

    def bring(child: child_process.Child, number: int) -> bool:
        before, (which, _) = len(tally.times_s), plan.at(number)
        run.bring(child.address, load.identity(which), ca, bodies[number], 0.0, tally)
        return len(tally.times_s) > before

    with child_process.serving(load.place.folder) as child:
        enough = threading.Event()
        killing = threading.Thread(target=lambda: (enough.wait(120), child.kill()))
        killing.start()
        for number in range(plan.pushes):
            if not bring(child, number):
                break
            acknowledged.add(number)
            if len(acknowledged) == plan.pushes // 3:
                enough.set()
        enough.set()
        killing.join()
    assert 0 < len(acknowledged) < plan.pushes
    assert tally.failed == 1
    store = load.place.opened()
    with store.read() as link:
        ids = {each.serial: each.id for each in link.execute(select(ENCLOSURES))}
        for number in acknowledged:
            which, _ = plan.at(number)
            pushed = decode(bodies[number])
            here = evidence.next_number(link, ids[f"HAM-{which:06d}"])
            assert here >= pushed.first + len(pushed.entries)
    store.close()
    with child_process.serving(load.place.folder) as child:
        assert all(bring(child, number) for number in range(plan.pushes))  # known ones, too
    found = {each.id: each.level for each in doctor.examine(load.place.folder, int(time.time()))}
    assert found["audit"] != "bad"
    assert found["schema"] == found["walks"] == "good"


def test_enclosures_that_were_ready_too_late_are_no_load(tmp_path: Path) -> None:
    plan = Plan(enclosures=10, period_s=5, for_s=3)

    def load(begins_s: float) -> Load:
        place = Home(folder=tmp_path, name="x", store="")
        return Load(place=place, plan=plan, start_s=begins_s, signed=lambda _n, _s: Future())

    now_s = time.time()
    assert load(now_s + 100).begin_s() == now_s + 100
    assert load(now_s - 20).begin_s() > now_s
    with pytest.raises(InputError, match="too old"):
        load(now_s - 60).begin_s()


def test_some_are_asked_for_before_their_time_and_no_more() -> None:
    asked: list[int] = []

    def ask(number: int) -> Future[int]:
        asked.append(number)
        done: Future[int] = Future()
        done.set_result(number)
        return done

    found = ahead(map(ask, range(10)), 3)
    assert next(found) == 0
    assert asked == [0, 1, 2, 3]
    assert list(found) == list(range(1, 10))
