"""Play the faults of docs/faults.md; see tests/unit/control/faults_page.py.

A program of its own folder, so that processes that it starts do not load it again.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    tests = Path(__file__).parents[1]
    sys.path[:0] = [str(tests / "unit" / "control"), str(tests)]

    from faults_page import main

    sys.exit(main(sys.argv[1:]))
