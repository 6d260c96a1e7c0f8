"""The machine as a table for spin: what it is seen as from outside, and every way between."""

from __future__ import annotations

from machines import Edge

from casemate.control.permits import Phase
from casemate.control.states import Keys, Machine, State

GUARDS = {
    "permit presented": "presented",
    "permit logged": "logged",
    "permit witnessed": "witnessed",
    "token": "token",
    "commission": "commission",
    "recommission": "recommission",
}
"""Events that need both signatures, the log or a token; all others can happen at any time."""
PERMIT = {
    None: "NO_PERMIT",
    Phase.PRESENTED: "SHOWN",
    Phase.LOGGED: "READY",
    Phase.IN_USE: "IN_USE",
}

Seen = tuple[str, str, str]
Table = dict[tuple[Seen, Seen, str], set[str]]


def seen(m: Machine) -> Seen:
    """State, keys and permit of a machine. FORGOT: UNKNOWN, its memory lost."""
    forgot = m.forgot and m.state is State.UNKNOWN
    return (
        "FORGOT" if forgot else m.state.value,
        f"K_{m.keys.value}",
        PERMIT[m.work.phase if m.work else None],
    )


def add_way(ways: Table, edge: Edge) -> None:
    """Add a step to the ways between what is seen, by what they need, with their events."""
    before, after = seen(edge.before), seen(edge.after)
    if before != after:
        ways[before, after, GUARDS.get(edge.name, "free")].add(edge.name)


def text(ways: Table) -> str:
    """The table in Promela; one option of the controller's loop a line."""
    lines = [
        "/* Made from casemate.control by tests/unit/control/test_models.py: do not edit.",
        "   One line a way between what is seen of the machine; the comment counts its events. */",
    ]
    names = (
        [*(s.value for s in State), "FORGOT"],
        [f"K_{k.value}" for k in Keys],
        list(PERMIT.values()),
    )
    for group in names:
        lines += [f"#define {name} {number}" for number, name in enumerate(group)]
    lines += ["#define WAYS \\"]
    for (before, after, need), events in sorted(ways.items()):
        lines.append(
            f"  :: AT({', '.join(before)}) && CAN_{need} -> "
            f"TO({', '.join(after)}, BY_{need}) /* {len(events)} */ \\"
        )
    return "\n".join([*lines, ""]) + "\n"
