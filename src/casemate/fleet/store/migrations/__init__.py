"""The way from one release's tables to the next one's, and to no earlier one's."""

from __future__ import annotations

from casemate.core.errors import OutputError


def no_way_back() -> None:
    """Refuse to go back: what a later release wrote would be lost. OutputError, always."""
    raise OutputError(
        "a database does not go back to an earlier schema.",
        remedy="restore the backup that was made before the upgrade.",
    )
