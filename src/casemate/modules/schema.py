"""The TOML form of a card, checked by pydantic. Quantities stay strings until the loader."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Function = Literal[
    "mesh_skin", "seam", "shield", "vent", "window", "crossing_liquid", "crossing_power",
    "crossing_fibre", "crossing_copper", "skin_sensing", "volume_sensing", "aux_sensing",
    "reader", "controller", "key_store", "hold_up", "network",
]  # fmt: skip
Evidence = Literal["proof", "measurement", "simulation", "datasheet", "judgement"]
Name = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
Text = Field(min_length=1, max_length=600)
Quantity = Field(min_length=1, max_length=100)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DetectionRow(_Strict):
    """One `[[detections]]` table."""

    attack_path: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)?$")
    modality: str = Name
    read_by: list[str] = []
    role: Literal["primary", "supporting"] = "primary"
    evidence: Evidence
    error: str = Text
    pod: str | None = None
    figure: str = ""


class AttenuationRow(_Strict):
    """One `[[attenuation]]` table."""

    f_min: str = Quantity
    f_max: str = Quantity
    attenuation: str = Quantity
    evidence: Evidence


class CardFile(_Strict):
    """A whole card file."""

    id: str = Name
    name: str = Text
    function: Function
    form: str = Name
    applies_to: list[Literal["any", "fixed", "door", "edge"]] = Field(default=["any"], min_length=1)
    per: Literal["each", "m", "m^2"] = "each"
    thickness: str = Quantity
    mass: str = Quantity
    power: str = Quantity
    hold_up_power: str | None = None
    unit_cost: str = Quantity
    development_cost: str = Quantity
    development_time: str = Quantity
    install: str = Quantity
    service: str = Quantity
    mtbf: str = Quantity
    stops_host: bool = False
    latency: str = "0 s"
    origin: Literal["off-the-shelf", "custom"]
    interface: str = Text
    interface_standard: bool
    interface_reason: str = ""
    maturity: Literal["performing", "placeholder", "skipped"]
    roadmap: str = ""
    effort_on_placeholder: bool = False
    risk: str = ""
    drop_in_for: list[str] = []
    requires: list[str] = []
    weaknesses: list[str] = Field(min_length=1)
    source: str = Text
    detections: list[DetectionRow] = []
    attenuation: list[AttenuationRow] = []
    parameters: dict[str, Any] = {}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a card file, for editors."""
    schema = CardFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Casemate module card"
    return schema
