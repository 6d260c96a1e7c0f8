"""$filter of Redfish: what it chooses is what a filter by hand over GETs chooses."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fleet_kit import Kit, kit_in
from hypothesis import example, given, settings
from hypothesis import strategies as st
from redfish_kit import ROLES, ROOT, RedfishKit, armed, enlarge, redfish_of, stand
from sqlalchemy import insert

from casemate.fleet.redfish import choices, event_choices, events, filters, members, messages
from casemate.fleet.redfish.filters import Kind
from casemate.fleet.redfish.messages import RedfishError
from casemate.fleet.store.schema import INCIDENTS, REDFISH_EVENTS, REDFISH_LATCHES, VERDICTS

ADMIN, OPERATOR, READER = ROLES
MANY = 24
FLEET = f"{ROOT}/Managers/fleet/LogServices/Security/Entries"
HEALTH = ("OK", "Warning", "Critical")
OPS = {"eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
       "gt": operator.gt, "ge": operator.ge}  # fmt: skip


class Varied:
    """Enclosures of every way to stand, with events; whole members of collections, by GETs."""

    def __init__(self, made: RedfishKit) -> None:
        self.made, self.client = made, made.client(ADMIN)
        self.held: dict[str, list[Any]] = {}

    def rows(self, path: str) -> list[Any]:
        """Return all members of a collection, each as its own GET shows it."""
        if path not in self.held:
            found, page = [], path
            while page:
                row = self.made.get(page, ADMIN)
                found += [each["@odata.id"] for each in row["Members"]]
                page = row.get("Members@odata.nextLink", "")
            self.held[path] = [self.made.get(each, ADMIN) for each in found]
        return self.held[path]

    def chosen(self, path: str, text: str) -> list[str]:
        """Return what the service chooses, over all pages."""
        answer = self.client.get(path, params={"$filter": text})
        assert answer.status_code == 200, (text, answer.text)
        row, found = answer.json(), []
        for _ in range(50):
            found += [each["@odata.id"] for each in row["Members"]]
            assert row["Members@odata.count"] >= len(found)
            if "Members@odata.nextLink" not in row:
                assert row["Members@odata.count"] == len(found)
                return found
            row = self.client.get(row["Members@odata.nextLink"]).json()
        pytest.fail("the pages have no end")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Varied]:
    """A service whose rows are written by chance, so that all that is shown takes all values."""
    with kit_in(tmp_path_factory.mktemp("filters")) as kit:
        made = redfish_of(kit)
        stand(made, armed)
        enlarge(made, MANY)
        dice, now_s = random.Random(7), made.redfish.now_s()
        with made.redfish.store.write() as link:
            for at in range(2, MANY + 1):
                state = dice.choice(("ARMED", "MAINTENANCE", "TAMPERED", "UNKNOWN", "RETIRED"))
                link.execute(insert(VERDICTS).values(
                    enclosure_id=at, state=state, worst="", headline="", tokens=1, proven=1,
                    appraised_s=now_s, body="", since_s=now_s, seen_s=now_s - at,
                    fresh_until_s=now_s + dice.choice((-5, 500)),
                ))  # fmt: skip
                if dice.random() < 0.5:
                    link.execute(insert(INCIDENTS).values(
                        enclosure_id=at, opened_s=now_s, last_s=now_s,
                        severity=dice.choice(("alarm", "warning", "note")),
                        **({"acknowledged_by": "one"} if dice.random() < 0.5 else {}),
                    ))  # fmt: skip
                if dice.random() < 0.5:
                    latch = dice.choice(("", "HardwareIntrusion", "TamperingDetected"))
                    link.execute(insert(REDFISH_LATCHES).values(
                        enclosure_id=at, shown="", trouble="", latch=latch, entry=0,
                        latched_s=now_s - dice.randrange(99) if latch else 0,
                    ))  # fmt: skip
            for each in range(60):
                key = dice.choice(sorted(messages.OWN))
                link.execute(insert(REDFISH_EVENTS).values(
                    enclosure_id=dice.randrange(2, 4), at_s=now_s - 400 + each // 2, message=key,
                    args=str(["1"] * messages.OWN[key].args).replace("'", '"'),
                ))  # fmt: skip
        yield Varied(made)


def at(row: Any, path: str) -> Any:
    """Return what is at a path."""
    for name in path.split("/"):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def holds(tree: Any, row: Any) -> bool:
    """Return what a tree says of a member, written down a second time."""
    if tree[0] == "not":
        return not holds(tree[1], row)
    if tree[0] in ("and", "or"):
        both = holds(tree[1], row), holds(tree[2], row)
        return all(both) if tree[0] == "and" else any(both)
    path, op, literal = tree
    value, wanted = at(row, path), literal[1]
    if value is None or wanted is None:
        return (value is wanted) if op == "eq" else (op == "ne" and value is not wanted)
    if literal[0] == "time":
        value, wanted = datetime.fromisoformat(value), datetime.fromisoformat(wanted)
    elif literal[0] == "health":
        value, wanted = HEALTH.index(value), HEALTH.index(wanted)
    return bool(OPS[op](value, wanted))


def written(tree: Any) -> str:
    """Return a tree as text, with no more brackets than precedence needs."""
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    if tree[0] in ("and", "or"):
        sides = [
            f"({written(each)})" if tree[0] == "and" and each[0] == "or" else written(each)
            for each in tree[1:]
        ]
        return f" {tree[0]} ".join(sides)
    path, op, (kind, value) = tree
    if value is None or isinstance(value, bool):
        shown = {None: "null", True: "true", False: "false"}[value]
    elif kind == "number" or (kind == "time" and "." in value):
        shown = str(value)
    else:
        shown = "'" + value.replace("'", "''") + "'"
    return f"{path} {op} {shown}"


def trees(table: Any, rows: list[Any]) -> st.SearchStrategy[Any]:
    """Return expressions over the properties of a table, with literals that members have."""

    def leaf(path: str) -> st.SearchStrategy[Any]:
        known = table[path]
        seen = sorted({at(row, path) for row in rows} - {None}, key=str)[:30]
        ordered = known.kind not in (Kind.TEXT, Kind.TRUTH)
        if known.kind is Kind.TIME:
            seen += [f"{seen[0][:-1]}.500Z", "2100-01-01T00:00:00+05:30"] if seen else []
        if known.kind is Kind.NUMBER:
            seen += [0, -3, 7.5]
        seen += sorted(known.values) or (["no such ' one"] if known.kind is Kind.TEXT else [])
        values = st.sampled_from([*seen, None]).map(lambda value: (known.kind.value, value))
        return st.tuples(st.just(path), st.sampled_from(list(OPS) if ordered else ["eq", "ne"]),
                         values)  # fmt: skip

    leaves = st.sampled_from(sorted(table)).flatmap(leaf)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(st.just("not"), inner),
            st.tuples(st.sampled_from(("and", "or")), inner, inner),
        ),
        max_leaves=5,
    )


@pytest.mark.parametrize(
    ("path", "table"),
    (
        (f"{ROOT}/Chassis", choices.CHASSIS), (f"{ROOT}/ComponentIntegrity", choices.INTEGRITY),
        (f"{ROOT}/TelemetryService/MetricReports", choices.REPORTS),
        (FLEET, event_choices.ENTRIES),
        (f"{ROOT}/Chassis/3/LogServices/Security/Entries", event_choices.ENTRIES),
    ),
)  # fmt: skip
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_what_is_chosen_is_what_a_filter_by_hand_chooses(
    varied: Varied, path: str, table: Any, data: st.DataObject
) -> None:
    rows = varied.rows(path)
    assert len(rows) > 20
    tree = data.draw(trees(table, rows))
    assert varied.chosen(path, written(tree)) == [
        each["@odata.id"] for each in rows if holds(tree, each)
    ]


@settings(max_examples=10, deadline=None)
@given(data=st.data(), path=st.sampled_from((
    "AccountService/Accounts", "AccountService/Roles", "Chassis/1/Sensors", "Registries",
    "JsonSchemas", "TelemetryService/MetricDefinitions", "SessionService/Sessions",
)))  # fmt: skip
def test_of_few_members_each_is_asked(varied: Varied, path: str, data: st.DataObject) -> None:
    rows = varied.rows(f"{ROOT}/{path}")
    simple = sorted(
        name for name in {each for row in rows for each in row}
        if all(isinstance(row.get(name), (str, int, float, bool)) for row in rows)
        and "@" not in name and not name.endswith("Time")
    )  # fmt: skip
    name = data.draw(st.sampled_from(simple))
    value = data.draw(st.sampled_from([row[name] for row in rows]))
    kind = "number" if not isinstance(value, (str, bool)) else "text"
    tree = (name, data.draw(st.sampled_from(("eq", "ne"))), (kind, value))
    assert varied.chosen(f"{ROOT}/{path}", written(tree)) == [
        each["@odata.id"] for each in rows if holds(tree, each)
    ]


@pytest.mark.parametrize("op", sorted(OPS))
def test_times_between_seconds_and_of_other_places(varied: Varied, op: str) -> None:
    """Events are kept in whole seconds; half of one lies between two of them."""
    rows = varied.rows(FLEET)
    second = rows[len(rows) // 2]["Created"]
    moved = (datetime.fromisoformat(second) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S")
    for text in (f"{second[:-1]}.500Z", f"{moved}+02:00"):
        tree = ("Created", op, ("time", text))
        assert varied.chosen(FLEET, f"Created {op} {text}") == [
            each["@odata.id"] for each in rows if holds(tree, each)
        ]


def test_who_asks_for_what_is_not_normal_gets_what_nobody_knows_of(varied: Varied) -> None:
    rows = varied.rows(f"{ROOT}/Chassis")
    silent = [x["@odata.id"] for x in rows if x["PhysicalSecurity"]["IntrusionSensor"] is None]
    assert silent and any(x["PhysicalSecurity"]["IntrusionSensor"] == "Normal" for x in rows)
    found = varied.chosen(f"{ROOT}/Chassis", "PhysicalSecurity/IntrusionSensor ne 'Normal'")
    assert set(silent) < set(found)
    assert varied.chosen(f"{ROOT}/Chassis", "PhysicalSecurity/IntrusionSensor eq null") == silent
    worse = varied.chosen(f"{ROOT}/Chassis", "Status/Health ge 'Warning'")
    assert worse == [x["@odata.id"] for x in rows if x["Status"]["Health"] != "OK"]


@pytest.mark.parametrize(
    ("path", "text", "status"),
    (
        # what a misspelled question would answer by an empty list is refused
        ("/Chassis", "Status/health eq 'OK'", 501), ("/Chassis", "Status/Health eq 'ok'", 400),
        ("/Chassis", "PhysicalSecurity/IntrusionSensor eq 'Tampered'", 400),
        ("/Chassis", "Oem/Casemate/State eq 'armed'", 400),
        ("/Chassis", "Status/State gt 'Enabled'", 501), ("/Chassis", "Zones eq 'x'", 501),
        ("/Chassis", "Oem/Casemate/Stale eq 'true'", 400),
        ("/Chassis", "Oem/Casemate/OpenIncident eq '1'", 400), ("/Chassis", "Id eq 1", 400),
        (FLEET.removeprefix(ROOT), "Created ge '2026'", 400),
        (FLEET.removeprefix(ROOT), "Created ge 2026-11-29T10:00:00", 400),
        (FLEET.removeprefix(ROOT), "Severity eq 'Fatal'", 400),
        (FLEET.removeprefix(ROOT), "Message eq 'x'", 501),
        (FLEET.removeprefix(ROOT), "Resolved eq 0", 400),
        (FLEET.removeprefix(ROOT), "Id gt '5'", 501),
        ("/AccountService/Accounts", "Username eq 'x'", 501),
        ("/AccountService/Accounts", "Enabled eq 'true'", 400),
        # forms
        ("/Chassis", "", 400), ("/Chassis", "Id", 400), ("/Chassis", "Id eq", 400),
        ("/Chassis", "(Id eq '1'", 400), ("/Chassis", "Id eq '1')", 400),
        ("/Chassis", "Id eq '1", 400), ("/Chassis", "not Id eq '1'", 400),
        ("/Chassis", "'1' eq Id", 400), ("/Chassis", "Id eq Id", 400),
        ("/Chassis", "Id eq '1' and", 400), ("/Chassis", "Id eq '1' Id eq '2'", 400),
        ("/Chassis", "Id EQ '1'", 400), ("/Chassis", "(" * 40 + "Id eq '1'" + ")" * 40, 400),
        ("/Chassis", " or ".join(["Id eq '1'"] * 41), 400), ("/Chassis", "Id eq '\x00'", 200),
        ("/Chassis", "contains(Name,'x')", 501), ("/Chassis", "Id in ('1','2')", 501),
        ("/Chassis", "Oem/Casemate/OpenIncident add 1 eq 2", 501),
    ),
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(varied: Varied, path: str, text: str, status: int) -> None:
    answer = varied.client.get(f"{ROOT}{path}", params={"$filter": text})
    assert answer.status_code == status, answer.text
    if status == 501:
        keys = [
            x["MessageId"].split(".")[-1] for x in answer.json()["error"]["@Message.ExtendedInfo"]
        ]
        assert keys == ["QueryNotSupported", "QueryParameterValueFormatError"]


@given(text=st.one_of(st.text(max_size=60), st.lists(st.sampled_from(
    ["(", ")", "not", "and", "or", "eq", "ge", "Id", "Status/Health", "'x'", "1", "-2.5", "null",
     "true", "2026-11-29T10:00:00Z", ",", "''", "in"]), max_size=12).map(" ".join)))  # fmt: skip
@example("not " * 300 + "(Id eq '1')")
@settings(max_examples=80, deadline=None)
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        found = filters.parse(text)
    except RedfishError as error:
        assert error.status in (400, 501)
    else:
        assert list(filters.comparisons(found))


def test_what_was_resolved_is_what_was_told_to_be_over(kit: Kit) -> None:
    made = redfish_of(kit)
    stand(made, armed)
    with made.redfish.store.write() as link:
        names = ("ChassisIntrusionTampering", "ChassisArmed")
        tell = [events.tell(link, 1, 100 + at, key, 1) for at, key in enumerate(names)]
    path = f"{ROOT}/Chassis/1/LogServices/Security/Entries"
    asked = f"{path}?$filter=Resolved eq false and Severity ge 'Warning'"
    assert [int(x["Id"]) for x in made.get(asked)["Members"]] == tell[::-1]
    assert made.get(f"{path}/{tell[0]}")["Resolved"] is False
    with made.redfish.store.write() as link:
        over = events.tell(link, 1, 110, "ChassisIntrusionCleared", 1)
        later = events.tell(link, 1, 111, "ChassisIntrusionStale", 1)
    assert [int(x["Id"]) for x in made.get(asked)["Members"]] == [later]
    shown = {int(x["Id"]): x["Resolved"] for x in made.get(path)["Members"]}
    assert {key: shown[key] for key in (*tell, over, later)} == {
        tell[0]: True, tell[1]: True, over: True, later: False,
    }  # fmt: skip


def test_too_many_members_to_read_each_are_not_read(
    varied: Varied, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "MOST", 3)
    path = f"{ROOT}/AccountService/Roles"
    assert varied.chosen(path, "RoleId eq 'ReadOnly'") == [f"{path}/ReadOnly"]
    answer = varied.client.get(f"{ROOT}/Chassis/1/Sensors", params={"$filter": "Reading gt 1"})
    assert answer.status_code == 507
