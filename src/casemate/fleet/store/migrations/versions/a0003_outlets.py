"""What is told outside: outbox, outlets, floods, and who may read metrics.

Revision ID: a0003
Revises: a0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0003"
down_revision = "a0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name="fk_outbox_enclosure_id_enclosures"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_outbox_incident_id_incidents"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outlets",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sent_id", sa.Integer(), nullable=False),
        sa.Column("sent_s", sa.BigInteger()),
        sa.Column("boots", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_outlets"),
    )
    op.create_table(
        "floods",
        sa.Column("site", sa.String(255), nullable=False),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("led_s", sa.BigInteger(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer()),
        sa.PrimaryKeyConstraint("site", "finding", name="pk_floods"),
    )
    op.create_table(
        "scrapers",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("added_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_scrapers"),
    )


downgrade = no_way_back
