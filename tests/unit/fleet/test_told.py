"""What evidence tells of: read once, in the order of the log, and never more than is kept."""

from __future__ import annotations

from fleet_kit import Kit, bring, enter

from casemate.attest.token import SensorHealth
from casemate.fleet.story.told import KINDS, Told, events_in, last_watch, plain
from casemate.testing import honest_enclosure as honest


def test_events_are_those_of_the_tokens(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    allowed = story.allow()
    story.open_up(allowed)
    story.close_up(allowed)
    story.watch(verdict="INTERFERENCE")
    story.seal()
    bring(kit, brought)
    with kit.service.store.read() as link:
        found = kit.service.told.of(link, 1)
        again = Told().of(link, 1)
    assert found == again == tuple(events_in(story.entries, 0))
    assert [(each.kind, each.act) for each in found] == [
        ("start", "COMMISSIONING"), ("change", "ARMED"), ("permit", "logged"), ("permit", "opened"),
        ("change", "MAINTENANCE"), ("permit", "closed"), ("change", "ARMED"),
        ("disturbed", "INTERFERENCE"),
    ]  # fmt: skip
    assert {each.kind for each in found} <= set(KINDS)


def test_what_comes_later_is_added_and_memory_has_an_end(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    told = Told(enclosures=1, events=2)
    bring(kit, brought)
    with kit.service.store.read() as link:
        assert len(told.of(link, 1)) == 2
    brought.story.watch(verdict="DENIED")
    brought.story.seal()
    bring(kit, brought)
    with kit.service.store.read() as link:
        assert [each.act for each in told.of(link, 1)] == ["ARMED", "DENIED"]
        assert told.of(link, 2) == ()
        assert [each.act for each in told.of(link, 1)] == ["ARMED", "DENIED"]


def test_health_is_of_the_newest_token_that_says_it_and_of_this_start(kit: Kit) -> None:
    brought = enter(kit, honest.armed(1))
    story = brought.story
    story.watch(health=SensorHealth(channels=8, healthy=6, flags=0))
    story.frames()
    story.seal()
    bring(kit, brought)
    with kit.service.store.read() as link:
        found = last_watch(link, 1)
        assert last_watch(link, 2) is None
    assert found is not None and found[0] == len(story.entries) - 2
    assert found[1].health is not None and found[1].health.healthy == 6
    story.now_s += 5
    story.start("restarted")
    story.seal()
    bring(kit, brought)
    with kit.service.store.read() as link:
        assert last_watch(link, 1) is None  # what an earlier run said holds no more


def test_texts_of_the_enclosure_are_plain_and_short() -> None:
    assert plain("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert len(plain("x" * 1000)) == 200
    assert events_in([b"no token"], 0) == []
