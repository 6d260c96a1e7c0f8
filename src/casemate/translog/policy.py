"""The trust policy: which logs, which witnesses, and how many of whom must have cosigned.

Pure. Groups nest, so "2 of bloc A and 1 of bloc B" is a group of groups. The file is what the
parties agree on. Reference: C2SP tlog-policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from casemate.core.errors import FormatError
from casemate.translog import cosignature
from casemate.translog.cosignature import Refused, Signed
from casemate.translog.errors import QuorumError
from casemate.translog.note import Note, NoteKey, parse_vkey

MOST_BYTES = 4_000_000
"""Longest policy read: 256 ML-DSA-44 keys take 0.5 MB (planning value)."""

MOST_LINES = 1024
"""Most logs, witnesses and groups together; the format asks for at least 96."""

NONE = "none"
"""The quorum that asks for no cosignature."""
_CONTROL = bytes({*range(0x20), 0x7F} - set(b"\t\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """At least `threshold` of `members` (names of witnesses or groups)."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Logs, witnesses by name, groups by name, and the name of the quorum."""

    logs: tuple[NoteKey, ...]
    witnesses: Mapping[str, NoteKey]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """A checkpoint that meets the policy.

    by_s: it stood by this time (Unix s), if of every quorum one witness tells the truth.
    after_s: who holds all its cosignatures has them since this time at the earliest, likewise.
    Both are None where the policy asks for no cosignature.
    """

    logs: tuple[Signed, ...]
    witnesses: Mapping[str, Signed]
    by_s: int | None
    after_s: int | None
    refused: tuple[Refused, ...]


def parse(data: bytes) -> Policy:
    """Return the policy in a file. FormatError, with the line, on anything the format forbids."""
    if len(data) > MOST_BYTES:
        raise _wrong(0, "the file is too long")
    if data.translate(None, _CONTROL) != data:
        raise _wrong(0, "the file has control characters")
    if data and not data.endswith(b"\n"):
        raise _wrong(0, "the last line does not end")
    builder = _Builder()
    for number, row in enumerate(data.split(b"\n"), start=1):
        words = row.decode("utf-8", "surrogateescape").replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            builder.take(words)
        except FormatError as error:
            raise _wrong(number, error.message.rstrip(".")) from None
    return builder.built()


def check(
    policy: Policy, note: Note, *, logs: Sequence[NoteKey] = (), witnessed: bool = True
) -> Met:
    """Return how the checkpoint in `note` meets the policy.

    logs: keys of logs known from elsewhere, beside those of the policy. witnessed: a policy whose
    quorum is `none` is not enough. QuorumError says which part of the quorum is missing, and
    whose lines do not fit.
    """
    log_keys = (*policy.logs, *logs)
    good, bad = cosignature.check(note, (*log_keys, *policy.witnesses.values()))
    origin = note.text.split("\n", 1)[0]
    by_log = tuple(each for each in good if each.key in log_keys and each.key.name == origin)
    if not by_log:
        raise _short("no trusted log of this origin has signed", bad)
    names = {key: name for name, key in policy.witnesses.items()}
    found = {names[each.key]: each for each in good if each.key in names}
    if policy.quorum == NONE:
        if witnessed:
            raise _short("the policy asks for no witness", bad)
        return Met(logs=by_log, witnesses=found, by_s=None, after_s=None, refused=bad)
    if not holds(policy, policy.quorum, found):
        raise _short(_missing(policy, policy.quorum, found), bad)
    return Met(
        logs=by_log,
        witnesses=found,
        by_s=_time(policy, found, latest_first=False),
        after_s=_time(policy, found, latest_first=True),
        refused=bad,
    )


def holds(policy: Policy, name: str, signed: Iterable[str]) -> bool:
    """Return whether the witnesses named in `signed` make up the witness or group `name`."""
    have = set(signed)
    for group in policy.groups.values():  # each after those that it names
        if sum(member in have for member in group.members) >= group.threshold:
            have.add(group.name)
    return name in have


def _time(policy: Policy, found: Mapping[str, Signed], *, latest_first: bool) -> int:
    ranked = sorted(found, key=lambda name: found[name].time_s or 0, reverse=latest_first)
    taken: list[str] = []
    for name in ranked:
        taken.append(name)
        if holds(policy, policy.quorum, taken):
            break
    return found[taken[-1]].time_s or 0


