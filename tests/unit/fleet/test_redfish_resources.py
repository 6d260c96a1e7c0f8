"""Redfish resources: what they show in each state, pages of collections, schemas, caching."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from fleet_kit import Kit, enter, kit_in
from redfish_kit import ROLES, ROOT, RedfishKit, armed, opened, redfish_of, stand, tampered
from sqlalchemy import insert, select

from casemate.attest.reference import Module
from casemate.core.suites import ED25519
from casemate.fleet.redfish import messages, odata, oem_types, standing
from casemate.fleet.redfish.routes import RESOURCES
from casemate.fleet.store.schema import ENCLOSURES
from casemate.testing import honest_enclosure as honest
from truths import recorded

ADMIN, OPERATOR, READER = ROLES
MANY = 230
TOOL = Path(__file__).parents[2] / "redfish"


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A Redfish service without an enclosure."""
    return redfish_of(kit)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """A service with many enclosures of which no evidence came; nobody changes it."""
    with kit_in(tmp_path_factory.mktemp("many")) as kit:
        brought = enter(kit)
        with kit.service.store.write() as link:
            row = dict(link.execute(select(ENCLOSURES)).one()._mapping)
            for at in range(2, MANY + 1):
                more = {"id": at, "serial": f"S{at}", "origin": f"example.org/{at}"}
                link.execute(insert(ENCLOSURES).values(**{**row, **more}))
        assert brought.enclosure_id == 1
        yield redfish_of(kit)


def oem(made: RedfishKit, path: str) -> Any:
    """Return the OEM object of a resource, after its JSON schema has been held against it."""
    found = made.get(path, ADMIN)["Oem"]["Casemate"]
    name = found["@odata.type"].removeprefix("#").split(".")[0]
    schema = made.get(f"{ROOT}/JsonSchemas/{name}.v1_0_0.json")
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    return found


def test_a_collection_leads_through_all_of_its_pages(many: RedfishKit) -> None:
    for name in ("Chassis", "ComponentIntegrity", "TelemetryService/MetricReports"):
        path, found = f"{ROOT}/{name}", []
        for _ in range(10):
            page = many.get(path)
            assert page["Members@odata.count"] == MANY
            assert len(page["Members"]) <= odata.PAGE
            found += [each["@odata.id"] for each in page["Members"]]
            path = page.get("Members@odata.nextLink")
            if path is None:
                break
        assert found == [f"{ROOT}/{name}/{at}" for at in range(1, MANY + 1)]


@pytest.mark.parametrize(
    ("query", "status", "count"),
    (
        ("$top=5", 200, 5), ("$top=5&$skip=228", 200, 2), ("$skip=230", 200, 0), ("$top=0", 200, 0),
        ("$top=100000", 200, 100), ("$skip=999999999999", 200, 0), ("$skip=-1", 400, 0),
        ("$top=x", 400, 0), ("$skip=1e3", 400, 0), ("$skip=%D9%A1", 400, 0), ("$top=", 400, 0),
        ("$filter=x", 400, 0), ("$expand=*", 200, 100), ("other=1", 200, 100), ("only=1", 400, 0),
        ("$count=true", 501, 0), ("excerpt", 200, 100),
        ("only", 200, 100), ("&".join(f"a{at}=1" for at in range(30)), 400, 0),
    ),
)  # fmt: skip
def test_queries(many: RedfishKit, query: str, status: int, count: int) -> None:
    answer = many.client(READER).get(f"{ROOT}/Chassis?{query}")
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["Members"]) == count
        assert answer.json()["Members@odata.count"] == MANY


def test_only_leads_to_the_one_member(many: RedfishKit) -> None:
    row = many.get(f"{ROOT}/Managers?only")
    assert row["@odata.id"] == f"{ROOT}/Managers/fleet"
    own = many.get(f"{ROOT}/AccountService/Accounts?only")
    assert own["UserName"] == f"{READER}-one"
    assert many.client(READER).get(f"{ROOT}/Managers/fleet?only").status_code == 400


def test_oem_parts_hold_to_their_schema_in_each_state(made: RedfishKit) -> None:
    assert oem(made, f"{ROOT}/Managers/fleet")["Enclosures"] == 0
    story, digest = opened()
    stand(made, lambda: story)
    found = oem(made, f"{ROOT}/Chassis/1")
    assert found["Permit"] == {"InForce": True, "Digest": digest.hex()}
    assert found["Zones"] == [{"Name": "reader-loop", "Watched": True}]
    assert found["Interference"] == {"Verdict": "NORMAL", "Level": 0}
    assert found["Coverage"]["Channels"] == 8 and found["Coverage"]["ProvenSeconds"] > 0
    assert found["Evidence"]["Entries"] == len(story.entries)
    assert oem(made, f"{ROOT}/ComponentIntegrity/1")["VerificationStatus"] == "Success"
    made.kit.clock.now_s += 3600
    stale = oem(made, f"{ROOT}/Chassis/1")
    assert (stale["State"], stale["Stale"]) == ("UNKNOWN", True)
    assert stale["Coverage"]["Channels"] is None and stale["Interference"]["Verdict"] is None
    assert stale["Evidence"]["ProvenSince"] is None
    assert oem(made, f"{ROOT}/ComponentIntegrity/1")["VerificationStatus"] == "Failed"
    counts = oem(made, f"{ROOT}/Managers/fleet")
    assert (counts["Unknown"], counts["InMaintenance"]) == (1, 0)
    assert oem(made, f"{ROOT}/AccountService/Accounts/1")["Party"] == "hostland"


