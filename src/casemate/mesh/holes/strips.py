"""The two boundary lines of every trace segment: what a drill must touch both of to sever it.

Proof, and what is assumed of the copper: docs/formats/hole-certificate.md, sections 1 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from casemate.mesh.model import VertexArray

Pieces = npt.NDArray[np.float64]
"""Shape (m, 8), nanometres: left line x0 y0 x1 y1, right line x0 y0 x1 y1 of one segment."""

MAX_TURN_COS = -0.7072
"""Segments next to a turn sharper than 135 degrees prove nothing and are left out."""


def strip_pieces(
    nets: Sequence[VertexArray], *, trace_nm: float, end_trim_nm: float = 0.0
) -> Pieces:
    """Return the boundary lines of the nets' segments that are fit to prove a cut.

    nets: centrelines. trace_nm: the widest copper to be reckoned with. end_trim_nm: length at
    each end of a net whose cut separates nothing (the radius of the terminal's pad).
    """
    parts = [_net_pieces(np.asarray(v), 0.5 * trace_nm, end_trim_nm) for v in nets if len(v) > 1]
    return np.concatenate(parts) if parts else np.empty((0, 8))


def outline_pieces(rings: Sequence[npt.NDArray[np.float64] | npt.NDArray[np.int32]]) -> Pieces:
    """Return the edges of closed rings (nanometres) as pieces whose two lines coincide."""
    parts = []
    for ring in rings:
        points = np.asarray(ring, dtype=np.float64)
        if np.array_equal(points[0], points[-1]):
            points = points[:-1]
        edges = np.hstack([points, np.roll(points, -1, axis=0)])
        parts.append(np.hstack([edges, edges]))
    return np.concatenate(parts) if parts else np.empty((0, 8))


def disc_pieces(discs: npt.NDArray[np.float64]) -> Pieces:
    """Return discs (rows x, y, radius in nm) as pieces: a drill that holds one whole cuts it.

    A via whose barrel lies in the drill joins nothing any more. Encoded as two points, the centre
    and the one a radius to its right.
    """
    rows = np.asarray(discs, dtype=np.float64).reshape(-1, 3)
    centre, right = rows[:, :2], rows[:, :2] + np.column_stack([rows[:, 2], 0.0 * rows[:, 2]])
    return np.hstack([centre, centre, right, right])


def centre_pieces(nets: Sequence[VertexArray]) -> Pieces:
    """Return all centreline segments as pieces whose two lines coincide."""
    parts = []
    for net in nets:
        points = _without_collinear(np.asarray(net, dtype=np.float64))
        edges = np.hstack([points[:-1], points[1:]])
        parts.append(np.hstack([edges, edges]))
    return np.concatenate(parts) if parts else np.empty((0, 8))


def _net_pieces(vertices: npt.NDArray[np.int32], half: float, end_trim: float) -> Pieces:
    points = _without_collinear(vertices.astype(np.float64))
    step = np.diff(points, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    along = step / length[:, None]
    normal = np.column_stack([-along[:, 1], along[:, 0]])
    left, right, fit = _trims(along, length, half, end_trim)
    if end_trim > 0.0:
        _keep_off_pads(points, end_trim + half, (left, right))
    fit &= (left.sum(axis=1) < length) & (right.sum(axis=1) < length)
    a, b = points[:-1], points[1:]
    pieces = np.hstack(
        [
            a + half * normal + left[:, :1] * along,
            b + half * normal - left[:, 1:] * along,
            a - half * normal + right[:, :1] * along,
            b - half * normal - right[:, 1:] * along,
        ]
    )
    return pieces[fit]


def _trims(
    along: npt.NDArray[np.float64], length: npt.NDArray[np.float64], half: float, end_trim: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return what to trim from left and right lines at (start, end), and which segments to use."""
    count = len(length)
    left, right = np.zeros((count, 2)), np.zeros((count, 2))
    fit = np.ones(count, dtype=bool)
    left[0, 0] = right[0, 0] = left[-1, 1] = right[-1, 1] = end_trim
    if count == 1:
        return left, right, fit
    before, after = along[:-1], along[1:]
    cosine = np.clip((before * after).sum(axis=1), -1.0, 1.0)
    sine = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    sharp = cosine < MAX_TURN_COS
    mitre = half * np.abs(sine) / np.maximum(1.0 + cosine, 1e-9)
    for table, inner in ((left, sine > 0.0), (right, sine < 0.0)):
        table[:-1, 1] += np.where(inner, mitre, 0.0)
        table[1:, 0] += np.where(inner, mitre, 0.0)
    fit[:-1] &= ~sharp
    fit[1:] &= ~sharp
    _keep_off_jogs(along, length, half, (left, right), fit)
    return left, right, fit


def _keep_off_jogs(
    along: npt.NDArray[np.float64],
    length: npt.NDArray[np.float64],
    half: float,
    tables: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    fit: npt.NDArray[np.bool_],
) -> None:
    """Trim 1.5 widths beside a segment shorter than a width; drop, if the net doubles back."""
    short = np.flatnonzero(length < 2.0 * half - 0.5)
    for i in short.tolist():
        before, after = i - 1, i + 1
        fit[i] = False
        if before >= 0 and after < len(length):
            back = float(along[before] @ along[after]) < -1e-9
            for table in tables:
                table[before, 1] += 3.0 * half
                table[after, 0] += 3.0 * half
            for side, beyond in ((before, i + 1), (after, i - 1)):
                if back or length[beyond] < 2.0 * half - 0.5:
                    fit[side] = False


def _keep_off_pads(
    points: npt.NDArray[np.float64],
    reach: float,
    tables: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
) -> None:
    """Trim the segments after a short first or last one by what the terminal's pad covers."""
    count = len(points) - 1
    for side, end, near in (
        (0, points[0], range(1, 5)),
        (1, points[-1], range(count - 2, count - 6, -1)),
    ):
        for k in near:
            if not 0 <= k < count:
                continue
            first, last = (points[k], points[k + 1]) if side == 0 else (points[k + 1], points[k])
            length = math.dist(first, last)
            forward = (last - first) / length
            along = float((end - first) @ forward)
            across = math.dist(end, first + along * forward)
            if across < reach - 1.0:
                covered = along + math.sqrt(reach * reach - across * across)
                for table in tables:
                    table[k, side] = max(table[k, side], covered)


def _without_collinear(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = (np.diff(points, axis=0) != 0.0).any(axis=1)
    points = points[keep]
    step = np.diff(points, axis=0)
    cross = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
    ahead = (step[:-1] * step[1:]).sum(axis=1) > 0.0
    keep = np.ones(len(points), dtype=bool)
    keep[1:-1] = (cross != 0.0) | ~ahead
    return points[keep]
