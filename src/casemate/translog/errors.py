"""What goes wrong with a log. All are of the tree of `casemate.core.errors`.

CasemateError
├── TreeError          a Merkle proof does not hold
├── LogError           the log refuses: a write failed, or its files do not agree
│   └── RollbackError  the log is behind what a witness has cosigned, or was copied
├── EquivocationError  two signed checkpoints that cannot both be true
├── QuorumError        too few witnesses have cosigned
└── WitnessError       a witness refuses, or cannot be reached
"""

from __future__ import annotations

from casemate.core.errors import CasemateError


class TreeError(CasemateError):
    """A Merkle proof does not lead to the root that it should lead to."""


class LogError(CasemateError):
    """The log refuses to go on: a write or sync failed, or its files do not agree."""


class RollbackError(LogError):
    """The log stands behind a checkpoint that it signed before. Names both states."""


class EquivocationError(CasemateError):
    """Two signed checkpoints of one log cannot both be true."""


class QuorumError(CasemateError):
    """The cosignatures on a checkpoint do not meet the policy."""


class WitnessError(CasemateError):
    """A witness refuses a checkpoint, or cannot be reached. `status` is that of HTTP, or 0."""

    exit_code = 3

    def __init__(self, message: str, *, remedy: str, status: int = 0) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