def test_a_schema_that_is_broken_is_noticed(made: RedfishKit) -> None:
    stand(made, armed)
    found = oem(made, f"{ROOT}/Chassis/1")
    schema = oem_types.json_schema(oem_types.FILES["CasemateChassis"])
    for change in ({"State": "NORMAL"}, {"More": 1}, {"Stale": None}, {"Zones": [{"Name": 1}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**found, **change}, schema)


def test_readings_are_null_once_nothing_fresh_says_them(made: RedfishKit) -> None:
    stand(made, armed)
    base = f"{ROOT}/Chassis/1/Sensors"
    assert made.get(f"{base}/HealthyChannels")["Reading"] == 100.0
    assert made.get(f"{base}/Information")["Reading"] == 9.0
    age = made.get(f"{base}/EvidenceAge")
    assert age["Reading"] == 5 and age["Status"]["Health"] == "OK"
    report = made.get(f"{ROOT}/TelemetryService/MetricReports/1")["MetricValues"]
    assert {each["MetricId"] for each in report} > {"State", "HealthyChannels"}
    made.kit.clock.now_s += 3600
    for name in ("HealthyChannels", "Information"):
        row = made.get(f"{base}/{name}")
        assert row["Reading"] is None and row["Status"]["Health"] == "Critical"
    age = made.get(f"{base}/EvidenceAge")
    limit = age["Thresholds"]["UpperCritical"]["Reading"]
    assert age["Reading"] > limit and age["Status"]["Health"] == "Critical"
    report = made.get(f"{ROOT}/TelemetryService/MetricReports/1")["MetricValues"]
    values = {each["MetricId"]: each["MetricValue"] for each in report}
    assert values["State"] == "UNKNOWN" and "HealthyChannels" not in values
    assert made.client(READER).get(f"{base}/None").status_code == 404


def test_leak_detection_stands_where_a_module_has_it(made: RedfishKit) -> None:
    known = honest.reference()
    leak = Module(name="leak-loop", key=honest.Key(ED25519, "leak").public)
    unit = replace(known.units[0], modules=(*known.units[0].modules, leak))
    stand(made, armed, reference=replace(known, units=(unit,)))
    row = made.get(f"{ROOT}/Chassis/1")
    (member,) = made.get(row["LeakDetectors"]["@odata.id"])["Members"]
    detector = made.get(member["@odata.id"])
    assert detector["DetectorState"] == "Unavailable"  # tokens carry no reading: never OK
    assert detector["Status"]["Health"] != "OK"
    assert made.get(f"{ROOT}/Chassis/1/ThermalSubsystem/LeakDetection")["LeakDetectorGroups"]
    assert made.client(READER).get(f"{ROOT}/Chassis/1/LeakDetectors/2").status_code == 404


def test_without_such_a_module_there_is_none(many: RedfishKit) -> None:
    row = many.get(f"{ROOT}/Chassis/1")
    assert "LeakDetectors" not in row and "ThermalSubsystem" not in row
    for path in ("ThermalSubsystem", "ThermalSubsystem/LeakDetection", "LeakDetectors"):
        assert many.client(READER).get(f"{ROOT}/Chassis/1/{path}").status_code == 404


def test_entries_of_one_enclosure_are_no_other_ones(made: RedfishKit) -> None:
    stand(made, tampered)
    path = f"{ROOT}/Chassis/1/LogServices/Security/Entries"
    rows = made.get(path)["Members"]
    assert rows and rows[0]["@odata.id"] == f"{path}/{rows[0]['Id']}"
    one = made.get(rows[0]["@odata.id"])
    assert one["Message"] == rows[0]["Message"]
    made.client(OPERATOR).post(f"{ROOT}/EventService/Actions/EventService.SubmitTestEvent", json={})
    number = made.get(f"{ROOT}/Managers/fleet/LogServices/Security/Entries")["Members"][0]["Id"]
    assert made.client(READER).get(f"{path}/{number}").status_code == 404
    assert made.client(ADMIN).delete(f"{path}/1").status_code == 405


def test_what_is_known_need_not_be_sent_again_but_only_to_who_may(many: RedfishKit) -> None:
    path = f"{ROOT}/Chassis/1"
    first = many.client(READER).get(path)
    tag = first.headers["etag"]
    assert first.json()["@odata.etag"] == tag
    again = many.client(READER).get(path, headers={"If-None-Match": f'"x", W/{tag}'})
    assert again.status_code == 304 and not again.content
    assert many.client().get(path, headers={"If-None-Match": tag}).status_code == 401
    head = many.client(READER).head(path)
    assert head.status_code == 200 and not head.content and head.headers["etag"]


def test_messages_that_are_sent_are_those_of_the_registry(made: RedfishKit) -> None:
    stand(made, tampered)
    registry = made.get(f"{ROOT}/Registries/Casemate.1.0.0.json")["Messages"]
    for each in made.get(f"{ROOT}/Chassis/1/LogServices/Security/Entries")["Members"]:
        prefix, major, minor, key = each["MessageId"].split(".")
        assert (prefix, major, minor) == ("Casemate", "1", "0")
        assert registry[key]["NumberOfArgs"] == len(each["MessageArgs"])
        assert registry[key]["MessageSeverity"] == each["Severity"]
        text = registry[key]["Message"]
        for at, arg in enumerate(each["MessageArgs"], 1):
            text = text.replace(f"%{at}", arg)
        assert text == each["Message"]
    for key, message in messages.OWN.items():
        assert message.text.count("%") == message.args, key


def test_the_sensor_is_normal_for_one_thing_alone() -> None:
    """Over all that an enclosure can be: state, worst of its open incident, what is latched."""
    bare = {
        "id": 1, "name": "n", "serial": "s", "kind": "camera", "site": "x", "stale": False,
        "now_s": 1, "since_s": None, "seen_s": None, "fresh_until_s": None, "entries": 0,
        "proven": 0, "acknowledged": True, "latched_s": 0, "entry": 0, "told": {},
    }  # fmt: skip
    normal = set()
    for state in standing.LIVE:
        for severity in ("", "note", "warning", "unknown", "alarm"):
            for latch in ("", standing.OPENED, standing.TAMPERING):
                now = standing.Standing(
                    **bare, state=state, severity=severity, latch=latch,
                    incident=None if not severity else 1,
                )  # fmt: skip
                if now.sensor == standing.NORMAL:
                    normal.add((state, severity == "alarm", latch))
                if now.health == "OK":
                    assert (state, latch) == ("ARMED", "") and severity in ("", "note")
                if state in ("UNKNOWN", "TAMPERED"):
                    assert now.health == "Critical"
    assert normal == {("ARMED", False, "")}


def test_types_are_those_of_the_schemas() -> None:
    folder = recorded("redfish_csdl") / "csdl"
    for kind, version in odata.VERSIONS.items():
        text = (folder / f"{kind}_v1.xml").read_text(encoding="utf-8")
        assert f'Namespace="{kind}.{version}"' in text
    kinds = {each.kind for each in RESOURCES} - {""}
    collections = {f"{each}Collection" for each in odata.COLLECTIONS}
    assert kinds <= set(odata.VERSIONS) | collections
    for name in collections:
        assert (folder / f"{name}_v1.xml").exists()


def test_csdl_and_metadata_name_what_is_there(many: RedfishKit) -> None:
    whole = many.client().get(f"{ROOT}/$metadata")
    assert whole.headers["content-type"] == "application/xml"
    named = [
        each.attrib["Uri"]
        for each in ET.fromstring(whole.content)
        if each.attrib.get("Uri", "").startswith("/")
    ]
    assert len(named) == len(oem_types.FILES)
    for path in named:
        answer = many.client(READER).get(path)
        spaces = [each.attrib["Namespace"] for each in ET.fromstring(answer.content).iter()
                  if each.tag.endswith("}Schema")]  # fmt: skip
        assert len(spaces) == 2 and spaces[1].endswith(".v1_0_0")


@pytest.mark.slow
def test_the_validators_of_dmtf_have_no_failure(tmp_path: Path) -> None:
    """As `make validate-redfish` does it."""
    data = recorded("redfish_csdl").parent
    done = subprocess.run(
        [sys.executable, str(TOOL), str(tmp_path / "page.md")], text=True, timeout=600,
        capture_output=True, check=False, env={**os.environ, "CASEMATE_DATA": str(data)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stdout.count(", 0 fail,") == 3


def test_the_page_of_the_format_names_all_of_it() -> None:
    page = (Path(__file__).parents[3] / "docs/formats/redfish.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    severities = {key.strip(" `"): value.strip() for key, value in rows}
    for key, message in messages.OWN.items():
        assert severities[key] == message.severity, key
    for file in oem_types.FILES.values():
        assert file.name in page
        for properties in file.types.values():
            assert all(f"`{each}`" in page for each in properties), file.name
