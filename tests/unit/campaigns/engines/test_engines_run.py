"""Running jobs: resumed, torn and foreign files, killed workers, interrupts; always the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import engine_works as works
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from casemate.campaigns.engines.jobs import Batch, Job, Outcome, batches
from casemate.campaigns.engines.local import Local, LocalPool
from casemate.campaigns.engines.run import run
from casemate.campaigns.engines.store import Store
from casemate.campaigns.engines.worker import Reply, carry_out
from casemate.core.errors import CampaignError, InputError, OutputError

JOBS = tuple(Job(kind="drill", seed=seed, parameters={"scale": 0.1}) for seed in range(14))


def store(folder: Path, context: str = "c") -> Store:
    return Store(folder=folder, context=context)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.jsonl"))}


def test_outcomes_are_in_order_and_true_to_the_bit(tmp_path: Path) -> None:
    found = run(JOBS, works.draw, store(tmp_path), batch=4)
    for job, outcome in zip(JOBS, found, strict=True):
        generator = np.random.Generator(np.random.Philox(key=job.seed))
        assert outcome["mean"] == float(generator.standard_normal(1000).mean() * 0.1)
        assert outcome["seed"] == job.seed and np.isnan(outcome["none"])


def test_a_second_run_works_on_what_is_missing_alone(tmp_path: Path) -> None:
    said: list[str] = []
    first = run(JOBS, works.draw, store(tmp_path / "s"), batch=4)
    before = files(tmp_path / "s")
    gone = next((tmp_path / "s").rglob("*.jsonl"))
    gone.unlink()
    work = partial(works.noted, str(tmp_path))
    again = run(JOBS, work, store(tmp_path / "s"), batch=4, say=said.append)
    assert repr(again) == repr(first) and files(tmp_path / "s") == before
    assert len((tmp_path / "calls").read_text().split()) == 1
    assert said[0] == "3 of 4 batches were there" and said[1].startswith("1 of 1 batches")


def test_another_context_is_another_result(tmp_path: Path) -> None:
    run(JOBS, works.draw, store(tmp_path, "c"), batch=4)
    run(JOBS, works.draw, store(tmp_path, "d"), batch=4)
    assert len(files(tmp_path)) == 8


def _edited(text: bytes) -> bytes:
    return text.replace(b'"seed":3', b'"seed":4')


def _renamed_head(text: bytes) -> bytes:
    head, _, rest = text.partition(b"\n")
    told = json.loads(head)
    told["address"] = "0" * 64
    return json.dumps(told).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "fault",
    [
        lambda text: text[:-5],
        lambda text: text[: len(text) // 2],
        lambda text: b"",
        lambda text: b"\xff\x00" * 50,
        lambda text: b"[" * 100_000,
        lambda text: b"[1]\n" + text,
        lambda text: text + b"{}\n",
        _edited,
        _renamed_head,
    ],
)
def test_torn_and_foreign_files_are_done_again(tmp_path: Path, fault) -> None:  # type: ignore[no-untyped-def]
    first = run(JOBS, works.draw, store(tmp_path), batch=14)
    path = next(tmp_path.rglob("*.jsonl"))
    good = path.read_bytes()
    assert fault(good) != good
    path.write_bytes(fault(good))
    assert repr(run(JOBS, works.draw, store(tmp_path), batch=14)) == repr(first)
    assert path.read_bytes() == good


def test_processes_give_the_same_bytes_and_are_set_up_once(tmp_path: Path) -> None:
    setup = partial(works.prepare, str(tmp_path))
    one = run(JOBS, works.draw, store(tmp_path / "1"), batch=3, setup=setup)
    assert works.SETUPS.count(str(tmp_path)) == 1
    two = run(JOBS, works.draw, store(tmp_path / "2"), batch=3, workers=2, setup=setup)
    assert repr(one) == repr(two) and files(tmp_path / "1") == files(tmp_path / "2")
    traces = {path.name: path.read_text() for path in tmp_path.glob("setup-*")}
    assert len(traces) == 3 and set(traces.values()) == {"x"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in (tmp_path / "1").rglob("*.jsonl"))


def test_threads_of_matrix_libraries_do_not_change_bits(tmp_path: Path) -> None:
    """Left alone, the sums of a library with two threads differ in their last bits."""
    jobs = JOBS[:4]
    with threadpool_limits(1):
        alone = works.solve(jobs)
    one = run(jobs, works.solve, store(tmp_path / "1"), batch=4)
    two = run(jobs, works.solve, store(tmp_path / "2"), batch=1, workers=2)
    assert one == two == alone


def test_a_killed_worker_loses_its_running_batch_alone(tmp_path: Path) -> None:
    work = partial(works.killed_once, str(tmp_path))
    found = run(JOBS, work, store(tmp_path / "s"), batch=3, workers=2)
    assert (tmp_path / "killed").exists()
    calls = (tmp_path / "calls").read_text().split()
    assert sorted(calls, key=int) == ["0", "3", "3", "6", "9", "12"]
    assert repr(found) == repr(run(JOBS, works.draw, store(tmp_path / "t"), batch=3))


def test_a_pool_keeps_its_workers_over_runs_errors_and_deaths(tmp_path: Path) -> None:
    setup = partial(works.prepare, str(tmp_path))
    with LocalPool(2) as pool:
        first = run(JOBS, works.draw, store(tmp_path / "1"), batch=3, setup=setup, engine=pool)
        pids = {int(path.name.partition("-")[2]) for path in tmp_path.glob("setup-*")}
        run(JOBS, works.draw, store(tmp_path / "2"), batch=3, setup=setup, engine=pool)
        assert pids == {int(path.name.partition("-")[2]) for path in tmp_path.glob("setup-*")}
        with pytest.raises(CampaignError, match="planted"):
            run(JOBS, works.raising, store(tmp_path / "3"), batch=3, engine=pool)
        for pid in pids:
            if _runs(pid):
                os.kill(pid, signal.SIGKILL)
        again = run(JOBS, works.draw, store(tmp_path / "4"), batch=3, engine=pool)
    assert repr(first) == repr(again)
    assert _soon(lambda: [pid for pid in _workers_of(os.getpid()) if _runs(pid)], 0) == []


def test_a_batch_that_always_kills_is_named_and_the_rest_kept(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"of drill, seeds 4 to 7\) ended its worker 3 times"):
        run(JOBS, works.killed_always, store(tmp_path), batch=4, workers=2)
    kept = files(tmp_path)
    assert kept
    run(JOBS, works.draw, store(tmp_path), batch=4)
    assert kept.items() <= files(tmp_path).items()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_work_names_the_batch(tmp_path: Path, workers: int) -> None:
    with pytest.raises(CampaignError, match=r"seeds 4 to 7\) failed: ValueError: planted"):
        run(JOBS, works.raising, store(tmp_path), batch=4, workers=workers)
    assert files(tmp_path) or workers > 1


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_set_up_is_told(tmp_path: Path, workers: int) -> None:
    with pytest.raises(CampaignError, match="FileNotFoundError: no twin here"):
        run(JOBS, works.draw, store(tmp_path), workers=workers, batch=4, setup=works.unprepared)


@pytest.mark.parametrize(
    ("work", "words"), [(works.too_few, "4 jobs gave 3"), (works.not_plain, "not plain data")]
)
def test_outcomes_that_cannot_be_kept_are_refused(tmp_path: Path, work, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CampaignError, match=words):
        run(JOBS, work, store(tmp_path), batch=4)
    assert not files(tmp_path)


def test_what_cannot_be_sent_or_asked_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lambda"):
        run(JOBS, lambda jobs: (), store(tmp_path))
    with pytest.raises(InputError, match="worker"):
        Local(workers=0)
    with pytest.raises(InputError, match="batch"):
        run(JOBS, works.draw, store(tmp_path), batch=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        run(JOBS, works.draw, store(tmp_path / "file"))


class Interrupted:
    """An engine whose user presses a key after two batches."""

    def replies(self, task: bytes, todo: tuple[Batch, ...]) -> Iterator[tuple[Batch, Reply]]:
        for number, batch in enumerate(todo):
            if number == 2:
                raise KeyboardInterrupt
            yield batch, carry_out(task, batch)


def test_an_interrupt_keeps_what_was_done(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(JOBS, works.draw, store(tmp_path), batch=4, engine=Interrupted())
    done = [each for each in batches(JOBS, "c", 4) if store(tmp_path).has(each)]
    assert [each.jobs[0].seed for each in done] == [0, 4]


def test_the_same_job_twice_is_done_once(tmp_path: Path) -> None:
    work = partial(works.noted, str(tmp_path))
    found: tuple[Outcome, ...] = run(JOBS[:2] * 2, work, store(tmp_path / "s"), batch=2)
    assert (tmp_path / "calls").read_text().split() == ["0"] and repr(found[:2]) == repr(found[2:])


SCRIPT = """
import sys
sys.path.insert(0, {here!r})
import engine_works as works
from pathlib import Path
from casemate.campaigns.engines.jobs import Job
from casemate.campaigns.engines.run import run
from casemate.campaigns.engines.store import Store
if __name__ == "__main__":
    import signal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever tests may ignore it
    jobs = [Job(kind="a", seed=k) for k in range(4)]
    run(jobs, works.slow, Store(folder=Path({folder!r}), context="c"), batch=1, workers=2)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_an_interrupt_or_a_killed_parent(
    tmp_path: Path, how: signal.Signals
) -> None:
    script = tmp_path / "main.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path / "s")))
    parent = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    children = _soon(lambda: _workers_of(parent.pid), 2)
    time.sleep(0.5)
    parent.send_signal(how)
    parent.wait(timeout=10)
    assert _soon(lambda: [pid for pid in children if _runs(pid)], 0) == []


def _workers_of(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text().rpartition(")")[2].split()
            if int(stat[1]) == parent and b"spawn_main" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _soon(look, count: int) -> list[int]:  # type: ignore[no-untyped-def]
    for _ in range(200):
        found: list[int] = look()
        if len(found) == count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{found} after 10 s; {os.getpid()}")
