"""Tests of the broker use the helpers of those of the outlets."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "outlets"))
LACKING = [each for each in ("alembic", "nats", "sqlalchemy", "starlette") if not find_spec(each)]
if LACKING and os.environ.get("CASEMATE_REQUIRE_ALL"):
    raise ModuleNotFoundError(f"tests of the broker need {', '.join(LACKING)}")
collect_ignore_glob = ["test_*.py"] if LACKING else []
