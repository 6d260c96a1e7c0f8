"""An enclosure that is watched in part: said in the first line, and held against the anchor."""

from __future__ import annotations

from dataclasses import replace

from verify_samples import ids, judge, of

from casemate.attest import claims as c
from casemate.cli.verify_text import as_json
from casemate.testing import honest_enclosure as honest
from casemate.testing.evidence_attacks.base import in_maintenance, show
from casemate.testing.evidence_attacks.watched import (
    HIDDEN,
    reference_but_for,
    watched_but_for,
)
from casemate.verify import ear


def test_first_line_and_json_name_what_is_not_watched() -> None:
    shown = show(watched_but_for(*HIDDEN), reference=reference_but_for(*HIDDEN))
    result = judge(shown)
    assert (result.state, result.exit_code, ids(result)) == ("ARMED", 1, {"watch.partial"})
    assert result.headline.startswith("ARMED but for left, rear, proven since")
    row = next(each for each in as_json(result)["findings"] if each["id"] == "watch.partial")
    assert row["what"].endswith("left, rear")
    assert (row["token"], row["last_token"]) == (0, result.tokens - 1)
    assert ear.claims(result)["submods"]["camera"]["ear.status"] == "warning"


def test_commissioned_anew_with_all_faces_is_whole_again() -> None:
    told = watched_but_for(*HIDDEN)
    told.change("COMMISSIONING", "more boards")
    told.anchor = honest.NEW_ANCHOR
    told.start("recommissioned", "COMMISSIONING")
    told.allow(actions=("recommission",))
    told.seal()
    told.change("ARMED", "commissioned")
    told.seal()
    honest.watch(told)
    result = judge(show(told, reference=reference_but_for(*HIDDEN)))
    assert "watch.claimed" not in ids(result) and "watch.partial" in ids(result)
    assert result.headline.startswith("ARMED, proven since")


def test_re_anchoring_to_what_watches_less_is_not_what_the_start_has_said() -> None:
    told, digest = in_maintenance()
    use = c.PermitUse(act="re-anchored", permit=digest, anchor=honest.NEW_ANCHOR)
    told.token(use)
    told.anchor = honest.NEW_ANCHOR
    told.watch()
    told.close_up(digest)
    told.seal()
    assert ids(of(told)) == set()
    reference = reference_but_for(*HIDDEN)
    first, second = reference.units[0].anchors
    anchors = (replace(first, unwatched=()), replace(second, unwatched=HIDDEN))
    changed = replace(reference, units=(replace(reference.units[0], anchors=anchors),))
    assert {"watch.claimed", "watch.partial"} <= ids(of(told, reference=changed))
