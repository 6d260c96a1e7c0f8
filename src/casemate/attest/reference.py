"""Reference values: what an inspector expects of an enclosure, and who may change it.

The shape is that of CoRIM: reference values (anchors, software), keys that attest (evidence,
modules), and entities in roles (parties); docs/formats/reference-values.md has the table. There are
no defaults: what a file does not say is not known, and what is not known is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from casemate.attest import _document
from casemate.attest._document import Node
from casemate.attest._reference_checks import keys_once, rules_can_be_met
from casemate.attest.parties import ROLES, Need, Party, Rule
from casemate.attest.permit import ACTIONS
from casemate.attest.tpm_values import Tpm as Tpm
from casemate.attest.tpm_values import tpm_of
from casemate.core.errors import FormatError, InputError
from casemate.core.suites import ALGORITHMS, SUITES, PublicKey, Suite

FORMAT = "casemate-reference/1"
_DIGESTS = (32, 48)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A digest that is expected, and what it is of."""

    name: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """An anchor that both parties signed. unwatched: places that it says nothing of, sorted."""

    name: str
    digest: bytes
    unwatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Keys of evidence that both parties accepted, for tokens from `sequence` on.

    They hold until the next enrolment of the same unit. Keys are those of `suite`, in its order.
    tpm: which keeps them; None if none does, and then no quote counts.
    """

    sequence: int
    suite: str
    keys: tuple[PublicKey, ...]
    tpm: Tpm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module that has a key of its own, such as a reader with a secure element.

    A name is a place: the module that was fitted and its spares have it in common, each with its
    key.
    """

    name: str
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One enclosure of that kind, by its serial.

    inventories: that both parties signed; if there is one, it is a rack, and has to name it.
    """

    serial: str
    origin: str
    anchors: tuple[Anchor, ...]
    enrolments: tuple[Enrolment, ...]
    modules: tuple[Module, ...]
    inventories: tuple[Digest, ...] = ()

    def enrolment(self, sequence: int) -> Enrolment:
        """Return the enrolment that holds for the token of that number; InputError if none does."""
        found = [each for each in self.enrolments if each.sequence <= sequence]
        if not found:
            raise InputError(
                f"no keys of serial {self.serial} are enrolled for token {sequence}.",
                remedy="obtain reference values that cover the beginning of its log.",
                key="units.enrolments",
            )
        return found[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """The suite that is asked for in since_s <= now < until_s; None: no end is set."""

    suite: str
    since_s: int
    until_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What silence is.

    heartbeat_ms: nominal period. late_ms: that a heartbeat may be late. batch_s: longest time
    between two tokens. cosigned_s: within which a quorum has to have cosigned a token. emergency_s:
    for how long a declared emergency covers a gap.
    """

    heartbeat_ms: int
    late_ms: int
    batch_s: int
    cosigned_s: int
    emergency_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """All that is expected of the units of one enclosure. version: a later one replaces this."""

    id: str
    version: int
    enclosure: str
    units: tuple[Unit, ...]
    software: tuple[Digest, ...]
    parties: tuple[Party, ...]
    rules: tuple[Rule, ...]
    suites: tuple[Required, ...]
    timing: Timing
    file: str = ""

    def of(self, enclosure: str, serial: str) -> Unit:
        """Return the unit of that enclosure and serial; InputError if it is not expected."""
        if enclosure == self.enclosure:
            return self.unit(serial)
        raise InputError(
            f"the evidence is of enclosure {enclosure!r}, and the reference values are of "
            f"{self.enclosure!r}.",
            remedy="obtain the reference values that both parties signed for that enclosure. "
            "Without them nothing can be appraised, and no policy makes up for them.",
            file=self.file,
            key="enclosure",
        )

    def unit(self, serial: str) -> Unit:
        """Return the unit of that serial; InputError if it is not among those expected."""
        for each in self.units:
            if each.serial == serial:
                return each
        raise InputError(
            f"no unit with serial {serial!r} is expected; there are "
            f"{', '.join(each.serial for each in self.units)}.",
            remedy="check that these are the reference values of that enclosure; do not add the "
            "serial unless both parties enrolled it.",
            file=self.file,
            key="units",
        )

    def suite_at(self, now_s: int) -> Suite:
        """Return the suite that is asked for at that time; InputError if none is."""
        for each in self.suites:
            if each.since_s <= now_s and (each.until_s is None or now_s < each.until_s):
                suite = SUITES[each.suite]
                if suite.holds(now_s):
                    return suite
        raise InputError(
            f"no suite is asked for at Unix time {now_s}.",
            remedy="obtain reference values that are valid for that time.",
            file=self.file,
            key="suites",
        )


