"""What has to hold between reference values: keys of one owner each, rules that can be met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from casemate.attest._document import Node
from casemate.core.suites import PublicKey

if TYPE_CHECKING:
    from casemate.attest.reference import Reference


def _all_keys(reference: Reference) -> Iterator[tuple[PublicKey, str]]:
    for unit in reference.units:
        for enrolment in unit.enrolments:
            for key in enrolment.keys:
                yield key, f"evidence of serial {unit.serial} from token {enrolment.sequence}"
        for module in unit.modules:
            yield module.key, f"module {module.name} of serial {unit.serial}"
    for party in reference.parties:
        for key in party.keys:
            yield key, f"party {party.name}"


def keys_once(reference: Reference, top: Node) -> None:
    """Refuse one key of two owners: InputError."""
    seen: dict[PublicKey, str] = {}
    for key, owner in _all_keys(reference):
        if key in seen:
            top.fail(
                f"one {key.name} key ({key.kid.hex()}) belongs to {seen[key]} and to {owner}.",
                "give each its own key: whoever shares one can speak for the other.",
                show=False,
            )
        seen[key] = owner


def rules_can_be_met(reference: Reference, node: Node) -> None:
    """Refuse a rule that the parties cannot meet: InputError."""
    for rule in reference.rules:
        asked = {need.role for need in rule.needs}
        sides = {each.bloc for each in reference.parties if each.role in asked}
        if len(sides) < rule.blocs:
            node.fail(
                f"action {rule.action} needs {rule.blocs} blocs, but the parties in its roles are "
                f"of {len(sides)}.",
                "add the parties, or lower the rule if all sides agreed to that.",
                show=False,
            )
        for need in rule.needs:
            having = [each for each in reference.parties if each.role == need.role]
            blocs = {each.bloc for each in having}
            if len(having) < need.least or len(blocs) < need.blocs:
                node.fail(
                    f"action {rule.action} needs {need.least} of role {need.role} from "
                    f"{need.blocs} blocs, but parties has {len(having)} from {len(blocs)}.",
                    "add the parties, or lower the rule if all sides agreed to that.",
                    show=False,
                )
