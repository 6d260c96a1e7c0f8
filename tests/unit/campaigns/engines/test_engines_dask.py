"""A real cluster of two processes on this machine: the same bytes, and a killed worker's batch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import engine_works as works
import pytest

from casemate.campaigns.engines import dask as room
from casemate.campaigns.engines.dask import Dask
from casemate.campaigns.engines.jobs import Job
from casemate.campaigns.engines.run import run
from casemate.campaigns.engines.store import Store
from casemate.core.errors import CampaignError, InputError

JOBS = tuple(Job(kind="drill", seed=seed, parameters={"scale": 0.1}) for seed in range(14))


def store(folder: Path) -> Store:
    return Store(folder=folder, context="c")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.jsonl"))}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", memory_limit=0,
        silence_logs=logging.CRITICAL,
    ) as made:  # fmt: skip
        yield made


def test_killed_worker_loses_nothing_and_bytes_are_those_of_one_process(
    tmp_path: Path, cluster: Any
) -> None:
    work = partial(works.killed_once, str(tmp_path))
    found = run(JOBS, work, store(tmp_path / "d"), batch=3, engine=Dask(cluster=cluster))
    calls = (tmp_path / "calls").read_text().split()
    assert (tmp_path / "killed").exists() and calls.count("3") >= 2
    assert set(calls) == {"0", "3", "6", "9", "12"}
    one = run(JOBS, works.draw, store(tmp_path / "1"), batch=3)
    assert repr(found) == repr(one) and files(tmp_path / "d") == files(tmp_path / "1")


def test_address_set_up_and_threads(tmp_path: Path, cluster: Any) -> None:
    setup = partial(works.prepare, str(tmp_path))
    engine = Dask(address=cluster.scheduler_address)
    found = run(JOBS[:6], works.solve, store(tmp_path / "d"), batch=1, engine=engine, setup=setup)
    assert found == run(JOBS[:6], works.solve, store(tmp_path / "1"), batch=6)
    traces = [path.read_text() for path in tmp_path.glob("setup-*")]
    assert 1 <= len(traces) <= 2 and set(traces) == {"x"}


def test_error_of_work_names_the_batch(tmp_path: Path, cluster: Any) -> None:
    with pytest.raises(CampaignError, match=r"seeds 4 to 7\) failed: ValueError: planted"):
        run(JOBS, works.raising, store(tmp_path), batch=4, engine=Dask(cluster=cluster))
    run(JOBS[:4], works.draw, store(tmp_path), batch=4, engine=Dask(cluster=cluster))
    assert files(tmp_path)


def test_no_scheduler_and_no_dask_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "WAIT_S", 0.3)
    with pytest.raises(CampaignError, match=r"127\.0\.0\.1:9 has no worker") as told:
        run(JOBS, works.draw, store(tmp_path), engine=Dask(address="tcp://127.0.0.1:9"))
    assert "dask scheduler" in told.value.remedy
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError) as missing:
        run(JOBS, works.draw, store(tmp_path), engine=Dask())
    assert "pip install casemate[many]" in missing.value.remedy


@pytest.mark.slow
def test_own_cluster_names_a_batch_that_always_kills(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"seeds 4 to 7\) ended its worker 3 times"):
        run(JOBS, works.killed_always, store(tmp_path), batch=4, engine=Dask(workers=2))
    found = run(JOBS, works.draw, store(tmp_path), batch=4, engine=Dask(workers=2))
    assert repr(found) == repr(run(JOBS, works.draw, store(tmp_path / "1"), batch=4))
