"""The anchor: what an enclosure was at its commissioning, frozen and signed, never learnt again.

A feature is a channel, or the sum or difference of two, over their nominal values; so a change is
relative and temperature drops out of differences. Surroundings may move a feature by themselves no
further than its bound; whatever goes beyond it is a change of the enclosure, however slowly it
came.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from casemate.core.canonical import canonical_bytes
from casemate.core.errors import InputError

Real = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
NONE = -1
CONTEXT = b"casemate/v1/anchor\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """F features of one excited modality's C channels.

    nominal (C,): in the channels' units. first, second (F,): channels of a feature, `NONE` if it
    has one; weight (F, 2): what their shares of nominal are multiplied by. group (F,): common mode
    that it takes part in, `NONE` for differences. Relative figures: noise (F,): of one chip,
    standard deviation. bound (F,): what surroundings may do to it by themselves for the whole life.
    step (F,): how far the tracked state may lag behind them. must (F,): the least change that has
    to be caught, for the meter of information. rate (F,): most that the tracked state moves in a
    second. common, common_rate (G,): the same bounds for common modes.
    """

    modality: str
    chip_s: float
    visits: float
    channels: tuple[str, ...]
    tiles: tuple[str, ...]
    names: tuple[str, ...]
    nominal: Real
    first: Index
    second: Index
    weight: Real
    group: Index
    noise: Real
    bound: Real
    step: Real
    must: Real
    rate: Real
    common: Real
    common_rate: Real

    def __post_init__(self) -> None:
        count, channels = len(self.names), len(self.channels)
        groups = self.common.size
        figures = (
            self.noise, self.bound, self.step, self.must, self.rate, self.common, self.common_rate,
        )  # fmt: skip
        shapes = all(getattr(self, name).shape[:1] == (count,) for name in PER_FEATURE)
        if not (
            shapes
            and len(self.tiles) == count
            and self.weight.shape == (count, 2)
            and self.nominal.shape == (channels,)
            and self.common.shape == self.common_rate.shape == (groups,)
            and _figures(*figures)
            and bool(np.isfinite(self.weight).all())
            and bool((self.noise > 0.0).all())
            and bool(np.isfinite(self.nominal).all() and (self.nominal != 0.0).all())
            and _within(self.first, 0, channels)
            and _within(self.second, NONE, channels)
            and _within(self.group, NONE, groups)
            # what takes part in a common mode reads something at commissioning
            and bool((self.expected[self.group != NONE] != 0.0).all())
            and self.chip_s > 0.0
            and self.visits > 0.0
        ):
            raise _malformed(self.modality)

    @property
    def expected(self) -> Real:
        """Return what each feature reads at commissioning, (F,): 1, or 0 for differences."""
        return np.asarray(self.weight.sum(axis=1))


def _figures(*arrays: Real) -> bool:
    return all(bool(np.isfinite(each).all() and (each >= 0.0).all()) for each in arrays)


def _within(index: Index, low: int, high: int) -> bool:
    return bool(((index >= low) & (index < high)).all())


def _malformed(modality: str) -> InputError:
    return InputError(
        f"the anchor of {modality} is malformed.",
        remedy="commission the enclosure anew; every feature needs its channels, a noise above 0 "
        "and finite bounds.",
        key=modality,
    )


PER_FEATURE = ("first", "second", "weight", "group", "noise", "bound", "step", "must", "rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnchor:
    """L links of a cavity at T tones: `field` (L, T) complex. Relative to each link's own rms:

    noise (L,): of one chip, of each part. bound (L,): norm over tones, over root T, of what
    surroundings may do for the whole life. step (L,): the same between two blocks.
    shapes: what gain and stretch alone do, (L, 3, 2 T), orthonormal rows: left out of everything.
    """

    modality: str
    chip_s: float
    visits: float
    names: tuple[str, ...]
    field: npt.NDArray[np.complex128]
    shapes: Real
    noise: Real
    bound: Real
    step: Real
    must: Real

    def __post_init__(self) -> None:
        links, tones = self.field.shape if self.field.ndim == 2 else (-1, 0)
        rows = (self.noise, self.bound, self.step, self.must)
        sound = (
            len(self.names) == links
            and all(each.shape == (links,) for each in rows)
            and self.shapes.shape == (links, 3, 2 * tones)
            and _figures(*rows)
            and bool(np.isfinite(self.field).all() and np.isfinite(self.shapes).all())
            and bool((self.noise > 0.0).all() and (np.abs(self.field).max(axis=1) > 0.0).all())
            and self.chip_s > 0.0
            and self.visits > 0.0
        )
        if sound:
            gram = np.einsum("lst,lrt->lsr", self.shapes, self.shapes)
            sound = bool(np.allclose(gram, np.eye(3), atol=1e-6))
        if not sound:
            raise _malformed(self.modality)

    @property
    def tiles(self) -> tuple[str, ...]:
        """Return the boards of the links: none."""
        return ("",) * len(self.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassiveAnchor:
    """C sensors without a challenge. x = (f(v) - f(nominal)) / spread; f is ln where `log`.

    contrast (C,): whether it is held against the median of its kind, not against nominal.
    coefficients (C, P), innovation (C,): the factory's autoregression of x, and the standard
    deviation of what it leaves. slack (C,), in innovations: how far their mean may be off. bound
    (C,), in spreads: what surroundings may do for the whole life; noise (C,), in spreads: what
    differs from window to window. batch: windows that are summed before the pyramid.
    """

    modality: str
    chip_s: float
    names: tuple[str, ...]
    tiles: tuple[str, ...]
    kind: tuple[str, ...]
    nominal: Real
    spread: Real
    log: npt.NDArray[np.bool_]
    contrast: npt.NDArray[np.bool_]
    coefficients: Real
    innovation: Real
    slack: Real
    bound: Real
    noise: Real
    batch: int = 1

    def __post_init__(self) -> None:
        count = len(self.names)
        above = (self.spread, self.innovation, self.bound, self.noise)
        rows = (*above, self.nominal, self.slack, self.log, self.contrast)
        if not (
            len(self.tiles) == len(self.kind) == count
            and all(each.shape == (count,) for each in rows)
            and self.coefficients.ndim == 2
            and self.coefficients.shape[0] == count
            and bool(np.isfinite(self.coefficients).all())
            and bool(np.isfinite(self.nominal).all())
            and _figures(*above, self.slack)
            and all(bool((each > 0.0).all()) for each in above)
            and self.batch >= 1
        ):
            raise _malformed(self.modality)


AnyAnchor = Anchor | FieldAnchor | PassiveAnchor


def anchor_bytes(anchors: tuple[AnyAnchor, ...]) -> bytes:
    """Return the anchors as canonical bytes, what is signed."""
    return canonical_bytes({"format": "casemate/anchor/1", "anchors": [_plain(a) for a in anchors]})


def _plain(anchor: AnyAnchor) -> dict[str, Any]:
    row: dict[str, Any] = {"type": type(anchor).__name__}
    for each in fields(anchor):
        value = getattr(anchor, each.name)
        if isinstance(value, np.ndarray):
            kind = "<c16" if value.dtype.kind == "c" else f"<{value.dtype.kind}8"
            kind = "|b1" if value.dtype.kind == "b" else kind
            data = base64.b64encode(np.ascontiguousarray(value.astype(kind)).tobytes()).decode()
            value = {"dtype": kind, "shape": list(value.shape), "data": data}
        row[each.name] = list(value) if isinstance(value, tuple) else value
    return row


def signed(anchors: tuple[AnyAnchor, ...], keys: tuple[Ed25519PrivateKey, ...]) -> list[bytes]:
    """Return each party's Ed25519 signature over the anchors; both sign at commissioning."""
    data = CONTEXT + anchor_bytes(anchors)
    return [key.sign(data) for key in keys]


def check_signed(
    anchors: tuple[AnyAnchor, ...], signatures: list[bytes], keys: tuple[Ed25519PublicKey, ...]
) -> None:
    """Raise InputError unless every one of `keys`, at least one, has signed exactly these."""
    if not keys or len(signatures) != len(keys):
        raise InputError(
            "the anchor is not signed by every party.",
            remedy="commission the enclosure with both parties present.",
            value=(len(signatures), len(keys)),
        )
    data = CONTEXT + anchor_bytes(anchors)
    for signature, key in zip(signatures, keys, strict=True):
        try:
            key.verify(signature, data)
        except InvalidSignature as error:
            raise InputError(
                "a signature of the anchor does not hold.",
                remedy="the anchor was changed after commissioning: treat the enclosure as opened.",
            ) from error
