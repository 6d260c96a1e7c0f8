"""Our OEM types, written down once: CSDL and JSON Schema are both made from this table.

A property is named with its type: an Edm type, an enumeration, another type of the same file, or a
list of one. `?` after it: the value can be null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from casemate.fleet.redfish.odata import COLLECTIONS, ROOT, SCHEMAS, VERSIONS, Row

VERSION = "v1_0_0"
_EDMX, _EDM = "http://docs.oasis-open.org/odata/ns/edmx", "http://docs.oasis-open.org/odata/ns/edm"
_JSON = {"Edm.String": "string", "Edm.Int64": "integer", "Edm.Boolean": "boolean",
         "Edm.DateTimeOffset": "string"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """A property. type: an Edm type, or a name of this file. many: it is a list of them."""

    type: str
    text: str
    nullable: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The types of one file. oem: the one that stands in a resource's Oem; parts: others."""

    name: str
    oem: str
    text: str
    types: Mapping[str, Mapping[str, Property]]
    enums: Mapping[str, tuple[str, ...]]


def _p(type_: str, text: str) -> Property:
    bare = type_.rstrip("?")
    return Property(
        type=bare.strip("[]"), text=text, nullable=type_.endswith("?"), many=bare.startswith("[")
    )


_S, _I, _B, _T = "Edm.String", "Edm.Int64", "Edm.Boolean", "Edm.DateTimeOffset"
_STATES = ("ARMED", "COMMISSIONING", "MAINTENANCE", "RETIRED", "TAMPERED", "UNKNOWN")
_CHASSIS = File(
    name="CasemateChassis", oem="Chassis", text="What an enclosure proves of itself.",
    enums={
        "State": _STATES, "Verdict": ("NORMAL", "INTERFERENCE", "DENIED", "TAMPER"),
    },
    types={
        "Chassis": {
            "State": _p("State", "How it stands. UNKNOWN is an alarm."),
            "Stale": _p(_B, "It is UNKNOWN because what witnesses saw last is too old."),
            "Latched": _p(_B, "The intrusion sensor waits to be re-armed."),
            "LatchedTime": _p(_T + "?", "Since when it waits."),
            "OpenIncident": _p(_I + "?", "The incident that people have not disposed of."),
            "IncidentAcknowledged": _p(_B, "Somebody has seen that incident; it changes nothing."),
            "Zones": _p("[Zone]", "Places of the enclosure."),
            "Permit": _p("Permit", "The permit in use."),
            "Evidence": _p("Evidence", "What the state stands on."),
            "Coverage": _p("Coverage", "How much of its time is proven."),
            "Interference": _p("Interference", "What detection says now."),
        },
        "Zone": {
            "Name": _p(_S, "The name of the place."),
            "Watched": _p(_B + "?", "Whether it is watched; null if nobody can say."),
        },
        "Permit": {
            "InForce": _p(_B, "Work under a permit goes on."),
            "Digest": _p(_S + "?", "The digest of the permit that the last token names."),
        },
        "Evidence": {
            "Entries": _p(_I, "Entries of the enclosure's log that are here."),
            "WitnessedEntries": _p(_I, "Of these, seen by a quorum of witnesses."),
            "WitnessedTime": _p(_T + "?", "When a quorum saw the log last."),
            "FreshUntil": _p(_T + "?", "Until when the state holds without new evidence."),
            "ProvenSince": _p(_T + "?", "Since when the state is proven without a gap."),
            "ReferenceValues": _p(_S, "Reference values that it is appraised by."),
            "BundleURI": _p(_S, "Where people get the evidence, for `casemate verify`."),
            "VerdictURI": _p(_S, "Where people get the appraisal, with digests."),
        },
        "Coverage": {
            "ProvenSeconds": _p(_I, "Time that is proven."),
            "UnprovenSeconds": _p(_I, "Time that is not."),
            "UncoveredGaps": _p(_I, "Gaps that nothing covers."),
            "Channels": _p(_I + "?", "Channels; null while the state is not known."),
            "HealthyChannels": _p(_I + "?", "Channels without a fault."),
        },
        "Interference": {
            "Verdict": _p("Verdict?", "The verdict; null while the state is not known."),
            "Level": _p(_I + "?", "The level of response."),
        },
    },
)  # fmt: skip
_MANAGER = File(
    name="CasemateManager", oem="Manager", text="How many enclosures stand how.", enums={},
    types={"Manager": {
        each: _p(_I, text)
        for each, text in (
            ("Enclosures", "All."), ("Armed", "ARMED by fresh evidence."),
            ("InMaintenance", "Open under a permit."), ("Tampered", "TAMPERED."),
            ("Unknown", "UNKNOWN or stale."), ("Commissioning", "Not armed yet."),
            ("Retired", "Out of service."),
        )
    }},
)  # fmt: skip
_INTEGRITY = File(
    name="CasemateComponentIntegrity", oem="ComponentIntegrity", text="Result of an appraisal.",
    enums={"VerificationStatus": ("Success", "Failed")},
    types={"ComponentIntegrity": {
        "VerificationStatus": _p("VerificationStatus", "Success while the evidence proves it."),
        "EvidenceURI": _p(_S, "Where people get the evidence."),
        "VerdictURI": _p(_S, "Where people get the appraisal."),
    }},
)  # fmt: skip
_ACCOUNT = File(
    name="CasemateManagerAccount",
    oem="ManagerAccount",
    text="Whose an account is.",
    enums={},
    types={"ManagerAccount": {"Party": _p(_S, "The party on whose side it reads.")}},
)
FILES = {each.name: each for each in (_CHASSIS, _MANAGER, _INTEGRITY, _ACCOUNT)}
"""All files, by name."""


