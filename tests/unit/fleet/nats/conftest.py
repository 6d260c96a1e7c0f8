"""Tests of the broker use the helpers of those of the outlets."""

from __future__ import annotations

import sys
from pathlib import Path

from outside_programs import not_collected

sys.path.append(str(Path(__file__).parents[1] / "outlets"))
collect_ignore_glob = not_collected("alembic", "nats", "sqlalchemy", "starlette")
