"""The one error tree. Every error names what is wrong and what to do about it.

CasemateError
├── InputError              a file or argument of the user (exit code 2)
│   ├── SpecError           enclosure.toml
│   └── CardError           a module card
├── DesignError             no design meets the spec (exit code 1)
├── MeshError               a tile cannot be covered (exit code 1)
├── ProofError              a proof cannot be carried out (exit code 1)
├── CampaignError           a campaign cannot be run to its end (exit code 1)
├── FormatError             bytes of others are malformed (exit code 2)
├── SignatureError          a signature is wrong, missing or too weak (exit code 1)
├── PermitError             a permit does not allow what is asked (exit code 1)
├── ReaderError             reader hardware cannot be reached, or refuses (exit code 3)
└── OutputError             the output cannot be written (exit code 2)
"""

from __future__ import annotations


class CasemateError(Exception):
    """Base of all errors that cross a public boundary.

    `remedy` says what the reader can do; `str(error)` is one clear message.
    """

    exit_code = 1

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} Remedy: {self.remedy}"


class InputError(CasemateError):
    """A file or argument given by the user is wrong. Names file, key and value."""

    exit_code = 2

    def __init__(
        self, message: str, *, remedy: str, file: str = "", key: str = "", value: object = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.file = file
        self.key = key
        self.value = value

    def __str__(self) -> str:
        place = ": ".join(str(part) for part in (self.file, self.key) if part)
        shown = "" if self.value is None else f" (value {_short(self.value)})"
        return f"{place + ': ' if place else ''}{self.message}{shown} Remedy: {self.remedy}"


class SpecError(InputError):
    """`enclosure.toml` is malformed, impossible or contradictory."""


class CardError(InputError):
    """A module card is malformed or lacks a source."""


class DesignError(CasemateError):
    """No design meets the spec. `conflict` is the smallest conflicting set of requirements."""

    def __init__(self, message: str, *, remedy: str, conflict: tuple[str, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.conflict = conflict


class MeshError(CasemateError):
    """A tile cannot be covered; `polygons_m` are the bare areas, rings of (x, y) in metres."""

    def __init__(
        self,
        message: str,
        *,
        remedy: str,
        polygons_m: tuple[tuple[tuple[float, float], ...], ...] = (),
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.polygons_m = polygons_m


class ProofError(CasemateError):
    """A proof cannot be carried out on this object."""


class CampaignError(CasemateError):
    """A campaign cannot be run to its end. What was done by then is stored."""


class FormatError(CasemateError):
    """Bytes that came from elsewhere are malformed; none of what they say is used."""

    exit_code = 2


class SignatureError(CasemateError):
    """A signature does not fit, is missing, or is of an algorithm that is not allowed."""


class PermitError(CasemateError):
    """A permit does not allow what is asked, or too few parties allow it."""


class ReaderError(CasemateError):
    """Reader hardware cannot be reached, does not answer in time, or refuses what it is told.

    `reader` names the port, address or instrument. What the enclosure is in is then unknown.
    """

    exit_code = 3

    def __init__(self, message: str, *, remedy: str, reader: str = "") -> None:
        super().__init__(f"{reader}: {message}" if reader else message, remedy=remedy)
        self.reader = reader


class OutputError(CasemateError):
    """The output cannot be written (disk full, permission, a file in the way)."""

    exit_code = 2


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
