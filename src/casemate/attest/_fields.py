"""Typed fields of decoded CBOR: each is what it should be, or FormatError says which is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from casemate.core import cbor
from casemate.core.errors import FormatError
from casemate.core.suites import PublicKey

MOST_TEXT = 256
"""Characters in a name or a reason."""
DIGESTS = (32, 48)
"""Bytes of SHA-256 and SHA-384."""
_MISSING = object()


class Fields:
    """A map that is taken apart field by field; `done` refuses what nobody asked for.

    The map itself is emptied.
    """

    __slots__ = ("_left", "_what")

    def __init__(self, value: object, what: str) -> None:
        if type(value) is not dict:
            refuse(what, "is not a map")
        self._left: dict[Any, Any] = value
        self._what = what

    @staticmethod
    def of(payload: bytes, what: str, form: str, *, depth: int = 2) -> Fields:
        """Return the fields of a document whose field 0 names its format; FormatError."""
        f = Fields(cbor.decode(payload, depth=depth), what)
        if f.take(0) != form:
            refuse(what, f"has not the format {form}")
        return f

    def has(self, key: int | str) -> bool:
        """Return whether the field is there and not yet taken."""
        return key in self._left

    def take(self, key: int | str) -> Any:
        """Return a field as it is."""
        found = self._left.pop(key, _MISSING)
        if found is _MISSING:
            refuse(self._what, f"lacks {key!r}")
        return found

    def number(self, key: int | str, most: int = 2**63 - 1) -> int:
        """Return an integer of 0 .. most."""
        found = self._left.pop(key, _MISSING)
        if type(found) is not int or not 0 <= found <= most:
            self._wrong(key, found, f"an integer of 0 to {most}")
        return found

    def text(self, key: int | str) -> str:
        """Return printable text of 1 .. MOST_TEXT characters."""
        return text(self.take(key), self._what, key)

    def choice(self, key: int | str, among: tuple[str, ...]) -> str:
        """Return one of `among`."""
        found = self._left.pop(key, _MISSING)
        if type(found) is not str or found not in among:
            self._wrong(key, found, f"one of {', '.join(among)}")
        return found

    def octets(self, key: int | str, *sizes: int) -> bytes:
        """Return bytes of one of these sizes; of any, if none is given."""
        found = self._left.pop(key, _MISSING)
        if type(found) is not bytes or (sizes and len(found) not in sizes):
            wanted = " or ".join(map(str, sizes))
            self._wrong(key, found, f"{wanted + ' ' if wanted else ''}bytes")
        return found

    def digest(self, key: int | str) -> bytes:
        """Return a digest of SHA-256 or SHA-384, b"" if the field is not there."""
        return self.octets(key, *DIGESTS) if key in self._left else b""

    def _wrong(self, key: int | str, found: object, wanted: str) -> NoReturn:
        refuse(self._what, f"lacks {key!r}" if found is _MISSING else f"{key!r} is not {wanted}")

    def array(self, key: int | str, least: int = 0, most: int = 65_535) -> list[Any]:
        """Return an array of least .. most items."""
        found = self.take(key)
        if type(found) is not list or not least <= len(found) <= most:
            refuse(self._what, f"{key!r} is not an array of {least} to {most}")
        return found

    def keys(self, key: int | str, least: int = 1) -> tuple[PublicKey, ...]:
        """Return an array of COSE_Keys, no two the same."""
        found = tuple(PublicKey.from_cose(each) for each in self.array(key, least, 16))
        if len(set(found)) != len(found):
            refuse(self._what, f"{key!r} has a key twice")
        return found

    def done(self) -> None:
        """Refuse whatever is left."""
        if self._left:
            refuse(self._what, f"has {next(iter(self._left))!r}, which is not known")


def text(value: object, what: str, key: int | str) -> str:
    """Return `value` if it is printable text of 1 .. MOST_TEXT characters."""
    if type(value) is not str or not 0 < len(value) <= MOST_TEXT or not value.isprintable():
        refuse(what, f"{key!r} is not printable text of 1 to {MOST_TEXT} characters")
    return value


def named(values: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the map without the values that say nothing: None, "", b"", ()."""
    return {key: each for key, each in values.items() if each not in (None, "", b"", ())}


def written(form: str, values: Mapping[int, Any], read: Callable[[bytes], Any]) -> bytes:
    """Return a document with `form` as field 0; FormatError if `read` would refuse it."""
    out = cbor.encode(named({0: form, **values}))
    read(out)
    return out


def refuse(what: str, why: str) -> NoReturn:
    """Raise FormatError about `what`."""
    raise FormatError(f"{what} {why}.", remedy="obtain it again from its source.")
