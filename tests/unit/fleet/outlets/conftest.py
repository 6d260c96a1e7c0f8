"""Fixtures of the outlets. Without the extras `fleet` and `interop` they are not collected."""

from __future__ import annotations

from outside_programs import not_collected

NEEDED = ("alembic", "sqlalchemy", "starlette", "prometheus_client", "paho", "pysnmp")
collect_ignore_glob = not_collected(*NEEDED)
