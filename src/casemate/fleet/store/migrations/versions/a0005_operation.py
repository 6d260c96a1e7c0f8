"""What the operation of a service keeps: walks, passkeys, versions of trust.

Revision ID: a0005
Revises: a0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0005"
down_revision = "a0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _walks()
    _passkeys()
    _trusts()


downgrade = no_way_back


def _walks() -> None:
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


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=1400), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("added_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_passkeys_person_id_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
    )
    op.create_index("ix_passkeys_person_id", "passkeys", ["person_id"])
    op.create_table(
        "nonces",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_nonces")),
    )
    op.create_table(
        "act_signatures",
        sa.Column("act_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("passkey", sa.String(length=1400), nullable=False),
        sa.Column("nonce", sa.String(length=100), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["act_id"], ["acts.id"], name=op.f("fk_act_signatures_act_id_acts")
        ),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_act_signatures")),
    )


def _trusts() -> None:
    op.create_table(
        "trusts",
        sa.Column("enclosure_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("since_s", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("parties", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"], ["enclosures.id"], name=op.f("fk_trusts_enclosure_id_enclosures")
        ),
        sa.PrimaryKeyConstraint("enclosure_id", "version", name=op.f("pk_trusts")),
    )
