"""Alembic's entry: migrates over the connection that `Store` passes in."""

from __future__ import annotations

from alembic import context

from casemate.fleet.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
