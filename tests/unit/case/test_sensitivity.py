"""Which assumption flips what, against hand-made cases and brute force over pairs."""

from __future__ import annotations

from itertools import combinations

from case_samples import assumption, far, full, move, small, target
from hypothesis import given, settings
from hypothesis import strategies as st

from casemate.case.sensitivity import sensitivity, simulated_only, without
from casemate.case.verdict import overall, verdicts


def test_what_rests_on_an_assumption_falls_with_it_and_nothing_else_does() -> None:
    rows = {row.assumption: row for row in sensitivity(full())}
    assert [f.id for f in rows["seam"].flips] == []
    assert rows["seam"].resting == ("attenuation.uhf",)
    assert {f.id for f in rows["key"].flips} == {"far", "quiet noise", "radio noise"}
    assert rows["guards"].resting == () and rows["guards"].flips == ()
    twin = {(f.what, f.id): (f.before, f.after) for f in rows["twin"].flips}
    assert twin["target", "reaction"] == ("met", "in doubt")
    assert twin["move", "slow_walk"] == ("not met", "in doubt")
    assert ("target", "pod") not in twin


def test_the_order_is_by_what_hangs_on_it() -> None:
    names = [row.assumption for row in sensitivity(full())]
    assert names[0] == "twin" and names[-1] == "guards"
    lost = [len(row.lost) for row in sensitivity(full())]
    assert lost == sorted(lost, reverse=True)


def test_a_whole_that_is_met_names_the_assumptions_that_carry_it() -> None:
    spare = assumption("spare", "Carries nothing")
    results = small(assumptions=(spare, *small().assumptions))
    rows = {row.assumption: row for row in sensitivity(results)}
    assert overall(results) == "met"
    assert rows["twin"].top_flips and rows["twin"].top_after == "in doubt"
    assert rows["key"].top_flips and not rows["spare"].top_flips


IDS = ("a", "b", "c")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sets(st.sampled_from(IDS)), min_size=1, max_size=4))
def test_pairs_tell_nothing_new(resting: list[set[str]]) -> None:
    """A pair unbacks what the one or the other does, and the whole no more than either."""
    results = small(
        targets=tuple(target(f"t{k}", rests_on=tuple(s)) for k, s in enumerate(resting)),
        moves=(move(rests_on=()),),
        far=(far(rests_on=()),),
        assumptions=tuple(assumption(id, id) for id in IDS),
    )

    def fallen(ids: set[str]) -> set[str]:
        return {id for id, v in verdicts(without(results, frozenset(ids))).items() if v != "met"}

    rows = {row.assumption: row for row in sensitivity(results)}
    for one, other in combinations(IDS, 2):
        both = fallen({one, other})
        assert both == {f.id for f in rows[one].flips} | {f.id for f in rows[other].flips}
        top = overall(without(results, frozenset({one, other})))
        assert (top != "met") == (rows[one].top_flips or rows[other].top_flips)


def test_what_no_proof_or_measurement_backs_is_listed() -> None:
    found = simulated_only(full())
    assert "hole.severing" not in found and "dual" not in found and "quiet noise" not in found
    assert {"pod", "reaction", "drill", "heat wave", "connector ageing"} <= set(found)
