"""Which service has the store; an index of notes by size.

Revision ID: a0007
Revises: a0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0007"
down_revision = "a0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the index: notes hold kilobytes, which counting need not read."""
    op.create_table(
        "leases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
    )
    op.create_index("ix_notes_size", "notes", ["enclosure_id", "size"])


downgrade = no_way_back
