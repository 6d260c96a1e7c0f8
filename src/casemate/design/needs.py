"""What a spec asks of the catalogue: the slots to fill, the attack paths to cover, skin holes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from casemate.design.enclosure import FACES
from casemate.modules import Card, Catalogue
from casemate.spec.model import CrossingSpec, EnclosureSpec

CROSSING_FUNCTIONS = {
    "air": "vent",
    "window": "window",
    "liquid": "crossing_liquid",
    "power": "crossing_power",
    "fibre": "crossing_fibre",
    "copper": "crossing_copper",
}
SKIN_FORMS = ("loop-r", "capacitance", "tdr")
EDGES = "seam/edges"
"""Key of the slot of the strips round the twelve edges of the box."""
FACE_FUNCTIONS = ("mesh_skin", "seam", "shield")
WHOLE_FUNCTIONS = (
    "volume_sensing", "reader", "controller", "key_store", "hold_up", "network"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one module. form: if set, only cards of that form; optional: may stay empty.

    area_m2, length_m, count: how much of a card the slot takes, by the card's `per`.
    """

    key: str
    function: str
    face: str = ""
    context: str = "any"
    form: str = ""
    optional: bool = False
    area_m2: float = 0.0
    length_m: float = 0.0
    count: int = 1
    crossing: CrossingSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathNeed:
    """An attack path to cover. slot: key of the slot that must cover it, "" for any slot."""

    id: str
    attack_path: str
    slot: str
    required: int


def face_size_m(spec: EnclosureSpec, face: str) -> tuple[float, float]:
    """Return (width, height) in metres of a face of the protected volume."""
    x, y, z = spec.protected.size_m
    if face in ("front", "rear"):
        return x, z
    return (y, z) if face in ("left", "right") else (x, y)


def slots_of(spec: EnclosureSpec, catalogue: Catalogue) -> tuple[Slot, ...]:
    """Return every slot of the spec, in a fixed order, outside first."""
    total_area = sum(math.prod(face_size_m(spec, face)) for face in FACES)
    edges = 4 * sum(spec.protected.size_m)
    return (
        *(slot for face in FACES for slot in _face_slots(spec, face)),
        Slot(key=EDGES, function="seam", context="edge", length_m=edges),
        *(_crossing_slot(item) for item in spec.crossings if item.kind in CROSSING_FUNCTIONS),
        *_sensing_slots(catalogue, total_area),
        *(Slot(key=each, function=each, area_m2=total_area) for each in WHOLE_FUNCTIONS),
    )


def _face_slots(spec: EnclosureSpec, face: str) -> list[Slot]:
    width, height = face_size_m(spec, face)
    openings = sum(_opening_m2(item) for item in spec.crossings if item.face == face)
    skin_area = max(width * height - openings, 0.0)
    edge = _seam_length_m(spec, face)
    door = face in {door.face for door in spec.service.doors}
    sizes = {"mesh_skin": skin_area, "seam": 0.0, "shield": skin_area}
    return [
        Slot(
            key=f"{function}/{face}",
            function=function,
            face=face,
            context="door" if door else "fixed",
            area_m2=sizes[function],
            length_m=edge,
        )
        for function in FACE_FUNCTIONS
    ]


def _crossing_slot(item: CrossingSpec) -> Slot:
    function = CROSSING_FUNCTIONS[item.kind]
    return Slot(
        key=f"{function}/{item.id}",
        function=function,
        face=item.face,
        area_m2=_opening_m2(item),
        count=max(item.count, 1),
        crossing=item,
    )


def _sensing_slots(catalogue: Catalogue, area_m2: float) -> list[Slot]:
    return [
        Slot(key=f"{function}/{form}", function=function, form=form, optional=True, area_m2=area_m2)
        for function in ("skin_sensing", "aux_sensing")
        for form in sorted({card.form for card in catalogue.serving(function)})
    ]


def _seam_length_m(spec: EnclosureSpec, face: str) -> float:
    """Return metres of seam of a face: the edges of a door, and joints between boards.

    A fixed face's edges are the strips' (slot `seam/edges`). An edge between two doors is half
    each one's. Joints: as few as the largest board of the fab profile leaves, for the better of
    its two directions.
    """
    from casemate.spec.fab import load_fab_profiles

    doors = {door.face for door in spec.service.doors}
    sizes = dict(zip(_AXES, spec.protected.size_m, strict=True))
    edges = 0.0
    for other in FACES:
        if _AXIS[other] == _AXIS[face] or face not in doors:
            continue
        along = next(axis for axis in _AXES if axis not in (_AXIS[face], _AXIS[other]))
        edges += sizes[along] / (2 if other in doors else 1)
    profile = load_fab_profiles().get(spec.fab)
    if profile is None:
        return edges
    width, height = face_size_m(spec, face)
    a, b = profile.max_board_m
    joints = [
        (math.ceil(width / one - 1e-9) - 1) * height + (math.ceil(height / two - 1e-9) - 1) * width
        for one, two in ((a, b), (b, a))
    ]
    return edges + min(joints)


