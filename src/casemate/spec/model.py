"""The enclosure spec as one frozen object, SI inside. Names equal the keys of enclosure.toml."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """What is protected. size_m: (x width, y depth, z height) of the protected volume."""

    kind: str
    size_m: tuple[float, float, float]
    mass_kg: float
    power_w: float
    heat_to_air_w: float
    heat_to_liquid_w: float
    value_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingSpec:
    """What passes a face. kind: liquid, power, fibre, copper, air, window.

    count: how many. diameter_m: of one line, or the clear aperture of a window (0 if a size is
    given). size_m: (width, height) of a rectangular opening, else None. position_m: centre on the
    face seen from outside, from its lower left corner; None lets the layout choose.
    flow_m3_s and pressure_drop_max_pa, inlet_rise_max_k: for air. current_a, voltage_v: for power.
    """

    id: str
    kind: str
    face: str
    count: int
    diameter_m: float
    size_m: tuple[float, float] | None
    position_m: tuple[float, float] | None
    flow_m3_s: float = 0.0
    pressure_drop_max_pa: float = 0.0
    inlet_rise_max_k: float = 0.0
    current_a: float = 0.0
    voltage_v: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A face that opens. clearance_m: free space in front of it. swing: hinged, slide or lift."""

    face: str
    swing: str
    clearance_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """A part that is swapped in service. rate_per_year: openings a year; through: a face."""

    part: str
    face: str
    rate_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Doors, swaps and the free space around the faces."""

    doors: tuple[Door, ...]
    swaps: tuple[Swap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """What the enclosure may take. thickness_m: one entry a face, all six faces."""

    thickness_m: dict[str, float]
    install_s: float
    service_s: float
    unavailability_s_per_year: float
    unit_cost_usd: float
    own_power_w: float
    hold_up_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adversary:
    """The profile to defend against; `state` is the reference adversary of PRODUCT.md."""

    profile: str
    people: int
    budget_usd: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttenuationTarget:
    """Attenuation asked over a band."""

    id: str
    f_min_hz: float
    f_max_hz: float
    attenuation_db: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What must be reached.

    tool_m: the smallest tool (diameter) that must be noticed at any place and angle up to
    tool_angle_rad. pod, pod_confidence: probability of detection and its confidence.
    reaction_s, far_per_year: reaction time and false alarms a year. dual_detection: two
    independent detections on every attack path. same_net_share, bypass_worst_share,
    bypass_over_one_percent_share, resistance_mismatch: bounds of the mesh proof (shares).
    """

    tool_m: float
    tool_angle_rad: float
    pod: float
    pod_confidence: float
    reaction_s: float
    far_per_year: float
    dual_detection: bool
    attenuation: tuple[AttenuationTarget, ...]
    same_net_share: float
    bypass_worst_share: float
    bypass_over_one_percent_share: float
    resistance_mismatch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshChoice:
    """How the mesh is drawn. pitch_m 0 lets the fab profile choose. pattern: tree, serpentine."""

    pattern: str = "tree"
    lanes: int = 4
    pitch_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclosureSpec:
    """One declarative spec of the thing to protect. fab: id of a fab profile.

    pins: function or function/face -> module id fixed by hand.
    """

    name: str
    protected: Protected
    crossings: tuple[CrossingSpec, ...]
    service: Service
    budgets: Budgets
    adversary: Adversary
    targets: Targets
    fab: str
    mesh: MeshChoice = field(default_factory=MeshChoice)
    pins: dict[str, str] = field(default_factory=dict)
    digest: str = ""
