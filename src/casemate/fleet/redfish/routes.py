"""All Redfish resources: path, schema, methods, privileges. What is not here is not served."""

from __future__ import annotations

from collections.abc import Callable

from casemate.fleet.redfish import access, catalogue, chassis, logs, root, subscriptions, telemetry
from casemate.fleet.redfish.asked import (
    OPEN,
    Answer,
    Asked,
    Method,
    Redfish,
    Resource,
    Serve,
    reading,
)
from casemate.fleet.redfish.odata import ROOT, Row

_USERS = frozenset(("ConfigureUsers",))
_COMPONENTS = frozenset(("ConfigureComponents",))
_MANAGER = frozenset(("ConfigureManager",))
STREAM = f"{ROOT}/EventService/SSE"
"""Answered by `stream`: it does not end."""


def _of(path: str, kind: str, get: Serve, *, chooses: bool = False, **more: Method) -> Resource:
    methods = {"GET": Method(serve=get), **more}
    return Resource(path=f"{ROOT}{path}", kind=kind, methods=methods, chooses=chooses)


def _free(path: str, kind: str, make: Callable[[Redfish], Row]) -> Resource:
    def serve(redfish: Redfish, _asked: Asked) -> Answer:
        return Answer(row=make(redfish))

    return Resource(path=path, kind=kind, methods={"GET": Method(serve=serve, any_of=OPEN)})


def _log(base: str) -> tuple[Resource, ...]:
    """Return the log services below a path."""
    one = f"{base}/LogServices/{{log}}"
    return (
        _of(f"{base}/LogServices", "LogServiceCollection", reading(logs.index)),
        _of(one, "LogService", reading(logs.service)),
        _of(f"{one}/Entries", "LogEntryCollection", reading(logs.entries), chooses=True),
        _of(f"{one}/Entries/{{entry}}", "LogEntry", reading(logs.entry)),
    )


