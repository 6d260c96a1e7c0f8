"""LAYOUT.toml: the board as ordered, the measured standards, and the line to be predicted.

Format: docs/formats/line-layout.md.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from casemate.core.errors import InputError
from casemate.spec.problems import spec_error
from casemate.spec.quantity import Quantity, Share
from casemate.twin.line_board import Kind, Segment

LAYOUT_BYTES_MAX = 1 << 20
ONE_PORT_F_MAX_HZ = 4e9
"""Default end of the band in which one-ports take part in the fit: their connectors, on the
recordings, resonate at 6.2 GHz, and the thrus' do not."""
_NAME = re.compile(r"(thru|through|line|open|short|load)[_-]?(\d+(?:\.\d+)?)", re.IGNORECASE)

Length = Annotated[float, Quantity("m", 0, 100.0, "100 mm", above=True)]
Width = Annotated[float, Quantity("m", 1e-5, 0.1, "3 mm")]
Frequency = Annotated[float, Quantity("Hz", 1, 1e11, "10 GHz")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class BoardTable(_Table):
    """The board as ordered: priors of the fit."""

    height: Annotated[float, Quantity("m", 1e-5, 0.02, "1.5 mm")] = Field(
        description="Thickness of the dielectric between strip and ground."
    )
    copper: Annotated[float, Quantity("m", 1e-6, 1e-3, "50 um")] = Field(
        description="Thickness of the copper."
    )
    epsilon_r: Annotated[float, Field(ge=1.01, le=20.0, examples=[4.4])] = Field(
        default=4.4, description="Relative permittivity at 1 GHz; fitted within 0.15."
    )
    tan_delta: Annotated[float, Share(0.02)] = Field(
        default=0.02, description="Loss tangent at 1 GHz; fitted within 0.005."
    )
    standard_width: Width | None = Field(
        default=None,
        description="Width of the measured lines; left out, that of the first segment.",
    )


class SegmentTable(_Table):
    """A piece of strip; steps between widths and connectors at both ends are added."""

    width: Width = Field(description="Width as drawn.")
    length: Length = Field(description="Length as drawn.")


class StandardTable(_Table):
    """What a measured file is. Not needed where the name says it, as in `..._Thru_100-...`."""

    file: Annotated[str, Field(max_length=255, examples=["thru100.s2p"])] = Field(
        description="Name of the file, without folder."
    )
    kind: Kind = Field(description="A line from plug to plug, or how a line ends on the board.")
    length: Length = Field(description="Length of the line as drawn.")
    width: Width | None = Field(default=None, description="Width; left out, standard_width.")
    f_max: Frequency | None = Field(
        default=None, description="Use the file up to here; left out, all (one-ports: 4 GHz)."
    )


class SweepTable(_Table):
    """Frequencies of the prediction; left out, those of the first thru."""

    f_min: Frequency = Field(description="First frequency.")
    f_max: Frequency = Field(description="Last frequency, within the measured band.")
    points: Annotated[int, Field(ge=2, le=200_000)] = Field(
        examples=[1001], description="Number of frequencies, evenly spaced."
    )


class LayoutFile(_Table):
    """The whole file."""

    board: BoardTable
    segments: Annotated[list[SegmentTable], Field(min_length=1, max_length=1000)]
    standards: Annotated[list[StandardTable], Field(max_length=100)] = []
    sweep: SweepTable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A loaded LAYOUT.toml."""

    file: str
    table: LayoutFile

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The line to be predicted, from port 1 to port 2."""
        return tuple(
            Segment(width_m=each.width, length_m=each.length) for each in self.table.segments
        )

    def standard(self, path: Path, ports: int) -> tuple[Kind, Segment, float]:
        """Return kind, line and upper frequency of a measured file; InputError if unknown."""
        given = next((each for each in self.table.standards if each.file == path.name), None)
        kind, length_m = (given.kind, given.length) if given else self._from_name(path)
        if (kind == "thru") != (ports == 2):
            raise InputError(
                f"a {kind} does not have {ports} {'port' if ports == 1 else 'ports'}.",
                remedy="a thru is a .s2p file; open, short and load are .s1p files.",
                file=str(path),
            )
        width_m = given.width if given and given.width else self.table.board.standard_width
        f_max_hz = given.f_max if given and given.f_max else None
        if f_max_hz is None:
            f_max_hz = float("inf") if kind == "thru" else ONE_PORT_F_MAX_HZ
        segment = Segment(width_m=width_m or self.table.segments[0].width, length_m=length_m)
        return kind, segment, f_max_hz

    def _from_name(self, path: Path) -> tuple[Kind, float]:
        found = _NAME.search(path.name)
        if found is None:
            raise InputError(
                "neither its name nor the layout says what this file is.",
                remedy=f'add to {self.file}: [[standards]] file = "{path.name}", kind = "thru", '
                'length = "100 mm".',
                file=str(path),
            )
        word = found.group(1).lower()
        kinds: dict[str, Kind] = {"open": "open", "short": "short", "load": "load"}
        return kinds.get(word, "thru"), float(found.group(2)) * 1e-3


def load_layout(path: Path) -> Layout:
    """Return the layout in the file at `path`; InputError for whatever is wrong with it."""
    file = str(path)
    raw = _parsed(_text(path, file), file)
    try:
        return Layout(file=file, table=LayoutFile.model_validate(raw))
    except ValidationError as problem:
        said = spec_error(problem, file=file, model=LayoutFile)
        raise InputError(
            said.message, remedy=said.remedy, file=file, key=said.key, value=said.value
        ) from None


def _text(path: Path, file: str) -> str:
    remedy = "name a LAYOUT.toml (see docs/formats/line-layout.md)."
    if not path.is_file():
        raise InputError("there is no such file.", remedy=remedy, file=file)
    if path.stat().st_size > LAYOUT_BYTES_MAX:
        raise InputError("the file is larger than 1 MiB.", remedy=remedy, file=file)
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError("the file cannot be read as UTF-8.", remedy=remedy, file=file) from None


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the file is not TOML: {error}.",
            remedy='correct the place named; quantities need quotes, as in width = "3 mm".',
            file=file,
        ) from None
