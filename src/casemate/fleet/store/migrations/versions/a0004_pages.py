"""Permits that are asked for, and the papers of an enclosure.

Revision ID: a0004
Revises: a0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0004"
down_revision = "a0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "permits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=96), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=True),
        sa.Column("asked_by", sa.String(length=255), nullable=False),
        sa.Column("asked_role", sa.String(length=32), nullable=False),
        sa.Column("asked_party", sa.String(length=255), nullable=False),
        sa.Column("asked_s", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=255), nullable=True),
        sa.Column("withdrawn_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_permits_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permits")),
        sa.UniqueConstraint("enclosure_id", "digest", name=op.f("uq_permits_enclosure_id")),
    )
    op.create_table(
        "papers",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_papers_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", "kind", name=op.f("pk_papers")),
    )


downgrade = no_way_back
