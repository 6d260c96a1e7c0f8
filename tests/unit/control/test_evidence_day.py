"""What evidence costs, and that what was removed is not missed by the verifier."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casemate.attest.claims import Payload
from casemate.attest.token import peek
from casemate.control.adapters import stream
from casemate.control.batches import payload_batch_s
from casemate.testing.evidence_day import DAY_S, Day
from casemate.translog.bundle import read_bundle
from casemate.verify import appraise
from casemate.verify.result import Result

HOUR_S = 3600


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    found = Day(tmp_path)
    yield found
    found.close()


def judged(day: Day) -> Result:
    return appraise(read_bundle(day.evidence), day.reference(), day.rule, now_s=int(day.now_s))


def named(day: Day) -> set[int]:
    """Sizes of checkpoints that tokens name."""
    bundle = read_bundle(day.evidence)
    known = [peek(each)[1].checkpoint for each in (*bundle.entries, *bundle.pending)]
    return {each.size for each in known if each is not None}


def kept(day: Day) -> set[int]:
    return {int(path.name) for path in (day.evidence / "witnessed").iterdir()}


def test_an_hour_is_proven_with_what_is_kept(day: Day) -> None:
    day.watch(HOUR_S)
    found = judged(day)
    assert found.findings == () and found.state == "ARMED"
    proven_s = sum(each.length_s for each in found.intervals if each.kind == "proven")
    assert proven_s >= HOUR_S - 360
    said = named(day)
    assert said <= kept(day)
    assert all(each > max(said) for each in kept(day) - said)  # newer than any that is named
    assert day.told == []


@pytest.mark.slow
def test_the_marginal_cost_of_a_day_is_below_5_mb(day: Day) -> None:
    """Of the growth between two moments at which the same number of tiles is partial."""
    day.watch(HOUR_S)
    before = day.cost()
    day.watch(2 * HOUR_S)
    after = day.cost()
    entries = (after.tokens - before.tokens) * after.entries / _stored(day)
    grown = entries + after.witnessed - before.witnessed
    assert grown * DAY_S / (2 * HOUR_S) < 4.7e6


def _stored(day: Day) -> int:
    """Entries on disk, with those that stand in two partial tiles."""
    folder = day.evidence / "tile" / "entries"
    return sum(int(path.name) for path in folder.rglob("*") if path.parent.name.endswith(".p"))


def test_frames_are_signed_as_the_real_stream_signs_them(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """25 a second for six minutes fit into a token; with fewer in it, there would be more."""
    assert day.frames_s == payload_batch_s(360) and 25.0 * day.frames_s <= stream.BATCH
    monkeypatch.setattr(stream, "BATCH", 1024)
    assert day.frames_s == pytest.approx(40.96)
    day.watch(600)
    bundle = read_bundle(day.evidence)
    bodies = [peek(each)[1].body for each in (*bundle.entries, *bundle.pending)]
    counts = [each.count for each in bodies if isinstance(each, Payload)]
    assert len(counts) == 14 and set(counts) == {1024}


def test_without_pruning_more_would_be_kept(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day.log, "prune_witnessed", lambda _after, _before: 0)
    unnamed = _a_checkpoint_that_no_token_names(day)
    assert unnamed in kept(day) - named(day)
    assert unnamed < max(named(day))


def test_a_checkpoint_that_no_token_names_is_removed(day: Day) -> None:
    unnamed = _a_checkpoint_that_no_token_names(day)
    assert unnamed not in kept(day) and unnamed not in named(day)


def _a_checkpoint_that_no_token_names(day: Day) -> int:
    """Let one be cosigned after the token that could have named it; return its size."""
    day.watch(120)
    day.frames()  # heartbeats that wait are written before them: none wait from here on
    size = day.log.next_index + 1
    day.frames_while_cosigned()
    day.frames()
    return size


def test_pruning_too_much_is_found(day: Day) -> None:
    day.watch(HOUR_S)
    assert day.log.prune_witnessed(2, day.log.size) > 3
    found = judged(day)
    assert found.findings != ()


@pytest.mark.slow
def test_a_whole_day_costs_less_than_5_mb(tmp_path: Path) -> None:
    day = Day(tmp_path)
    try:
        began_s = time.process_time()
        day.watch(DAY_S)
        found = day.cost()
        assert found.whole - found.entries + _whole_entries(day) < 5e6, found
        assert judged(day).findings == ()
        assert time.process_time() - began_s < 300.0
    finally:
        day.close()


def _whole_entries(day: Day) -> int:
    """Bytes of all entries, each once."""
    bundle = read_bundle(day.evidence)
    return sum(len(each) + 2 for each in (*bundle.entries, *bundle.pending))
