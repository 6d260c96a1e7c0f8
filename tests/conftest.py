"""What several rooms' tests share: a small spec and builds made once a session."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

import compiled_once
from shared_builds import (
    EXAMPLE,
    SECRET_HEX,
    Built,
    built,
    designed,
    of_the_run,
    small_case_of,
    small_text,
)

if TYPE_CHECKING:
    from casemate.design.enclosure import Enclosure
    from casemate.sensors.modality import Fitted
    from casemate.twin.assembly import Twin

pytest_plugins = ("truths", "judged_pages")
EARLY = ("attacks", "attest", "case", "core", "modules", "spec", "translog", "verify")
LATE = ("cli", "e2e")
"""Rooms whose tests need next to nothing compiled, and those that look at whole builds and cases:
these have to wait for the warm-up of `.ci/run`, which goes on beside the first."""


def pytest_configure(config: pytest.Config) -> None:
    """Let workers compile each kernel once between them."""
    if hasattr(config, "workerinput"):
        compiled_once.install()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Let one worker read all tests before the others do, which find them compiled then.

    On a new machine each of three workers would compile the same tests and packages.
    """
    if sys.dont_write_bytecode or not hasattr(session.config, "workerinput"):
        return (yield)
    with Path(__file__).open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_SH)  # the first has read them, or has ended
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests of these rooms first, and last; otherwise the order stays."""
    here = Path(__file__).parent

    def turn(item: pytest.Item) -> int:
        room = item.path.relative_to(here).parts
        return 2 if room[0] in LATE else 0 if room[1:] and room[1] in EARLY else 1

    items.sort(key=turn)


@pytest.fixture(scope="session")
def small_spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dpa example shrunk to 45 x 40 x 25 mm and 1 W."""
    path = tmp_path_factory.mktemp("small") / "enclosure.toml"
    path.write_text(small_text())
    return path


@pytest.fixture(scope="session")
def dpa_build(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The dpa example, built once a session."""
    return built(EXAMPLE, tmp_path_factory.mktemp("dpa"))


@pytest.fixture(scope="session")
def small_build(small_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The small spec, built once a session."""
    return built(small_spec, tmp_path_factory.mktemp("small-build"))


@pytest.fixture(scope="session")
def small_builds(
    small_spec: Path, small_build: Built, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Built, Built]:
    """The small spec, built twice from nothing; the second prints JSON."""
    return small_build, built(small_spec, tmp_path_factory.mktemp("again"), "two", "--json")


@pytest.fixture(scope="session")
def small_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with enclosure.toml, secret and the small case in `out`: copy it to change it."""
    return small_case_of(tmp_path_factory)


@pytest.fixture(scope="session")
def small_design(small_spec: Path, tmp_path_factory: pytest.TempPathFactory) -> Enclosure:
    """The design of the small spec."""
    return designed(tmp_path_factory, "small", small_spec)


@pytest.fixture(scope="session")
def dpa_design(tmp_path_factory: pytest.TempPathFactory) -> Enclosure:
    """The design of the dpa example."""
    return designed(tmp_path_factory, "dpa", EXAMPLE)


@pytest.fixture(scope="session")
def dpa_twin(dpa_design: Enclosure, tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """The twin of the dpa example, its boards drawn once a run."""
    from casemate.spec import load_spec
    from casemate.twin.assembly import assemble

    spec = load_spec(EXAMPLE)
    with of_the_run(tmp_path_factory, "dpa-boards") as folder:
        return assemble(
            dpa_design,
            kind=spec.protected.kind,
            secret=bytes.fromhex(SECRET_HEX),
            folder=folder,
            seed=3,
            workers=1,
        )


@pytest.fixture(scope="session")
def dpa_fitted(dpa_twin: Twin) -> dict[str, Fitted]:
    """Every modality fitted to the dpa twin, by id."""
    from casemate.sensors.modalities import MODALITIES

    return {each.id: each.fit(dpa_twin) for each in MODALITIES}


# times mean nothing on a busy machine, and kernels compile at their first call
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")
