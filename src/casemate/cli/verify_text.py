"""The verifier's result as JSON values and as lines for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casemate.verify.continuity import Interval
from casemate.verify.findings import Finding
from casemate.verify.result import Result, clock


def as_json(result: Result) -> dict[str, Any]:
    """Return the result as JSON values (docs/formats/verdict.md), without the EAR."""
    return {
        "format": "casemate-verdict-1",
        "enclosure": result.enclosure,
        "serial": result.serial,
        "reference": result.reference,
        "now": clock(result.now_s),
        "headline": result.headline,
        "state": result.state,
        "since": clock(result.since_s),
        "seen": clock(result.seen_s),
        "tokens": result.tokens,
        "proven_tokens": result.proven,
        "exit_code": result.exit_code,
        "continuity": [_interval(each) for each in result.intervals],
        "gaps": [_interval(each) for each in result.gaps],
        "findings": [
            {
                "id": each.id,
                "severity": each.severity,
                "claim": each.claim,
                "what": each.what,
                "remedy": each.remedy,
                "token": each.token,
                "last_token": each.last_token,
                "times": each.times,
                "at": clock(each.at_s),
            }
            for each in result.findings
        ],
    }


def lines(result: Result, trust: Sequence[str] = ()) -> list[str]:
    """Return the result for people: headline, continuity, gaps, findings with the worst first.

    trust: who vouches for the reference values.
    """
    out = [
        result.headline,
        f"enclosure {result.enclosure}, serial {result.serial}; reference {result.reference}; "
        f"{result.tokens} tokens, {result.proven} witnessed, "
        f"last {clock(result.seen_s) or 'never'}",
        *trust,
        "",
        "continuity of knowledge",
    ]
    out += [f"  {_row(each)}" for each in result.intervals] or ["  nothing is known"]
    if result.gaps:
        out += ["", "gaps: from, to, length, cause, covered by"]
    out += [
        f"  {clock(each.start_s)} {clock(each.end_s)} {each.length_s} s: {each.cause}; "
        f"{each.covered_by or 'nothing covers it'}"
        for each in result.gaps
    ]
    out += ["", "findings, worst first"] + [_finding(each) for each in result.findings]
    return out if result.findings else [*out[:-1], "no finding"]


def _row(each: Interval) -> str:
    cause = f" ({each.cause})" if each.cause else ""
    return f"{clock(each.start_s)} {clock(each.end_s)} {each.kind.upper()}{cause}"


def _finding(each: Finding) -> str:
    at = f" at {clock(each.at_s)}" if each.at_s is not None else ""
    token = f", token {each.token}" if each.token is not None else ""
    more = f", {each.times} times to token {each.last_token}" if each.times > 1 else ""
    return (
        f"  {each.severity.upper()} {each.id}{at}{token}{more}\n    {each.what}\n    {each.remedy}"
    )


def _interval(each: Interval) -> dict[str, Any]:
    return {
        "from": clock(each.start_s),
        "to": clock(each.end_s),
        "seconds": each.length_s,
        "kind": each.kind,
        "cause": each.cause,
        "covered_by": each.covered_by,
    }
