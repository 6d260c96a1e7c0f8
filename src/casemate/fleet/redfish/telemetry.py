"""The telemetry service: a report an enclosure of its readings, made when it is asked for."""

from __future__ import annotations

from sqlalchemy import Connection

from casemate.fleet.redfish import chassis, choices, looked, odata, standing
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.redfish.standing import Standing

SERVICE = f"{ROOT}/TelemetryService"
UNITS = {"EvidenceAge": "s", "HealthyChannels": "%", "Information": "1", "WitnessedEntries": "%"}
"""Units of metrics (UCUM)."""
STATE = "State"
_STATES = tuple(sorted(standing.LIVE))
_TROUBLE = {"TAMPERED": "Critical", "UNKNOWN": "Critical", "MAINTENANCE": "Warning"}


def service(redfish: Redfish, asked: Asked) -> Answer:
    """Return the telemetry service."""
    row = odata.resource(
        "TelemetryService", SERVICE, "TelemetryService", "Telemetry", ServiceEnabled=True,
        Status=odata.status("Enabled", "OK"), MinCollectionInterval="PT1S",
        MetricDefinitions=odata.link(f"{SERVICE}/MetricDefinitions"),
        MetricReportDefinitions=odata.link(f"{SERVICE}/MetricReportDefinitions"),
        MetricReports=odata.link(f"{SERVICE}/MetricReports"),
        Triggers=odata.link(f"{SERVICE}/Triggers"),
    )  # fmt: skip
    return Answer(row=row)


def definitions(redfish: Redfish, asked: Asked) -> Answer:
    """Return the definitions of metrics."""
    base = f"{SERVICE}/MetricDefinitions"
    return Answer(row=asked.page_of("MetricDefinition", base, "Metrics", [*UNITS, STATE]))


def definition(redfish: Redfish, asked: Asked) -> Answer:
    """Return the definition of a metric."""
    name, path = asked.path["metric"], f"{SERVICE}/MetricDefinitions"
    if name == STATE:
        row = odata.resource(
            "MetricDefinition", f"{path}/{name}", name, "State of an enclosure",
            MetricType="Discrete", MetricDataType="Enumeration", DiscreteValues=list(_STATES),
            Implementation="Calculated",
        )  # fmt: skip
    elif name in UNITS:
        row = odata.resource(
            "MetricDefinition", f"{path}/{name}", name, name, MetricType="Gauge",
            MetricDataType="Decimal", Units=UNITS[name], Implementation="Calculated",
        )  # fmt: skip
    else:
        raise RedfishError("ResourceNotFound")
    return Answer(row=row)


def report_definitions(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a page of definitions of reports, one an enclosure."""
    return _page(link, redfish, asked, "MetricReportDefinition")


def reports(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a page of reports, one an enclosure."""
    return _page(link, redfish, asked, "MetricReport")


def _page(link: Connection, redfish: Redfish, asked: Asked, kind: str) -> Row:
    path = f"{SERVICE}/{kind}s"
    return choices.of_enclosures(link, redfish, asked, kind, path, choices.REPORTS, _brief)


def _brief(now: Standing) -> Row:
    return {"Id": str(now.id), "Name": f"Readings of chassis {now.id}"}


def report_definition(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the definition of an enclosure's report."""
    number = looked.standing_of(link, redfish, asked, asked.number("report")).id
    return odata.resource(
        "MetricReportDefinition", f"{SERVICE}/MetricReportDefinitions/{number}", str(number),
        f"Readings of chassis {number}", MetricReportDefinitionType="OnRequest",
        MetricReportDefinitionEnabled=True, Status=odata.status("Enabled", "OK"),
        MetricReport=odata.link(f"{SERVICE}/MetricReports/{number}"),
        MetricProperties=[
            *(f"{chassis.path_of(number)}/Sensors/{each}#/Reading" for each in UNITS),
            f"{chassis.path_of(number)}#/Oem/Casemate/State",
        ],
    )  # fmt: skip


def report(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return an enclosure's report: readings that there are, and always its state."""
    number = asked.number("report")
    now = looked.standing_of(link, redfish, asked, number)
    known = looked.enclosure_of(link, asked, number)
    found = chassis.readings(now, known, looked.said_of(link, asked, number))
    path, at = chassis.path_of(number), odata.when(now.now_s)
    values = [
        _value(each, str(found[each][0]), f"{path}/Sensors/{each}#/Reading", at)
        for each in UNITS
        if found[each][0] is not None
    ]
    values.append(_value(STATE, now.state, f"{path}#/Oem/Casemate/State", at))
    return odata.resource(
        "MetricReport", f"{SERVICE}/MetricReports/{number}", str(number),
        f"Readings of chassis {number}", Timestamp=at,
        MetricReportDefinition=odata.link(f"{SERVICE}/MetricReportDefinitions/{number}"),
        MetricValues=values,
    )  # fmt: skip


def _value(name: str, value: str, property_: str, at: str | None) -> Row:
    return {
        "MetricId": name, "MetricValue": value, "MetricProperty": property_, "Timestamp": at,
    }  # fmt: skip


def triggers(redfish: Redfish, asked: Asked) -> Answer:
    """Return the triggers: what of a state makes an event."""
    base = f"{SERVICE}/Triggers"
    return Answer(row=asked.page_of("Triggers", base, "Triggers", [STATE]))


def trigger(redfish: Redfish, asked: Asked) -> Answer:
    """Return the trigger on the state of enclosures. It is always on."""
    if asked.path["trigger"] != STATE:
        raise RedfishError("ResourceNotFound")
    row = odata.resource(
        "Triggers", f"{SERVICE}/Triggers/{STATE}", STATE, "An enclosure is not armed",
        MetricType="Discrete", TriggerActions=["LogToLogService", "RedfishEvent"],
        DiscreteTriggerCondition="Specified", TriggerEnabled=True, MetricIds=[STATE],
        DiscreteTriggers=[
            {"Name": each, "Value": each, "Severity": severity, "DwellTime": "PT0S"}
            for each, severity in _TROUBLE.items()
        ],
        Status=odata.status("Enabled", "OK"),
    )  # fmt: skip
    return Answer(row=row)
