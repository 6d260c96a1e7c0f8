"""The first schema.

Revision ID: a0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, each after those that it refers to."""
    _enclosures()
    _people()
    _codes()
    _entries()
    _forks()
    _incidents()
    _machines()
    _notes()
    _sessions()
    _verdicts()
    _acts()
    _triggers()
    _errands()


downgrade = no_way_back


def _enclosures() -> None:
    op.create_table(
        "enclosures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("serial", sa.String(length=255), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("policy", sa.LargeBinary(), nullable=False),
        sa.Column("added_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enclosures")),
        sa.UniqueConstraint("name", "serial", name=op.f("uq_enclosures_name")),
        sa.UniqueConstraint("origin", name=op.f("uq_enclosures_origin")),
    )


def _people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
    )


def _codes() -> None:
    op.create_table(
        "codes",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_codes_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_codes")),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_entries_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", "number", name=op.f("pk_entries")),
    )


def _forks() -> None:
    op.create_table(
        "forks",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_forks_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", "digest", name=op.f("pk_forks")),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("opened_s", sa.BigInteger(), nullable=False),
        sa.Column("last_s", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=255), nullable=True),
        sa.Column("acknowledged_s", sa.BigInteger(), nullable=True),
        sa.Column("disposed_s", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_incidents_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "ix_incidents_disposed_s", "incidents", ["disposed_s", "severity"], unique=False
    )
    op.create_index(
        "ix_incidents_enclosure_id", "incidents", ["enclosure_id", "disposed_s"], unique=False
    )


def _machines() -> None:
    op.create_table(
        "machines",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("added_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_machines_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_machines")),
    )


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_notes_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", "digest", name=op.f("pk_notes")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("seen_s", sa.BigInteger(), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sessions_person_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("worst", sa.String(length=16), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("since_s", sa.BigInteger(), nullable=True),
        sa.Column("seen_s", sa.BigInteger(), nullable=True),
        sa.Column("fresh_until_s", sa.BigInteger(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("proven", sa.BigInteger(), nullable=False),
        sa.Column("appraised_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_verdicts_enclosure_id")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", name=op.f("pk_verdicts")),
    )
    op.create_index("ix_verdicts_fresh_until_s", "verdicts", ["fresh_until_s"], unique=False)
    op.create_index("ix_verdicts_state", "verdicts", ["state"], unique=False)


def _acts() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("party", sa.String(length=255), nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_acts_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
    )
    op.create_index("ix_acts_incident_id", "acts", ["incident_id"], unique=False)


def _triggers() -> None:
    op.create_table(
        "triggers",
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("finding", sa.String(length=64), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=True),
        sa.Column("first_s", sa.BigInteger(), nullable=False),
        sa.Column("last_s", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_triggers_enclosure_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_triggers_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", "finding", "token", name=op.f("pk_triggers")),
    )
    op.create_index("ix_triggers_enclosure_id", "triggers", ["enclosure_id"], unique=False)


def _errands() -> None:
    op.create_table(
        "errands",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_errands")),
    )
