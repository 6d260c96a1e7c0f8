"""Filters of the templates."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]*)`")
_TIME = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def timed(text: object) -> Markup:
    """Return a text, escaped, with each UTC time in it as an element: it is not broken in two."""
    return Markup(_TIME.sub(r"<time>\g<0></time>", str(escape("" if text is None else text))))


def coded(text: object) -> Markup:
    """Return a text, escaped, with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape("" if text is None else text))))


def unit(name: str) -> str:
    """Return a unit as people read it: that of a ratio is "1" by SI, which reads as a figure."""
    return "(ratio)" if name == "1" else name


FILTERS = {"timed": timed, "unit": unit, "coded": coded}
"""By the name that templates use."""
