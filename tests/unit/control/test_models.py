"""Models of spin: what they promise holds, and a fault that is planted in each is found.

enclosure_table.pml is made from the code: test_all_machines.py holds it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from outside_programs import program

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture
def spin(tmp_path: Path) -> Path:
    """A folder with the models; skips where spin or a C compiler is missing."""
    for each in ("spin", "gcc"):
        program(each)
    for each in MODELS.glob("*.pml"):
        shutil.copy(each, tmp_path)
    return tmp_path


def errors(folder: Path, model: str, *, liveness: str = "") -> int:
    """Return how many errors spin finds; fails unless it has searched everything."""
    claim = [] if liveness else ["-DNOCLAIM", "-DSAFETY"]
    for command in (
        ["spin", "-a", model],
        ["gcc", "-O0", "-w", "-DVECTORSZ=2048", "-DCOLLAPSE", *claim, "-o", "pan", "pan.c"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    how = ["-a", "-f", "-N", liveness] if liveness else []
    pan = subprocess.run(
        ["./pan", "-m1000000", "-n", "-E", *how],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    found = pan.stdout
    assert "max search depth too small" not in found, found
    count = int(found.split("errors: ")[1].split()[0])
    print(found)
    return count


def plant(folder: Path, model: str, old: str, new: str) -> None:
    """Plant a fault."""
    path = folder / model
    source = path.read_text()
    assert source.count(old) >= 1, old
    path.write_text(source.replace(old, new, 1))


@pytest.mark.parametrize("model", ["enclosure.pml", "custody.pml", "witness.pml"])
def test_it_holds(spin: Path, model: str) -> None:
    """Spin searches all of it and finds nothing."""
    assert errors(spin, model) == 0


def test_zeroise_is_heard(spin: Path) -> None:
    """However many signatures are asked for."""
    assert errors(spin, "custody.pml", liveness="heard") == 0
    plant(spin, "custody.pml", "!TOLD && nempty", "nempty")
    assert errors(spin, "custody.pml", liveness="heard") > 0


FAULTS = (
    (
        "enclosure_table.pml",
        "#define WAYS \\",
        "#define WAYS \\\n  :: AT(TAMPERED, K_SEALED, NO_PERMIT) && CAN_free -> "
        "TO(ARMED, K_LIVE, NO_PERMIT, BY_free) \\",
    ),
    ("enclosure.pml", "CAN_recommission BOTH(RECOMMISSION)", "CAN_recommission true"),
    ("enclosure.pml", "seen = 0; void_approvals()", "seen = 0"),
    ("enclosure.pml", "permit_host && permit_inspector && !permit_shown",
     "permit_host && !permit_shown"),
    ("enclosure.pml", "#define QUORUM 2", "#define QUORUM 1"),
    ("enclosure.pml", "begun = 1\n", "begun = 1; permit_shown = 0\n"),
    ("custody.pml", "key = 0; gone = 1", "gone = 1"),
    ("custody.pml", "word -> word = 0;", "word ->"),
    ("witness.pml", "#define QUORUM 3", "#define QUORUM 2"),
    ("witness.pml", "stored[w] != 0 && stored[w] != branch -> goto done", "false -> goto done"),
    ("witness.pml", "atomic { !lock[w] -> lock[w] = 1 };", "lock[w] = 1;"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("model", "old", "new"),
    [pytest.param(*each, marks=[pytest.mark.slow] * (n > 0)) for n, each in enumerate(FAULTS)],
    ids=range(len(FAULTS)),
)
def test_a_planted_fault_is_found(spin: Path, model: str, old: str, new: str) -> None:
    """A way that must not be, a signature that is not asked for, a race."""
    plant(spin, model, old, new)
    assert errors(spin, model.replace("_table", "")) > 0
