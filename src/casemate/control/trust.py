"""What an inspector takes along: reference values and policy of a commissioned enclosure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from casemate.attest import permit
from casemate.attest.keys.protocol import KeyHolder
from casemate.attest.parties import Need, Party, Rule
from casemate.attest.reference import (
    Anchor,
    Digest,
    Enrolment,
    Module,
    Reference,
    Required,
    Timing,
    Tpm,
    Unit,
)
from casemate.attest.reference_write import as_json
from casemate.core.suites import Suite
from casemate.core.whole_file import write_whole
from casemate.translog.client import Peer
from casemate.translog.note import NoteKey

LATE_MS = 1000
"""That a heartbeat may be late on a computer that others use too (planning value)."""
COSIGNED_S = 60
"""In which witnesses have to have cosigned (planning value)."""
EMERGENCY_S = 3600
"""For which a declared emergency covers a gap: time for people to come, not to work (planning
value)."""
FILES = ("reference.json", "policy")


def reference(
    *,
    enclosure: str,
    serial: str,
    origin: str,
    anchor: bytes,
    software: Sequence[tuple[str, bytes]],
    holder: KeyHolder,
    tpm: Tpm | None,
    suite: Suite,
    parties: Sequence[Party],
    batch_s: int,
    now_s: int,
    modules: Sequence[Module] = (),
    unwatched: Sequence[str] = (),
) -> Reference:
    """Return the reference values of a unit whose first keys are those of `holder`.

    unwatched: places that its anchor says nothing of, sorted.
    """
    first = Enrolment(sequence=0, suite=suite.name, keys=holder.public(), tpm=tpm)
    today = datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Reference(
        id=f"{enclosure}-{serial}-DEMO",
        version=1,
        enclosure=enclosure,
        units=(
            Unit(
                serial=serial,
                origin=origin,
                anchors=(Anchor(name="commissioning", digest=anchor, unwatched=tuple(unwatched)),),
                enrolments=(first,),
                modules=tuple(modules),
            ),
        ),
        software=tuple(Digest(name=name, digest=digest) for name, digest in software),
        parties=tuple(parties),
        rules=rules(),
        suites=(Required(suite=suite.name, since_s=int(today.timestamp()) - 86_400, until_s=None),),
        timing=Timing(
            heartbeat_ms=1000,
            late_ms=LATE_MS,
            batch_s=batch_s,
            cosigned_s=COSIGNED_S,
            emergency_s=EMERGENCY_S,
        ),
    )


def rules(*others: str) -> tuple[Rule, ...]:
    """Return what each action needs, `others` too: host and inspector, of two blocs."""
    needs = (Need(role="host", least=1), Need(role="inspector", least=1))
    return tuple(Rule(action=each, needs=needs, blocs=2) for each in (*permit.ACTIONS, *others))


def with_anchor(held: Reference, unit: Unit, new: Anchor) -> Reference:
    """Return the next version of reference values, with an anchor that both parties signed."""
    known = any(each.digest == new.digest for each in unit.anchors)
    units = tuple(
        replace(each, anchors=(*each.anchors, new)) if each == unit and not known else each
        for each in held.units
    )
    return replace(held, version=held.version + 1, units=units)


def with_inventory(held: Reference, unit: Unit, digest: bytes) -> Reference:
    """Return the next version of reference values, with an inventory that both parties signed."""
    known = {each.digest for each in unit.inventories}
    new = Digest(name=f"inventory {len(known) + 1}", digest=digest)
    units = tuple(
        replace(each, inventories=(*each.inventories, new))
        if each == unit and digest not in known else each
        for each in held.units
    )  # fmt: skip
    return replace(held, version=held.version + 1, units=units)


def with_enrolment(
    held: Reference, unit: Unit, new: Enrolment, runs: Sequence[Digest]
) -> Reference:
    """Return the next version of reference values, with keys that both parties accepted anew.

    runs: the software of the controller that has these keys.
    """
    units = tuple(
        replace(each, enrolments=(*each.enrolments, new)) if each == unit else each
        for each in held.units
    )
    added = tuple(each for each in runs if each not in held.software)
    return replace(held, version=held.version + 1, units=units, software=(*held.software, *added))


def policy_text(log: NoteKey, peers: Sequence[Peer]) -> str:
    """Return the policy: this log, and all of these witnesses."""
    rows = [f"log {log.vkey()}"]
    rows += [f"witness {each.name} {each.keys[0].vkey()}" for each in peers]
    if not peers:
        return "\n".join([*rows, "quorum none", ""])
    names = " ".join(each.name for each in peers)
    return "\n".join([*rows, f"group witnesses all {names}", "quorum witnesses", ""])


def write(folder: Path, values: Reference, rule: str) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILES[0], as_json(values))
    write_whole(folder / FILES[1], rule)
