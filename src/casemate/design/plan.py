"""From a spec and its chosen modules to the plan that the layout draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from casemate.core.errors import DesignError
from casemate.core.geometry import Point
from casemate.design.crossings import OpeningPlan
from casemate.design.edges import NEIGHBOURS, StripSkin
from casemate.design.enclosure import FACES, Doubt, FabProfile, MeshRules, Stackup
from casemate.design.needs import EDGES
from casemate.design.seams import SeamRule
from casemate.design.skins import FaceSkin, LayoutPlan
from casemate.modules.model import Card
from casemate.spec.fab import FabProfileCard, load_fab_profiles
from casemate.spec.model import CrossingSpec, EnclosureSpec

if TYPE_CHECKING:
    from casemate.design.choice import Choice

SLEEVE_M = {"liquid": 2e-3, "power": 1e-3, "copper": 1e-3, "fibre": 1e-3, "window": 0.5e-3}
"""What the hole in the board takes beyond the line, all round: tube wall, insulation, bush, rim
of the pane (engineering choice; the card's flange covers it inside)."""

BORE_WEB_M = 1.5e-3
"""Metal between two bores of a fibre passage (engineering choice)."""


def plan_of(spec: EnclosureSpec, choice: Choice) -> LayoutPlan:
    """Return the plan: the skin of each face and the openings of every crossing."""
    fab = fab_of(spec)
    skins = {face: _skin(face, spec, choice, fab) for face in FACES}
    openings = tuple(
        _opening(item, choice.slots[key], choice.thickness_m)
        for item in spec.crossings
        for key in (_crossing_key(item, choice.slots),)
        if key
    )
    return LayoutPlan(
        protected_m=spec.protected.size_m,
        skins=skins,
        strip=_strip(spec, choice),
        openings=openings,
    )


def _strip(spec: EnclosureSpec, choice: Choice) -> StripSkin:
    """Return what the strips round the box edges are made of, from their card."""
    card = choice.slots[EDGES]
    given = card.parameters
    fab = _known(str(given["strip_fab"]))
    rules = _rules(FACES[0], spec, choice)
    return StripSkin(
        module=card.id,
        stackup=stackup_of(card, fab),
        fab=_profile(fab),
        mesh=replace(rules, pitch_m=given["pitch_min_m"], trace_m=given["trace_min_m"]),
        bend_m=given["bend_radius_m"],
        gap_m=given["gap_m"],
        rule=replace(_rule(card, "edge"), clearance_m=0.0),
    )


def fab_of(spec: EnclosureSpec) -> FabProfileCard:
    """Return the spec's fab profile; DesignError if it is not known."""
    return _known(spec.fab)


def _known(name: str) -> FabProfileCard:
    profiles = load_fab_profiles()
    if name not in profiles:
        raise DesignError(
            f"fab profile {name!r} is not known.",
            remedy=f"choose one of {', '.join(sorted(profiles))}.",
        )
    return profiles[name]


def stackup_of(card: Card, fab: FabProfileCard) -> Stackup:
    """Return the boards of a mesh skin as its card gives them; blind only if the fab makes it."""
    given = card.parameters
    return Stackup(
        copper=tuple(given["copper"]),
        mesh=tuple(given["mesh"]),
        depth_m=tuple(given["mesh_depth_m"]),
        plane=tuple(given.get("plane", ())),
        thickness_m=given["board_thickness_m"],
        copper_m=given["copper_thickness_m"],
        blind=bool(given.get("blind", False)) and fab.blind_vias,
    )


def plan_doubts(choice: Choice) -> tuple[Doubt, ...]:
    """Return what the layout takes for granted and nobody has proved."""
    rows = [
        Doubt(
            id="layout.lap-flat",
            claim="the laps of boards in a face, and of strips along an edge, stop any tool",
            why="they stop every tool within the angle of the spec from the face's normal; a"
            " flatter one, nearly along the face, may slip in between the two sheets of a lap",
            closes_with="a strip over each lap, as over the box edges",
            severity="high",
        ),
        Doubt(
            id="layout.strip-leads",
            claim="the nets of the edge strips reach the reader inside",
            why="their lands lie on the inner copper; the tail through the butt joint to the"
            " board's connector is a note of fabrication, not drawn",
            closes_with="a drawing of the tail, or a first article",
            severity="medium",
        ),
    ]
    undrawn = sorted(
        {
            card.id
            for key, card in choice.slots.items()
            if key.startswith(("vent/", "window/", "crossing_"))
            and any(row.modality == "mesh-conductor" for row in card.detections)
        }
    )
    if undrawn:
        rows.append(
            Doubt(
                id="layout.module-mesh",
                claim=f"the mesh inside {', '.join(undrawn)} notices a tool",
                why="only the boards of the faces are drawn and proved; the mesh within these"
                " modules is the cards' claim, and proof.json says nothing of it",
                closes_with="a drawing of those meshes, proved as the tiles are",
                severity="high",
            )
        )
    return tuple(rows)


def _skin(face: str, spec: EnclosureSpec, choice: Choice, fab: FabProfileCard) -> FaceSkin:
    card = choice.slots[f"mesh_skin/{face}"]
    doors = {door.face for door in spec.service.doors}
    own = choice.slots[f"seam/{face}"]
    fixed = own if face not in doors else _fixed_seam(choice, doors) or own
    return FaceSkin(
        module=card.id,
        thickness_m=choice.thickness_m[face],
        budget_m=spec.budgets.thickness_m[face],
        stackup=stackup_of(card, fab),
        fab=_profile(fab),
        mesh=_rules(face, spec, choice),
        lap=_rule(fixed, "lap"),
        door=_rule(own, "door") if face in doors else None,
    )


def _fixed_seam(choice: Choice, doors: set[str]) -> Card | None:
    rows = [choice.slots[f"seam/{face}"] for face in FACES if face not in doors]
    return rows[0] if rows else None


def _rule(card: Card, kind: str) -> SeamRule:
    given: Mapping[str, Any] = card.parameters
    return SeamRule(
        module=card.id,
        kind=kind,
        clearance_m=given.get("gap_m", 0.0),
        tool_reach_m=given.get("tool_reach_m", 0.0),
        terminal_strip_m=given.get("terminal_strip_m", 0.0),
        overlap_min_m=given.get("overlap_min_m", 0.0),
    )


def _profile(fab: FabProfileCard) -> FabProfile:
    return FabProfile(
        id=fab.id,
        max_board_m=fab.max_board_m,
        trace_min_m=fab.meander_trace_min_m,
        space_min_m=fab.meander_space_min_m,
        via_drill_m=fab.via_drill_m,
        via_pad_m=fab.via_pad_m,
        edge_clearance_m=fab.edge_clearance_m,
        width_tolerance=fab.width_tolerance,
        registration_m=fab.registration_m,
        source=fab.source,
    )


def _rules(face: str, spec: EnclosureSpec, choice: Choice) -> MeshRules:
    targets = spec.targets
    return MeshRules(
        pattern=spec.mesh.pattern,
        pitch_m=choice.pitch_m[face],
        trace_m=choice.trace_m[face],
        lanes=spec.mesh.lanes,
        net_length_max_m=choice.net_length_max_m,
        theta_max_rad=targets.tool_angle_rad,
        hole_max_m=targets.tool_m,
        same_net_share_max=targets.same_net_share,
        bypass_worst_max=targets.bypass_worst_share,
        bypass_over_one_percent_max=targets.bypass_over_one_percent_share,
        resistance_mismatch_max=targets.resistance_mismatch,
    )


def _crossing_key(item: CrossingSpec, slots: Mapping[str, Card]) -> str:
    return next((key for key in slots if key.endswith(f"/{item.id}")), "")


def _opening(item: CrossingSpec, card: Card, thickness_m: Mapping[str, float]) -> OpeningPlan:
    size, is_round, count = _hole(item, card)
    sides = NEIGHBOURS[item.face]
    position = item.position_m
    if position is not None:  # spec: on the protected face; layout: on the outer face
        position = (
            position[0] + thickness_m[sides["left"]],
            position[1] + thickness_m[sides["bottom"]],
        )
    return OpeningPlan(
        id=item.id,
        kind=item.kind,
        face=item.face,
        module=card.id,
        size_m=size,
        round=is_round,
        count=count,
        position_m=position,
        fill=item.kind == "air" and size == (0.0, 0.0),
        depth_m=card.thickness_m,
        surface=item.kind == "air",
    )


def _hole(item: CrossingSpec, card: Card) -> tuple[Point, bool, int]:
    """Return the size of one hole in the board, whether it is round, and how many there are."""
    sleeve = 2 * SLEEVE_M.get(item.kind, 0.0)
    count = max(1, item.count)
    if item.kind == "fibre":
        return _fibre_block(item, card)
    if item.size_m is not None:
        return (item.size_m[0] + sleeve, item.size_m[1] + sleeve), False, count
    if item.diameter_m > 0:
        return (item.diameter_m + sleeve, item.diameter_m + sleeve), True, count
    return (0.0, 0.0), False, 1


def _fibre_block(item: CrossingSpec, card: Card) -> tuple[Point, bool, int]:
    """Return the block of bores that carries all fibres, as flat as the spec's opening allows."""
    bore = card.parameters.get("bore_m", item.diameter_m)
    bores = math.ceil(max(1, item.count) / int(card.parameters.get("capacity", 1)))
    sleeve = 2 * SLEEVE_M["fibre"]
    if bores == 1:
        return (bore + sleeve, bore + sleeve), True, 1
    pitch = bore + BORE_WEB_M
    widest = item.size_m[0] if item.size_m is not None else math.inf
    columns = min(math.ceil(math.sqrt(2 * bores)), max(1, int((widest - sleeve) / pitch)))
    rows = math.ceil(bores / columns)
    return (columns * pitch + sleeve, rows * pitch + sleeve), False, 1
