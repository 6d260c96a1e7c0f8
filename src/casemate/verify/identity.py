"""Who signed a token: the keys that the parties enrolled, and no others."""

from __future__ import annotations

from casemate.attest import cose
from casemate.attest.claims import Boot, LastWord
from casemate.attest.reference import Enrolment, Reference, Unit
from casemate.attest.token import Token
from casemate.core.errors import InputError, SignatureError
from casemate.core.suites import SUITES, PublicKey
from casemate.verify.findings import Notebook
from casemate.verify.tokens import Entry


class Identity:
    """The keys in force: enrolled ones, and those of the last word that a start has named."""

    def __init__(self, reference: Reference, unit: Unit, book: Notebook) -> None:
        self._reference, self._unit, self._book = reference, unit, book
        self._last_word: tuple[PublicKey, ...] = ()

    def check(self, entry: Entry, when_s: int) -> bool:
        """Return whether a token is signed as it must be; what is wrong goes into the book.

        when_s: by when it was made; the suite is that of this time.
        """
        item, token = entry.item, entry.token
        if item is None or token is None:
            self._book.add("token.malformed", entry.why)
            return False
        if (token.enclosure, token.serial) != (self._reference.enclosure, self._unit.serial):
            self._book.add("token.foreign", f"{token.enclosure}, serial {token.serial}")
            return False
        try:
            enrolment = self._unit.enrolment(token.sequence)
        except InputError as error:
            self._book.add("signature.key", error.message)
            return False
        self._suite(enrolment, when_s)
        keys = self._last_word if isinstance(token.body, LastWord) else enrolment.keys
        try:
            cose.check_suite(item, keys, SUITES[enrolment.suite])
        except SignatureError as error:
            self._blame(item, token, enrolment, keys, error)
            return False
        return self._named(token, enrolment)

    def enrolment(self, token: Token) -> Enrolment:
        """Return the enrolment that holds for a token that has passed `check`."""
        return self._unit.enrolment(token.sequence)

    def _suite(self, enrolment: Enrolment, when_s: int) -> None:
        try:
            asked = self._reference.suite_at(when_s).name
        except InputError as error:
            self._book.add("suite.downgraded", error.message)
            return
        if enrolment.suite != asked:
            self._book.add("suite.downgraded", f"{enrolment.suite}, and {asked} is asked for")

    def _named(self, token: Token, enrolment: Enrolment) -> bool:
        """Take the keys of a start; return whether they are those enrolled."""
        if not isinstance(token.body, Boot):
            return True
        if (token.body.suite, token.body.keys) != (enrolment.suite, enrolment.keys):
            self._book.add("identity.takeover", "enrolled keys signed a start that names others")
            return False
        self._last_word = token.body.last_word
        return True

    def _blame(
        self,
        item: cose.Signed,
        token: Token,
        enrolment: Enrolment,
        keys: tuple[PublicKey, ...],
        error: SignatureError,
    ) -> None:
        made = {each.kid for each in item.signatures}
        asked = {key.kid for key in keys}
        others = {key.kid for each in self._unit.enrolments for key in each.keys} - asked
        word = {key.kid for key in self._last_word}
        enrolled = {key.kid for key in enrolment.keys}
        if isinstance(token.body, LastWord) and made & enrolled:
            self._book.add("key.misused", "keys of evidence signed a last word")
        elif not isinstance(token.body, LastWord) and made & word:
            self._book.add("key.misused", "a key of the last word signed something else")
        elif made & others:
            self._book.add("identity.superseded", error.message)
        elif isinstance(token.body, Boot) and made == {key.kid for key in token.body.keys} - asked:
            self._book.add("identity.takeover", f"key {min(made).hex()} and others")
        elif made < asked:
            self._book.add("signature.stripped", error.message)
        elif made == asked:
            self._book.add("signature.forged", error.message)
        else:
            self._book.add("signature.key", error.message)
