"""Query parameters of Redfish: what is shown in place of links, what is left out, who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fleet_kit import Kit, kit_in
from hypothesis import given, settings
from hypothesis import strategies as st
from redfish_kit import (
    ROLES,
    ROOT,
    RedfishKit,
    armed,
    redfish_of,
    stand,
    stand_beside,
    tampered,
    unknown,
)

from casemate.attest.reference import Module
from casemate.core.suites import ED25519
from casemate.testing import honest_enclosure as honest

ADMIN, OPERATOR, READER = ROLES
ALWAYS = ("@odata.id", "@odata.type", "@odata.etag")
OF_COLLECTIONS = (*ALWAYS, "Members", "Members@odata.count", "Members@odata.nextLink")


class Crawled:
    """A service that nobody changes, and what each GET of each role is answered."""

    def __init__(self, made: RedfishKit) -> None:
        self.made, self.held = made, {}  # type: ignore[var-annotated]
        self.clients = {role: made.client(role) for role in (ADMIN, READER, "")}
        self.paths = self._walk()

    def get(self, path: str, role: str) -> tuple[int, Any]:
        """Return the status and the body of a GET, asked once."""
        if (path, role) not in self.held:
            answer = self.clients[role].get(path)
            is_json = answer.headers["content-type"] == "application/json"
            self.held[path, role] = (answer.status_code, answer.json() if is_json else None)
        return self.held[path, role]

    def _walk(self) -> list[str]:
        found, todo = [], [f"{ROOT}/"]
        while todo:
            path = todo.pop()
            if path not in found:
                found.append(path)
                todo += links_in(self.get(path, ADMIN)[1])
        return sorted(found)


def links_in(value: Any) -> list[str]:
    """Return all references in a body."""
    if isinstance(value, list):
        return [each for item in value for each in links_in(item)]
    if not isinstance(value, dict):
        return []
    if set(value) == {"@odata.id"}:
        return [value["@odata.id"]]
    return [each for item in value.values() for each in links_in(item)]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    """Three enclosures: armed with a leak detector, tampered with, unknown."""
    with kit_in(tmp_path_factory.mktemp("queries")) as kit:
        made = redfish_of(kit)
        known = honest.reference()
        leak = Module(name="leak-loop", key=honest.Key(ED25519, "leak").public)
        unit = replace(known.units[0], modules=(*known.units[0].modules, leak))
        stand(made, armed, reference=replace(known, units=(unit,)))
        stand_beside(made, 2, tampered)
        stand_beside(made, 3, unknown)
        yield Crawled(made)


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A service of one's own."""
    return redfish_of(kit)


def by_hand(crawled: Crawled, body: Any, role: str, how: str, levels: int, inside: bool) -> Any:
    """Put GETs in place of links: what `$expand` is to be, written down a second time."""
    if isinstance(body, list):
        return [by_hand(crawled, each, role, how, levels, inside) for each in body]
    if not isinstance(body, dict):
        return body
    if set(body) != {"@odata.id"}:
        return {
            name: by_hand(crawled, each, role, how, levels, inside or name == "Links")
            for name, each in body.items()
        }
    if levels == 0 or how == ("." if inside else "~"):
        return body
    status, found = crawled.get(body["@odata.id"], role)
    if status != 200:
        return {**body, "@Message.ExtendedInfo": found["error"]["@Message.ExtendedInfo"]}
    return body if found is None else by_hand(crawled, found, role, how, levels - 1, False)


@given(data=st.data(), how=st.sampled_from(".~*"), levels=st.integers(1, 4),
       role=st.sampled_from((ADMIN, READER, "")))  # fmt: skip
@settings(max_examples=20, deadline=None)
def test_an_expansion_is_gets_put_in_place(
    crawled: Crawled, data: st.DataObject, how: str, levels: int, role: str
) -> None:
    path = data.draw(st.sampled_from(crawled.paths))
    plain_status, plain = crawled.get(path, role)
    shown = f"{how}($levels={levels})" if levels > 1 or data.draw(st.booleans()) else how
    answer = crawled.clients[role].get(f"{path}?$expand={shown}")
    if plain_status != 200:
        assert answer.status_code == plain_status
        return
    assert answer.status_code == 200
    assert answer.json() == by_hand(crawled, plain, role, how, levels, False)


def paths_in(value: Any, within: str = "") -> list[str]:
    """Return paths of all properties of a body; lists are passed through."""
    if isinstance(value, list):
        return [each for item in value for each in paths_in(item, within)]
    if not isinstance(value, dict):
        return []
    own = [f"{within}{name}" for name in value if "@" not in name]
    return own + [each for name, item in value.items() if "@" not in name
                  for each in paths_in(item, f"{within}{name}/")]  # fmt: skip


