"""What the machine keeps over a stop: the part of its memory that is not of one run, as bytes.

The runtime stores it before it carries out a step's actions, and gives it to `machine.start` if the
witnessed log knows nothing newer; what cannot be read counts as lost.
"""

from __future__ import annotations

import math
from typing import Any

from casemate.attest._fields import Fields, named, refuse
from casemate.control.states import Keys, Machine, State
from casemate.core import cbor

FORMAT = "casemate-memory/1"
_WHAT = "the controller's memory"
_NAMES = ("faces", "modules", "open", "replaced", "alien")
_FLAGS = ("emergency", "forgot", "last_word")


def dump(machine: Machine) -> bytes:
    """Return the lasting part in deterministic CBOR. Times are rounded to the safe side."""
    quorum = None if math.isinf(machine.quorum_s) else math.floor(machine.quorum_s)
    return cbor.encode(
        named(
            {
                "format": FORMAT,
                "enclosure": machine.enclosure,
                "serial": machine.serial,
                "boot": machine.boot,
                "state": machine.state.value,
                "keys": machine.keys.value,
                "anchor": machine.anchor,
                "count": machine.count,
                "quorum_s": quorum,
                "used": [[permit, math.ceil(end_s)] for permit, end_s in machine.used],
                **{name: sorted(getattr(machine, name)) for name in _NAMES},
                **{name: getattr(machine, name) for name in _FLAGS},
                "permit": machine.work.terms.permit if machine.work else None,
            }
        )
    )


def load(data: bytes) -> Machine:
    """Return a machine with what `dump` kept, at time 0; FormatError for anything else.

    A permit that was under way stays among those used, and is not in force.
    """
    f = Fields(cbor.decode(data, depth=3), _WHAT)
    if f.take("format") != FORMAT:
        refuse(_WHAT, f"has not the format {FORMAT}")
    names: dict[str, Any] = {name: _set(f.array(name)) for name in _NAMES}
    flags: dict[str, Any] = {name: _flag(f.take(name), name) for name in _FLAGS}
    found = Machine(
        enclosure=f.text("enclosure"),
        serial=f.text("serial"),
        boot=f.octets("boot", 16),
        state=State(f.choice("state", tuple(State))),
        keys=Keys(f.choice("keys", tuple(Keys))),
        anchor=f.octets("anchor", 32, 48) if f.has("anchor") else b"",
        count=f.number("count"),
        quorum_s=float(f.number("quorum_s")) if f.has("quorum_s") else -math.inf,
        used=tuple(_used(each) for each in f.array("used")),
        **names,
        **flags,
    )
    if f.has("permit"):
        f.octets("permit", 32, 48)
    f.done()
    return found


def _used(value: Any) -> tuple[bytes, float]:
    if type(value) is list and len(value) == 2:
        f = Fields(dict(enumerate(value)), _WHAT)
        return f.octets(0, 32, 48), float(f.number(1))
    refuse(_WHAT, "has a used permit that is none")


def _set(values: list[Any]) -> frozenset[str]:
    if not all(type(each) is str for each in values) or values != sorted(set(values)):
        refuse(_WHAT, "has names that are none, or are not sorted")
    return frozenset(values)


def _flag(value: Any, name: str) -> bool:
    if type(value) is not bool:
        refuse(_WHAT, f"{name!r} is neither true nor false")
    return value
