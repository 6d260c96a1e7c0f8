"""What a malicious host does to evidence, and what the verifier has to find.

Each attack begins with the evidence of an honest enclosure. Some need no key; some suppose that the
host has got the enclosure's keys, or the log's, or that it owns a copy of the whole device. The
table in docs/formats/verdict.md comes from a run of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from casemate.testing.evidence_attacks.base import Attack, Shown, show, story
from casemate.testing.evidence_attacks.clocks import CLOCKS
from casemate.testing.evidence_attacks.heartbeats import HEARTBEATS
from casemate.testing.evidence_attacks.identity import IDENTITY
from casemate.testing.evidence_attacks.inventory import INVENTORY
from casemate.testing.evidence_attacks.log import LOG
from casemate.testing.evidence_attacks.measured import MEASURED
from casemate.testing.evidence_attacks.permits import PERMITS
from casemate.testing.evidence_attacks.quotes import QUOTES
from casemate.testing.evidence_attacks.state import STATE
from casemate.testing.evidence_attacks.tokens import TOKENS
from casemate.testing.evidence_attacks.watched import WATCHED

ATTACKS: dict[str, Attack] = {
    each.name: each
    for table in (
        LOG,
        TOKENS,
        IDENTITY,
        QUOTES,
        CLOCKS,
        HEARTBEATS,
        MEASURED,
        WATCHED,
        STATE,
        INVENTORY,
        PERMITS,
    )
    for each in table.attacks
}
"""By name."""


def attack_page(
    found: Callable[[Attack, Shown], tuple[str, str, int]],
    shown: Callable[[str], Shown] = lambda name: ATTACKS[name].run(),
) -> Iterator[str]:
    """Yield the rows of the table; `found` gives finding, severity and exit code of an attack."""
    yield "| attack | finding | severity | exit code |"
    yield "|---|---|---|---|"
    for each in ATTACKS.values():
        kind, severity, code = found(each, shown(each.name))
        yield f"| {each.does} | `{kind}` | {severity} | {code} |"


__all__ = ["ATTACKS", "Attack", "Shown", "attack_page", "show", "story"]