def left(body: Any, paths: list[str]) -> Any:
    """Return what is left of a body where paths were selected, written down a second time."""
    if isinstance(body, list):
        kept = [left(each, paths) for each in body]
        return [each for each in kept if each is not None] or None
    if not isinstance(body, dict):
        return None
    out = {}
    is_collection = "Members" in body and "@odata.type" in body
    for name, value in body.items():
        if name in (OF_COLLECTIONS if is_collection else ALWAYS) or name in paths:
            out[name] = value
        else:
            rest = [x.removeprefix(f"{name}/") for x in paths if x.startswith(f"{name}/")]
            found = left(value, rest) if rest else None
            if found is not None:
                out[name] = found
    return out or None


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_what_is_selected_is_all_that_is_left(crawled: Crawled, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(crawled.paths))
    _, plain = crawled.get(path, ADMIN)
    if plain is None or "@odata.type" not in plain or "Members" in plain:
        return
    chosen = data.draw(st.lists(st.sampled_from(paths_in(plain)), min_size=1, max_size=4))
    answer = crawled.clients[ADMIN].get(f"{path}?$select={','.join(chosen)},NoSuchThing/At/All")
    assert answer.status_code == 200
    assert answer.json() == left(plain, chosen)
    assert answer.headers["etag"] == plain["@odata.etag"]


def test_of_members_that_are_expanded_what_was_selected_is_left(crawled: Crawled) -> None:
    row = crawled.made.get(f"{ROOT}/Chassis?$select=Status/Health&$expand=.")
    assert set(row) == {*OF_COLLECTIONS} - {"Members@odata.nextLink"}
    assert row["Members"] and row["Members@odata.count"] == 3
    for each in row["Members"]:
        assert set(each) == {*ALWAYS, "Status"} and set(each["Status"]) == {"Health"}
        whole = crawled.made.get(each["@odata.id"])
        assert all(each[name] == whole[name] for name in ALWAYS)
    deep = "$select=Sensors/Members/Reading&$expand=.($levels=2)"
    one = crawled.made.get(f"{ROOT}/Chassis/1?{deep}")
    readings = {
        each["@odata.id"].split("/")[-1]: each["Reading"] for each in one["Sensors"]["Members"]
    }
    assert readings["HealthyChannels"] == 100.0 and "Status" not in one


def test_nobody_sees_by_an_expansion_what_a_get_refuses(crawled: Crawled) -> None:
    """All that an account is shown by the widest query is what GETs of it show it."""
    for role in (READER, ""):
        answer = crawled.clients[role].get(f"{ROOT}/?$expand=.($levels=6)")
        seen = answer.text
        assert answer.status_code == 200
        assert (f'"UserName":"{ADMIN}-one"' in seen) is False
        assert (f'"UserName":"{READER}-one"' in seen) is (role == READER)
        for path in links_in(answer.json()):
            status, _ = crawled.get(path, role)
            assert status in (200, 401), path  # nothing is named that is kept from this account
    assert '"SerialNumber"' not in crawled.clients[""].get(f"{ROOT}/?$expand=*($levels=6)").text
    token = {"X-Auth-Token": "0" * 64}
    assert crawled.made.client(**token).get(f"{ROOT}/?$expand=.").status_code == 401


