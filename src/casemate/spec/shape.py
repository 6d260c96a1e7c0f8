"""The shape of enclosure.toml (pydantic): keys, types, units and ranges of single values.

What no single value can show (a crossing that does not fit its face) is in checks.py.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from casemate.core.units import YEAR_S
from casemate.spec.quantity import Quantity, Share

FaceName = Literal["front", "rear", "left", "right", "top", "bottom"]
CrossingKind = Literal["liquid", "power", "fibre", "copper", "air", "window"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", examples=["nvl72"])]


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

    kind: Name = Field(
        description="What it is, in one word.", examples=["rack", "camera", "sensor"]
    )
    size: Annotated[list[Edge], Field(min_length=3, max_length=3)] = Field(
        description="Width (left to right), depth (front to rear), height of the protected volume."
    )
    mass: Annotated[float, Quantity("kg", 0, 1e5, "1500 kg", above=True)] = Field(
        description="Mass of the protected thing."
    )
    power: Power = Field(description="Electric power drawn from outside, own power excluded.")
    heat_to_air: Power = Field(
        description="Part of the power that leaves as heat in air, or through the skin."
    )
    heat_to_liquid: Power = Field(description="Part of the power that leaves as heat in a liquid.")
    value: Cost = Field(description="What the protected thing is worth.")


class CrossingTable(_Table):
    """What passes the boundary. Give either `diameter` (each of `count` lines has its own opening)
    or `size` (one rectangular opening for all of them). Air may have neither: its vent then takes
    what the other crossings leave of the face."""

    id: Name = Field(description="Name of the crossing, used once.")
    kind: CrossingKind = Field(description="What passes.")
    face: FaceName = Field(description="Face that it passes, seen from outside.")
    count: Annotated[int, Field(ge=1, le=10000)] = Field(
        default=1, examples=[2], description="Number of lines."
    )
    diameter: Opening | None = Field(
        default=None, description="Opening of one line, or clear aperture of a window."
    )
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
    flow: Annotated[float, Quantity("m^3/s", 0, 100, "0.98 m^3/s", above=True)] | None = Field(
        default=None, description="Air that passes this opening."
    )
    pressure_drop_max: Annotated[float, Quantity("Pa", 0, 1e4, "15 Pa", above=True)] | None = Field(
        default=None, description="Largest pressure drop that the vent may add."
    )
    inlet_rise_max: Annotated[float, Quantity("K", 0, 100, "1 K")] | None = Field(
        default=None, description="Largest rise of the inlet air that the vent may cause."
    )
    current: Annotated[float, Quantity("A", 0, 1e5, "2750 A", above=True)] | None = Field(
        default=None, description="Current of one line (power, copper)."
    )
    voltage: Annotated[float, Quantity("V", 0, 1e5, "48 V", above=True)] | None = Field(
        default=None, description="Voltage of one line (power, copper)."
    )


class DoorTable(_Table):
    """A face that opens."""

    face: FaceName = Field(description="Face that opens.")
    swing: Literal["hinged", "slide", "lift"] = Field(
        description="How it opens: on hinges along its longer edge, sliding, or lifted off."
    )
    clearance: Annotated[float, Quantity("m", 0, 100, "1.2 m")] = Field(
        description="Free space in front of the face."
    )


class SwapTable(_Table):
    """A part that is swapped in service."""

    part: Name = Field(description="Name of the part.")
    face: FaceName = Field(description="Face, with a door, through which it is swapped.")
    rate: Rate = Field(description="Openings for this part.")


class ServiceTable(_Table):
    """Doors and swaps."""

    doors: list[DoorTable] = Field(
        description="Faces that open.", default_factory=list, max_length=6
    )
    swaps: list[SwapTable] = Field(
        description="Parts that are swapped, and how often.", default_factory=list, max_length=100
    )


class ThicknessTable(_Table):
    """Largest thickness that the enclosure may add, face by face."""

    front: Thickness = Field(description="Largest thickness added to the front face.")
    rear: Thickness = Field(description="Largest thickness added to the rear face.")
    left: Thickness = Field(description="Largest thickness added to the left face.")
    right: Thickness = Field(description="Largest thickness added to the right face.")
    top: Thickness = Field(description="Largest thickness added to the top face.")
    bottom: Thickness = Field(description="Largest thickness added to the bottom face.")


class BudgetsTable(_Table):
    """What the enclosure may take."""

    thickness: ThicknessTable = Field(description="One entry a face, all six.")
    install: Annotated[float, Quantity("s", 0, YEAR_S, "4 hour", above=True)] = Field(
        description="Time to install the enclosure."
    )
    service: Annotated[float, Quantity("s", 0, YEAR_S, "5 minute", above=True)] = Field(
        description="Time that the enclosure adds to one declared swap."
    )
    unavailability: Annotated[float, Quantity("s/year", 0, YEAR_S, "5 minute / year")] = Field(
        description="Time without the protected thing that the enclosure causes."
    )
    unit_cost: Annotated[float, Quantity("USD", 0, 1e9, "50 kUSD", above=True)] = Field(
        description="Cost of one enclosure."
    )
    own_power: Annotated[float, Quantity("W", 0, 1e5, "50 W", above=True)] = Field(
        description="Electric power of the enclosure itself."
    )
    hold_up: Annotated[float, Quantity("s", 0, YEAR_S, "72 hour")] = Field(
        description="Time the enclosure stays armed without outside power."
    )


class AdversaryTable(_Table):
    """Whom to defend against; `state` is the reference adversary."""

    profile: Literal["state", "organisation", "individual"] = Field(
        default="state", description="Kind of adversary."
    )
    people: Annotated[int, Field(ge=1, le=10**6)] = Field(
        default=1000, examples=[1000], description="People who work for it."
    )
    budget: Cost = Field(
        default="1000 MUSD", validate_default=True, description="What it may spend."
    )
    duration: Annotated[float, Quantity("s", 0, 100 * YEAR_S, "3 year", above=True)] = Field(
        default="3 year", validate_default=True, description="How long it may work."
    )


class AttenuationTable(_Table):
    """Attenuation asked over a band."""

    id: Name = Field(description="Name of the band, used once.")
    f_min: Frequency = Field(description="Lower end of the band.")
    f_max: Frequency = Field(description="Upper end of the band.")
    attenuation: Annotated[float, Quantity("dB", 0, 160, "50 dB", above=True)] = Field(
        description="Least attenuation of the whole enclosure over the band."
    )


class TargetsTable(_Table):
    """What must be reached."""

    tool: Annotated[float, Quantity("m", 1e-6, 0.1, "0.45 mm")] = Field(
        description="Diameter of the smallest tool that must be noticed."
    )
    tool_angle: Annotated[float, Quantity("rad", 0, math.radians(80), "70 deg")] = Field(
        description="Largest angle of the tool from the perpendicular."
    )
    pod: Annotated[float, Share(0.999, open_ends=True)] = Field(
        description="Probability of detection."
    )
    pod_confidence: Annotated[float, Share(0.95, open_ends=True)] = Field(
        description="Confidence at which `pod` is shown."
    )
    reaction: Annotated[float, Quantity("s", 0, 86400, "100 ms", above=True)] = Field(
        description="Time from the start of the physical change to the verdict."
    )
    far: Annotated[float, Quantity("1/year", 0, 1e4, "0.012 / year", above=True)] = Field(
        description="False alarms of one enclosure."
    )
    dual_detection: bool = Field(
        default=True, description="Two detections without a common mode on every attack path."
    )
    attenuation: list[AttenuationTable] = Field(
        description="Bands with their attenuation.", default_factory=list, max_length=20
    )
    same_net_share: Annotated[float, Share(0.5)] = Field(
        description="Largest share of gaps with the same net on both sides."
    )
    bypass_worst_share: Annotated[float, Share(0.05)] = Field(
        description="Largest share of a net that one bridge cuts out."
    )
    bypass_over_one_percent_share: Annotated[float, Share(0.1)] = Field(
        description="Largest share of bridges that cut out over 1 % of a net."
    )
    resistance_mismatch: Annotated[float, Share(0.05)] = Field(
        description="Largest difference of resistance in a pair of nets."
    )


class MeshTable(_Table):
    """How the mesh is drawn."""

    pattern: Literal["tree", "serpentine"] = Field(
        default="tree", description="Random trees, or a serpentine (finer, but predictable)."
    )
    lanes: Annotated[int, Field(ge=2, le=16)] = Field(
        default=4, examples=[4], description="Traces that run side by side."
    )
    pitch: Annotated[float, Quantity("m", 5e-5, 0.01, "0.2 mm")] | None = Field(
        default=None, description="Left out, the fab profile chooses."
    )


class SpecFile(_Table):
    """One declarative spec of the thing to protect."""

    format: Literal[1] = Field(default=1, description="Version of this format.")
    name: Name = Field(description="Name of the enclosure.")
    fab: Name = Field(description="Id of a fab profile.", examples=["jlc-rigid-4l"])
    protected: ProtectedTable = Field(description="What is protected.")
    crossings: list[CrossingTable] = Field(
        description="What passes the boundary.", default_factory=list, max_length=100
    )
    service: ServiceTable = Field(description="Doors and swaps.", default_factory=ServiceTable)
    budgets: BudgetsTable = Field(description="What the enclosure may take.")
    adversary: AdversaryTable = Field(
        description="Whom to defend against.", default_factory=AdversaryTable
    )
    targets: TargetsTable = Field(description="What must be reached.")
    mesh: MeshTable = Field(description="How the mesh is drawn.", default_factory=MeshTable)
    pins: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*(/[a-z][a-z0-9-]*)?$", max_length=80)],
        Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")],
    ] = Field(
        default_factory=dict,
        max_length=100,
        description='Modules fixed by hand: "function" or "function/place" = "module".',
    )
