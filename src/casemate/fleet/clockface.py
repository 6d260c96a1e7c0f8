"""Times and lengths as pages show them."""

from __future__ import annotations

from casemate.verify.result import clock


def length(seconds: int) -> str:
    """Return a length of time in the two largest units: 3 d 4 h, 5 min 2 s."""
    if seconds < 0:
        return f"-{length(-seconds)}"
    parts: list[str] = []
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count} {name}")
        if len(parts) == 2:
            break
    return " ".join(each for each in parts if not each.startswith("0 ")) or "0 s"


def ago(then_s: int | None, now_s: int) -> str:
    """Return how long ago something was; "never" for None."""
    return "never" if then_s is None else f"{length(max(now_s - then_s, 0))} ago"


__all__ = ["ago", "clock", "length"]
