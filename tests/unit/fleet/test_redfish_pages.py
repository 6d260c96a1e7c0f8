"""Query parameters of Redfish: pages, bounds, what changes, what fails, what is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from fleet_kit import Kit, kit_in
from redfish_kit import (
    ROLES,
    ROOT,
    RedfishKit,
    armed,
    enlarge,
    redfish_of,
    stand,
    stand_beside,
    tampered,
    unknown,
)

from casemate.core.errors import OutputError
from casemate.fleet.redfish import expansion, odata, standing, turns
from casemate.fleet.redfish.messages import RedfishError

ADMIN, OPERATOR, READER = ROLES


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedfishKit]:
    """A service with 230 enclosures that nobody changes."""
    with kit_in(tmp_path_factory.mktemp("pages")) as kit:
        made = redfish_of(kit)
        stand(made, armed)
        enlarge(made, 230)
        yield made


@pytest.fixture
def made(kit: Kit) -> RedfishKit:
    """A service of one's own."""
    return redfish_of(kit)


def test_what_changed_within_an_expansion_is_sent_again(made: RedfishKit) -> None:
    """The collection by itself is as before: its ETag alone would hide that a member is not."""
    stand(made, armed)
    path, client = f"{ROOT}/Chassis?$expand=.", made.client(READER)
    first = client.get(path)
    again = {"If-None-Match": first.headers["etag"]}
    assert client.get(path, headers=again).status_code == 304
    made.kit.clock.now_s += 3600
    assert made.get(f"{ROOT}/Chassis")["@odata.etag"] == first.json()["@odata.etag"]
    later = made.client(READER).get(path, headers=again)
    assert later.status_code == 200
    (member,) = later.json()["Members"]
    assert member["PhysicalSecurity"]["IntrusionSensor"] is None
    body = {"PhysicalSecurity": {"IntrusionSensor": "Normal"}}
    shown = made.client(OPERATOR).patch(
        f"{ROOT}/Chassis/1", json=body, headers={"If-Match": member["@odata.etag"]}
    )  # fmt: skip
    assert shown.status_code == 409  # the tag of a member is that of its own GET


