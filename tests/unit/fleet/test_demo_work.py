"""The demo carries out permits that both parties have signed, and no others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from fleet_kit import Kit, bring, enter
from permit_kit import HOST, INSPECTOR, asked_for, signed_at_home, upload

from casemate.fleet.demo.enclosure import DemoEnclosure
from casemate.fleet.demo.work import SEEN_S, WORK_S, Work


@dataclass(slots=True)
class Played:
    """Stands for an enclosure: what it was told to do."""

    state: str = "ARMED"
    told: list[str] = field(default_factory=list)

    def log_permit(self, digest: bytes, signed: bytes) -> None:
        self.told.append(f"log {digest.hex()[:8]} {len(signed) > 1000}")

    def open_up(self, digest: bytes, place: str) -> None:
        self.told.append(f"open {digest.hex()[:8]} {place}")
        self.state = "MAINTENANCE"

    def close_up(self) -> None:
        self.told.append("close")
        self.state = "ARMED"


@pytest.fixture
def played(kit: Kit) -> tuple[Played, Work]:
    bring(kit, enter(kit))
    made = Played()
    return made, Work(kit.service.store, {1: cast(DemoEnclosure, made)})


def test_what_both_have_signed_is_carried_out_once(
    kit: Kit, played: tuple[Played, Work], tmp_path: Path
) -> None:
    made, work = played
    number, _ = asked_for(kit)
    digest = kit.client(HOST).get(f"/permits/{number}.json").json()["digest"][:8]
    now_s = kit.service.now_s()
    work.tick(now_s)
    for role, party in ((HOST, "hostland"), (INSPECTOR, "peerland")):
        assert made.told == []  # nobody, then one party alone
        signed = signed_at_home(kit, number, party, tmp_path)
        assert upload(kit, role, f"/permits/{number}/sign", signed).status_code == 303
        if party == "hostland":
            work.tick(now_s)
    work.tick(now_s)
    assert made.told == [f"log {digest} True"]
    work.tick(now_s + SEEN_S - 1)
    assert len(made.told) == 1
    work.tick(now_s + SEEN_S)
    assert made.told[1:] == [f"open {digest} reader-loop"]
    for later_s in (WORK_S - 1, WORK_S, WORK_S + 1, WORK_S + 100):
        work.tick(now_s + SEEN_S + later_s)
        assert len(made.told) == (2 if later_s < WORK_S else 3)
    assert made.told[2:] == ["close"]


def test_an_enclosure_that_was_tampered_with_is_not_worked_on(
    kit: Kit, played: tuple[Played, Work], tmp_path: Path
) -> None:
    made, work = played
    number, _ = asked_for(kit)
    for role, party in ((HOST, "hostland"), (INSPECTOR, "peerland")):
        upload(kit, role, f"/permits/{number}/sign", signed_at_home(kit, number, party, tmp_path))
    made.state = "TAMPERED"
    for later_s in range(0, 100, 10):
        work.tick(kit.service.now_s() + later_s)
    assert made.told == []