def _missing(policy: Policy, name: str, found: Mapping[str, Signed]) -> str:
    group = policy.groups.get(name)
    if group is None:
        return f"witness {name} has not cosigned"
    have = [member for member in group.members if holds(policy, member, found)]
    lack = [member for member in group.members if member not in have]
    inner = [each for each in lack if each in policy.groups]
    why = "".join(f"; {_missing(policy, each, found)}" for each in inner)
    return (
        f"group {name} needs {group.threshold} of {len(group.members)} and has {len(have)}, "
        f"without {', '.join(lack)}{why}"
    )


class _Builder:
    """The policy so far, line by line."""

    def __init__(self) -> None:
        self.logs: list[NoteKey] = []
        self.witnesses: dict[str, NoteKey] = {}
        self.groups: dict[str, Group] = {}
        self.urls: dict[str, str] = {}
        self.used: set[str] = set()
        self.quorum = ""

    def take(self, words: list[str]) -> None:
        """Take one line."""
        if len(self.logs) + len(self.witnesses) + len(self.groups) >= MOST_LINES:
            raise _wrong(0, f"there are more than {MOST_LINES} definitions")
        kind, rest = words[0], words[1:]
        if kind == "log" and 1 <= len(rest) <= 2:
            self._log(*rest)
        elif kind == "witness" and 2 <= len(rest) <= 3:
            self._witness(*rest)
        elif kind == "group" and len(rest) >= 3:
            self._group(rest[0], rest[1], tuple(rest[2:]))
        elif kind == "quorum" and len(rest) == 1:
            self._quorum(rest[0])
        else:
            raise _wrong(0, f"{kind!r} with {len(rest)} words means nothing")

    def built(self) -> Policy:
        """Return the whole policy."""
        if not self.quorum:
            raise _wrong(0, "there is no quorum line")
        return Policy(
            logs=tuple(self.logs),
            witnesses=self.witnesses,
            groups=self.groups,
            quorum=self.quorum,
            urls=self.urls,
        )

    def _log(self, vkey: str, url: str = "") -> None:
        key = parse_vkey(vkey)
        if any(key.public == other.public for other in self.logs):
            raise _wrong(0, "a log's key stands twice")
        self.logs.append(key)
        if url:
            self.urls[key.name] = url

    def _witness(self, name: str, vkey: str, url: str = "") -> None:
        self._new(name)
        key = parse_vkey(vkey)
        if not key.cosigns:
            raise _wrong(0, f"the key of witness {name} is not one that cosigns")
        if any(key.public == other.public for other in self.witnesses.values()):
            raise _wrong(0, f"the key of witness {name} stands twice")
        self.witnesses[name] = key
        if url:
            self.urls[name] = url

    def _group(self, name: str, count: str, members: tuple[str, ...]) -> None:
        self._new(name)
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise _wrong(0, f"group {name} names {member!r}, which is not defined before")
            if member in self.used:
                raise _wrong(0, f"{member!r} is a member twice")
            self.used.add(member)
        threshold = {"all": len(members), "any": 1}.get(count) or _count(count)
        if not 1 <= threshold <= len(members):
            raise _wrong(0, f"group {name} asks for {count} of {len(members)}")
        self.groups[name] = Group(name=name, threshold=threshold, members=members)

    def _quorum(self, name: str) -> None:
        if self.quorum:
            raise _wrong(0, "there are two quorum lines")
        if name != NONE and name not in self.witnesses and name not in self.groups:
            raise _wrong(0, f"the quorum names {name!r}, which is not defined before")
        self.quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise _wrong(0, f"the name {name!r} is taken")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or text.startswith("0"):
        raise _wrong(0, f"{text!r} is no number of members")
    return int(text)


def _wrong(line: int, what: str) -> FormatError:
    place = f"policy, line {line}: " if line else ""
    return FormatError(
        f"{place}{what}.", remedy="correct the policy; all parties must hold the same file."
    )


def _short(what: str, bad: Sequence[Refused]) -> QuorumError:
    said = "".join(f"; a line of {each.key.name} does not fit ({each.why})" for each in bad)
    return QuorumError(
        f"the checkpoint does not meet the policy: {what}{said}.",
        remedy="ask these witnesses for their cosignatures; do not loosen the policy.",
    )
