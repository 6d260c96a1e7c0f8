"""The command where nothing can be imported but what an inspector installs."""

from __future__ import annotations

import subprocess
import sys

ALONE = """
import importlib.abc, sys

ALLOWED = {"casemate", "cbor2", "_cbor2", "cryptography", "cffi", "_cffi_backend", "pycparser"}

class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not here", name=name)
        return None

sys.meta_path.insert(0, Nothing())
sys.path_importer_cache.clear()
from casemate.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where nothing can be imported but what an inspector installs."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, *arguments], capture_output=True, text=True, timeout=120
    )
