"""A Redfish service in a temporary folder, with an account of each role, and ways to stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from fleet_kit import Brought, Kit, bring, enter
from sqlalchemy import insert, select
from starlette.testclient import TestClient

from casemate.attest import claims as c
from casemate.attest.reference_write import as_json
from casemate.fleet.appraisal import evidence
from casemate.fleet.intake.ingest import Submission
from casemate.fleet.redfish import accounts, delivery
from casemate.fleet.redfish.accounts import PRIVILEGES
from casemate.fleet.redfish.app import RedfishApp
from casemate.fleet.redfish.asked import Redfish
from casemate.fleet.redfish.gate import Limited
from casemate.fleet.store.schema import ENCLOSURES, REDFISH_ACCOUNTS
from casemate.fleet.web.gate import Limits
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story

ROOT = "/redfish/v1"
ROLES = tuple(PRIVILEGES)


@dataclass(slots=True)
class RedfishKit:
    """The service under test. tokens: of sessions, by role and when they began."""

    kit: Kit
    app: RedfishApp
    tokens: dict[tuple[str, int], str] = field(default_factory=dict)

    @property
    def redfish(self) -> Redfish:
        """Return what resources are made from."""
        return self.app.redfish

    def client(self, role: str = "", **headers: str) -> TestClient:
        """Return a client with a session of a role, "" for nobody."""
        token = {"X-Auth-Token": self.token(role)} if role else {}
        client = TestClient(
            self.app, base_url="https://fleet.test", headers={**token, **headers},
            follow_redirects=False,
        )  # fmt: skip
        client.portal = self.kit.portal
        return client

    def token(self, role: str) -> str:
        """Return the token of a session of a role's account, begun within the last minutes."""
        now_s = self.kit.service.now_s()
        held = self.tokens.get((role, now_s // 600))
        if held is None:
            with self.kit.service.store.write() as link:
                account = accounts.by_name(link, f"{role}-one")
                assert account is not None
                _, held = accounts.begin(link, account, now_s)
            self.tokens[role, now_s // 600] = held
        return held

    def get(self, path: str, role: str = "ReadOnly") -> Any:
        """Return a resource."""
        answer = self.client(role).get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def scan(self) -> None:
        """Have events told, as happens once a second."""
        delivery.look(self.redfish)

    def told(self) -> list[str]:
        """Return the keys of events, oldest first."""
        rows = self.get(f"{ROOT}/Managers/fleet/LogServices/Security/Entries")["Members"]
        return [each["MessageId"].split(".")[-1] for each in reversed(rows)]


def redfish_of(kit: Kit) -> RedfishKit:
    """Return the Redfish service over a kit, with an account and a session of each role."""
    wide = Limits(per_s=1e9, burst=1e9)
    app = RedfishApp(
        Redfish(service=kit.service), Limited(all_=wide, wrong=wide, refusals=wide, acts=wide)
    )  # fmt: skip
    with kit.service.store.write() as link:
        for role in ROLES:
            row = {"name": f"{role}-one", "role": role, "party": "hostland", "enabled": True}
            link.execute(insert(REDFISH_ACCOUNTS).values(**row, secret=_secret(role)))
    return RedfishKit(kit, app)


@cache
def _secret(role: str) -> str:
    """Return what is stored of a role's password: deriving it takes a while each time."""
    return accounts.new_secret(password_of(role))


def password_of(role: str) -> str:
    """Return the password of a role's account."""
    return f"a long password of {role}"


def armed() -> Story:
    """Return the story of an enclosure that is armed."""
    return honest.armed(2)


def tampered() -> Story:
    """Return the story of one that was opened."""
    story = honest.armed(2)
    story.token(
        c.LastWord(reason="opened, reset and clear", erased_us=400), state="TAMPERED",
        signers=story.last_word,
    )  # fmt: skip
    story.state = "TAMPERED"
    story.seal()
    return story


def unknown() -> Story:
    """Return the story of one that does not know how it stands."""
    story = honest.armed(2)
    story.change("UNKNOWN", "power went, then all clear, deassert, reset")
    story.seal()
    return story


def opened(**permit: Any) -> tuple[Story, bytes]:
    """Return the story of one that is open under a permit, and the permit's digest."""
    story = honest.armed(2)
    digest = story.allow(**permit)
    story.seal()
    story.open_up(digest)
    story.seal()
    honest.watch(story, 1)
    return story, digest


def stand(made: RedfishKit, tell: Callable[[], Story], **given: Any) -> Brought:
    """Enter an enclosure whose story is told, and have that told by Redfish."""
    brought = enter(made.kit, tell(), **given)
    bring(made.kit, brought)
    made.scan()
    return brought


def stand_beside(made: RedfishKit, number: int, tell: Callable[[], Story]) -> None:
    """Enter another enclosure whose story is told; no machine of its own is let in for it."""
    service = made.kit.service
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(honest, "SERIAL", f"UNIT-{number:04d}")
        patch.setattr(honest, "ORIGIN", f"example.org/unit/{number}")
        story = tell()
        with service.store.write() as link:
            entered = evidence.add(
                link, reference=as_json(honest.reference()).encode(), serial=honest.SERIAL,
                policy=honest.policy_text(), kind="nvl72", site="hall 2", now_s=service.now_s(),
            )  # fmt: skip
        service.intake.take(entered, Submission(first=0, entries=story.entries, notes=story.notes))
    assert entered == number
    made.scan()


def enlarge(made: RedfishKit, count: int) -> None:
    """Enter copies of the one enclosure that there is, without evidence, up to `count`."""
    with made.redfish.store.write() as link:
        row = dict(link.execute(select(ENCLOSURES)).one()._mapping)
        for at in range(2, count + 1):
            values = bytes(row["reference"]).replace(row["serial"].encode(), b"S%d" % at)
            more = {"id": at, "serial": f"S{at}", "origin": f"example.org/{at}"}
            link.execute(insert(ENCLOSURES).values(**{**row, **more, "reference": values}))


def go_on(made: RedfishKit, brought: Brought) -> None:
    """Bring what the story has come to meanwhile, and have it told."""
    bring(made.kit, brought)
    made.scan()


def dispose(kit: Kit, incident: int = 1) -> None:
    """Have two persons of two parties dispose of an incident."""
    seen = kit.client("inspector").get(f"/incidents/{incident}.json").json()["seen"]
    form = {"seen": seen, "outcome": "explained", "reason": "both parties have inspected it"}
    assert kit.post("inspector", f"/incidents/{incident}/propose", **form).is_redirect
    kit.post("host-operator", f"/incidents/{incident}/confirm", seen=seen, agree="1")
