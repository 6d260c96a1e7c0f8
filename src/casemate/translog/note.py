"""Signed notes: a text and the lines of those who signed it, and the keys that do.

Pure: parses and writes, checks no signature (see `cosignature`). Reference: C2SP signed-note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from casemate.core import suites
from casemate.core.errors import FormatError
from casemate.core.suites import PublicKey

MOST_BYTES = 1_000_000
"""Longest note that is read: 16 lines of the largest signature (ML-DSA-87) take 0.1 MB."""

MOST_LINES = 64
"""Most signature lines that are read; the format asks for at least 16."""

DASH = "\u2014"
"""What a signature line begins with."""

ED25519 = b"\x01"
COSIGNATURE_ED25519 = b"\x04"
COSIGNATURE_ML_DSA_44 = b"\x06"
ML_DSA_65 = b"\xffcasemate ml-dsa-65\n"
ML_DSA_87 = b"\xffcasemate ml-dsa-87\n"
"""Signature types. 0xff is the prefix for types that C2SP has not assigned."""

ALGORITHMS = {
    ED25519: suites.ED25519,
    COSIGNATURE_ED25519: suites.ED25519,
    COSIGNATURE_ML_DSA_44: suites.ML_DSA_44,
    ML_DSA_65: suites.ML_DSA_65,
    ML_DSA_87: suites.ML_DSA_87,
}
"""The COSE number of the algorithm of each signature type."""

_REMEDY = "get the file again from its source; do not repair it by hand."

_CONTROL = bytes(each for each in range(32) if each != 10)
"""Bytes below a blank, but for the newline: a note has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A public key with the name and the signature type that it signs notes with.

    id: the four bytes that name this key in a signature line.
    """

    name: str
    kind: bytes
    public: PublicKey
    id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.public.alg != ALGORITHMS.get(self.kind):
            raise FormatError(
                f"signature type {self.kind[:1].hex()} does not go with {self.public.name}.",
                remedy=_REMEDY,
            )
        text = self.name.encode() + b"\n" + self.kind + self.public.data
        object.__setattr__(self, "id", hashlib.sha256(text).digest()[:4])

    @property
    def cosigns(self) -> bool:
        """Whether lines of this key carry a time."""
        return self.kind in (COSIGNATURE_ED25519, COSIGNATURE_ML_DSA_44)

    def vkey(self) -> str:
        """Return the key as text: name, id and typed key, joined by plus signs."""
        typed = base64.b64encode(self.kind + self.public.data).decode()
        return f"{self.name}+{self.id.hex()}+{typed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One signature line: who, which key, and the signature's bytes."""

    name: str
    key_id: bytes
    blob: bytes

    def text(self) -> str:
        """Return the line with its newline."""
        return f"{DASH} {self.name} {base64.b64encode(self.key_id + self.blob).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A text that ends in a newline, and its signature lines."""

    text: str
    lines: tuple[Line, ...]

    def encode(self) -> bytes:
        """Return the note's bytes; what `parse` has read comes back as it was."""
        return (self.text + "\n" + "".join(line.text() for line in self.lines)).encode()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the note with all its lines: nobody knows it before all have signed."""
        return hashlib.sha256(self.encode()).digest()

    def prefix(self, digest: bytes) -> Note:
        """Return the note as it was when its digest was `digest`, before later lines came to it.

        FormatError if it never was so. Lines are only ever added at the end.
        """
        for count in range(len(self.lines), 0, -1):
            part = Note(text=self.text, lines=self.lines[:count])
            if part.digest == digest:
                return part
        raise _wrong("a digest is not that of this note, with any number of its lines")

    def with_lines(self, lines: tuple[Line, ...]) -> Note:
        """Return the note with more lines, none of them twice."""
        new = tuple(line for line in dict.fromkeys(lines) if line not in self.lines)
        return Note(text=self.text, lines=self.lines + new)


def parse(data: bytes) -> Note:
    """Return the note in `data`. FormatError unless it is one to the letter."""
    if len(data) > MOST_BYTES:
        raise _wrong(f"a note of {len(data)} bytes is longer than {MOST_BYTES}")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _wrong("a note is not UTF-8") from None
    if data.translate(None, _CONTROL) != data:
        raise _wrong("a note has control characters")
    head, gap, tail = whole.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise _wrong("a note has no signature lines")
    rows = tail[:-1].split("\n")
    if len(rows) > MOST_LINES:
        raise _wrong(f"a note has more than {MOST_LINES} signature lines")
    return Note(text=head + "\n", lines=tuple(parse_line(row) for row in rows))


def parse_line(row: str) -> Line:
    """Return the signature line `row` (without newline). FormatError if it is none."""
    parts = row.split(" ")
    if len(parts) != 3 or parts[0] != DASH:
        raise _wrong("a signature line is not of the form: dash, name, signature")
    check_name(parts[1])
    blob = strict_base64(parts[2])
    if len(blob) < 5:
        raise _wrong("a signature line is too short")
    return Line(name=parts[1], key_id=blob[:4], blob=blob[4:])


def parse_vkey(text: str) -> NoteKey:
    """Return the key written as `text` by `NoteKey.vkey`. FormatError if it is none."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _wrong("a verifier key is not of the form name+id+key")
    name, key_id, typed = parts[0], parts[1], strict_base64(parts[2])
    check_name(name)
    kind = next((each for each in ALGORITHMS if typed.startswith(each)), None)
    if kind is None:
        raise _wrong("a verifier key has an unknown signature type")
    key = NoteKey(name=name, kind=kind, public=PublicKey(ALGORITHMS[kind], typed[len(kind) :]))
    if key.id.hex() != key_id:
        raise _wrong("the id in a verifier key is not that of its key")
    return key


def check_name(name: str) -> None:
    """Raise FormatError unless `name` may name a key."""
    bad = name.split() != [name] or "+" in name or min(name) < " "
    if bad or not _encodes(name):
        raise _wrong("a key's name is empty, or has a space or a plus sign")


def strict_base64(text: str) -> bytes:
    """Return the bytes of standard base64 that is padded and canonical, else FormatError."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("base64 is malformed") from None
    if base64.b64encode(data).decode() != text:
        raise _wrong("base64 is not in its only form")
    return data


def strict_decimal(text: str) -> int:
    """Return a decimal below 2^63 without sign or leading zeroes, else FormatError."""
    plain = text.isascii() and text.isdigit() and len(text) <= 19
    if not plain or (text[0] == "0" and text != "0") or int(text) >= 1 << 63:
        raise _wrong("a number is not a plain decimal below 2^63")
    return int(text)


def _encodes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong(what: str) -> FormatError:
    return FormatError(f"{what}.", remedy=_REMEDY)
