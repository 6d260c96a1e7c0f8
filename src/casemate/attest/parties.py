"""Parties, their keys, and how many of which have to agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from casemate.attest import cose
from casemate.core.errors import PermitError, SignatureError
from casemate.core.suites import SUITES, PublicKey

ROLES = ("host", "inspector", "manufacturer", "adjudicator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who may sign. bloc: the side that it belongs to; parties of one bloc may well collude.

    keys: in the order of its suite.
    """

    name: str
    role: str
    bloc: str
    suite: str
    keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """At least `least` parties of `role`, from at least `blocs` different blocs."""

    role: str
    least: int
    blocs: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What an action needs: all of `needs`. blocs: different ones among all who signed."""

    action: str
    needs: tuple[Need, ...]
    blocs: int = 1


def signed_by(item: cose.Signed, roster: Sequence[Party], now_s: int) -> tuple[Party, ...]:
    """Return the parties that signed an item, each by all keys of its suite.

    SignatureError on a signature that is wrong, of nobody in the roster, of a party that signed
    only in part, or of a suite that may not be used at `now_s`.
    """
    made = {each.kid for each in item.signatures}
    found = []
    for party in roster:
        kids = {key.kid for key in party.keys}
        if not kids & made:
            continue
        suite = SUITES.get(party.suite)
        if suite is None or tuple(key.alg for key in party.keys) != suite.algorithms:
            _refuse(f"the keys of {party.name} are not those of its suite {party.suite}")
        if not suite.holds(now_s):
            _refuse(f"{party.name} signed by suite {party.suite}, which is not valid at that time")
        cose.check(item, party.keys)
        found.append(party)
        made -= kids
    if made:
        _refuse(f"a signature is of key {min(made).hex()}, which belongs to no party")
    return tuple(found)


def agree(parties: Sequence[Party], rule: Rule) -> None:
    """Check that these parties are enough for the rule; PermitError says what is missing.

    A party counts once, however often it is named. A rule without needs is never met.
    """
    distinct = {each.name: each for each in parties}.values()
    if not rule.needs:
        _lack(rule, "the rule names nobody who could allow it")
    for need in rule.needs:
        having = [each for each in distinct if each.role == need.role]
        if need.least < 1 or len(having) < need.least:
            _lack(rule, f"{len(having)} of {need.least} needed from role {need.role} signed")
        blocs = {each.bloc for each in having}
        if len(blocs) < need.blocs:
            _lack(rule, f"role {need.role} signed from {len(blocs)} of {need.blocs} blocs needed")
    blocs = {each.bloc for each in distinct}
    if len(blocs) < rule.blocs:
        _lack(rule, f"parties of {len(blocs)} of {rule.blocs} blocs needed signed")


def _refuse(why: str) -> NoReturn:
    raise SignatureError(
        f"{why}.",
        remedy="have the parties of the reference values sign the item anew, each by all its keys.",
    )


def _lack(rule: Rule, why: str) -> NoReturn:
    raise PermitError(
        f"action {rule.action} is not allowed: {why}.",
        remedy="collect the missing signatures; reference values name the parties and the rule.",
    )
