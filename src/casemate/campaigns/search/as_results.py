"""What searches found, as the curves and maps that a security case is argued from."""

from __future__ import annotations

import math

from casemate.campaigns.search.atlas import Atlas
from casemate.campaigns.search.margin import Found
from casemate.campaigns.search.sweep import Swept
from casemate.case import results
from casemate.core.errors import InputError

TWO_SIDED_95 = 1.959964
"""Of the normal law."""


def convergence(found: Found, name: str) -> results.Series:
    """Return the least loss (nats) over trials."""
    trials, losses = zip(*found.curve, strict=True)
    return results.Series(name=name, x=tuple(float(each) for each in trials), y=losses)


def over_means(swept: Swept, name: str) -> results.Series:
    """Return the confirmed loss (nats) over means, with its band at 95 % where it is known."""
    means, losses, errors = zip(*swept.curve, strict=True)
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    if all(math.isfinite(each) for each in errors):
        low = tuple(y - TWO_SIDED_95 * e for y, e in zip(losses, errors, strict=True))
        high = tuple(y + TWO_SIDED_95 * e for y, e in zip(losses, errors, strict=True))
    return results.Series(name=name, x=means, y=losses, low=low, high=high)


def as_map(atlas: Atlas, *, about: str, rerun: str) -> results.Atlas:
    """Return an atlas of three axes as the case draws it; InputError if it has another number."""
    if len(atlas.axes) != 3:
        raise InputError(
            f"an atlas of a case has three axes, not {len(atlas.axes)}.",
            remedy="map duration, displacement and power.",
            key="axes",
        )
    x, y, z = atlas.axes
    margin = tuple(
        tuple(tuple(None if math.isnan(v) else v for v in row) for row in plane)
        for plane in atlas.margins().tolist()
    )
    return results.Atlas(
        x_name=_named(x.name, x.unit),
        y_name=_named(y.name, y.unit),
        z_name=_named(z.name, z.unit),
        x=x.edges,
        y=y.edges,
        z=z.edges,
        margin=margin,
        about=about,
        rerun=rerun,
    )


def _named(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
