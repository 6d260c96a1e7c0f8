"""An index of enclosures in the order of the fleet's page.

Revision ID: a0006
Revises: a0005
"""

from __future__ import annotations

from alembic import op

from casemate.fleet.store.migrations import no_way_back

revision = "a0006"
down_revision = "a0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index: rows of enclosures hold kilobytes, which sorting need not read."""
    op.create_index("ix_enclosures_site", "enclosures", ["site", "name", "serial"])


downgrade = no_way_back
