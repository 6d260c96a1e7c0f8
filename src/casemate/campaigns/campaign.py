"""A campaign: every move at many places, staged so that trials go where they say something.

All moves are screened. Those to go in that the spec asks for and that were never missed get as many
fresh trials as their claim costs; screening trials do not count towards it. Variants drawn from all
ranges tell which parameters matter. A search then looks for the least detectable variant.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move
from casemate.attacks.places import NEAR, Near, plan_drawn
from casemate.campaigns.engines.jobs import Job
from casemate.campaigns.engines.run import Engine, run
from casemate.campaigns.engines.store import Store
from casemate.campaigns.engines.table import Row, as_row
from casemate.campaigns.scope import asked, least_tool
from casemate.campaigns.search.adaptive import Effort, search
from casemate.campaigns.search.margin import Found
from casemate.campaigns.search.space import Space
from casemate.campaigns.search.trials import Trials
from casemate.campaigns.work import Setup, drawn_tile, work
from casemate.core.errors import InputError
from casemate.design.enclosure import Enclosure

BATCH = 4
"""Trials of a job's batch: a second or so."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many trials of each stage. claim: of each move that the spec asks for; tool: of drilling,

    which carries the spec's probability of detection. noise: of each move to discredit.
    budget: trials of each search.
    """

    screen: int = 59
    claim: int = 149
    tool: int = 2995
    vary: int = 32
    noise: int = 29
    budget: int = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials3:
    """Rows of a move by stage, and what its search found (None if none was made)."""

    move: Move
    screen: tuple[Row, ...]
    claim: tuple[Row, ...]
    vary: tuple[Row, ...]
    found: Found | None = None

    @property
    def counted(self) -> tuple[Row, ...]:
        """Return the trials that the probability of detection is counted on."""
        return self.claim or self.screen

    @property
    def all(self) -> tuple[Row, ...]:
        """Return all trials, stage by stage."""
        return (*self.screen, *self.claim, *self.vary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What a campaign needs: a twin's setup, a store, an engine, sizes and a seed."""

    setup: Setup
    store: Store
    engine: Engine
    sizes: Sizes
    seed: int
    moves: tuple[Move, ...] = MOVES
    say: Say = field(default=lambda _text: None)

    def carry_out(self) -> tuple[Trials3, ...]:
        """Return all moves' trials; what the store holds is not done again."""
        sizes = self.sizes
        screened = self._stage(
            "screen",
            [(m, sizes.screen if m.goal == "intrude" else sizes.noise) for m in self.moves],
        )
        claims = [
            (move, self._claimed(move))
            for move in self.moves
            if asked(move, self.setup.tool_m) and all(row.detected for row in screened[move.id])
        ]
        claimed = self._stage("claim", claims)
        varied = self._stage("vary", [(m, sizes.vary) for m in self.moves if m.goal == "intrude"])
        found = {}
        for move, _ in claims:
            if all(row.detected for row in claimed[move.id]) and sizes.budget > 0:
                self.say(f"searching for the least detectable {move.id}")
                found[move.id] = self.searched(move)
        return tuple(
            Trials3(
                move=move,
                screen=screened[move.id],
                claim=claimed.get(move.id, ()),
                vary=varied.get(move.id, ()),
                found=found.get(move.id),
            )
            for move in self.moves
        )

    def _claimed(self, move: Move) -> int:
        return self.sizes.tool if move.id == "drill" else self.sizes.claim

    def _stage(self, stage: str, wanted: list[tuple[Move, int]]) -> dict[str, tuple[Row, ...]]:
        jobs: list[Job] = []
        for move, count in wanted:
            jobs += self.jobs(move, stage, count)
        # trials on one board follow each other, for what a worker keeps of it serves them all
        jobs.sort(key=lambda job: drawn_tile(self.setup.enclosure, job))
        if not jobs:
            return {}
        self.say(f"{stage}: {len(jobs)} trials of {len(wanted)} moves")
        outcomes = run(
            jobs, work, self.store, engine=self.engine, batch=BATCH, setup=self.setup,
            say=lambda text: self.say(f"{stage}: {text}"),
        )  # fmt: skip
        rows = [as_row(each) for each in outcomes]
        return {
            move.id: tuple(
                sorted((row for row in rows if row.move == move.id), key=lambda row: row.trial)
            )
            for move, _ in wanted
        }

    def jobs(self, move: Move, stage: str, count: int) -> Iterable[Job]:
        """Yield the jobs of a stage; each has its own seed, whatever else is run."""
        how = {"screen": "claim", "claim": "claim", "vary": "drawn"}[stage]
        kinds = areas(self.setup.enclosure) if stage == "vary" else ("anywhere",)
        for number in range(count):
            near = kinds[number % len(kinds)]
            told = {"move": move.id, "stage": stage, "number": number, "values": how, "near": near}
            seed = seed_of(self.seed, stage, move.id, number)
            yield Job(kind=f"trial/{move.id}/{stage}", seed=seed, parameters=told)

    def searched(self, move: Move) -> Found:
        """Return the least detectable variant of a move within the spec that a search found."""
        rule = least_tool(move, self.setup.tool_m)
        parameters = tuple(
            replace(each, low=max(each.low, rule[1]), default=max(each.default, rule[1]))
            if rule is not None and each.name == rule[0]
            else each
            for each in move.parameters
        )
        tiles = tuple(tile.id for tile in self.setup.enclosure.tiles)
        trials = Trials(
            kind=f"search/{move.id}", work=work, store=self.store, loss="margin",
            common={"move": move.id}, engine=self.engine, batch=BATCH, setup=self.setup,
        )  # fmt: skip
        effort = Effort(budget=self.sizes.budget, restarts=2, seeds=1, confirm=4)
        return search(
            trials,
            Space(parameters=parameters, tiles=tiles, place=True),
            seed=seed_of(self.seed, "search", move.id, 0),
            effort=effort,
        )


def areas(enclosure: Enclosure) -> tuple[Near, ...]:
    """Return the kinds of area that a design has: not every box has laps or openings."""
    found: list[Near] = []
    for near in NEAR:
        try:
            plan_drawn(enclosure, np.random.default_rng(0), near=near)
        except InputError:
            continue
        found.append(near)
    return tuple(found)


def seed_of(seed: int, stage: str, move: str, number: int) -> int:
    """Return the seed of a trial: 64 bits of SHA-256, so no two stages share one."""
    told = f"{seed}/{stage}/{move}/{number}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:8], "little")


def missed(rows: tuple[Row, ...]) -> int:
    """Return how many trials ended undetected."""
    return sum(not row.detected for row in rows)


def weakest(rows: tuple[Row, ...]) -> Row | None:
    """Return the trial with the least margin, undetected ones first; None without trials."""
    return min(rows, key=lambda row: (row.detected, row.margin), default=None)


def finite(values: Iterable[float]) -> list[float]:
    """Return the values that are finite."""
    return [value for value in values if math.isfinite(value)]
