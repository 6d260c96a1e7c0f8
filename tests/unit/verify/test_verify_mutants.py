"""What only bent checks let through: each test here killed a mutant that all others let live."""

from __future__ import annotations

from verify_samples import of

from casemate.testing.malicious_host import story


def test_begin() -> None:
    assert of(story()).exit_code == 0