@pytest.mark.parametrize(
    ("path", "query", "status", "key"),
    (
        ("/Chassis", "$expand=", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$expand=.($levels=x)", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$expand=Members", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$expand=.($levels=0)", 400, "QueryParameterOutOfRange"),
        ("/Chassis", "$expand=.($levels=7)", 400, "QueryParameterOutOfRange"),
        ("/Chassis", "$expand=.&$expand=*", 400, "QueryCombinationInvalid"),
        ("/Chassis", "$select=", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$select=Status//State", 400, "QueryParameterValueFormatError"),
        ("/Chassis", f"$select={'Id,' * 60}Id", 400, "QueryParameterValueFormatError"),
        ("/Chassis", f"$select={'I' * 1001}", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$top=-1", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "only&$expand=.", 400, "QueryCombinationInvalid"),
        ("/Chassis", "only=true", 400, "QueryParameterValueFormatError"),
        ("/Chassis", "$foo", 501, "QueryNotSupported"),
        ("/Chassis", "%24foo=1", 501, "QueryNotSupported"),
        ("/Chassis", "foo=1", 200, ""), ("/Chassis", "excerpt", 200, ""),
        ("/Chassis", "%24expand=%2E", 200, ""),
        ("/Chassis/1", "$filter=Id%20eq%20'1'", 400, "QueryNotSupportedOnResource"),
        ("/Chassis/1", "$skip=0", 400, "QueryNotSupportedOnResource"),
        ("/Chassis/1", "only", 400, "QueryNotSupportedOnResource"),
        ("/odata", "$select=value", 400, "QueryNotSupportedOnResource"),
        ("/$metadata", "$expand=.", 400, "QueryNotSupportedOnResource"),
        ("/EventService/SSE", "$filter=x", 400, "QueryNotSupportedOnResource"),
        ("/Registries/Casemate.1.0.0.json", "$select=Id", 400, "QueryNotSupportedOnResource"),
    ),
)  # fmt: skip
def test_what_cannot_be_asked(
    crawled: Crawled, path: str, query: str, status: int, key: str
) -> None:
    accept = {"Accept": "text/event-stream"} if path.endswith("SSE") else {}
    answer = crawled.clients[READER].get(f"{ROOT}{path}?{query}", headers=accept)
    assert answer.status_code == status, answer.text
    if key:
        info = answer.json()["error"]["@Message.ExtendedInfo"]
        assert info[0]["MessageId"] == f"Base.1.18.{key}"
        counts = {"QueryParameterValueFormatError": 2, "QueryParameterOutOfRange": 3}
        assert len(info[0]["MessageArgs"]) == counts.get(key, 0)
        if status == 501:
            assert "$foo" in info[1]["Message"]


def test_queries_are_of_reads_alone(crawled: Crawled) -> None:
    for query in ("$expand=.", "$select=Id", "only", "$top=1"):
        answer = crawled.clients[ADMIN].patch(
            f"{ROOT}/Chassis/1?{query}", json={"PhysicalSecurity": {"IntrusionSensor": "Normal"}}
        )
        assert answer.status_code == 400
        assert answer.json()["error"]["code"].endswith(".QueryNotSupportedOnOperation")


def test_the_root_says_what_is_there(crawled: Crawled) -> None:
    said = crawled.get(f"{ROOT}/", "")[1]["ProtocolFeaturesSupported"]
    client = crawled.clients[READER]
    for name, how in (("ExpandAll", "*"), ("NoLinks", "."), ("Links", "~")):
        assert said["ExpandQuery"][name] is True
        assert client.get(f"{ROOT}/Chassis/1?$expand={how}").status_code == 200
    most = said["ExpandQuery"]["MaxLevels"]
    for levels, status in ((most, 200), (most + 1, 400)):
        path = f"{ROOT}/Roles?$expand=.($levels={levels})".replace("Roles", "AccountService/Roles")
        assert client.get(path).status_code == status
    assert said["ExcerptQuery"] is said["IncludeOriginOfConditionQuery"] is False
    for name in ("FilterQuery", "FilterQueryComparisonOperations", "FilterQueryCompoundOperations",
                 "OnlyMemberQuery", "SelectQuery", "TopSkipQuery"):  # fmt: skip
        assert said[name] is True
    assert set(said) == {
        "ExcerptQuery", "IncludeOriginOfConditionQuery", "ExpandQuery", "FilterQuery",
        "FilterQueryComparisonOperations", "FilterQueryCompoundOperations", "OnlyMemberQuery",
        "SelectQuery", "TopSkipQuery",
    }  # fmt: skip


def test_of_every_collection_a_part_can_be_asked_for(crawled: Crawled) -> None:
    """By $skip and $top, and with $filter too; a page that the client made leads nowhere."""
    seen = 0
    for path in crawled.paths:
        _, row = crawled.get(path, ADMIN)
        if row is None or "Members" not in row:
            continue
        seen += 1
        ids = [each["@odata.id"] for each in row["Members"]]
        for skip, top in ((0, 1), (1, 1), (1, 500), (len(ids), 5)):
            part = crawled.made.get(f"{path}?$skip={skip}&$top={top}", ADMIN)
            assert [each["@odata.id"] for each in part["Members"]] == ids[skip : skip + top], path
            assert part["Members@odata.count"] == len(ids)
            assert "Members@odata.nextLink" not in part
        if ids:
            name = ids[-1].split("/")[-1]
            one = crawled.made.get(f"{path}?$filter=Id eq '{name}'&$top=1", ADMIN)
            assert [each["@odata.id"] for each in one["Members"]] == ids[-1:], path
    assert seen > 20
