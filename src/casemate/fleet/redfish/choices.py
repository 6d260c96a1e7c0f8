"""$filter of collections with a member for each enclosure, by what is known of all of them at once.

Of each member the part is made that comes from how it stands, by the same code that makes the whole
of it; reference values and tokens are not read, and nothing in them can be asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from casemate.fleet.redfish import filters, odata, standing
from casemate.fleet.redfish.asked import Asked, Redfish
from casemate.fleet.redfish.filters import HEALTH, NUMBER, TEXT, TIME, TRUTH, Kind, Property, Table
from casemate.fleet.redfish.odata import Row
from casemate.fleet.redfish.standing import LIVE, OPENED, TAMPERING, Standing


def _one_of(*values: str) -> Property:
    return Property(kind=Kind.TEXT, values=frozenset(values))


_STATUS: Table = {
    "Status/State": _one_of(
        "Enabled", "Disabled", "StandbyOffline", "StandbySpare", "InTest", "Starting", "Absent",
        "UnavailableOffline", "Deferring", "Quiesced", "Updating", "Qualified", "Degraded",
    ),
    "Status/Health": HEALTH, "Status/HealthRollup": HEALTH,
}  # fmt: skip
"""Values are those of the schemas: what Redfish does not know is asked for by mistake."""
_NAMED: Table = {"Id": TEXT, "Name": TEXT}
CHASSIS: Table = {
    **_NAMED, **_STATUS, "SerialNumber": TEXT, "Model": TEXT, "Location/Placement/Row": TEXT,
    "ChassisType": _one_of(
        "Rack", "Blade", "Enclosure", "StandAlone", "RackMount", "Card", "Cartridge", "Row", "Pod",
        "Expansion", "Sidecar", "Zone", "Sled", "Shelf", "Drawer", "Module", "Component",
        "IPBasedDrive", "RackGroup", "StorageEnclosure", "ImmersionTank", "HeatExchanger",
        "PowerStrip", "Other",
    ),
    "PhysicalSecurity/IntrusionSensor": _one_of(standing.NORMAL, OPENED, TAMPERING),
    "Oem/Casemate/State": _one_of(*LIVE), "Oem/Casemate/Stale": TRUTH,
    "Oem/Casemate/Latched": TRUTH, "Oem/Casemate/LatchedTime": TIME,
    "Oem/Casemate/OpenIncident": NUMBER, "Oem/Casemate/IncidentAcknowledged": TRUTH,
}  # fmt: skip
"""What chassis are chosen by."""
INTEGRITY: Table = {
    **_NAMED, **_STATUS, "LastUpdated": TIME,
    "Oem/Casemate/VerificationStatus": _one_of("Success", "Failed"),
}  # fmt: skip
REPORTS: Table = _NAMED


_NAMES = {"Chassis": "Enclosures", "ComponentIntegrity": "Integrity"}


def of_enclosures(
    link: Connection, redfish: Redfish, asked: Asked, kind: str, path: str, table: Table,
    brief: Callable[[Standing], Row],
) -> Row:  # fmt: skip
    """Return a page of a collection with a member for each enclosure that is asked for.

    brief: what of a member comes from how its enclosure stands.
    """
    skip, count, top = asked.window()
    wanted, name = asked.query.filter, _NAMES.get(kind, f"{kind}s")
    if wanted is None:
        found, total = standing.ids(link, skip, count)
    else:
        filters.check(wanted, table)
        chosen = [
            now.id for now in standing.every(link, redfish.now_s())
            if filters.matches(wanted, table, brief(now))
        ]  # fmt: skip
        found, total = chosen[skip : skip + count], len(chosen)
    members = odata.links(path, found)
    return odata.collection(kind, path, name, members, total=total, skip=skip, top=top)