def test_one_that_cannot_be_read_hides_no_other(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(made, armed)
    stand_beside(made, 2, tampered)
    stand_beside(made, 3, unknown)
    read = standing.read

    def fail(link: Any, number: int, now_s: int) -> Any:
        if number == 2:
            raise OSError("planted")
        return read(link, number, now_s)

    monkeypatch.setattr(standing, "read", fail)
    row = made.get(f"{ROOT}/Chassis?$expand=.")
    good, bad, last = row["Members"]
    assert good["Status"] and last["Status"] and set(bad) == {"@odata.id", "@Message.ExtendedInfo"}
    assert bad["@Message.ExtendedInfo"][0]["MessageId"].endswith(".InternalError")


@pytest.mark.parametrize(
    ("query", "wanted"),
    (
        ("", range(1, 231)), ("$skip=100", range(101, 231)), ("$top=150", range(1, 151)),
        ("$top=7&$skip=3", range(4, 11)), ("$top=500&$skip=90", range(91, 231)),
        ("$select=Id&$top=120", range(1, 121)),
        ("$filter=Id ne '5' and SerialNumber ne 'S7'",
         [each for each in range(1, 231) if each not in (5, 7)]),
        ("$expand=.&$select=Id&$top=130", range(1, 131)),
    ),
)  # fmt: skip
def test_pages_lead_through_all_that_was_asked_and_no_more(
    many: RedfishKit, monkeypatch: pytest.MonkeyPatch, query: str, wanted: Any
) -> None:
    monkeypatch.setattr(expansion, "MOST_RESOURCES", 40)
    path: str | None = f"{ROOT}/Chassis?{query}"
    found: list[str] = []
    for _ in range(20):
        assert path is not None
        page = many.get(path)
        found += [each["@odata.id"] for each in page["Members"]]
        if "$expand" in query:
            assert len(page["Members"]) <= 40 and all("Id" in each for each in page["Members"])
        path = page.get(odata.NEXT)
        if path is None:
            break
        given = dict(parse_qsl(urlsplit(path).query))
        kept = ("$filter", "$expand", "$select")
        assert {k: v for k, v in given.items() if k in kept} == {
            k: v for k, v in parse_qsl(query) if k in kept
        }
    assert found == [f"{ROOT}/Chassis/{each}" for each in wanted]
    assert path is None


def test_what_does_not_fit_is_refused_as_a_whole(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(made, armed)
    client = made.client(READER)
    for name, most in (("MOST_RESOURCES", 8), ("MOST_BYTES", 3000)):
        with monkeypatch.context() as patch:
            patch.setattr(expansion, name, most)
            answer = client.get(f"{ROOT}/Chassis/1?$expand=.($levels=4)")
            assert answer.status_code == 507, name
            assert answer.json()["error"]["code"].endswith(".InsufficientStorage")
            assert client.get(f"{ROOT}/Chassis/1?$expand=.").status_code == 200
            # a collection whose first member does not fit has no page
            assert client.get(f"{ROOT}/Chassis?$expand=.($levels=5)").status_code == 507


def test_an_auditor_sees_what_was_read_by_an_expansion(made: RedfishKit) -> None:
    stand(made, armed)
    enlarge(made, 12)
    made.get(f"{ROOT}/Chassis?$expand=.($levels=2)&$top=11&$skip=1")
    lines = [line for _, line in made.kit.service.audit.latest(5)]
    told = {(line.what.removeprefix(f"GET {ROOT}"), line.subject): line for line in lines}
    assert told["/Chassis", ""].outcome == "asked $expand=.($levels=2)"
    for name in ("", "/Sensors", "/TrustedComponents", "/LogServices"):
        line = told[f"/Chassis/{{chassis}}{name}", "2-12"]
        assert (line.who, line.outcome) == (f"account {READER}-one", "asked by a query")


def test_what_cannot_be_written_down_is_not_shown(
    made: RedfishKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(made, armed)
    audit = made.kit.service.audit
    read = audit.read

    def fail(line: Any, session: str, of: Any = ()) -> None:
        if of:
            raise OutputError("planted.", remedy="none.")
        read(line, session)

    monkeypatch.setattr(audit, "read", fail)
    answer = made.client(READER).get(f"{ROOT}/Chassis?$expand=.")
    assert answer.status_code == 503 and "Serial" not in answer.text


def test_turns_are_few_and_nobody_has_all_of_them() -> None:
    async def hold(given: turns.Turns, who: str, held: list[str], until: asyncio.Event) -> None:
        async with given.of(who):
            held.append(who)
            await until.wait()

    async def run() -> None:
        given, held, until = turns.Turns(), [], asyncio.Event()  # type: ignore[var-annotated]
        names = ("a", "a", "b", "c")
        tasks = [asyncio.create_task(hold(given, who, held, until)) for who in names]
        while len(held) < turns.AT_ONCE:
            await asyncio.sleep(0)
        with pytest.raises(RedfishError) as refused:
            async with given.of("a"):
                pytest.fail("a third turn of one sender")
        assert refused.value.status == 503
        assert held == ["a", "a"]  # the others wait
        until.set()
        await asyncio.gather(*tasks)
        assert sorted(held) == sorted(names)
        async with given.of("a"), given.of("a"):
            pass  # all have been given back

    asyncio.run(run())


def test_who_waits_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        given = turns.Turns()
        async with given.of("a"), given.of("b"):
            with pytest.raises(RedfishError):
                async with given.of("c"):
                    pytest.fail("a turn that is not free")
        async with given.of("c"):
            pass

    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    asyncio.run(run())


def test_a_link_to_the_next_page_is_an_address(many: RedfishKit) -> None:
    name = "a&b+c#d%e é"
    wanted = quote(f"SerialNumber ne '{name}'")
    page = many.get(f"{ROOT}/Chassis?$filter={wanted}")
    link = page[odata.NEXT]
    assert link.isascii() and not set(' #"<>') & set(link)
    assert dict(parse_qsl(urlsplit(link).query))["$filter"] == f"SerialNumber ne '{name}'"
    assert len(many.get(link)["Members"]) == 100
