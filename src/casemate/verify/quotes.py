"""Whether a TPM vouches for the keys, software and anchor of each start, from its quote's bytes."""

from __future__ import annotations

from casemate.attest import quote as quotes
from casemate.attest.claims import Boot
from casemate.attest.reference import Enrolment, Tpm
from casemate.core.errors import CasemateError
from casemate.core.suites import SUITES
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Step


class Quotes:
    """The clock of the latest quote of each TPM."""

    def __init__(self, book: Notebook) -> None:
        self._book = book
        self._latest: dict[Tpm | None, quotes.Clock] = {}

    def take(self, step: Step, enrolment: Enrolment) -> None:
        """Go on by one token: a start has to be quoted by the TPM that the parties enrolled."""
        body, tpm = step.token.body, enrolment.tpm
        if not isinstance(body, Boot) or (tpm is None and body.quote is None):
            return
        if body.quote is None:
            self._book.add("quote.absent")
            return
        try:
            now = quotes.check_start(step.token, tpm, SUITES[enrolment.suite])
        except CasemateError as error:
            self._book.add("quote.invalid", error.message)
            return
        before = self._latest.setdefault(tpm, now)
        if why := quotes.older(now, before):
            self._book.add("quote.reset", why)
        elif not now.follows(before):
            self._book.add("quote.starts", f"{now.resets - before.resets} resets")
        self._latest[tpm] = before if why else now
