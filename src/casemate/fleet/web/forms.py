"""A form with files, as browsers send it (RFC 7578). Read strictly: what is odd is refused."""

from __future__ import annotations

import re

from casemate.fleet.errors import RefusedError

MOST_PARTS = 20
_KIND = re.compile(r"multipart/form-data; ?boundary=\"?([0-9A-Za-z'()+_,./:=?-]{1,70})\"?")
_NAMED = re.compile(r'form-data; name="([A-Za-z0-9_.:-]{1,64})"(; filename="[^"\r\n]*")?')


def parse(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return texts and files by name. RefusedError if it is no such form, or a name comes twice."""
    found = _KIND.fullmatch(kind)
    if found is None:
        raise _refused()
    edge = b"--" + found[1].encode("ascii")
    head, tail = edge + b"\r\n", b"\r\n" + edge + b"--"
    whole = body[:-2] if body.endswith(b"--\r\n") else body
    if not whole.startswith(head) or not whole.endswith(tail):
        raise _refused()
    parts = whole[len(head) : -len(tail)].split(b"\r\n" + head)
    if len(parts) > MOST_PARTS:
        raise _refused()
    texts: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for each in parts:
        name, is_file, data = _part(each)
        if name in texts or name in files:
            raise _refused()
        if is_file:
            files[name] = data
            continue
        try:
            texts[name] = data.decode("utf-8")
        except ValueError:
            raise _refused() from None
    return texts, files


def _part(part: bytes) -> tuple[str, bool, bytes]:
    head, blank, data = part.partition(b"\r\n\r\n")
    named = None
    for line in head.decode("utf-8", "replace").split("\r\n"):
        field, _, value = line.partition(":")
        if field.lower() == "content-disposition":
            if named is not None:
                raise _refused()
            named = _NAMED.fullmatch(value.strip())
            if named is None:
                raise _refused()
    if not blank or named is None:
        raise _refused()
    return named[1], named[2] is not None, data


def _refused() -> RefusedError:
    return RefusedError("the form is malformed.", remedy="use the pages here.")
