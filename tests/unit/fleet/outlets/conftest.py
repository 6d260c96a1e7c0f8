"""Fixtures of the outlets. Without the extras `fleet` and `interop` they are not collected."""

from __future__ import annotations

import os
from importlib.util import find_spec

LACKING = [
    each
    for each in ("alembic", "sqlalchemy", "starlette", "prometheus_client", "paho", "pysnmp")
    if not find_spec(each)
]
if LACKING and os.environ.get("CASEMATE_REQUIRE_ALL"):
    raise ModuleNotFoundError(f"tests of the outlets need {', '.join(LACKING)}")
collect_ignore_glob = ["test_*.py"] if LACKING else []
