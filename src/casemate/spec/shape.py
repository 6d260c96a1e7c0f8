"""The shape of enclosure.toml (pydantic): keys, types, units and ranges of single values.

What no single value can show (a crossing that does not fit its face) is in checks.py.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from casemate.spec.quantity import Quantity, Share

FaceName = Literal["front", "rear", "left", "right", "top", "bottom"]
CrossingKind = Literal["liquid", "power", "fibre", "copper", "air", "window"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["nvl72"])]

YEAR_S = 365.25 * 86400

Edge = Annotated[float, Quantity("m", 0.02, 3.0, "600 mm")]
Opening = Annotated[float, Quantity("m", 0, 3.0, "50 mm", above=True)]
Thickness = Annotated[float, Quantity("m", 0, 0.5, "5 mm", above=True)]
Power = Annotated[float, Quantity("W", 0, 1e7, "132 kW")]
Cost = Annotated[float, Quantity("USD", 0, 1e12, "50 kUSD")]
Rate = Annotated[float, Quantity("1/year", 0, 1e4, "0.5 / month")]
Frequency = Annotated[float, Quantity("Hz", 1, 1e12, "100 MHz")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ProtectedTable(_Table):
    """What is protected."""

    kind: Name = Field(description="What it is, in one word: rack, camera, sensor.")
    size: Annotated[list[Edge], Field(min_length=3, max_length=3)] = Field(
        description="Width (left to right), depth (front to rear), height of the protected volume."
    )
    mass: Annotated[float, Quantity("kg", 0, 1e5, "1500 kg", above=True)]
    power: Power = Field(description="Electric power drawn from outside, own power excluded.")
    heat_to_air: Power
    heat_to_liquid: Power
    value: Cost = Field(description="What the protected thing is worth.")


class CrossingTable(_Table):
    """What passes the boundary. Give either `diameter` (each of `count` lines has its own opening)
    or `size` (one rectangular opening for all of them)."""

    id: Name
    kind: CrossingKind
    face: FaceName
    count: Annotated[int, Field(ge=1, le=10000)] = 1
    diameter: Opening | None = None
    size: Annotated[list[Opening], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Width and height of one rectangular opening."
    )
    position: (
        Annotated[
            list[Annotated[float, Quantity("m", 0, 3.0, "300 mm")]],
            Field(min_length=2, max_length=2),
        ]
        | None
    ) = Field(
        default=None,
        description="Centre of the opening on the face seen from outside, from its lower left.",
    )
    flow: Annotated[float, Quantity("m^3/s", 0, 100, "0.98 m^3/s", above=True)] | None = None
    pressure_drop_max: Annotated[float, Quantity("Pa", 0, 1e4, "15 Pa", above=True)] | None = None
    inlet_rise_max: Annotated[float, Quantity("delta_degC", 0, 100, "1 delta_degC")] | None = None
    current: Annotated[float, Quantity("A", 0, 1e5, "2750 A", above=True)] | None = None
    voltage: Annotated[float, Quantity("V", 0, 1e5, "48 V", above=True)] | None = None


class DoorTable(_Table):
    """A face that opens."""

    face: FaceName
    swing: Literal["hinged", "slide", "lift"]
    clearance: Annotated[float, Quantity("m", 0, 100, "1.2 m")] = Field(
        description="Free space in front of the face."
    )


class SwapTable(_Table):
    """A part that is swapped in service."""

    part: Name
    face: FaceName
    rate: Rate = Field(description="Openings for this part.")


class ServiceTable(_Table):
    """Doors and swaps."""

    doors: list[DoorTable] = Field(default_factory=list, max_length=6)
    swaps: list[SwapTable] = Field(default_factory=list, max_length=100)


class ThicknessTable(_Table):
    """Largest thickness that the enclosure may add, face by face."""

    front: Thickness
    rear: Thickness
    left: Thickness
    right: Thickness
    top: Thickness
    bottom: Thickness


class BudgetsTable(_Table):
    """What the enclosure may take."""

    thickness: ThicknessTable
    install: Annotated[float, Quantity("s", 0, YEAR_S, "4 hour", above=True)]
    service: Annotated[float, Quantity("s", 0, YEAR_S, "5 minute", above=True)] = Field(
        description="Time that the enclosure adds to one declared swap."
    )
    unavailability: Annotated[float, Quantity("s/year", 0, YEAR_S, "5 minute / year")]
    unit_cost: Annotated[float, Quantity("USD", 0, 1e9, "50 kUSD", above=True)]
    own_power: Annotated[float, Quantity("W", 0, 1e5, "50 W", above=True)]
    hold_up: Annotated[float, Quantity("s", 0, YEAR_S, "72 hour")] = Field(
        description="Time the enclosure stays armed without outside power."
    )


class AdversaryTable(_Table):
    """Whom to defend against; `state` is the reference adversary."""

    profile: Literal["state", "organisation", "individual"] = "state"
    people: Annotated[int, Field(ge=1, le=10**6)] = 1000
    budget: Cost = 1e9
    duration: Annotated[float, Quantity("s", 0, 100 * YEAR_S, "3 year", above=True)] = 3 * YEAR_S


class AttenuationTable(_Table):
    """Attenuation asked over a band."""

    id: Name
    f_min: Frequency
    f_max: Frequency
    attenuation: Annotated[float, Quantity("dB", 0, 160, "50 dB", above=True)]


class TargetsTable(_Table):
    """What must be reached."""

    tool: Annotated[float, Quantity("m", 1e-6, 0.1, "0.45 mm")] = Field(
        description="Diameter of the smallest tool that must be noticed."
    )
    tool_angle: Annotated[float, Quantity("rad", 0, math.radians(80), "70 deg")] = Field(
        description="Largest angle of the tool from the perpendicular."
    )
    pod: Annotated[float, Share(0.999, open_ends=True)]
    pod_confidence: Annotated[float, Share(0.95, open_ends=True)]
    reaction: Annotated[float, Quantity("s", 0, 86400, "100 ms", above=True)]
    far: Annotated[float, Quantity("1/year", 0, 1e4, "0.012 / year", above=True)] = Field(
        description="False alarms of one enclosure."
    )
    dual_detection: bool = True
    attenuation: list[AttenuationTable] = Field(default_factory=list, max_length=20)
    same_net_share: Annotated[float, Share(0.5)]
    bypass_worst_share: Annotated[float, Share(0.05)]
    bypass_over_one_percent_share: Annotated[float, Share(0.1)]
    resistance_mismatch: Annotated[float, Share(0.05)]


class MeshTable(_Table):
    """How the mesh is drawn."""

    pattern: Literal["tree", "serpentine"] = "tree"
    lanes: Annotated[int, Field(ge=2, le=16)] = Field(
        default=4, description="Traces that run side by side."
    )
    pitch: Annotated[float, Quantity("m", 5e-5, 0.01, "0.2 mm")] | None = Field(
        default=None, description="Left out, the fab profile chooses."
    )


class SpecFile(_Table):
    """One declarative spec of the thing to protect."""

    format: Literal[1] = Field(default=1, description="Version of this format.")
    name: Name
    fab: Name = Field(description="Id of a fab profile.")
    protected: ProtectedTable
    crossings: list[CrossingTable] = Field(default_factory=list, max_length=100)
    service: ServiceTable = Field(default_factory=ServiceTable)
    budgets: BudgetsTable
    adversary: AdversaryTable = Field(default_factory=AdversaryTable)
    targets: TargetsTable
    mesh: MeshTable = Field(default_factory=MeshTable)
    pins: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*(/[a-z]+)?$", max_length=80)],
        Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")],
    ] = Field(
        default_factory=dict,
        max_length=100,
        description='Modules fixed by hand: "function" or "function/face" = "module id".',
    )
