"""The worked example in the docs is what the code makes, and the whole token there verifies."""

from __future__ import annotations

from attest_samples import EVIDENCE, KEYS
from example_page import PAYLOAD, TOKEN, example, page, whole

from casemate.attest import cose, token
from casemate.core.suites import DEFAULT_SUITE


def test_the_example_is_what_the_code_makes() -> None:
    assert page() == example()


def test_the_whole_token_is_of_the_same_bytes_and_verifies() -> None:
    item = cose.parse(whole())
    assert token.read(whole(), KEYS, DEFAULT_SUITE) == TOKEN
    assert item.payload == PAYLOAD
    message = cose.messages(token.TYPE, PAYLOAD, KEYS)[0]
    assert item.signatures[0].signature == EVIDENCE[0].sign(message)
