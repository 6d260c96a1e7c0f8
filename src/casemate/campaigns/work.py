"""What a worker does: trials of moves on a twin that it loads once.

A job says which move, which values (by name of a way to draw them, or given), which place (drawn,
or given) and a seed; the same job gives the same outcome on any machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from casemate.attacks.catalogue import MOVES
from casemate.attacks.move import Move, Plan
from casemate.attacks.places import plan_at, plan_drawn, tile_named
from casemate.campaigns.engines.jobs import Job, Outcome
from casemate.campaigns.engines.table import Row, as_outcome, parameters_text
from casemate.campaigns.ready import Ready, ready
from casemate.campaigns.scope import boards_of, plain, values_for
from casemate.campaigns.search.space import point_on
from casemate.campaigns.trial import Outcome as Ended
from casemate.campaigns.trial import trial
from casemate.core.errors import CampaignError
from casemate.design.enclosure import Enclosure
from casemate.twin.assembly import assemble
from casemate.twin.effects import Bridge, Contact, HeatSpot, Hole, Pocket, Thinned

PLACE = 7
"""Stream of a job's seed that places and values are drawn from."""
LOWEST = -100.0
"""Margin that stands for no evidence at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Loads a twin for this process. far_per_year: what the verdict TAMPER may cost by theorem.

    without: modalities switched off. leaked: chips known to the adversary. baseline: detectors
    that learn (`trial`). bare_rim_m: no copper is met within it of a board's edge or opening. All
    four are weaknesses put in on purpose.
    """

    enclosure: Enclosure
    kind: str
    secret: bytes
    folder: Path
    far_per_year: float
    tool_m: float
    site: str = ""
    unit_seed: int = 1
    without: tuple[str, ...] = ()
    leaked: bool = False
    learns: bool = False
    bare_rim_m: float = 0.0

    def __call__(self) -> None:
        """Make this process ready."""
        twin = assemble(
            self.enclosure, kind=self.kind, secret=self.secret, folder=self.folder,
            site=self.site, seed=self.unit_seed, workers=1,
        )  # fmt: skip
        found = ready(twin, far_per_year=self.far_per_year, without=self.without)
        _held.clear()
        _held.append((self, found))


_held: list[tuple[Setup, Ready]] = []
_moves = {move.id: move for move in MOVES}


def held() -> tuple[Setup, Ready]:
    """Return what this process was made ready with; CampaignError if it was not."""
    if not _held:
        raise CampaignError("this process has no twin.", remedy="give the engine a setup.")
    return _held[0]


def work(jobs: tuple[Job, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes of jobs of the kind "trial"."""
    return tuple(as_outcome(row_of(job)) for job in jobs)


def row_of(job: Job) -> Row:
    """Return the trial of a job as a row."""
    setup, found = held()
    told: dict[str, Any] = dict(job.parameters)
    move = _moves[told["move"]]
    generator = np.random.default_rng([job.seed, PLACE])
    plan = _placed(setup.enclosure, told, generator)
    values = _valued(move, told, setup.tool_m, generator)
    scene = move.scene(plan, values)
    if setup.bare_rim_m > 0.0 and rim_m(plan) < setup.bare_rim_m:
        scene = tuple(row for row in scene if not isinstance(row.effect, COPPER))
    ended = trial(
        found, scene, boards_of(scene, plan), seed=(job.seed,), leaked=setup.leaked,
        learns=setup.learns, until_detected=move.goal == "intrude",
    )  # fmt: skip
    return _row(job, move, plan, values, ended)


COPPER = (Hole, Bridge, Contact, Thinned, Pocket, HeatSpot)
"""Effects that meet a mesh's copper, what lies over it, or warm it."""


def rim_m(plan: Plan) -> float:
    """Return how far a plan's place lies from its board's edge or an opening."""
    outline = plan.tile.outline
    rings = [outline.exterior, *outline.holes]
    place = shapely.Point(plan.place)
    return min(float(shapely.distance(shapely.LinearRing(ring), place)) for ring in rings)


def drawn_tile(enclosure: Enclosure, job: Job) -> str:
    """Return the board that a job's place is drawn on."""
    generator = np.random.default_rng([job.seed, PLACE])
    return _placed(enclosure, dict(job.parameters), generator).tile.id


def _placed(enclosure: Enclosure, told: dict[str, Any], generator: np.random.Generator) -> Plan:
    if told.get("tile") and told.get("place") is not None:
        outline = tile_named(enclosure, told["tile"]).outline
        x, y = told["place"]
        return plan_at(enclosure, told["tile"], point_on(outline, (x, y)))
    return plan_drawn(enclosure, generator, near=told.get("near", "anywhere"))


def _valued(
    move: Move, told: dict[str, Any], tool_m: float, generator: np.random.Generator
) -> dict[str, float]:
    given = told.get("values", "default")
    if isinstance(given, str):
        return values_for(move, given, tool_m, generator)
    return {**move.defaults(), **{name: float(value) for name, value in given.items()}}


def _row(job: Job, move: Move, plan: Plan, values: dict[str, float], ended: Ended) -> Row:
    judged = ended.judged
    top = judged.items[0] if judged.items else None
    return Row(
        move=move.id,
        goal=move.goal,
        trial=int(job.parameters.get("number", 0)),
        seed=job.seed,
        tile=plan.tile.id,
        x_m=float(plan.place[0]),
        y_m=float(plan.place[1]),
        parameters=parameters_text(plain(values)),
        detected=ended.detected,
        level=int(ended.level),
        verdict=str(ended.verdict),
        margin=float(max(ended.margin, LOWEST)),
        delay_s=float(ended.delay_s) if ended.detected else math.nan,
        seen_by=ended.seen_by,
        interference=bool(ended.interference),
        denied=bool(ended.denied),
        statistics={
            "nats": float(judged.nats),
            "tamper": 1.0 if ended.verdict == "TAMPER" else 0.0,
            "off": float(top.off) if top and math.isfinite(top.off) else 0.0,
            "seen": float(len(ended.soon)),
        },
    )
