"""Errors of the fleet. Each names the HTTP status under which it is told.

FleetError
├── NotSignedInError      401
├── NotAllowedError       403
├── NotFoundError         404
├── RefusedError          422   what was sent cannot be taken
├── ConflictError         409   it does not fit what is here; `next_number` says where to go on
├── TooManyError          429
├── TooSlowError          408
├── BusyError             503   the service has no room for it now
└── AppraisingError       503   evidence is being appraised; `look` says how far that is
"""

from __future__ import annotations

from casemate.core.errors import CasemateError
from casemate.core.progress import Look


class FleetError(CasemateError):
    """Base of the errors of the fleet."""

    status = 400


class NotSignedInError(FleetError):
    """Nobody is signed in, or a machine shows no certificate that is known."""

    status = 401


class NotAllowedError(FleetError):
    """The role does not allow it, or two persons are needed."""

    status = 403


class NotFoundError(FleetError):
    """There is no such thing."""

    status = 404


class RefusedError(FleetError):
    """What was sent cannot be taken; nothing of it was."""

    status = 422


class ConflictError(FleetError):
    """It does not fit what is here. next_number: of the entry that comes next, if that helps."""

    status = 409

    def __init__(self, message: str, *, remedy: str, next_number: int | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.next_number = next_number


class TooManyError(FleetError):
    """Too many requests."""

    status = 429


class TooSlowError(FleetError):
    """A body came too slowly."""

    status = 408


class BusyError(FleetError):
    """The service has no room for it now; nothing of it was taken."""

    status = 503


class AppraisingError(FleetError):
    """Nothing is known of the enclosure before its evidence is appraised. look: how far it is."""

    status = 503

    def __init__(self, look: Look) -> None:
        super().__init__(
            f"how it stands is not known while its evidence is being appraised: {look.text}.",
            remedy="ask again; the appraisal goes on by itself.",
        )
        self.look = look
