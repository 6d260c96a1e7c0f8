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
        self.last_word: tuple[PublicKey, ...] = ()  # once a start is told for the first time

    def check(self, entry: Entry, when_s: int) -> tuple[Token, Enrolment] | None:
        """Return a token that is signed as it must be, and whose keys did; else say what is wrong.

        when_s: by when it was made; the suite is that of this time.
        """
        item, token = entry.item, entry.token
        if item is None or token is None:
            self._book.add("token.malformed", entry.why)
            return None
        if (token.enclosure, token.serial) != (self._reference.enclosure, self._unit.serial):
            self._book.add("token.foreign", f"{token.enclosure}, serial {token.serial}")
            return None
        try:
            enrolment = self._unit.enrolment(token.sequence)
        except InputError as error:
            self._book.add("signature.key", error.message)
            return None
        self._suite(enrolment, when_s)
        keys = self.last_word if isinstance(token.body, LastWord) else enrolment.keys
        try:
            cose.check_suite(item, keys, SUITES[enrolment.suite])
        except SignatureError as error:
            self._blame(item, token, enrolment.keys, error.message)
            return None
        body, right = token.body, (enrolment.suite, enrolment.keys)
        if isinstance(body, Boot) and (body.suite, body.keys) != right:
            self._book.add("identity.takeover", "enrolled keys signed a start that names others")
            return None
        return token, enrolment

    def _suite(self, enrolment: Enrolment, when_s: int) -> None:
        try:
            asked = self._reference.suite_at(when_s).name
            if enrolment.suite != asked:
                self._book.add("suite.downgraded", f"{enrolment.suite}, and {asked} is asked for")
        except InputError as error:
            self._book.add("suite.downgraded", error.message)

    def _blame(
        self, item: cose.Signed, token: Token, enrolled: tuple[PublicKey, ...], why: str
    ) -> None:
        """Say whose signatures these are, if not those asked for."""
        last = isinstance(token.body, LastWord)
        word, evidence = _kids(self.last_word), _kids(enrolled)
        asked, other = (word, evidence) if last else (evidence, word)
        made = {each.kid for each in item.signatures}
        all_ = {kid for each in self._unit.enrolments for kid in _kids(each.keys)}
        if made & other:
            self._book.add("key.misused", "a last word" if last else "other than a last word")
        elif made & all_ - asked:
            self._book.add("identity.superseded", why)
        elif isinstance(token.body, Boot) and made == _kids(token.body.keys) - asked:
            self._book.add("identity.takeover", f"key {min(made).hex()} and others")
        elif made <= asked:
            self._book.add("signature.forged" if made == asked else "signature.stripped", why)
        else:
            self._book.add("signature.key", why)


def _kids(keys: tuple[PublicKey, ...]) -> set[bytes]:
    return {each.kid for each in keys}
