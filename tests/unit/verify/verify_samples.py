"""Stories that tests of the verifier share, each appraised once."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import casemate.verify
from casemate.attest import claims as c
from casemate.testing import honest_enclosure as honest
from casemate.testing.honest_enclosure import Story
from casemate.testing.malicious_host import ATTACKS, Shown, attack_page, show
from casemate.verify import Result
from casemate.verify.findings import KINDS
from casemate.verify.result import clock

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/verify/verdicts.json"
PAGE = ROOT / "docs/formats/verdict.md"
KIND_MARKS = ("<!-- kinds -->\n", "<!-- /kinds -->\n")
MARKS = ("<!-- attacks -->\n", "<!-- /attacks -->\n")


def judge(shown: Shown, **changes: Any) -> Result:
    given: dict[str, Any] = {
        "now_s": shown.now_s,
        "since": shown.since,
        "travels": shown.travels,
    }
    reference = changes.pop("reference", shown.reference)
    policy = changes.pop("policy", honest.policy())
    return casemate.verify.appraise(shown.bundle, reference, policy, **{**given, **changes})


def ids(result: Result) -> set[str]:
    return {each.id for each in result.findings}


def of(story: Story, **changes: Any) -> Result:
    """Appraise a story as it stands."""
    return judge(show(story), **changes)


@lru_cache(maxsize=256)
def attacked(name: str) -> Shown:
    return ATTACKS[name].run()


@lru_cache(maxsize=256)
def judged(name: str) -> Result:
    return judge(attacked(name))


def kinds(result: Result) -> list[tuple[str, int]]:
    """Return kind and length of each interval."""
    return [(each.kind, each.length_s) for each in result.intervals]


def maintained() -> tuple[Story, bytes]:
    """Return a story in which a module was replaced and re-anchored under a permit."""
    told = honest.armed()
    digest = told.allow()
    told.seal()
    told.now_s += 5
    told.open_up(digest)
    told.watch()
    told.seal()
    use = c.PermitUse(
        act="re-anchored",
        permit=digest,
        module="reader-loop",
        anchor=honest.NEW_ANCHOR,
        keys=(honest.MODULE.public,),
    )
    told.token(use)
    told.anchor = honest.NEW_ANCHOR
    told.watch()
    told.close_up(digest)
    told.seal()
    honest.watch(told, 2)
    return told, digest


_RANDOM = re.compile("[0-9a-f]{16,}")
"""Digests and keys' ids follow from signatures, which are made with fresh randomness."""


def verdicts() -> dict[str, Any]:
    """Return what each attack leads to, whole but for digests."""
    out = {}
    for name in ATTACKS:
        result = judged(name)
        out[name] = {
            "findings": [
                [f.id, _RANDOM.sub("#", f.what), f.token, clock(f.at_s), f.times, f.last_token]
                for f in result.findings
            ],
            "exit_code": result.exit_code,
            "headline": _RANDOM.sub("#", result.headline),
            "state": result.state,
            "since": clock(result.since_s),
            "proven": result.proven,
            "continuity": [
                [clock(i.start_s), clock(i.end_s), i.kind, i.cause, _RANDOM.sub("#", i.covered_by)]
                for i in result.intervals
            ],
        }
    return out


def table() -> str:
    """Return the table of the page."""

    def found(attack: Any, shown: Shown) -> tuple[str, str, int]:
        result = judged(attack.name)
        kind = next(each for each in result.findings if each.id == attack.finds)
        return kind.id, kind.severity, result.exit_code

    return "\n".join(attack_page(found, attacked)) + "\n"


def kinds_table() -> str:
    """Return the table of findings of the page."""
    rows = ["| id | severity | claim | meaning |", "|---|---|---|---|"]
    rows += [f"| `{k.id}` | {k.severity} | {k.claim} | {k.meaning} |" for k in KINDS.values()]
    return "\n".join(rows) + "\n"


def filled(text: str, marks: tuple[str, str], inside: str) -> str:
    """Return the page with other lines between the marks."""
    head, _, rest = text.partition(marks[0])
    return head + marks[0] + inside + marks[1] + rest.partition(marks[1])[2]


def write() -> None:
    """Write the golden file and the table: `python tests/unit/verify/verify_samples.py`."""
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(verdicts(), indent=1) + "\n")
    text = filled(PAGE.read_text(), KIND_MARKS, kinds_table())
    PAGE.write_text(filled(text, MARKS, table()))


if __name__ == "__main__":
    write()
