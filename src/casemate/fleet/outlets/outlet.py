"""What an outlet is: it brings notices to a receiver, in order, and says when they are taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from casemate.core.errors import CasemateError
from casemate.fleet.alarms.notice import Notice
from casemate.fleet.outlets.standing import Standing

TIMEOUT_S = 10.0
"""For which a receiver may be silent (planning value)."""


class OutletError(CasemateError):
    """The receiver cannot be reached, or did not take what was brought: it is brought again."""

    exit_code = 3

    def __init__(
        self, message: str, *, remedy: str = "it is tried again; nothing is lost."
    ) -> None:
        super().__init__(message, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who tells. service: the name by which others reach it, safe to say. boots: of the outlet.

    again: counts one more of them in the store and returns their number.
    """

    service: str
    clock: Callable[[], float]
    boots: int
    again: Callable[[], int]


class Outlet(Protocol):
    """Brings notices to one receiver. One thread uses it."""

    most: int
    """Notices that it takes at once; if it fails, all of them are brought again."""

    def send(self, notices: Sequence[Notice]) -> None:
        """Bring notices; returns once the receiver has all of them. OutletError if it has not."""

    def tend(self, held: Callable[[], Sequence[Standing]]) -> None:
        """Keep up what the receiver shows of each enclosure, once a second. OutletError."""

    def close(self) -> None:
        """Let go of the receiver."""
