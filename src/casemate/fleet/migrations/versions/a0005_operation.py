"""What the operation of a service keeps: walks.

Revision ID: a0005
Revises: a0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "a0005"
down_revision = "a0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "walks",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("trust", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_walks_enclosure_id_enclosures")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", name=op.f("pk_walks")),
    )


def downgrade() -> None:
    """Evidence and acts stay; what is dropped is made anew or entered again."""
    raise NotImplementedError("restore a backup instead")