_AXES = ("x", "y", "z")
_AXIS = {"left": "x", "right": "x", "front": "y", "rear": "y", "top": "z", "bottom": "z"}


def door_rise_m(face: str, door: str, card: Card, edge: Card, doors: set[str]) -> float:
    """Return how much deeper a face lies so that the strip of a door beside it moves freely.

    The strip is bonded to the door and its other leg lies over the face with the door's clearance
    instead of the strip's own. Of two doors the first of FACES carries the strip.
    """
    beside = door in doors and _AXIS[face] != _AXIS[door]
    if not beside or (face in doors and FACES.index(face) < FACES.index(door)):
        return 0.0
    return max(0.0, float(card.parameters["gap_m"]) - float(edge.parameters["gap_m"]))


def candidates(slot: Slot, spec: EnclosureSpec, catalogue: Catalogue) -> tuple[Card, ...]:
    """Return the cards that fit a slot by function, form, context, size, current and voltage."""
    return tuple(
        card
        for card in catalogue.serving(slot.function)
        if (not slot.form or card.form == slot.form)
        and _in_context(card, slot.context)
        and _fits(card, slot, spec)
    )


def _in_context(card: Card, context: str) -> bool:
    return context in card.applies_to or ("any" in card.applies_to and context != "edge")


def _fits(card: Card, slot: Slot, spec: EnclosureSpec) -> bool:
    given = card.parameters
    if slot.function == "mesh_skin":
        wide = min(face_size_m(spec, slot.face)) >= given.get("size_min_m", 0.0) - 1e-12
        return bool(wide and made_by(card, spec.fab))
    item = slot.crossing
    if item is None or item.kind in ("air", "fibre"):
        return True
    widest = max(item.size_m) if item.size_m else item.diameter_m
    return bool(
        widest <= given.get("diameter_max_m", math.inf) + 1e-12
        and item.current_a <= given.get("current_max_a", math.inf)
        and item.voltage_v <= given.get("voltage_max_v", math.inf)
    )


def made_by(card: Card, fab: str) -> bool:
    """Return whether a fab profile makes this skin: kind of board and number of layers."""
    from casemate.spec.fab import load_fab_profiles

    profile = load_fab_profiles().get(fab)
    if profile is None or "fab" not in card.parameters:
        return True
    words = profile.id.split("-")
    kind = "-".join(word for word in ("rigid", "flex") if word in words)
    return (not kind or kind in card.parameters["fab"]) and (
        len(card.parameters["copper"]) <= profile.layers
    )


def _opening_m2(item: CrossingSpec) -> float:
    if item.kind not in ("air", "window"):
        return 0.0
    if item.size_m:
        return item.size_m[0] * item.size_m[1] * max(item.count, 1)
    return math.pi / 4 * item.diameter_m**2 * max(item.count, 1)


def quantity(slot: Slot, card: Card) -> float:
    """Return how much of a card a slot takes: square metres, metres or pieces.

    Readers and hold-up packs are counted by the solver; for them this is the least, one piece.
    """
    if card.per == "m^2":
        return slot.area_m2
    if card.per == "m":
        return slot.length_m
    return float(math.ceil(slot.count / int(card.parameters.get("capacity", 1))))


def path_needs(spec: EnclosureSpec, slots: tuple[Slot, ...]) -> tuple[PathNeed, ...]:
    """Return the attack paths to cover and how many independent detections each asks.

    Ways in (skin, seams, vents, windows, crossings) ask two under `dual_detection`; what is not a
    way in (the volume, the environment, the key) asks one.
    """
    ways = 2 if spec.targets.dual_detection else 1
    needs: list[PathNeed] = []
    for slot in slots:
        path = {"mesh_skin": "skin"}.get(slot.function, slot.function)
        if slot.function in ("mesh_skin", "seam") or slot.crossing is not None:
            needs.append(PathNeed(id=slot.key, attack_path=path, slot=slot.key, required=ways))
    once = ["volume", "key"]
    once += [f"environment.{what}" for what in ("temperature", "humidity", "vibration")]
    if spec.service.doors:
        once.append("opening")
    needs += [PathNeed(id=path, attack_path=path, slot="", required=1) for path in once]
    return tuple(needs)


