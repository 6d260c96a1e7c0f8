"""Requests for permits as they lie here: for which enclosure, for which time, how many, whose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet_kit import PEER, Kit, bring, enter
from permit_kit import HOST, asked_for
from sqlalchemy import Connection, insert

from casemate.attest import permit as permits
from casemate.attest.permit import Permit
from casemate.fleet.access.people import Person
from casemate.fleet.appraisal import evidence
from casemate.fleet.appraisal.evidence import Enclosure
from casemate.fleet.errors import RefusedError
from casemate.fleet.permits import files
from casemate.fleet.store.schema import ENCLOSURES
from casemate.fleet.story.told import Event
from casemate.testing import honest_enclosure as honest

ANN = Person(id=1, name="ann", role="host-operator", party="hostland")


@pytest.fixture
def asked(kit: Kit) -> Permit:
    """A request that lies here already, as the first of enclosure 1."""
    bring(kit, enter(kit, honest.armed(1)))
    number, _ = asked_for(kit)
    return permits.decode(kit.client(HOST).get(f"/permits/{number}/file.cbor").content)


def later(held: Permit, by_s: int, **changes: object) -> Permit:
    """Return another request, for as long, that begins later."""
    return replace(
        held, not_before_s=held.not_before_s + by_s, not_after_s=held.not_after_s + by_s,
        nonce=by_s.to_bytes(16, "big"), **changes,  # type: ignore[arg-type]
    )  # fmt: skip


def filed(link: Connection, wanted: Permit, at_s: int, *, known: Enclosure | None = None) -> int:
    """File a request at a time."""
    return files.ask(link, known or evidence.enclosure(link, 1), wanted, ANN, at_s)


def test_it_is_for_this_enclosure_and_a_time_to_come(kit: Kit, asked: Permit) -> None:
    now_s = kit.service.now_s()
    with kit.service.store.write() as link:
        for wanted in (later(asked, 1, serial="UNIT-2"), later(asked, 1, enclosure="other")):
            with pytest.raises(RefusedError, match="another enclosure"):
                filed(link, wanted, now_s)
        with pytest.raises(RefusedError, match="its time is over"):
            filed(link, later(asked, 1), asked.not_after_s + 1)
        assert filed(link, later(asked, 1), asked.not_after_s) == 2


def test_so_many_of_a_party_for_an_enclosure_in_a_time(
    kit: Kit, asked: Permit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_OPEN", 2)
    now_s, long_s = kit.service.now_s(), permits.LONGEST_S
    with kit.service.store.write() as link:
        known = evidence.enclosure(link, 1)
        row = {"reference": b"x", "policy": b"x", "added_s": 0, "kind": "c", "site": "s"}
        link.execute(insert(ENCLOSURES).values(id=2, name="n", serial="s", origin="o", **row))
        other = replace(known, id=2)
        assert filed(link, later(asked, 1), now_s) == 2
        with pytest.raises(RefusedError, match="too many"):
            filed(link, later(asked, 2), now_s)
        assert filed(link, later(asked, 3), now_s, known=other) == 3
        with pytest.raises(RefusedError, match="too many"):
            filed(link, later(asked, long_s), now_s + long_s - 1)
        assert filed(link, later(asked, long_s), now_s + long_s) == 4
        two = replace(ANN, name="bo", party=PEER)
        assert files.ask(link, known, later(asked, 5), two, now_s) == 5


def test_what_became_of_another_permit_is_not_told_of_this_one(kit: Kit, asked: Permit) -> None:
    with kit.service.store.read() as link:
        known, held = evidence.enclosure(link, 1), files.read(link, 1)
    mine = Event(number=9, at_s=1, kind="permit", act="opened", permit=held.digest)
    for told, phase in (
        ([], "requested"), ([mine], "in use"), ([replace(mine, permit="00" * 32)], "requested"),
        ([replace(mine, kind="change")], "requested"),
        ([mine, replace(mine, act="closed", permit="00" * 32)], "in use"),
        ([mine, replace(mine, act="closed")], "closed"),
        ([mine, replace(mine, act="expired")], "expired"),
        ([mine, replace(mine, kind="start", number=8)], "in use"),
        ([mine, replace(mine, kind="start", number=10)], "expired"),
    ):  # fmt: skip
        found = files.standing(known, held, told, asked.not_after_s - 1)
        assert (found.phase, found.signers) == (phase, ()), told
    assert files.standing(known, held, [], asked.not_after_s).phase == "expired"
    # nothing has said that the work has ended, whatever the time
    assert files.standing(known, held, [mine], asked.not_after_s).phase == "in use"
