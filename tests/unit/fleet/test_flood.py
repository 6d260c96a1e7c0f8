"""Thousands of findings of one enclosure: none is hidden, and the next one costs as much."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fleet_kit import Brought, Kit, bring, enter, kit_in
from sqlalchemy import event, select, update

from casemate.attest import claims as c
from casemate.fleet.alarms import decisions, incidents
from casemate.fleet.alarms.decisions import MOST_SHOWN
from casemate.fleet.alarms.incidents import Trigger
from casemate.fleet.store.schema import INCIDENTS, VERDICTS
from casemate.testing import honest_enclosure as honest
from casemate.verify.findings import KINDS, Finding
from casemate.verify.result import Result


def finding(id_: str, token: int | None, times: int = 1, what: str = "") -> Finding:
    """Return a finding of a kind."""
    kind = KINDS[id_]
    return Finding(
        id=id_, severity=kind.severity, claim=kind.claim, remedy=kind.remedy, token=token,
        what=f"{kind.meaning}: {what}", at_s=honest.START_S, times=times, last_token=token,
    )  # fmt: skip


def flooded(kit: Kit, count: int) -> honest.Story:
    """Enter an enclosure whose walk has found much already; return its story."""
    brought = enter(kit, honest.armed(1))
    assert bring(kit, brought).status_code == 200
    appraiser = kit.service.intake._places[1].appraiser
    assert appraiser is not None
    found = appraiser._walk.book._found
    for at in range(count):
        found["anchor.unknown", f"{at}"] = finding("anchor.unknown", 1000 + at, what=f"{at:064x}")
    kit.service.intake.appraise(1, kit.service.now_s())
    return brought.story


def test_the_next_finding_costs_as_much_whatever_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[Counter[str]] = []
    for count in (20, 300):
        with kit_in(tmp_path / f"{count}") as kit:
            story = flooded(kit, count)
            cost: Counter[str] = Counter()

            def made(
                self: Trigger,
                cost: Counter[str] = cost,
                init: object = Trigger.__init__,
                **row: object,
            ) -> None:
                cost["triggers"] += 1
                init(self, **row)  # type: ignore[operator]

            def executed(*_: object, cost: Counter[str] = cost) -> None:
                cost["statements"] += 1

            story.token(c.PermitUse(act="opened", permit=b"9" * 48, module="reader-loop"))
            story.seal()
            event.listen(kit.service.store.engine, "before_cursor_execute", executed)
            with monkeypatch.context() as patched:
                patched.setattr(Trigger, "__init__", made)
                held = len(story.entries) - 1
                brought = Brought(story, 1, held, len(story.notes) - 1)
                assert bring(kit, brought).status_code == 200
            costs.append(cost)
            with kit.service.store.read() as link:
                shown = decisions.shown(link, 1)
            assert shown.count > count
            assert "permit.unlogged" in {x.finding for x in shown.incident.triggers}
            body = kit.client("auditor").get("/enclosures/1.json").json()
            assert len(body["findings"]) + body["more_findings"] >= count
            assert len(body["findings"]) <= 100
    assert costs[0]["triggers"] == costs[1]["triggers"] < 10
    assert abs(costs[0]["statements"] - costs[1]["statements"]) <= 2  # of hundreds, were they read


def taken(
    kit: Kit, result: Result, before: incidents.Seen | None, *, quick: bool
) -> incidents.Seen:
    """Bring incidents in line with an appraisal, by what is new alone if `quick`."""
    seen = incidents.seen_of(result, [], 600)
    only = incidents.touched(seen, before) if quick and before is not None else None
    with kit.service.store.write() as link:
        decisions.update_from(link, 1, result, [], 600, only)
    return seen


def steps(seed: int, base: Result) -> list[Result]:
    """Return appraisals one after the other: findings come, come again, end, and go away."""
    chance = random.Random(seed)
    held: list[Finding] = []
    out = []
    for at in range(14):
        for _ in range(chance.randrange(3)):
            kind = chance.choice(("anchor.unknown", "permit.invalid", "verdict.interference"))
            held.append(finding(kind, chance.randrange(5), what=f"{at}"))
        if held and chance.random() < 0.5:
            one = chance.randrange(len(held))
            held[one] = replace(held[one], times=held[one].times + 1)
        if held and chance.random() < 0.2:
            held.pop(chance.randrange(len(held)))
        whole = [finding("time.stale", None)] if chance.random() < 0.5 else []
        out.append(replace(base, findings=(*held, *whole), now_s=base.now_s + at))
    return out


def rows(kit: Kit) -> list[tuple[object, ...]]:
    """Return all incidents and triggers."""
    with kit.service.store.read() as link:
        found = []
        for number in range(1, 50):
            try:
                each = decisions.read(link, number)
            except Exception:
                return found
            found.append((each.id, each.severity, each.acknowledged_by, each.last_s, each.triggers))
    return found


@pytest.mark.parametrize(
    "seeds", (range(1), pytest.param(range(1, 12), marks=pytest.mark.slow, id="more"))
)
def test_what_is_new_alone_leads_to_the_same_as_all(tmp_path: Path, seeds: range) -> None:
    """In random histories, with dispositions between: the quick way is held against the whole."""
    with kit_in(tmp_path / "a") as one, kit_in(tmp_path / "b") as other:
        for kit in (one, other):
            enter(kit, honest.armed(1))
        base = one.service.intake.look(1)
        told = 0
        for seed in seeds:
            before: Sequence[incidents.Seen | None] = (None, None)
            for at, result in enumerate(steps(seed, base)):
                before = (
                    taken(one, result, before[0], quick=True),
                    taken(other, result, before[1], quick=False),
                )
                assert rows(one) == rows(other), (seed, at)
                if at % 5 == 4:
                    for kit in (one, other):
                        dispose(kit)
            told += len(rows(one))
        assert told > len(seeds)


def dispose(kit: Kit) -> None:
    """Dispose of the open incident, if there is one, whatever its severity."""
    with kit.service.store.write() as link:
        gone = update(INCIDENTS).where(INCIDENTS.c.disposed_s.is_(None))
        link.execute(gone.values(disposed_s=1, outcome="explained"))


def test_a_page_shows_the_worst_and_one_of_each_kind_and_says_how_many_more(kit: Kit) -> None:
    """The alarm is the last of three hundred, and the one of another kind is of the least."""
    enter(kit, honest.armed(1))
    base = kit.service.intake.look(1)
    many = [finding("verdict.interference", 1000 + at) for at in range(300)]
    odd = [finding("sensor.fault", 5000), finding("state.tampered", 6000)]
    seen = taken(kit, replace(base, findings=(*many, *odd)), None, quick=False)
    with kit.service.store.read() as link:
        whole = decisions.read(link, 1)
    row = kit.client("inspector").get("/incidents/1.json").json()
    kinds = {each["finding"] for each in row["triggers"]}
    assert kinds >= {"verdict.interference", "sensor.fault", "state.tampered"}
    assert row["text"] == incidents.alarm_text("state.tampered")
    assert MOST_SHOWN <= len(row["triggers"]) <= MOST_SHOWN + 3
    assert len(row["triggers"]) + row["more"] == len(whole.triggers) == len(seen.findings)
    assert row["seen"] == incidents.digest(whole.triggers)
    assert f"and {row['more']} more" in kit.client("inspector").get("/incidents/1").text
    all_ = kit.client("auditor").get("/incidents/1/triggers.json").json()
    assert len(all_["triggers"]) == len(whole.triggers) and all_["seen"] == row["seen"]
    assert kit.post("inspector", "/incidents/1/acknowledge", seen=row["seen"]).is_redirect
    more = replace(base, findings=(*many, *odd, finding("verdict.interference", 9999)))
    taken(kit, more, seen, quick=True)
    form = {"seen": row["seen"], "outcome": "explained", "reason": "one more came meanwhile"}
    assert kit.post("inspector", "/incidents/1/propose", **form).status_code == 409


def test_a_verdicts_row_is_short_and_names_every_kind(kit: Kit) -> None:
    flooded(kit, 400)
    with kit.service.store.read() as link:
        body = json.loads(link.execute(select(VERDICTS.c.body)).scalar_one())
    result = kit.service.intake.look(1)
    assert {each["id"] for each in body["findings"]} == {each.id for each in result.findings}
    assert len(body["findings"]) < 100 < len(result.findings)
