"""Play the faults of docs/faults.md; see tests/unit/control/faults_page.py.

A program of its own folder, so that processes that it starts do not load it again.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "control"))

    from faults_page import main

    sys.exit(main(sys.argv[1:]))
