"""How often people are called: EEMUA 191 and ISA-18.2, in quiet, in a flood, and under attack.

One operator for the whole fleet: at most one alarm in ten minutes on average, and fewer than one
in a hundred slots of ten minutes with more than ten.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from alarm_month import (
    COMES,
    DAY_S,
    HOUR_S,
    MONTH_S,
    START_S,
    Month,
    rate,
)
from fleet_kit import Kit
from outlets_kit import calls, says_no_end
from sqlalchemy import func, select

from casemate.fleet.alarms import outbox
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import INCIDENTS


def test_a_quiet_day_stays_within_the_rate(kit: Kit) -> None:
    month = Month(kit.service.store, seed=1, count=100, sites=4, length_s=DAY_S // 2)
    month.nuisances()
    found = rate(month.run(), DAY_S // 2)
    assert found.mean <= 1.0 and found.flooded < 0.01


def test_noise_at_a_site_calls_once_and_hides_no_tampering(kit: Kit) -> None:
    """An attacker makes noise at a whole hall, and opens one enclosure under it."""
    month = Month(kit.service.store, seed=1, count=40, sites=1, length_s=HOUR_S)
    month.jam(600, 1200, site=0, every_s=300)
    victim = month.racks[0][7]
    month.add(1500, COMES, victim, "state.tampered")
    held = month.run()
    found = calls(held)
    tampered = [each for each in found if each.finding == "state.tampered"]
    assert [each.enclosure for each in tampered] == [victim]
    assert tampered[0].at_s == START_S + 1500  # at once
    noise = [each for each in found if each.finding != "state.tampered"]
    assert len(noise) <= 4  # two kinds: one call each, and one that counts the others
    assert sum(each.more for each in noise) == 2 * 39
    with kit.service.store.read() as link:
        assert link.execute(select(func.count()).select_from(INCIDENTS)).scalar_one() == 40
    for each in held:
        says_no_end(each.text)


@pytest.mark.slow
def test_without_grouping_the_same_noise_would_be_a_flood(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plants the fault: a window of no length. The measure of these tests has to see it."""
    monkeypatch.setattr(outbox, "WINDOW_S", dict.fromkeys(outbox.WINDOW_S, 0))
    month = Month(kit.service.store, seed=1, count=40, sites=1, length_s=HOUR_S)
    month.jam(600, 1200, site=0, every_s=300)
    found = rate(month.run(), HOUR_S)
    assert found.most > 10 and found.mean > 1.0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_month_of_a_thousand_enclosures(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/fleet.db")
    month = Month(store, seed=1, count=1000, sites=20, length_s=MONTH_S)
    month.nuisances()
    held = month.run()
    found = rate(held, MONTH_S)
    with store.read() as link:
        opened = link.execute(select(func.count()).select_from(INCIDENTS)).scalar_one()
    print(f"\n{opened} incidents, {found}")
    store.close()
    assert found.mean <= 1.0
    assert found.flooded < 0.01
    assert found.notices > 10 * found.calls  # that something was gathered at all


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_noise_at_every_site_for_a_day(tmp_path: Path) -> None:
    """A thousand enclosures jammed for six hours: what an operator can still bear."""
    store = Store(f"sqlite:///{tmp_path}/fleet.db")
    month = Month(store, seed=3, count=1000, sites=1, length_s=DAY_S)
    month.jam(HOUR_S, 6 * HOUR_S, site=0, every_s=1080)
    month.add(4 * HOUR_S, COMES, month.racks[0][500], "state.tampered")
    held = month.run()
    found = rate(held, DAY_S)
    print(f"\n{month.tokens} findings of noise: {found}")
    store.close()
    assert month.tokens > 20_000
    assert found.calls <= 10 and found.most <= 4
    assert [x.at_s for x in calls(held) if x.finding == "state.tampered"] == [START_S + 4 * HOUR_S]
