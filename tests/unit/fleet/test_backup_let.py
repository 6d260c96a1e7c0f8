"""A restoration lets nobody in whom the service had let in no more since the backup."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from casemate.attest.reference_write import as_json
from casemate.fleet.access import people
from casemate.fleet.appraisal import evidence
from casemate.fleet.care import backup
from casemate.fleet.outlets import scrapers
from casemate.fleet.redfish import accounts
from casemate.fleet.service import home
from casemate.fleet.store.schema import ERRANDS, MACHINES, PASSKEYS, REDFISH_ACCOUNTS, SCRAPERS
from casemate.testing import honest_enclosure as honest


def let_in(link: Connection) -> tuple[set[str], set[str], set[str]]:
    """Return people, accounts and certificates that are let in."""
    accounts = select(REDFISH_ACCOUNTS.c.name).where(REDFISH_ACCOUNTS.c.enabled)
    shown = (select(each.c.fingerprint) for each in (MACHINES, SCRAPERS))
    return (
        people.let_in(link, ["ann", "bo", "cy"]),
        set(link.execute(accounts).scalars()),
        {each[:2] for one in shown for each in link.execute(one).scalars()},
    )


@pytest.mark.parametrize("into", ("the same", "another", "a new one"))
def test_a_restoration_lets_nobody_in_who_was_let_in_no_more(tmp_path: Path, into: str) -> None:
    """Who was removed has a backup restored, of the day before."""
    made = home.make(tmp_path / "fleet", "fleet.test")
    opened = made.opened()
    values = as_json(honest.reference()).encode()
    with opened.write() as link:
        for each in ("ann", "bo"):
            people.add(link, each, "inspector", "peerland")
            accounts.add_here(link, f"{each}-reads", "Administrator", "peerland")
        row = {"person_id": 2, "public": b"k", "count": 1, "added_s": 1}
        link.execute(insert(PASSKEYS).values(id="k", **row))
        number = evidence.add(
            link, reference=values, policy=honest.policy_text(), serial=honest.SERIAL,
            kind="camera", site="hall 1", now_s=1,
        )  # fmt: skip
        for each in ("aa", "bb"):
            evidence.let(link, number, each * 32, 1)
            scrapers.let(link, {"aa": "cc", "bb": "dd"}[each] * 32, each, 1)
    backup.backup(made, tmp_path / "backup")
    with opened.write() as link:
        people.remove(link, "bo")
        people.add(link, "cy", "inspector", "peerland")
        changed = update(REDFISH_ACCOUNTS).where(REDFISH_ACCOUNTS.c.name == "bo-reads")
        link.execute(changed.values(secret=accounts.new_secret("q" * 30)))
        link.execute(delete(MACHINES).where(MACHINES.c.fingerprint == "bb" * 32))
        scrapers.remove(link, "bb")
    opened.close()
    folder = made.folder
    if into != "the same":
        folder = tmp_path / "other"
        if into == "another":
            home.make(folder, "fleet.test").opened().close()
    backup.restore(tmp_path / "backup", folder, replace=True)
    again = home.read(folder).opened()
    with again.read() as link:
        found = let_in(link)
        assert not link.execute(select(PASSKEYS)).all()
        told = " ".join(link.execute(select(ERRANDS.c.what)).scalars())
    again.close()
    if into == "the same":
        assert found == ({"ann"}, {"ann-reads"}, {"aa", "cc"})
        assert "let in no more, as before the restoration: 4" in told
    else:  # what it let in no more is not known there
        assert found == ({"ann", "bo"}, {"ann-reads", "bo-reads"}, {"aa", "bb", "cc", "dd"})
