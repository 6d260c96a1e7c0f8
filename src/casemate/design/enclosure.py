"""What a design is: faces, panels, tiles, seams, crossings. Lengths in metres, frames in 3-D.

A tile's own plane has x right and y up seen from OUTSIDE the enclosure; layer depth grows inward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from casemate.core.geometry import Outline, Point, Point3

FACES = ("front", "rear", "left", "right", "top", "bottom")
"""The six faces. Axes: x left to right, y front to rear, z up; origin at the lower left front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stackup:
    """The boards of one tile from outside to inside.

    copper: names of all copper layers, outer first. mesh: those that carry mesh, outer first.
    depth_m: depth of each mesh layer below the outer surface, same order as `mesh`.
    plane: names of solid planes. thickness_m: whole board. copper_m: copper thickness.
    blind: True if the fab makes blind and buried vias (then no via reaches the outer surface).
    """

    copper: tuple[str, ...]
    mesh: tuple[str, ...]
    depth_m: tuple[float, ...]
    plane: tuple[str, ...]
    thickness_m: float
    copper_m: float
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FabProfile:
    """What the fab makes and how far it errs (metres). width_tolerance: share of trace width."""

    id: str
    max_board_m: tuple[float, float]
    trace_min_m: float
    space_min_m: float
    via_drill_m: float
    via_pad_m: float
    edge_clearance_m: float
    width_tolerance: float
    registration_m: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshRules:
    """How a tile's mesh is drawn and what its proof must reach; every bound comes from the spec.

    lanes: traces that run side by side round the tree. net_length_max_m: reader's reach.
    pattern: "tree" (random) or "serpentine". hole_max_m: smallest tool of the spec.
    """

    pattern: str
    pitch_m: float
    trace_m: float
    lanes: int
    net_length_max_m: float
    theta_max_rad: float
    hole_max_m: float
    same_net_share_max: float
    bypass_worst_max: float
    bypass_over_one_percent_max: float
    resistance_mismatch_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFrame:
    """Where a tile sits: origin of its plane and unit vectors of x, y and inward depth."""

    origin_m: Point3
    x_axis: Point3
    y_axis: Point3
    inward: Point3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bend:
    """How an edge strip is bent: first leg, quarter arc, second leg, along y of its plane.

    faces: on which the first and the second leg lie. line_m: y where the arc begins and ends.
    radius_m: inside radius. level_m: depth of the strip's outer surface below the box's outer
    planes. ends_m: depth, below the other face's outer plane, at which each leg ends.
    """

    edge: str
    faces: tuple[str, str]
    line_m: tuple[float, float]
    radius_m: float
    level_m: float
    ends_m: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileDesign:
    """One board of a panel. `outline` is the board edge in the tile's plane, holes included.

    terminal_edge: side ("left", "right", "top", "bottom") that is tucked under its neighbour or an
    edge strip. lap_m: how deep that side is covered from outside. laps: (side, width) of what is
    tucked under a neighbour of the same face or edge. bend: of an edge strip, None if flat; its
    frame is that of the first leg.
    """

    id: str
    face: str
    panel: str
    module: str
    outline: Outline
    frame: TileFrame
    stackup: Stackup
    fab: FabProfile
    mesh: MeshRules
    terminal_edge: str
    lap_m: float
    laps: tuple[tuple[str, float], ...] = ()
    bend: Bend | None = None

    @property
    def width_m(self) -> float:
        """Return the width of the outline's bounding box."""
        x_min, _, x_max, _ = self.outline.bounds
        return x_max - x_min

    @property
    def height_m(self) -> float:
        """Return the height of the outline's bounding box."""
        _, y_min, _, y_max = self.outline.bounds
        return y_max - y_min


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelDesign:
    """The part of the skin that covers a face or door."""

    id: str
    face: str
    width_m: float
    height_m: float
    thickness_m: float
    door: bool
    frame: TileFrame
    tiles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceDesign:
    """One side of the enclosure with the thickness it takes and what the spec allows."""

    name: str
    width_m: float
    height_m: float
    thickness_m: float
    budget_m: float
    panels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamDesign:
    """Where two tiles or panels meet: `kind` is lap, edge or door.

    gap_m: depth between the two mesh stacks that overlap. overlap_m: meshed overlap built.
    required_m: tool reach + gap * tan(theta_max) + registration. overlap_m is the board overlap
    less the bare rims and the terminal strip. tiles: the covered (under) one first.
    """

    id: str
    kind: str
    module: str
    tiles: tuple[str, str]
    length_m: float
    gap_m: float
    overlap_m: float
    required_m: float
    start_m: Point3
    end_m: Point3


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSide:
    """One face at a box edge; depths are below the outer plane named, in metres.

    board_depth_m: of the boards' outer surface, below this face's plane; shingle_m: how much
    deeper a tucked end may lie. board_start_m, leg_end_m: where the boards start and the strip's
    leg ends, below the other face's plane. inside_m: where the protected volume starts, below this
    face's plane. tiles: those that reach the edge.
    """

    face: str
    board_depth_m: float
    board_m: float
    mesh_depth_m: tuple[float, ...]
    shingle_m: float
    board_start_m: float
    leg_end_m: float
    inside_m: float
    tiles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeDesign:
    """One of the twelve box edges with its strip.

    over: the face whose boards run through; under: whose boards butt. centre_m: depth of the bend's
    axis below both outer planes. level_m, strip_mesh_m: depth of the strip's outer surface and of
    its mesh. ends_m: where the strip starts and ends along the edge, from start_m.
    """

    id: str
    over: EdgeSide
    under: EdgeSide
    door: bool
    module: str
    centre_m: float
    level_m: float
    strip_mesh_m: float
    length_m: float
    start_m: Point3
    end_m: Point3
    ends_m: tuple[float, float]
    strips: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingDesign:
    """What passes the boundary: on which tile, where in its plane, and what protects it.

    opening: ring in the tile's plane that is cut out of the board; None if nothing is cut (the
    tiles then stand around it). size_m: width and height of the region; depth_m: how deep the
    module reaches inward. An opening of a bundle of count lines is one of several of that id.
    """

    id: str
    kind: str
    face: str
    tile: str
    module: str
    centre_m: Point
    opening: tuple[Point, ...] | None
    attenuation_db: dict[str, float] = field(default_factory=dict)
    size_m: Point = (0.0, 0.0)
    depth_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleChoice:
    """Why a module was chosen: its runner-up, what binds, how ripe it is."""

    id: str
    function: str
    face: str
    count: float
    maturity: str
    reason: str
    runner_up: str
    binding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A requirement of the spec and what the design reaches. sense: "max" or "min"."""

    id: str
    required: float
    achieved: float
    unit: str
    met: bool
    evidence: str
    sense: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """A claim that is not backed by a proof, a measurement or a simulation with its error."""

    id: str
    claim: str
    why: str
    closes_with: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another design: the slimmest, the one of a relaxed target, the nearest feasible."""

    id: str
    kind: str
    description: str
    changes: tuple[str, ...]
    totals: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """The whole design, the one object that mesh, fabricate, twin and report read."""

    name: str
    serial: str
    spec_digest: str
    size_m: Point3
    modules: tuple[ModuleChoice, ...]
    faces: tuple[FaceDesign, ...]
    panels: tuple[PanelDesign, ...]
    tiles: tuple[TileDesign, ...]
    seams: tuple[SeamDesign, ...]
    crossings: tuple[CrossingDesign, ...]
    targets: tuple[Target, ...]
    doubts: tuple[Doubt, ...]
    alternatives: tuple[Alternative, ...]
    totals: dict[str, float]
    shielding: dict[str, Any] = field(default_factory=dict)
    air: dict[str, Any] = field(default_factory=dict)
    bom: tuple[dict[str, Any], ...] = ()
    edges: tuple[EdgeDesign, ...] = ()
