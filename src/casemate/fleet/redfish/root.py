"""The root of the service, what leads to it, and managers: what is the same for all enclosures."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import Connection

from casemate import __version__
from casemate.fleet.redfish import choices, looked, odata, standing
from casemate.fleet.redfish.asked import Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.redfish.query import MOST_LEVELS
from casemate.fleet.redfish.standing import Standing

MANAGER = "fleet"
STALLED_S = 30.0
"""After which a service that has not looked for events says so in its health (planning value)."""


def versions(redfish: Redfish) -> Row:
    """Return what there is under /redfish."""
    return {"v1": f"{ROOT}/"}


def document(redfish: Redfish) -> Row:
    """Return the OData service document."""
    names = ("AccountService", "Chassis", "ComponentIntegrity", "EventService", "JsonSchemas",
             "Managers", "Registries", "SessionService", "TelemetryService")  # fmt: skip
    rows = [{"name": each, "kind": "Singleton", "url": f"{ROOT}/{each}"} for each in names]
    return {"@odata.context": f"{ROOT}/$metadata", "value": rows}


def service_root(redfish: Redfish) -> Row:
    """Return the service root."""
    named = {
        each: odata.link(f"{ROOT}/{each}")
        for each in ("AccountService", "Chassis", "ComponentIntegrity", "EventService",
                     "JsonSchemas", "Managers", "Registries", "SessionService",
                     "TelemetryService")
    }  # fmt: skip
    return odata.resource(
        "ServiceRoot", f"{ROOT}/", "RootService", "Casemate fleet", RedfishVersion="1.20.0",
        UUID=service_uuid(redfish), Product="Casemate", Vendor="Casemate", **named,
        ProtocolFeaturesSupported={
            "ExcerptQuery": False, "IncludeOriginOfConditionQuery": False,
            "OnlyMemberQuery": True, "SelectQuery": True, "TopSkipQuery": True,
            "FilterQuery": True, "FilterQueryComparisonOperations": True,
            "FilterQueryCompoundOperations": True,
            "ExpandQuery": {"ExpandAll": True, "Levels": True, "Links": True, "NoLinks": True,
                            "MaxLevels": MOST_LEVELS},
        },
        Links={"Sessions": odata.link(f"{ROOT}/SessionService/Sessions")},
    )  # fmt: skip


def service_uuid(redfish: Redfish) -> str:
    """Return an id of this service that stays: it comes from the name of its audit log."""
    digest = hashlib.sha256(b"casemate redfish\n" + redfish.audit.log.origin.encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def managers(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the managers: this service alone."""
    return asked.page_of("Manager", f"{ROOT}/Managers", "Managers", [MANAGER])


def manager(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return this service as the manager of all enclosures."""
    if asked.path["manager"] != MANAGER:
        raise RedfishError("ResourceNotFound")
    path = f"{ROOT}/Managers/{MANAGER}"
    found = standing.counts(link, redfish.now_s())
    return odata.resource(
        "Manager", path, MANAGER, "Casemate fleet service", ManagerType="Service",
        Model="Casemate fleet", FirmwareVersion=__version__, ServiceEntryPointUUID=service_uuid(
            redfish
        ),
        UUID=service_uuid(redfish), DateTime=odata.when(redfish.now_s()),
        DateTimeLocalOffset="+00:00", Status=odata.status("Enabled", health(redfish)),
        NetworkProtocol=odata.link(f"{path}/NetworkProtocol"),
        LogServices=odata.link(f"{path}/LogServices"),
        Oem={"Casemate": {
            "@odata.type": "#CasemateManager.v1_0_0.Manager",
            "Enclosures": sum(found.values()), "Armed": found["ARMED"],
            "InMaintenance": found["MAINTENANCE"], "Tampered": found["TAMPERED"],
            "Unknown": found["UNKNOWN"], "Commissioning": found["COMMISSIONING"],
            "Retired": found["RETIRED"],
        }},
    )  # fmt: skip


def protocol(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return by what the service can be reached: HTTPS, where it is not a test on plain HTTP."""
    if asked.path["manager"] != MANAGER:
        raise RedfishError("ResourceNotFound")
    secure = redfish.service.secure
    port = asked.url.rpartition(":")[2]
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 443
    used, other = {"ProtocolEnabled": True, "Port": number}, {"ProtocolEnabled": False}
    return odata.resource(
        "ManagerNetworkProtocol", f"{ROOT}/Managers/{MANAGER}/NetworkProtocol", "NetworkProtocol",
        "Network protocols", Status=odata.status("Enabled", "OK"),
        HTTPS=used if secure else other, HTTP=other if secure else used,
    )  # fmt: skip


def health(redfish: Redfish) -> str:
    """Return the health of the service: Critical if nobody looks for events any more."""
    late = redfish.service.clock() - redfish.hub.scanned_s > STALLED_S
    return "Critical" if late else "OK"


def integrity_index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a page of integrity, of one component an enclosure."""
    path = f"{ROOT}/ComponentIntegrity"
    return choices.of_enclosures(
        link, redfish, asked, "ComponentIntegrity", path, choices.INTEGRITY, _brief
    )


def _brief(now: Standing) -> Row:
    """Return what is shown of an enclosure's integrity by how it stands alone."""
    proven = now.state in ("ARMED", "MAINTENANCE") and now.severity != "alarm"
    return {
        "Id": str(now.id), "Name": f"Evidence of {now.name}, serial {now.serial}",
        "LastUpdated": odata.when(now.seen_s),
        "Status": odata.status(now.status_state, now.health),
        "Oem": {"Casemate": {"VerificationStatus": "Success" if proven else "Failed"}},
    }  # fmt: skip


def integrity(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return what the appraisal of an enclosure's evidence says of its controller."""
    now = looked.standing_of(link, redfish, asked, asked.number("component"))
    brief, chassis = _brief(now), f"{ROOT}/Chassis/{now.id}"
    return odata.resource(
        "ComponentIntegrity", f"{ROOT}/ComponentIntegrity/{now.id}", brief["Id"], brief["Name"],
        ComponentIntegrityType="OEM",
        ComponentIntegrityTypeVersion="1", ComponentIntegrityEnabled=True,
        Description="Tokens (RFC 9711) in a transparency log, appraised by this service.",
        TargetComponentURI=f"{chassis}/TrustedComponents/Controller",
        LastUpdated=brief["LastUpdated"], Status=brief["Status"],
        Links={"ComponentsProtected": [odata.link(chassis)]},
        Oem={"Casemate": {
            "@odata.type": "#CasemateComponentIntegrity.v1_0_0.ComponentIntegrity",
            **brief["Oem"]["Casemate"],
            "EvidenceURI": f"/enclosures/{now.id}/evidence.zip",
            "VerdictURI": f"/enclosures/{now.id}/verdict.json",
        }},
    )  # fmt: skip
