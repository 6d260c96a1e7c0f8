"""A month of many enclosures: services, nuisances, attacks and people, on the store as it is.

What happens is drawn from a seed; how often is a planning value for a well-run hall. What is then
found, who is told and what people do goes through the product's own incidents, outbox and acts.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from outlets_kit import put, told
from sqlalchemy import Connection, select

from casemate.fleet.access.people import Person
from casemate.fleet.alarms import decisions, incidents, outbox
from casemate.fleet.alarms.incidents import WHOLE
from casemate.fleet.alarms.notice import Notice
from casemate.fleet.store.database import Store
from casemate.fleet.store.schema import INCIDENTS
from casemate.verify.findings import KINDS, SEVERITIES, Finding
from casemate.verify.result import Result

START_S = 1_800_000_000
HOUR_S, DAY_S, MONTH_S = 3600, 86_400, 30 * 86_400
SLOT_S = 600
"""EEMUA 191 and ISA-18.2 count alarms of an operator in ten minutes."""
LOOK_S = 1800
"""That people look at what is open (planning value)."""
HELD_S = 8 * HOUR_S
"""That an incident stays open until somebody has found its cause (planning value)."""
BEGINS, COMES, ENDS = "begins", "comes", "ends"
OPERATOR = Person(id=1, name="ann", role="host-operator", party="hostland")
INSPECTOR = Person(id=2, name="bo", role="inspector", party="peerland")
REASON = "looked at on the spot, with the site's record of work"

PER_ENCLOSURE = (
    # finding, in a month, how long it holds: None for what stands in the log for good
    ("boot.restart", 0.0, None),  # in waves: see below
    ("time.stale", 0.2, (600, 7200)),  # its network is gone
    ("sensor.fault", 0.05, None),
    ("clock.step", 0.05, None),
    ("beats.missing", 0.1, None),
    ("verdict.interference", 0.1, None),  # somebody drills beside it
    ("permit.unclosed", 0.05, None),  # one service in twenty is not closed
    ("permit.expired", 0.02, None),  # one in fifty takes too long
    ("state.tampered", 1 / 120, None),  # a false alarm in ten years
)
"""Of one enclosure (planning values)."""
PER_SITE = (
    # finding, in a month, share of its enclosures, over how long it comes, how long it holds
    ("boot.restart", 1.0, 1.0, 3600, None),  # an update in one night
    ("time.stale", 0.5, 1.0, 30, (300, 3600)),  # the hall's switch
    ("verdict.interference", 1.0, 0.2, 3600, None),  # a storm, or building work
    ("supply.cut", 0.5, 1.0, 5, None),  # it rides through: a note, nobody is called
)
"""Of one site (planning values)."""
FLEET_OUTAGES = 1.0
"""In a month witnesses are away for half an hour: all enclosures become stale (planning value)."""


@dataclass(slots=True)
class Month:
    """A fleet and what happens to it. events: (time, what, enclosure, finding), a heap."""

    store: Store
    seed: int
    count: int
    sites: int
    length_s: int
    events: list[tuple[int, str, int, str]] = field(default_factory=list)
    racks: list[list[int]] = field(default_factory=list)
    standing: dict[int, dict[tuple[str, int], int]] = field(default_factory=dict)
    tokens: int = 0

    def __post_init__(self) -> None:
        self.racks = [[] for _ in range(self.sites)]
        with self.store.write():
            for number in range(self.count):
                site = number % self.sites
                made = put(self.store, number, name=f"rack-{number}", site=f"hall {site}")
                self.racks[site].append(made)
                self.standing[made] = {}

    def add(self, at_s: float, what: str, enclosure: int, finding: str) -> None:
        """Let something happen."""
        heapq.heappush(self.events, (START_S + int(at_s), what, enclosure, finding))

    def nuisances(self) -> None:
        """Draw what happens by itself."""
        rng, months = random.Random(self.seed), self.length_s / MONTH_S
        for site in self.racks:
            for finding, often, share, over_s, holds in PER_SITE:
                for at_s in _times(rng, often * months, self.length_s):
                    chosen = [each for each in site if rng.random() < share]
                    until_s = at_s + rng.uniform(*holds) if holds else None
                    for each in chosen:
                        self._one(at_s + rng.uniform(0, over_s), each, finding, until_s)
            for rack in site:
                for finding, often, holds in PER_ENCLOSURE:
                    for at_s in _times(rng, often * months, self.length_s):
                        until_s = at_s + rng.uniform(*holds) if holds else None
                        self._one(at_s, rack, finding, until_s)
        for at_s in _times(rng, FLEET_OUTAGES * months, self.length_s):
            for rack in self.standing:
                self._one(at_s + rng.uniform(0, 60), rack, "time.stale", at_s + 1800)

    def _one(self, at_s: float, rack: int, finding: str, until_s: float | None) -> None:
        self.add(at_s, BEGINS if until_s else COMES, rack, finding)
        if until_s:
            self.add(until_s, ENDS, rack, finding)

    def jam(self, at_s: float, for_s: float, site: int, every_s: float = 60) -> None:
        """Let noise be made at a site: detection of each enclosure there is disturbed and blind by
        turns, and says so with each token."""
        turns = int(for_s / every_s)
        for rack in self.racks[site]:
            for turn in range(turns):
                finding = ("verdict.interference", "verdict.denied")[turn % 2]
                self.add(at_s + every_s * turn + rack % 50, COMES, rack, finding)

    def run(self) -> list[Notice]:
        """Let it all happen, hour by hour; return what was told outside."""
        now_s = looked_s = START_S
        while now_s < START_S + self.length_s:
            with self.store.write() as link:
                for _ in range(HOUR_S // 60):
                    now_s += 60
                    while self.events and self.events[0][0] <= now_s:
                        self._happens(link, *heapq.heappop(self.events))
                    outbox.gather_in(link, now_s)
                    if now_s - looked_s >= LOOK_S:
                        looked_s = now_s
                        look(link, now_s)
        return told(self.store)

    def _happens(
        self, link: Connection, at_s: int, what: str, enclosure: int, finding: str
    ) -> None:
        held = self.standing[enclosure]
        if what == ENDS:
            held.pop((finding, WHOLE), None)
        else:
            self.tokens += 1
            held[finding, WHOLE if what == BEGINS else self.tokens] = at_s
        decisions.update_from(link, enclosure, result(held, at_s), [], 660)


def _times(rng: random.Random, count: float, length_s: float) -> Iterator[float]:
    """Yield times of a Poisson process."""
    at_s = rng.expovariate(count / length_s) if count else length_s
    while at_s < length_s:
        yield at_s
        at_s += rng.expovariate(count / length_s)


def result(held: dict[tuple[str, int], int], now_s: int) -> Result:
    """Return an appraisal with these findings."""
    found = [
        Finding(
            id=finding, severity=KINDS[finding].severity, claim=KINDS[finding].claim, remedy="r",
            what=KINDS[finding].meaning, token=None if token == WHOLE else token, at_s=at_s,
            times=1,
        )
        for (finding, token), at_s in held.items()
    ]  # fmt: skip
    found.sort(key=lambda each: SEVERITIES.index(each.severity))
    return Result(
        enclosure="e", serial="s", reference="r", now_s=now_s, headline="h", state="ARMED",
        since_s=now_s, seen_s=now_s, tokens=1, proven=1, intervals=(), findings=tuple(found),
    )  # fmt: skip


def look(link: Connection, now_s: int) -> None:
    """Let people acknowledge what is open, and dispose of what has ended and has a cause."""
    for number in list(
        link.execute(select(INCIDENTS.c.id).where(INCIDENTS.c.disposed_s.is_(None))).scalars()
    ):
        one = decisions.read(link, number)
        seen = incidents.digest(one.triggers)
        given = {"triggers": one.triggers, "seen": seen, "now_s": now_s}
        if one.acknowledged_by is None:
            decisions.record(link, one, incidents.acknowledge(OPERATOR, **given))
        holds = any(each.live and each.token == WHOLE for each in one.triggers)
        if holds or now_s - one.last_s < HELD_S:
            continue
        act = incidents.propose(INSPECTOR, "explained", REASON, severity=one.severity, **given)
        decisions.record(link, one, act)
        if incidents.needs_two(one.severity):
            again = decisions.read(link, number)
            decisions.record(link, again, incidents.confirm(OPERATOR, again.acts, **given))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What an operator hears. mean: calls in ten minutes. flooded: share of slots with over ten."""

    calls: int
    notices: int
    mean: float
    most: int
    flooded: float


def rate(held: list[Notice], length_s: int) -> Rate:
    """Return how often one operator of the whole fleet is called."""
    called = [each for each in held if each.calls]
    slots = Counter((each.at_s - START_S) // SLOT_S for each in called)
    count = length_s / SLOT_S
    return Rate(
        calls=len(called), notices=len(held), mean=len(called) / count,
        most=max(slots.values(), default=0),
        flooded=sum(1 for each in slots.values() if each > 10) / count,
    )  # fmt: skip
