"""Which resource is at a path, and who may ask it by which method."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.fleet.redfish.accounts import Account
from casemate.fleet.redfish.asked import Answer, Method, Resource
from casemate.fleet.redfish.odata import ROOT
from casemate.fleet.redfish.routes import RESOURCES, STREAM

_EXACT = {each.path: each for each in RESOURCES if "{" not in each.path}
_PATTERNS = [(each.path.split("/"), each) for each in RESOURCES if "{" in each.path]
_STREAM = Resource(path=STREAM, kind="", methods={"GET": Method(serve=lambda _r, _a: Answer())})


def resource_at(path: str) -> tuple[Resource | None, dict[str, str]]:
    """Return the resource at a path and the parts of its template; None if there is none."""
    if path.endswith("/") and path != f"{ROOT}/":
        path = path.removesuffix("/")
    if path == STREAM:
        return _STREAM, {}
    if path in _EXACT:
        return _EXACT[path], {}
    parts = path.split("/")
    for pattern, each in _PATTERNS:
        if len(pattern) != len(parts):
            continue
        found = {}
        for ours, theirs in zip(pattern, parts, strict=True):
            if ours.startswith("{") and _is_plain(theirs):
                found[ours[1:-1]] = theirs
            elif ours != theirs:
                break
        else:
            return each, found
    return None, {}


def _is_plain(part: str) -> bool:
    return 0 < len(part) <= 100 and part.isascii() and part.replace("-", "").replace(
        ".", ""
    ).replace("_", "").isalnum()  # fmt: skip


def may(account: Account | None, method: Method, path: Mapping[str, str]) -> bool:
    """Return whether an account may use a method of a resource; None: nobody has said who asks.

    path: parts of the template, by which one's own is known.
    """
    if account is None:
        return not method.any_of
    own = method.own and path.get(method.own) == str(account.id)
    return bool(
        (own and "ConfigureSelf" in account.privileges)
        or not method.any_of
        or method.any_of & account.privileges
    )