def csdl(file: File) -> bytes:
    """Return the CSDL of a file (OData CSDL 4.0, as DSP0266 uses it)."""
    ET.register_namespace("edmx", _EDMX)
    ET.register_namespace("", _EDM)
    root = ET.Element(f"{{{_EDMX}}}Edmx", {"Version": "4.0"})
    _reference(root, f"{SCHEMAS}/Resource_v1.xml", {"Resource": ""})
    _reference(root, f"{SCHEMAS}/RedfishExtensions_v1.xml", {"RedfishExtensions.v1_0_0": "Redfish"})
    vocabulary = "http://docs.oasis-open.org/odata/odata/v4.0/errata03/csd01/complete/vocabularies"
    _reference(root, f"{vocabulary}/Org.OData.Core.V1.xml", {"Org.OData.Core.V1": "OData"})
    services = ET.SubElement(root, f"{{{_EDMX}}}DataServices")
    bare = _schema(services, file.name)
    _complex(bare, file.oem, "Resource.OemObject", file.text, {"Abstract": "true"})
    full = _schema(services, f"{file.name}.{VERSION}")
    for name, properties in file.types.items():
        base = f"{file.name}.{file.oem}" if name == file.oem else ""
        made = _complex(full, name, base, file.text if name == file.oem else name, {})
        for key, each in properties.items():
            _property(made, file, key, each)
    for name, members in file.enums.items():
        enum = ET.SubElement(full, f"{{{_EDM}}}EnumType", {"Name": name})
        for member in members:
            ET.SubElement(enum, f"{{{_EDM}}}Member", {"Name": member})
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _reference(root: ET.Element, uri: str, included: Mapping[str, str]) -> None:
    made = ET.SubElement(root, f"{{{_EDMX}}}Reference", {"Uri": uri})
    for name, alias in included.items():
        more = {"Alias": alias} if alias else {}
        ET.SubElement(made, f"{{{_EDMX}}}Include", {"Namespace": name, **more})


def _schema(services: ET.Element, name: str) -> ET.Element:
    made = ET.SubElement(services, f"{{{_EDM}}}Schema", {"Namespace": name})
    _note(made, "Redfish.OwningEntity", "Casemate")
    return made


def _complex(
    schema: ET.Element, name: str, base: str, text: str, more: Mapping[str, str]
) -> ET.Element:  # fmt: skip
    given = {"Name": name, **({"BaseType": base} if base else {}), **more}
    made = ET.SubElement(schema, f"{{{_EDM}}}ComplexType", given)
    ET.SubElement(
        made, f"{{{_EDM}}}Annotation", {"Term": "OData.AdditionalProperties", "Bool": "false"}
    )
    _note(made, "OData.Description", text)
    _note(made, "OData.LongDescription", text)
    return made


