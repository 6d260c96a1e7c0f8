"""Roles, and what each may do. A route names one permission; there is no other way in."""

from __future__ import annotations

ROLES = ("host-operator", "inspector", "adjudicator", "auditor")

PERMISSIONS: dict[str, frozenset[str]] = {
    "see": frozenset(ROLES),
    "export": frozenset(ROLES),
    "acknowledge": frozenset(("host-operator", "inspector")),
    "propose": frozenset(("host-operator", "inspector", "adjudicator")),
    "confirm": frozenset(("host-operator", "inspector", "adjudicator")),
    "dispose-many": frozenset(("inspector", "adjudicator")),
    "permit": frozenset(("host-operator", "inspector")),
    "see-audit": frozenset(("adjudicator", "auditor")),
    "sign-out": frozenset(ROLES),
    "passkey": frozenset(ROLES),
}
"""Roles that have a permission. What a disposition needs beyond it: `incidents.confirm`."""

OPEN = frozenset(("sign-in", "static"))
"""Permissions that need nobody signed in."""
MACHINE = "push"
"""The permission of a controller, by its certificate, for the evidence of its enclosure alone."""
SCRAPER = "scrape"
"""The permission of monitoring, by its certificate, to read metrics."""
DISPLAY = "display"
"""The permission of a display on a wall, by its certificate, to see the wall's page."""
MACHINES = frozenset((MACHINE, SCRAPER, DISPLAY))
"""Permissions that nobody signed in has: a certificate alone gives them."""


def may(role: str, permission: str) -> bool:
    """Return whether a role has a permission; KeyError if there is no such one."""
    return role in PERMISSIONS[permission]
