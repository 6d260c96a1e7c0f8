"""What a security case is argued from: results of proofs, computations and campaigns, as data.

The case never runs anything. Whoever ran it fills these in, with the command that gives each figure
again. SI throughout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["proof", "theorem", "computed", "simulated", "measured", "assumed"]
"""proof: of this unit's copper or files. theorem: holds under stated assumptions alone. computed:
of a fitted model. simulated: trials on the twin. measured: on recordings or hardware."""
Sense = Literal["at_least", "at_most"]
Verdict = Literal["met", "not met", "in doubt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A requirement and what was reached. `low`, `high`: the interval of `achieved` (both equal

    to it if exact), at `confidence`. rests_on: ids of assumptions. rerun: the command that gives
    the figure again. group: which part of the case argues it. None achieved: nothing is known.
    """

    id: str
    text: str
    group: Literal["coverage", "detection", "false alarms", "reaction", "independence", "shielding"]
    required: float
    achieved: float | None
    low: float | None
    high: float | None
    confidence: float
    unit: str
    sense: Sense
    kind: Kind
    evidence: str
    rests_on: tuple[str, ...]
    rerun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Trials of one part of a campaign: a tile, or a range of a parameter."""

    what: str
    low: float
    high: float
    unit: str
    trials: int
    detected: int
    pod_low: float
    pod_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One attack: where, with what, and how it ended. `margin`: nats over the alarm's threshold.

    delay_s: from onset, nan if not detected. x_m, y_m in the tile's plane.
    """

    tile: str
    x_m: float
    y_m: float
    parameters: dict[str, float]
    margin: float
    detected: bool
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveResult:
    """What a campaign found of a move. detected: ended in what its goal forbids.

    goal intrude: a trial counts as detected if the verdict is TAMPER (or DENIED past its limit)
    within the allowed time; pod_low, pod_high at `confidence`. goal discredit: `tamper` counts the
    trials that noise alone brought to TAMPER, `level` the highest level of response reached.
    adaptive: least margin that a search found, nan if none was made, with `budget` evaluations.
    required: the PoD asked of a move to go in; None leaves the move in doubt. rests_on: ids of
    assumptions.
    """

    id: str
    name: str
    goal: Literal["intrude", "discredit"]
    trials: int
    detected: int
    pod: float
    pod_low: float
    pod_high: float
    confidence: float
    delay_s_p50: float
    delay_s_p99: float
    weakest: Trial | None
    seen_by: tuple[str, ...]
    tamper: int
    interference: int
    denied: int
    level: int
    points: int
    potential_level: str
    cost_usd: float
    persons: int
    by_tile: tuple[Part, ...]
    by_parameter: tuple[Part, ...]
    sample: tuple[Trial, ...]
    adaptive: float
    budget: int
    rerun: str
    required: float | None = None
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FarResult:
    """False alarms of one cause, per enclosure and year. level: of the response that it reaches."""

    cause: str
    about: str
    per_enclosure_year: float
    lower: float
    upper: float
    kind: Kind
    level: int
    rests_on: tuple[str, ...]
    rerun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What is taken as given. source: where its figure comes from. covers: what answers if it

    fails. checked: how it is or would be checked.
    """

    id: str
    text: str
    source: str
    checked: str
    covers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A curve: `x`, `y` of equal length, with the band of y if known."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A picture of curves with its axes, their units, whether logarithmic, and how to rerun it."""

    id: str
    title: str
    x: str
    y: str
    x_log: bool
    y_log: bool
    series: tuple[Series, ...]
    about: str
    rerun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """Least margin found in each cell: `margin[i][j][k]` of axes `x`, `y`, `z` (cell edges).

    None where no attack was found. margin < 0: undetected.
    """

    x_name: str
    y_name: str
    z_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    z: tuple[float, ...]
    margin: tuple[tuple[tuple[float | None, ...], ...], ...]
    about: str
    rerun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TileMap:
    """Trials on one board, with its outline (and holes) for the picture, in its plane, metres."""

    tile: str
    face: str
    outline: tuple[tuple[float, float], ...]
    holes: tuple[tuple[tuple[float, float], ...], ...]
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A claim, or a part of one, that nothing backs: first in every report."""

    id: str
    text: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a case is argued from. date: ISO 8601, of the run. versions: of what ran."""

    enclosure: str
    kind: str
    serial: str
    spec_digest: str
    seed: int
    date: str
    adversary: str
    versions: dict[str, str]
    targets: tuple[Target, ...]
    moves: tuple[MoveResult, ...]
    far: tuple[FarResult, ...]
    assumptions: tuple[Assumption, ...]
    doubts: tuple[Doubt, ...]
    plots: tuple[Plot, ...]
    atlas: Atlas | None
    maps: tuple[TileMap, ...]