def load(data: bytes, *, file: str = "") -> Reference:
    """Return reference values from JSON or deterministic CBOR.

    InputError names the file, the place in it (`units[0].anchors[1].digest`), the value and what to
    do.
    """
    top = _document.read(data, file)
    f = top.fields(
        ("format", "id", "version", "enclosure", "units", "software", "parties", "rules",
         "suites", "timing")
    )  # fmt: skip
    f["format"].choice((FORMAT,))
    reference = Reference(
        id=f["id"].text(),
        version=f["version"].number(1, 2**31),
        enclosure=f["enclosure"].text(),
        units=_each_once(map(_unit, f["units"].items(1)), "serial", f["units"]),
        software=_digests(f["software"]),
        parties=_each_once(map(_party, f["parties"].items(1)), "name", f["parties"]),
        rules=_each_once(map(_rule, f["rules"].items()), "action", f["rules"]),
        suites=_suites(f["suites"]),
        timing=_timing(f["timing"]),
        file=file,
    )
    _each_once(reference.units, "origin", f["units"])
    keys_once(reference, top)
    rules_can_be_met(reference, f["rules"])
    return reference


def _unit(node: Node) -> Unit:
    f = node.fields(("serial", "origin", "anchors", "enrolments", "modules"), ("inventories",))
    enrolments = tuple(map(_enrolment, f["enrolments"].items(1)))
    numbers = [each.sequence for each in enrolments]
    if numbers != sorted(set(numbers)):
        f["enrolments"].fail(
            "enrolments do not follow one another by sequence.", "sort them.", show=False
        )
    return Unit(
        serial=f["serial"].text(),
        origin=f["origin"].text(),
        anchors=_anchors(f["anchors"]),
        enrolments=enrolments,
        modules=tuple(map(_module, f["modules"].items())),
        inventories=_digests(f["inventories"]) if "inventories" in f else (),
    )


def _enrolment(node: Node) -> Enrolment:
    f = node.fields(("sequence", "suite", "keys"), ("tpm",))
    name = f["suite"].choice(tuple(SUITES))
    return Enrolment(
        sequence=f["sequence"].number(0, 2**63 - 1),
        suite=name,
        keys=_keys(f["keys"], name),
        tpm=tpm_of(f["tpm"]) if "tpm" in f else None,
    )


def _keys(node: Node, suite: str) -> tuple[PublicKey, ...]:
    keys = tuple(map(_key, node.items()))
    wanted = SUITES[suite].algorithms
    if tuple(key.alg for key in keys) != wanted:
        names = ", ".join(ALGORITHMS[each].name for each in wanted)
        node.fail(
            f"suite {suite} needs one key each of {names}, in this order.",
            "list exactly those keys.",
            show=False,
        )
    return keys


def _key(node: Node) -> PublicKey:
    f = node.fields(("alg", "key"))
    numbers = {each.name: each.cose for each in ALGORITHMS.values()}
    alg = numbers[f["alg"].choice(tuple(numbers))]
    try:
        return PublicKey(alg, f["key"].hex(ALGORITHMS[alg].key_bytes))
    except FormatError as error:
        f["key"].fail(error.message, error.remedy)


