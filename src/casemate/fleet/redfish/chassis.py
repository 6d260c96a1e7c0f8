"""Chassis: an enclosure each, with its sensors, its trusted component and its leak detection."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.redfish import choices, looked, odata, oem, rearm, standing
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, Row
from casemate.fleet.redfish.standing import NORMAL, Said, Standing

_TYPES = {"nvl72": "Rack", "camera": "Enclosure", "dpa": "Module"}
"""Chassis types by kind of enclosure; any other is an Enclosure."""
SENSORS = ("EvidenceAge", "HealthyChannels", "Information", "WitnessedEntries")
LEAK = "leak"
"""A module of this name, or with it before a hyphen, watches for leaks."""
COMPONENT = "Controller"


def path_of(number: object) -> str:
    """Return the path of an enclosure's chassis."""
    return f"{ROOT}/Chassis/{number}"


def index(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a page of all chassis."""
    path = f"{ROOT}/Chassis"
    return choices.of_enclosures(link, redfish, asked, "Chassis", path, choices.CHASSIS, _brief)


def one(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a chassis."""
    now = looked.standing_of(link, redfish, asked, asked.number("chassis"))
    known = looked.enclosure_of(link, asked, now.id)
    return _whole(now, known, looked.said_of(link, asked, now.id))


def shown(link: Connection, now: Standing) -> Row:
    """Return the chassis of an enclosure that stands so."""
    return _whole(now, evidence.enclosure(link, now.id), standing.said(link, now.id))


def _brief(now: Standing) -> Row:
    """Return what is shown of a chassis by how its enclosure stands alone."""
    return {
        "Id": str(now.id), "Name": f"Enclosure {now.name}, serial {now.serial}",
        "ChassisType": _TYPES.get(now.kind, "Enclosure"), "SerialNumber": now.serial,
        "Model": now.kind, "Location": {"Placement": {"Row": now.site}},
        "Status": odata.status(now.status_state, now.health),
        "PhysicalSecurity": {
            "IntrusionSensor": now.sensor, "IntrusionSensorReArm": "Manual",
        },
        "Oem": {"Casemate": oem.brief(now)},
    }  # fmt: skip


def _whole(now: Standing, known: Enclosure, said: Said) -> Row:
    brief, path = _brief(now), path_of(now.id)
    names = ("ChassisType", "SerialNumber", "Model", "Location", "Status", "PhysicalSecurity")
    return odata.resource(
        "Chassis", path, brief["Id"], brief["Name"], **{each: brief[each] for each in names},
        Sensors=odata.link(f"{path}/Sensors"),
        TrustedComponents=odata.link(f"{path}/TrustedComponents"),
        LogServices=odata.link(f"{path}/LogServices"),
        ThermalSubsystem=odata.link(f"{path}/ThermalSubsystem") if leaks(known) else ...,
        LeakDetectors=odata.link(f"{path}/LeakDetectors") if leaks(known) else ...,
        Links={"ManagedBy": [odata.link(f"{ROOT}/Managers/fleet")]},
        Oem={"Casemate": oem.chassis(now, known, said)},
    )  # fmt: skip


def patch(redfish: Redfish, asked: Asked) -> Answer:
    """Re-arm the intrusion sensor, if a signed re-seal stands in the evidence."""
    number = asked.number("chassis")
    with redfish.store.write() as link:
        now = standing.read(link, number, redfish.now_s())
        asked.must_match(shown(link, now))
        if rearm.asked_value(asked.object()) != NORMAL:
            about = "#/PhysicalSecurity/IntrusionSensor"
            raise RedfishError("PropertyValueError", "IntrusionSensor", about=(about,))
        after = rearm.rearm(link, number, asked.who.name, redfish.now_s())
        return Answer(row=shown(link, after), told="re-armed" if now.latch else "nothing to re-arm")


def sensors(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the sensors of a chassis."""
    number = looked.standing_of(link, redfish, asked, asked.number("chassis")).id
    base = f"{path_of(number)}/Sensors"
    return asked.page_of("Sensor", base, "Sensors", SENSORS)


def sensor(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a sensor; RedfishError if there is none of that name."""
    number, name = asked.number("chassis"), asked.path["sensor"]
    if name not in SENSORS:
        raise RedfishError("ResourceNotFound")
    now = looked.standing_of(link, redfish, asked, number)
    known = looked.enclosure_of(link, asked, number)
    value, more = readings(now, known, looked.said_of(link, asked, number))[name]
    state = "Enabled" if value is not None else "UnavailableOffline"
    health = _health(value, more.get("Thresholds", {})) if value is not None else "Critical"
    return odata.resource(
        "Sensor", f"{path_of(number)}/Sensors/{name}", name, more.pop("Name"),
        Reading=value, ReadingTime=odata.when(now.now_s), Implementation="Synthesized",
        PhysicalContext="Chassis", Status={"State": state, "Health": health}, **more,
    )  # fmt: skip


def readings(now: Standing, known: Enclosure, said: Said) -> dict[str, tuple[float | None, Row]]:
    """Return readings by sensor, with their units. None where nothing fresh says it.

    What the last token tells of health and information is shown only while the state is known.
    """
    timing = known.reference.timing
    allowed_s = timing.batch_s + timing.cosigned_s
    age = None if now.seen_s is None else max(now.now_s - now.seen_s, 0)
    is_known = now.state in ("ARMED", "MAINTENANCE")
    health, verdict = (said.health, said.verdict) if is_known else (None, None)
    share = 100.0 * health.healthy / health.channels if health and health.channels else None
    nats = verdict.information_millinats / 1000 if verdict else None
    witnessed = 100.0 * now.proven / now.entries if now.entries else None
    percent: Row = {"ReadingType": "Percent", "ReadingUnits": "%",
                    "ReadingRangeMin": 0, "ReadingRangeMax": 100}  # fmt: skip
    return {
        "EvidenceAge": (age, {
            "Name": "Age of what witnesses saw last", "ReadingUnits": "s",
            "Thresholds": {"UpperCritical": {"Reading": allowed_s, "Activation": "Increasing"}},
        }),
        "HealthyChannels": (_rounded(share), {"Name": "Channels without a fault", **percent}),
        "Information": (_rounded(nats), {
            "Name": "What an attack could show within the time of reaction, nat",
            "ReadingUnits": "1",
        }),
        "WitnessedEntries": (_rounded(witnessed), {"Name": "Entries of the log seen by a quorum",
                                                   **percent}),
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _health(value: float, thresholds: dict[str, Any]) -> str:
    most = thresholds.get("UpperCritical", {}).get("Reading")
    return "Critical" if most is not None and value > most else "OK"


def components(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the trusted components of a chassis: its controller."""
    number = looked.standing_of(link, redfish, asked, asked.number("chassis")).id
    base = f"{path_of(number)}/TrustedComponents"
    return asked.page_of("TrustedComponent", base, "Trusted components", [COMPONENT])


def component(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the controller, whose keys sign the evidence."""
    number = asked.number("chassis")
    if asked.path["component"] != COMPONENT:
        raise RedfishError("ResourceNotFound")
    now = looked.standing_of(link, redfish, asked, number)
    token = looked.said_of(link, asked, number).last
    return odata.resource(
        "TrustedComponent", f"{path_of(number)}/TrustedComponents/{COMPONENT}", COMPONENT,
        "Controller that signs evidence", TrustedComponentType="Integrated",
        SerialNumber=now.serial, Status=odata.status(now.status_state, now.health),
        FirmwareVersion=token.software.hex() if token is not None and token.software else ...,
        Links={
            "ComponentsProtected": [odata.link(path_of(number))],
            "IntegratedInto": odata.link(path_of(number)),
            "ComponentIntegrity": [odata.link(f"{ROOT}/ComponentIntegrity/{number}")],
        },
    )  # fmt: skip


def leaks(known: Enclosure) -> tuple[str, ...]:
    """Return the modules of an enclosure that watch for leaks."""
    names = (each.name for each in known.reference.unit(known.serial).modules)
    return tuple(each for each in names if each.split("-")[0] == LEAK)


def _with_leaks(link: Connection, redfish: Redfish, asked: Asked) -> tuple[Standing, list[str]]:
    now = looked.standing_of(link, redfish, asked, asked.number("chassis"))
    found = leaks(looked.enclosure_of(link, asked, now.id))
    if not found:
        raise RedfishError("ResourceNotFound")
    return now, [f"{at}" for at in range(1, len(found) + 1)]


def thermal(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return what leads to leak detection, where a module has it."""
    now, _ = _with_leaks(link, redfish, asked)
    path = f"{path_of(now.id)}/ThermalSubsystem"
    return odata.resource(
        "ThermalSubsystem", path, "ThermalSubsystem", "What watches the coolant",
        Status=odata.status(now.status_state, now.health),
        LeakDetection=odata.link(f"{path}/LeakDetection"),
    )  # fmt: skip


def leak_detection(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return leak detection: one group of all detectors."""
    now, found = _with_leaks(link, redfish, asked)
    state = odata.status("UnavailableOffline", "Warning")
    group = {
        "GroupName": "Coolant", "Status": state, "Detectors": [
            {"DataSourceUri": f"{path_of(now.id)}/LeakDetectors/{each}",
             "DetectorState": "Unavailable"}
            for each in found
        ],
    }  # fmt: skip
    return odata.resource(
        "LeakDetection", f"{path_of(now.id)}/ThermalSubsystem/LeakDetection", "LeakDetection",
        "Leak detection", Status=state, LeakDetectorGroups=[group],
    )  # fmt: skip


def leak_detectors(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return the leak detectors of a chassis."""
    now, found = _with_leaks(link, redfish, asked)
    base = f"{path_of(now.id)}/LeakDetectors"
    return asked.page_of("LeakDetector", base, "Leak detectors", found)


def leak_detector(link: Connection, redfish: Redfish, asked: Asked) -> Row:
    """Return a leak detector. Tokens carry no reading of it, so it says that none is available."""
    now, found = _with_leaks(link, redfish, asked)
    name = asked.path["detector"]
    if name not in found:
        raise RedfishError("ResourceNotFound")
    return odata.resource(
        "LeakDetector", f"{path_of(now.id)}/LeakDetectors/{name}", name, f"Leak detector {name}",
        LeakDetectorType="Moisture", DetectorState="Unavailable", PhysicalContext="LiquidInlet",
        Status=odata.status("UnavailableOffline", "Warning"),
    )  # fmt: skip
