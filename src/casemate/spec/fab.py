"""Fab profiles: what a board maker makes, read from fab_profiles.toml (each with its source)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from casemate.core.errors import InputError

TWO_LAYER_SEVERING_FACTOR = 0.339 / 0.300
"""Severing bound over (pitch + trace) of two tree layers offset by half a pitch, 0.05 mm apart,
all directions to 70 deg: 0.339 mm at pitch 0.2, trace 0.1 (shared reference mesh.md, 6b.3). The
bound scales with the drawing, so the factor is free of units. No fab stack of ours does better."""

SERPENTINE_SEVERING_FACTOR = 1.0
"""The same for a serpentine, which has no open points: pitch + trace (mesh.md, 6 and 6b.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FabProfileCard:
    """What a fab makes and how far it errs; lengths in metres, width_tolerance a share.

    meander_*: minimum for loop lines, which some flex fabs double. blind_vias: whether vias that
    do not reach the outer surface are within this profile.
    """

    id: str
    max_board_m: tuple[float, float]
    trace_min_m: float
    space_min_m: float
    meander_trace_min_m: float
    meander_space_min_m: float
    via_drill_m: float
    via_pad_m: float
    edge_clearance_m: float
    width_tolerance: float
    registration_m: float
    board_thickness_m: float
    layers: int
    blind_vias: bool
    source: str

    @property
    def meander_pitch_m(self) -> float:
        """Return the finest pitch of a meander: trace plus space."""
        return self.meander_trace_min_m + self.meander_space_min_m

    def tool_min_m(self, pattern: str = "tree", pitch_m: float = 0.0) -> float:
        """Return the finest tool (diameter) that a mesh of this profile can resist anywhere."""
        pitch = max(pitch_m, self.meander_pitch_m)
        serpentine = pattern == "serpentine"
        factor = SERPENTINE_SEVERING_FACTOR if serpentine else TWO_LAYER_SEVERING_FACTOR
        return factor * (pitch + self.meander_trace_min_m)


@cache
def load_fab_profiles() -> dict[str, FabProfileCard]:
    """Return all profiles by id; a profile is added to the TOML file without code."""
    text = files("casemate.spec").joinpath("fab_profiles.toml").read_text("utf-8")
    return parse_fab_profiles(text)


def parse_fab_profiles(text: str, file: str = "fab_profiles.toml") -> dict[str, FabProfileCard]:
    """Return the profiles in `text`; InputError names what is wrong."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"not TOML: {error}.", remedy="correct the place named.", file=file
        ) from None
    return {profile_id: _profile(profile_id, table, file) for profile_id, table in tables.items()}


def _profile(profile_id: str, table: Any, file: str) -> FabProfileCard:
    from casemate.core.units import QuantityError, parse_quantity

    def length(text: str) -> float:
        value = float(f"{parse_quantity(text, 'm'):.15g}")
        if value <= 0:
            raise ValueError("expected more than 0")
        return value

    key = ""
    try:
        lengths = {}
        for key in _LENGTHS:
            lengths[f"{key}_m"] = length(table[key])
        key = "max_board"
        width, height = (length(side) for side in table[key])
        key = "source"
        if not str(table[key]).strip():
            raise ValueError("expected where the figures come from")
        key = "width_tolerance"
        if not 0 < float(table[key]) < 1:
            raise ValueError("expected a share between 0 and 1")
        key = "layers"
        if type(table[key]) is not int or not 1 <= table[key] <= 64:
            raise ValueError("expected a whole number from 1 to 64")
        key = "blind_vias"
        if type(table[key]) is not bool:
            raise ValueError("expected true or false")
        key = "trace_min"
        for what in ("trace", "space"):
            if lengths[f"meander_{what}_min_m"] < lengths[f"{what}_min_m"]:
                raise ValueError(f"a meander cannot be finer than any other {what}")
        return FabProfileCard(
            id=profile_id,
            max_board_m=(width, height),
            width_tolerance=float(table["width_tolerance"]),
            layers=table["layers"],
            blind_vias=table["blind_vias"],
            source=str(table["source"]),
            **lengths,
        )
    except (KeyError, TypeError, ValueError, QuantityError) as error:
        raise InputError(
            f"the profile is malformed: {error}.",
            remedy="give every key that the other profiles give, lengths as strings.",
            file=file,
            key=f"{profile_id}.{key}",
        ) from None


_LENGTHS = (
    "trace_min",
    "space_min",
    "meander_trace_min",
    "meander_space_min",
    "via_drill",
    "via_pad",
    "edge_clearance",
    "registration",
    "board_thickness",
)