def _module(node: Node) -> Module:
    f = node.fields(("name", "alg", "key"))
    inner = Node(
        value={"alg": f["alg"].value, "key": f["key"].value}, path=node.path, file=node.file
    )
    return Module(name=f["name"].text(), key=_key(inner))


def _digests(node: Node) -> tuple[Digest, ...]:
    out = []
    for each in node.items(1):
        f = each.fields(("name", "digest"))
        out.append(Digest(name=f["name"].text(), digest=f["digest"].hex(*_DIGESTS)))
    _each_once(out, "digest", node)
    return tuple(out)


def _anchors(node: Node) -> tuple[Anchor, ...]:
    out = []
    for each in node.items(1):
        f = each.fields(("name", "digest"), ("unwatched",))
        places = [x.text() for x in f["unwatched"].items(1)] if "unwatched" in f else []
        if places != sorted(set(places)):
            f["unwatched"].fail("this is not sorted, or names a place twice.", "sort it.")
        out.append(
            Anchor(
                name=f["name"].text(),
                digest=f["digest"].hex(*_DIGESTS),
                unwatched=tuple(places),
            )
        )
    return _each_once(out, "digest", node)


def _party(node: Node) -> Party:
    f = node.fields(("name", "role", "bloc", "suite", "keys"))
    name = f["suite"].choice(tuple(SUITES))
    return Party(
        name=f["name"].text(),
        role=f["role"].choice(ROLES),
        bloc=f["bloc"].text(),
        suite=name,
        keys=_keys(f["keys"], name),
    )


def _rule(node: Node) -> Rule:
    f = node.fields(("action", "needs"), ("blocs",))
    needs = []
    for each in f["needs"].items(1):
        n = each.fields(("role", "least"), ("blocs",))
        least = n["least"].number(1, 32)
        blocs = n["blocs"].number(1, least) if "blocs" in n else 1
        needs.append(Need(role=n["role"].choice(ROLES), least=least, blocs=blocs))
    _each_once(needs, "role", f["needs"])
    return Rule(
        action=f["action"].choice(ACTIONS),
        needs=tuple(needs),
        blocs=f["blocs"].number(1, 32) if "blocs" in f else 1,
    )


def _suites(node: Node) -> tuple[Required, ...]:
    out: list[Required] = []
    for each in node.items(1):
        f = each.fields(("suite", "since", "until"))
        until = f["until"].day() if f["until"].value is not None else None
        since = f["since"].day()
        if until is not None and until <= since:
            f["until"].fail("this is not after since.", "correct one of the two.")
        if out and (out[-1].until_s is None or out[-1].until_s > since):
            f["since"].fail(
                "this is before the end of the suite above it; two would be asked for at once.",
                "let each suite begin when the one above it ends, or later.",
            )
        out.append(Required(suite=f["suite"].choice(tuple(SUITES)), since_s=since, until_s=until))
    return tuple(out)


def _timing(node: Node) -> Timing:
    f = node.fields(("heartbeat_ms", "late_ms", "batch_s", "cosigned_s", "emergency_s"))
    return Timing(
        heartbeat_ms=f["heartbeat_ms"].number(10, 3_600_000),
        late_ms=f["late_ms"].number(0, 32_767),
        batch_s=f["batch_s"].number(1, 86_400),
        cosigned_s=f["cosigned_s"].number(1, 31 * 86_400),
        emergency_s=f["emergency_s"].number(0, 31 * 86_400),
    )


def _each_once(values: Iterable[_T], name: str, node: Node) -> tuple[_T, ...]:
    out: list[_T] = []
    seen = set()
    for each in values:
        found = getattr(each, name)
        if found in seen:
            shown = found.hex() if isinstance(found, bytes) else found
            node.fail(f"{name} {shown!r} stands twice.", "keep one of the two.", show=False)
        seen.add(found)
        out.append(each)
    return tuple(out)
