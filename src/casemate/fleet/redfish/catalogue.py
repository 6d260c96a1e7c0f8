"""What describes the rest: message registries, schemas, metadata."""

from __future__ import annotations

from functools import cache

from casemate.fleet.redfish import messages, odata, oem_types
from casemate.fleet.redfish.asked import Answer, Asked, Redfish
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.redfish.odata import ROOT, SCHEMAS, Row

REGISTRIES, JSON_SCHEMAS = f"{ROOT}/Registries", f"{ROOT}/JsonSchemas"
_OWN = f"{messages.PREFIX}.{messages.VERSION}"
_BASE = "Base.1.18.1"
_FILE = f"{_OWN}.json"


def registries(redfish: Redfish, asked: Asked) -> Answer:
    """Return the registries that messages here are of."""
    names = [_OWN, _BASE]
    return Answer(row=asked.page_of("MessageRegistryFile", REGISTRIES, "Registries", names))


def registry(redfish: Redfish, asked: Asked) -> Answer:
    """Return where a registry is; of our own, under its file's name, the registry itself."""
    name = asked.path["registry"]
    if name == _FILE:
        return Answer(raw=odata.encoded(messages.registry()))
    if name not in (_OWN, _BASE):
        raise RedfishError("ResourceNotFound")
    place: Row = {"Language": "en"}
    if name == _OWN:
        place["Uri"] = f"{REGISTRIES}/{_FILE}"
    else:
        place["PublicationUri"] = f"http://redfish.dmtf.org/registries/{_BASE}.json"
    row = odata.resource(
        "MessageRegistryFile", f"{REGISTRIES}/{name}", name, f"Registry {name}",
        Languages=["en"], Registry=".".join(name.split(".")[:3]), Location=[place],
    )  # fmt: skip
    return Answer(row=row)


@cache
def _json_names() -> dict[str, str]:
    """Return ids of schema files, with where each is."""
    found = {
        f"{kind}.{version}": f"{SCHEMAS}/{kind}.{version}.json"
        for kind, version in odata.VERSIONS.items()
    }
    ours = {f"{each}.{oem_types.VERSION}": "" for each in oem_types.FILES}
    return found | ours


def json_schemas(redfish: Redfish, asked: Asked) -> Answer:
    """Return the files of JSON Schema that resources here are of."""
    names = sorted(_json_names())
    return Answer(row=asked.page_of("JsonSchemaFile", JSON_SCHEMAS, "JSON schemas", names))


def json_schema(redfish: Redfish, asked: Asked) -> Answer:
    """Return where a schema is; of our own, under its file's name, the schema itself."""
    name = asked.path["schema"]
    bare = name.removesuffix(".json")
    file = oem_types.FILES.get(bare.split(".")[0])
    if bare not in _json_names() or (name != bare and file is None):
        raise RedfishError("ResourceNotFound")
    if file is not None and name != bare:
        return Answer(raw=odata.encoded(oem_types.json_schema(file)))
    place: Row = {"Language": "en"}
    if file is not None:
        place["Uri"] = f"{JSON_SCHEMAS}/{bare}.json"
        schema = f"#{file.name}.{oem_types.VERSION}.{file.oem}"
    else:
        place["PublicationUri"] = _json_names()[bare]
        schema = f"#{bare}.{bare.split('.')[0]}"
    row = odata.resource(
        "JsonSchemaFile", f"{JSON_SCHEMAS}/{bare}", bare, f"Schema {bare}", Languages=["en"],
        Schema=schema, Location=[place],
    )  # fmt: skip
    return Answer(row=row)


def csdl(redfish: Redfish, asked: Asked) -> Answer:
    """Return the CSDL of an OEM part."""
    file = oem_types.FILES.get(asked.path["file"].removesuffix("_v1.xml"))
    if file is None or asked.path["file"] != f"{file.name}_v1.xml":
        raise RedfishError("ResourceNotFound")
    return Answer(raw=oem_types.csdl(file), kind="application/xml")


def metadata(redfish: Redfish, asked: Asked) -> Answer:
    """Return the OData metadata document."""
    return Answer(raw=oem_types.metadata(), kind="application/xml")
