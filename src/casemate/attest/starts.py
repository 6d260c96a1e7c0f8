"""Whether a TPM vouches for keys, software and anchor of each start. Pure, from bytes."""

from __future__ import annotations

from casemate.attest import quote as quotes
from casemate.attest.claims import Boot
from casemate.attest.reference import Enrolment, Tpm
from casemate.attest.token import Token
from casemate.core.errors import CasemateError
from casemate.core.suites import SUITES


class Starts:
    """The clock of the latest quote of each TPM, and the anchor that each set of keys is bound to.

    A module that is replaced changes the anchor in tokens, not the one that keys were made for.
    """

    def __init__(self) -> None:
        self._bound: dict[int, bytes] = {}
        self._latest: dict[Tpm, quotes.Clock] = {}

    def take(self, token: Token, enrolment: Enrolment) -> list[tuple[str, str]]:
        """Go on by one token that keys of this enrolment signed; return findings and details.

        There are none if a start is quoted by the TPM that the parties enrolled.
        """
        body, tpm = token.body, enrolment.tpm
        if not isinstance(body, Boot) or (tpm is None and body.quote is None):
            return []
        if tpm is None:
            return [("quote.invalid", "reference values name no TPM for these keys")]
        if body.quote is None:
            return [("quote.absent", "")]
        anchor = self._bound.setdefault(enrolment.sequence, token.anchor)
        if not anchor:
            return [("quote.invalid", "keys were made for no anchor")]
        try:
            now = quotes.check_start(token, tpm, SUITES[enrolment.suite], anchor)
        except CasemateError as error:
            return [("quote.invalid", error.message)]
        before = self._latest.get(tpm, now)
        if why := quotes.older(now, before):
            return [("quote.reset", why)]
        self._latest[tpm] = now
        if not now.follows(before):
            return [("quote.starts", f"{now.resets - before.resets} resets")]
        return []
