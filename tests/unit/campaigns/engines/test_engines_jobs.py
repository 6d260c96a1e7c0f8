"""Content addresses and batches: what changes a result changes its address, nothing else does."""

from __future__ import annotations

import hashlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.campaigns.engines.jobs import Job, batches
from casemate.core.errors import InputError

BASE = Job(kind="drill", seed=7, parameters={"diameter_m": 3e-4, "tile": "front-1", "n": 2})


def test_address_is_sha256_of_sorted_json() -> None:
    told = {"context": "c", "kind": "drill", "seed": "7",
            "parameters": {"diameter_m": 0.0003, "n": 2, "tile": "front-1"}}  # fmt: skip
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    assert BASE.address("c") == hashlib.sha256(text.encode()).hexdigest()


def test_address_knows_every_part_and_no_order() -> None:
    turned = Job(kind="drill", seed=7, parameters={"n": 2.0, "tile": "front-1", "diameter_m": 3e-4})
    assert turned.address("c") == BASE.address("c")
    others = (
        BASE.address("d"),
        Job(kind="laser", seed=7, parameters=BASE.parameters).address("c"),
        Job(kind="drill", seed=8, parameters=BASE.parameters).address("c"),
        Job(kind="drill", seed=7, parameters={**BASE.parameters, "n": 3}).address("c"),
        Job(kind="drill", seed=7).address("c"),
    )
    assert len({BASE.address("c"), *others}) == 6


def test_seeds_of_64_bits_are_told_apart() -> None:
    top = [Job(kind="a", seed=(1 << 64) - k) for k in (1, 2)]
    assert top[0].address("") != top[1].address("")
    for seed in (-1, 1 << 64):
        with pytest.raises(InputError):
            Job(kind="a", seed=seed)


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), 1 << 60, {1, 2}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="canonical"):
        Job(kind="a", seed=0, parameters={"x": value}).address("c")


@given(st.lists(st.sampled_from("abc"), max_size=40), st.integers(1, 7))
def test_batches_keep_order_size_and_kind(kinds: list[str], size: int) -> None:
    jobs = [Job(kind=kind, seed=seed) for seed, kind in enumerate(kinds)]
    found = list(batches(jobs, "c", size))
    assert [job for each in found for job in each.jobs] == jobs
    assert all(1 <= len(each.jobs) <= size for each in found)
    assert all(len({job.kind for job in each.jobs}) == 1 for each in found)
    assert len({each.address for each in found}) == len(found)


def test_more_trials_of_one_kind_leave_the_batches_of_others() -> None:
    def made(first: int) -> set[str]:
        jobs = [Job(kind="a", seed=seed) for seed in range(first)]
        jobs += [Job(kind="b", seed=seed) for seed in range(10)]
        return {each.address for each in batches(jobs, "c", 4)}

    assert len(made(8)) == 5 and made(8) < made(11)