_BEGIN = Method(serve=access.session_begin, any_of=OPEN)
_ADD_ACCOUNT = Method(serve=access.account_add, any_of=_USERS)
_SUBSCRIBE = Method(serve=subscriptions.add, any_of=_COMPONENTS | _MANAGER)
_LEAK = "/Chassis/{chassis}/ThermalSubsystem/LeakDetection"
_DETECTORS = "/Chassis/{chassis}/LeakDetectors"
_CHASSIS = (
    _of("/Chassis", "ChassisCollection", reading(chassis.index), chooses=True),
    _of(
        "/Chassis/{chassis}", "Chassis", reading(chassis.one),
        PATCH=Method(serve=chassis.patch, any_of=_COMPONENTS),
    ),
    _of("/Chassis/{chassis}/Sensors", "SensorCollection", reading(chassis.sensors)),
    _of("/Chassis/{chassis}/Sensors/{sensor}", "Sensor", reading(chassis.sensor)),
    _of(
        "/Chassis/{chassis}/TrustedComponents", "TrustedComponentCollection",
        reading(chassis.components),
    ),
    _of(
        "/Chassis/{chassis}/TrustedComponents/{component}", "TrustedComponent",
        reading(chassis.component),
    ),
    _of("/Chassis/{chassis}/ThermalSubsystem", "ThermalSubsystem", reading(chassis.thermal)),
    _of(_LEAK, "LeakDetection", reading(chassis.leak_detection)),
    _of(_DETECTORS, "LeakDetectorCollection", reading(chassis.leak_detectors)),
    _of(f"{_DETECTORS}/{{detector}}", "LeakDetector", reading(chassis.leak_detector)),
    *_log("/Chassis/{chassis}"),
    _of(
        "/ComponentIntegrity", "ComponentIntegrityCollection", reading(root.integrity_index),
        chooses=True,
    ),
    _of("/ComponentIntegrity/{component}", "ComponentIntegrity", reading(root.integrity)),
)  # fmt: skip
_SERVICE = (
    _of("/Managers", "ManagerCollection", reading(root.managers)),
    _of("/Managers/{manager}", "Manager", reading(root.manager)),
    _of("/Managers/{manager}/NetworkProtocol", "ManagerNetworkProtocol", reading(root.protocol)),
    *_log("/Managers/{manager}"),
    _of("/Registries", "MessageRegistryFileCollection", catalogue.registries),
    _of("/Registries/{registry}", "MessageRegistryFile", catalogue.registry),
    _of("/JsonSchemas", "JsonSchemaFileCollection", catalogue.json_schemas),
    _of("/JsonSchemas/{schema}", "JsonSchemaFile", catalogue.json_schema),
    _of("/schema/{file}", "", catalogue.csdl),
)
_ACCESS = (
    _of("/AccountService", "AccountService", access.account_service),
    _of(
        "/AccountService/Accounts", "ManagerAccountCollection", reading(access.account_index),
        POST=_ADD_ACCOUNT,
    ),
    Resource(
        path=f"{ROOT}/AccountService/Accounts/{{account}}", kind="ManagerAccount",
        methods={
            "GET": Method(serve=reading(access.account), any_of=_USERS, own="account"),
            "PATCH": Method(serve=access.account_change, any_of=_USERS, own="account"),
            "DELETE": Method(serve=access.account_remove, any_of=_USERS),
        },
    ),
    _of("/AccountService/Roles", "RoleCollection", access.role_index),
    _of("/AccountService/Roles/{role}", "Role", access.role),
    _of("/SessionService", "SessionService", access.session_service),
    _of(
        "/SessionService/Sessions", "SessionCollection", reading(access.session_index), POST=_BEGIN
    ),
    Resource(
        path=f"{ROOT}/SessionService/Sessions/Members", kind="", methods={"POST": _BEGIN},
    ),
    _of(
        "/SessionService/Sessions/{session}", "Session", reading(access.session),
        DELETE=Method(serve=access.session_end),
    ),
)  # fmt: skip
_EVENTS = (
    _of("/EventService", "EventService", subscriptions.service),
    Resource(
        path=f"{ROOT}/EventService/Actions/EventService.SubmitTestEvent", kind="",
        methods={"POST": Method(serve=subscriptions.test_event, any_of=_COMPONENTS | _MANAGER)},
    ),
    _of(
        "/EventService/Subscriptions", "EventDestinationCollection", reading(subscriptions.index),
        POST=_SUBSCRIBE,
    ),
    _of(
        "/EventService/Subscriptions/{subscription}", "EventDestination",
        reading(subscriptions.one), DELETE=Method(serve=subscriptions.remove),
    ),
    _of("/TelemetryService", "TelemetryService", telemetry.service),
    _of(
        "/TelemetryService/MetricDefinitions", "MetricDefinitionCollection", telemetry.definitions
    ),
    _of("/TelemetryService/MetricDefinitions/{metric}", "MetricDefinition", telemetry.definition),
    _of(
        "/TelemetryService/MetricReportDefinitions", "MetricReportDefinitionCollection",
        reading(telemetry.report_definitions), chooses=True,
    ),
    _of(
        "/TelemetryService/MetricReportDefinitions/{report}", "MetricReportDefinition",
        reading(telemetry.report_definition),
    ),
    _of(
        "/TelemetryService/MetricReports", "MetricReportCollection", reading(telemetry.reports),
        chooses=True,
    ),
    _of("/TelemetryService/MetricReports/{report}", "MetricReport", reading(telemetry.report)),
    _of("/TelemetryService/Triggers", "TriggersCollection", telemetry.triggers),
    _of("/TelemetryService/Triggers/{trigger}", "Triggers", telemetry.trigger),
)  # fmt: skip
RESOURCES = (
    _free("/redfish", "", root.versions),
    _free(f"{ROOT}/", "ServiceRoot", root.service_root),
    _free(ROOT, "ServiceRoot", root.service_root),
    _free(f"{ROOT}/odata", "", root.document),
    Resource(
        path=f"{ROOT}/$metadata", kind="",
        methods={"GET": Method(serve=catalogue.metadata, any_of=OPEN)},
    ),
    *_ACCESS, *_CHASSIS, *_SERVICE, *_EVENTS,
)  # fmt: skip
