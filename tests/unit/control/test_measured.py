"""What runs is measured: a file that changes, comes or goes changes the digest, and nothing runs
that is not in the list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from casemate.control import measured

ASK = """
import sys
import casemate.control.runtime, casemate.control.setting, casemate.control.adapters.camera
from importlib import metadata
known = metadata.packages_distributions()
for name in sorted({d for m in list(sys.modules) for d in known.get(m.split(".")[0], ())}):
    print(name)
"""


def test_what_the_controller_loads_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = {each.lower() for each in done.stdout.split()} - {"casemate"}
    assert "numpy" in loaded
    assert loaded <= {each.lower() for each in measured.DISTRIBUTIONS}


def test_components_are_named_with_versions() -> None:
    names = [name for name, _ in measured.components()]
    assert names == sorted(names) and {"casemate", "python"} <= set(names)
    assert any(name.startswith("numpy 2.") for name in names)
    assert measured.components() == measured.components()


def test_a_file_that_changes_comes_or_goes_shows(tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept.so", tmp_path / "gone.py"
    kept.write_bytes(b"a")
    gone.write_bytes(b"b")
    files = [("kept.so", kept), ("gone.py", gone)]
    first = measured.digest("lib", "1", files)
    assert measured.digest("lib", "1", files[::-1]) == first
    assert measured.digest("lib", "2", files) != first
    assert measured.digest("lib", "1", files[:1]) != first
    kept.write_bytes(b"c")
    assert measured.digest("lib", "1", files) != first
    kept.write_bytes(b"a")
    gone.unlink()
    assert measured.digest("lib", "1", files) != first


def test_every_component_counts_in_the_total() -> None:
    parts = (("a", b"\x01" * 32), ("b", b"\x02" * 32))
    seen = {measured.total(parts), measured.total(parts[:1]), measured.total(parts[1:])}
    seen |= {measured.total((("a", b"\x01" * 32), ("b", b"\x03" * 32)))}
    assert len(seen) == 4