def _property(made: ET.Element, file: File, key: str, each: Property) -> None:
    kind = each.type if each.type.startswith("Edm.") else f"{file.name}.{VERSION}.{each.type}"
    given = {"Name": key, "Type": f"Collection({kind})" if each.many else kind}
    if not each.nullable:
        given["Nullable"] = "false"
    prop = ET.SubElement(made, f"{{{_EDM}}}Property", given)
    ET.SubElement(
        prop, f"{{{_EDM}}}Annotation",
        {"Term": "OData.Permissions", "EnumMember": "OData.Permission/Read"},
    )  # fmt: skip
    _note(prop, "OData.Description", each.text)
    _note(prop, "OData.LongDescription", each.text)


def _note(element: ET.Element, term: str, text: str) -> None:
    ET.SubElement(element, f"{{{_EDM}}}Annotation", {"Term": term, "String": text})


def metadata() -> bytes:
    """Return the OData metadata document: references to all schemas in use."""
    ET.register_namespace("edmx", _EDMX)
    ET.register_namespace("", _EDM)
    root = ET.Element(f"{{{_EDMX}}}Edmx", {"Version": "4.0"})
    for kind, version in VERSIONS.items():
        names = {kind: "", f"{kind}.{version}": ""}
        _reference(root, f"{SCHEMAS}/{kind}_v1.xml", names)
    for kind in sorted(COLLECTIONS):
        _reference(root, f"{SCHEMAS}/{kind}Collection_v1.xml", {f"{kind}Collection": ""})
    for kind in ("Resource", "Redundancy"):
        _reference(root, f"{SCHEMAS}/{kind}_v1.xml", {kind: ""})
    _reference(root, f"{SCHEMAS}/RedfishExtensions_v1.xml", {"RedfishExtensions.v1_0_0": "Redfish"})
    for name in FILES:
        uri = f"{ROOT}/schema/{name}_v1.xml"
        _reference(root, uri, {name: "", f"{name}.{VERSION}": ""})
    services = ET.SubElement(root, f"{{{_EDMX}}}DataServices")
    schema = ET.SubElement(services, f"{{{_EDM}}}Schema", {"Namespace": "Service"})
    extends = f"ServiceRoot.{VERSIONS['ServiceRoot']}.ServiceContainer"
    ET.SubElement(
        schema, f"{{{_EDM}}}EntityContainer", {"Name": "Service", "Extends": extends}
    )  # fmt: skip
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def json_schema(file: File) -> Row:
    """Return the JSON Schema of a file (draft 07, as Redfish uses it)."""
    defined: dict[str, Row] = {}
    for name, properties in file.types.items():
        shown = {key: _json_property(each) for key, each in properties.items()}
        if name == file.oem:
            type_ = f"#{file.name}.{VERSION}.{file.oem}"
            shown["@odata.type"] = {"type": "string", "const": type_}
        defined[name] = {
            "type": "object", "properties": shown, "additionalProperties": False,
            "required": sorted(shown),
        }  # fmt: skip
    for name, members in file.enums.items():
        defined[name] = {"type": "string", "enum": list(members)}
    return {
        "$id": f"{ROOT}/JsonSchemas/{file.name}.{VERSION}.json",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": f"#/definitions/{file.oem}", "definitions": defined, "title":
        f"#{file.name}.{VERSION}.{file.oem}", "description": file.text,
        "owningEntity": "Casemate",
    }  # fmt: skip


def _json_property(each: Property) -> Row:
    if each.type.startswith("Edm."):
        row: Row = {"type": _JSON[each.type]}
        if each.type == "Edm.DateTimeOffset":
            row["format"] = "date-time"
    else:
        row = {"$ref": f"#/definitions/{each.type}"}
    if each.nullable:
        row = {"anyOf": [row, {"type": "null"}]}
    if each.many:
        row = {"type": "array", "items": row}
    return {**row, "description": each.text, "readonly": True} if "$ref" not in row else row
