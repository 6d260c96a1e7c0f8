"""A document that people write, as a tree that knows where in it one is: for exact complaints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from casemate.core import cbor
from casemate.core.errors import FormatError, InputError

MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, the path to it (`units[0].serial`), and the file that it stands in."""

    value: Any
    path: str
    file: str

    def fail(self, why: str, remedy: str, *, show: bool = True) -> NoReturn:
        """Raise InputError with file, path and value."""
        raise InputError(
            why,
            remedy=remedy,
            file=self.file,
            key=self.path or "(top)",
            value=self.value if show else None,
        )

    def fields(self, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Node]:
        """Return the fields of a map by name; all that are required and none that is unknown."""
        if not isinstance(self.value, dict):
            self.fail("this should be a map.", f"write {', '.join(required)} in it.")
        for name in self.value:
            if name not in required and name not in optional:
                near = f"{self.path}.{name}" if self.path else str(name)
                Node(value=None, path=near, file=self.file).fail(
                    "this key is not known here.",
                    f"remove it, or use one of {', '.join((*required, *optional))}.",
                )
        for name in required:
            if name not in self.value:
                self.fail(f"{name} is missing.", f"add {name}: it has no default.", show=False)
        dot = f"{self.path}." if self.path else ""
        return {
            name: Node(value=each, path=f"{dot}{name}", file=self.file)
            for name, each in self.value.items()
        }

    def items(self, least: int = 0) -> Iterator[Node]:
        """Yield the items of a list."""
        if not isinstance(self.value, list):
            self.fail("this should be a list.", "write it as a list, even with one item.")
        if len(self.value) < least:
            self.fail(f"this needs {least} or more items.", "add what is missing.")
        for at, each in enumerate(self.value):
            yield Node(value=each, path=f"{self.path}[{at}]", file=self.file)

    def text(self) -> str:
        """Return printable text."""
        if not isinstance(self.value, str) or not self.value or not self.value.isprintable():
            self.fail("this should be text.", "write a name.")
        if len(self.value) > 256:
            self.fail("this text is longer than 256 characters.", "shorten it.")
        return self.value

    def choice(self, among: tuple[str, ...]) -> str:
        """Return one of `among`."""
        if not isinstance(self.value, str) or self.value not in among:
            self.fail("this is not known.", f"use one of {', '.join(among)}.")
        return self.value

    def number(self, least: int, most: int) -> int:
        """Return an integer of least .. most."""
        if type(self.value) is not int or not least <= self.value <= most:
            self.fail(f"this should be an integer of {least} to {most}.", "correct it.")
        return self.value

    def hex(self, *sizes: int) -> bytes:
        """Return the bytes of hex digits; their number is one of `sizes`."""
        wanted = " or ".join(str(2 * each) for each in sizes)
        raw = self.value if isinstance(self.value, str) else ""
        if not raw or set(raw) - set("0123456789abcdef"):
            self.fail(
                f"this should be {wanted} small hex digits.",
                "copy the value anew from whoever published it.",
            )
        if len(raw) not in [2 * each for each in sizes]:
            self.fail(
                f"this has {len(raw)} hex digits, not {wanted}.",
                "copy the value anew; it was cut off, or is a digest of another kind.",
            )
        return bytes.fromhex(raw)

    def day(self) -> int:
        """Return the Unix seconds of a day, such as 2026-01-01, at its beginning in UTC."""
        try:
            found = datetime.strptime(self.value, "%Y-%m-%d").replace(tzinfo=UTC)
        except (TypeError, ValueError):
            self.fail("this should be a day such as 2026-01-31.", "write year, month and day.")
        if found.strftime("%Y-%m-%d") != self.value:
            self.fail("this should be a day such as 2026-01-31.", "write all digits.")
        return int(found.timestamp())


def read(data: bytes, file: str) -> Node:
    """Return the tree of a JSON or CBOR document; InputError if it is neither."""
    top = Node(value=None, path="", file=file)
    if len(data) > MOST_BYTES:
        top.fail(f"the file is larger than {MOST_BYTES} bytes.", "name another file.")
    if not data.strip():
        top.fail("the file is empty.", "write reference values into it, or name another file.")
    if data.lstrip()[:1] == b"{":
        return Node(value=_json(data, top), path="", file=file)
    try:
        return Node(value=cbor.decode(data, most=MOST_BYTES), path="", file=file)
    except FormatError as error:
        top.fail(
            f"the file is neither JSON that begins with a brace nor deterministic CBOR: "
            f"{error.message}",
            "name another file, or write this one anew.",
        )


def _json(data: bytes, top: Node) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for name, value in pairs:
            if name in seen:
                top.fail(f"the key {name!r} stands twice in one map.", "keep one of the two.")
            seen[name] = value
        return seen

    try:
        return json.loads(data.decode(), object_pairs_hook=once)
    except UnicodeDecodeError:
        top.fail("the file is not UTF-8.", "save it as UTF-8.")
    except json.JSONDecodeError as error:
        top.fail(
            f"the JSON ends to make sense in line {error.lineno}, column {error.colno}: "
            f"{error.msg}.",
            "correct that place.",
        )
    except RecursionError:
        top.fail("the JSON is nested too deeply.", "name another file.")
    except ValueError as error:  # such as an integer of thousands of digits
        top.fail(f"the JSON cannot be read: {str(error)[:80]}.", "correct that place.")
