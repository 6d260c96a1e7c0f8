"""Tables of the Redfish service.

Revision ID: a0002
Revises: a0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0002"
down_revision = "a0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _accounts()
    _sessions()
    _subscriptions()
    op.create_table(
        "redfish_receivers",
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("network", name=op.f("pk_redfish_receivers")),
    )
    _events()
    _latches()


downgrade = no_way_back


def _accounts() -> None:
    op.create_table(
        "redfish_accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redfish_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_redfish_accounts_name")),
    )


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"], ["redfish_accounts.id"], name=op.f(f"fk_{table}_account_id")
    )


def _sessions() -> None:
    op.create_table(
        "redfish_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("begun_s", sa.BigInteger(), nullable=False),
        sa.Column("seen_s", sa.BigInteger(), nullable=False),
        _of_account("redfish_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redfish_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_redfish_sessions_digest")),
    )


def _subscriptions() -> None:
    op.create_table(
        "redfish_subscriptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(length=1024), nullable=False),
        sa.Column("context", sa.String(length=255), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("begun_s", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        _of_account("redfish_subscriptions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redfish_subscriptions")),
    )


def _events() -> None:
    op.create_table(
        "redfish_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=True),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.String(length=64), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_redfish_events_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redfish_events")),
    )
    op.create_index(
        "ix_redfish_events_enclosure_id", "redfish_events", ["enclosure_id", "id"], unique=False
    )


def _latches() -> None:
    op.create_table(
        "redfish_latches",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("shown", sa.String(length=32), nullable=False),
        sa.Column("trouble", sa.String(length=64), nullable=False),
        sa.Column("latch", sa.String(length=32), nullable=False),
        sa.Column("latched_s", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_redfish_latches_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", name=op.f("pk_redfish_latches")),
    )