def pitch_and_trace_m(card: Card, spec: EnclosureSpec) -> tuple[float, float]:
    """Return the pitch and trace that a skin gets here: the coarsest of card, fab and spec."""
    from casemate.spec.fab import load_fab_profiles

    pitch = max(card.parameters["pitch_min_m"], spec.mesh.pitch_m)
    trace = float(card.parameters["trace_min_m"])
    profile = load_fab_profiles().get(spec.fab)
    if profile is not None:
        pitch = max(pitch, profile.meander_pitch_m)
        trace = max(trace, profile.meander_trace_min_m)
    return pitch, trace


def skin_hole_m(card: Card, spec: EnclosureSpec) -> float:
    """Return the planned severing bound of a skin: the largest tool that may go unnoticed."""
    pitch, trace = pitch_and_trace_m(card, spec)
    if spec.mesh.pattern == "serpentine":
        return pitch + trace
    angle = round(spec.targets.tool_angle_rad, 6)
    return lattice_hole_m(pitch, trace, tuple(card.parameters["mesh_depth_m"]), angle)


@cache
def lattice_hole_m(
    pitch_m: float, trace_m: float, depth_m: tuple[float, ...], theta_max_rad: float
) -> float:
    """Return an upper planning figure of the severing diameter inside a tree mesh (metres).

    2 max over place and direction of min over layers [dist to the layer's lattice + w / sqrt 2],
    in the plane compressed by cos(theta); alternate layers are offset by half a pitch (shared
    reference mesh.md, 6b.2). Sampled; half a pixel diagonal is added for the place. The proof of
    the drawn tile supersedes it.
    """
    import numpy as np

    count = 32
    axis = (np.arange(count) + 0.5) * pitch_m / count
    place = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    steps = np.arange(-3, 5) * pitch_m
    lattice = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    thetas = np.linspace(0.0, theta_max_rad, 15) if len(depth_m) > 1 else np.zeros(1)
    worst = 0.0
    for theta in thetas:
        for phi in np.linspace(0.0, math.pi / 4, 5):
            along = np.array([math.cos(phi), math.sin(phi)])
            nearest = np.full(len(place), math.inf)
            for layer, depth in enumerate(depth_m):
                shift = (depth - depth_m[0]) * math.tan(theta) * along
                offset = (layer % 2) * pitch_m / 2
                moved = np.mod(place + shift - offset, pitch_m)
                gap = moved[:, None, :] - lattice[None, :, :]
                part = gap @ along
                squeezed = (gap**2).sum(-1) - part**2 * (1 - math.cos(theta) ** 2)
                nearest = np.minimum(nearest, np.sqrt(np.maximum(squeezed.min(1), 0.0)))
            worst = max(worst, float(nearest.max()))
    pixel = pitch_m / count * math.sqrt(2) / 2
    return 2 * (min(worst + pixel, pitch_m / math.sqrt(2)) + trace_m / math.sqrt(2))


def vent_drop_pa(card: Card, item: CrossingSpec) -> float:
    """Return the pressure drop (Pa) of a honeycomb vent with lamella at the flow asked.

    Developing laminar flow in hexagons with entrance and exit loss; the lamella is a screen of
    loss (1 - s)^2 / s^2 of its open share s. Shared reference cad_em.md, section 4 (Muzychka).
    """
    area = _opening_m2(item)
    if area <= 0 or "cell_m" not in card.parameters:
        return 0.0
    face = item.flow_m3_s / area
    share, cell = card.parameters["open_share"], card.parameters["cell_m"]
    speed, density, viscosity = face / share, 1.19, 1.84e-5  # air at 23 C, 1 bar
    reynolds = max(density * speed * cell / viscosity, 1e-9)
    entry = card.parameters["depth_m"] / (cell * reynolds)
    friction = math.hypot(3.44 / math.sqrt(entry), 15.05) / reynolds
    loss = 4 * friction * card.parameters["depth_m"] / cell + 0.5 * (1 - share) + (1 - share) ** 2
    screen = card.parameters.get("lamella_open_share", 1.0)
    lamella = ((1 - screen) / screen) ** 2
    return float(0.5 * density * (speed**2 * loss + face**2 * lamella))
