"""A quorum's approval of unsealing (form: attest/approval.py) by k parties, each role heard.

The challenge is made anew at each sealing by the holder, which checks the approval itself: an
approval opens one holder, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from casemate.attest import cose
from casemate.attest.approval import peek
from casemate.attest.keys.protocol import CustodyError
from casemate.core.errors import FormatError, SignatureError
from casemate.core.suites import PublicKey

CHALLENGE_BYTES = 32


class ApprovalCheck(Protocol):
    """Decides whether an approval opens a sealed holder."""

    def check(self, approval: bytes, subject: bytes, challenge: bytes) -> None:
        """CustodyError unless `approval` is for the holder `subject` and this challenge."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Who may approve: a role such as "host", and the keys that all have to sign."""

    role: str
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """`least` of the parties, and of each of `roles` at least one; CustodyError if it has no sense.

    A party counts if each of its keys signed.
    """

    parties: tuple[Approver, ...]
    least: int
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keys = [key for party in self.parties for key in party.keys]
        if (
            not 1 <= self.least <= len(self.parties)
            or not all(party.keys for party in self.parties)
            or len(set(keys)) != len(keys)
            or not set(self.roles) <= {party.role for party in self.parties}
        ):
            raise CustodyError(
                "a quorum needs 1 to all of its parties, keys of its own for each, and a party "
                "for each role.",
                remedy="correct the roster.",
            )

    def check(self, approval: bytes, subject: bytes, challenge: bytes) -> None:
        """Check an approval; CustodyError unless it is for this challenge and has its quorum."""
        try:
            item, said = peek(approval)
        except FormatError as error:
            raise _refused(f"it is malformed: {error.message}") from None
        if (said.purpose, said.subject, said.challenge) != ("unseal", subject, challenge):
            raise _refused("it is for another holder or another sealing")
        heard = [party for party in self.parties if _signed(item, party)]
        if len(heard) < self.least:
            raise _refused(f"{len(heard)} of {self.least} parties signed it")
        missing = set(self.roles) - {party.role for party in heard}
        if missing:
            raise _refused(f"nobody signed it as {', '.join(sorted(missing))}")

    def as_plain(self) -> list[Any]:
        """Return what `from_plain` reads, for the wire."""
        parties = [[p.role, [key.as_cose() for key in p.keys]] for p in self.parties]
        return [parties, self.least, list(self.roles)]

    @staticmethod
    def from_plain(value: object) -> Quorum:
        """Return the quorum of `as_plain`; FormatError, CustodyError."""
        match value:
            case [list(parties), int(least), list(roles)]:
                return Quorum(
                    parties=tuple(_party(each) for each in parties),
                    least=least,
                    roles=tuple(str(each) for each in roles),
                )
        raise FormatError("this is no quorum.", remedy="use one version on both sides.")


class NoQuorum:
    """Opens nothing: what a holder has that was given no quorum."""

    def check(self, approval: bytes, subject: bytes, challenge: bytes) -> None:
        """Refuse."""
        raise _refused("this holder knows no quorum")


def _signed(item: cose.Signed, party: Approver) -> bool:
    try:
        cose.check(item, party.keys)
    except SignatureError:
        return False
    return True


def _party(value: object) -> Approver:
    match value:
        case [str(role), list(keys)]:
            return Approver(role=role, keys=tuple(PublicKey.from_cose(each) for each in keys))
    raise FormatError("this is no party.", remedy="use one version on both sides.")


def _refused(why: str) -> CustodyError:
    return CustodyError(
        f"the approval does not unseal: {why}.",
        remedy="let the parties of the quorum sign the challenge that sealing gave.",
    )
