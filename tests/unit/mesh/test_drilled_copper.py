"""The certificate against a drill: drawn copper rastered at 5 um, drilled, and its nets followed.

Nothing of the proof's code is used: OpenCV paints polygons and labels what is left.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from mesh_samples import drawn
from shapely import LineString, Point

from casemate.mesh.model import Net
from casemate.mesh.prove import prove_tile
from small_tile import tile

STEP_UM = 5
MARGIN_UM = 100
WIDTH_UM, HEIGHT_UM = 16_000, 12_000
Image = npt.NDArray[np.uint8]
Pixels = tuple[npt.NDArray[np.intp], ...]
"""Rows and columns."""


def painted(shape: Any, into: Image) -> None:
    points = (np.asarray(shape.exterior.coords) / 1e3 + MARGIN_UM) / STEP_UM
    cv2.fillPoly(into, [np.round(points * 16).astype(np.int32)], 255, shift=4)


@cache
def layer_copper(layer: str) -> tuple[Image, tuple[tuple[Net, Pixels, Pixels], ...]]:
    """Return the layer's copper and (net, barrel at its start, barrel at its end)."""
    mesh = drawn().mesh
    size = [(span + 2 * MARGIN_UM) // STEP_UM for span in (HEIGHT_UM, WIDTH_UM)]
    image = np.zeros(size, dtype=np.uint8)
    ends = {(t.net, t.end): t for t in mesh.terminals}
    nets: list[tuple[Net, Pixels, Pixels]] = []
    for net in mesh.nets:
        if net.layer != layer:
            continue
        painted(LineString(net.vertices).buffer(mesh.trace_nm / 2), image)
        barrels: list[Pixels] = []
        for end in ("start", "end"):
            t = ends[net.name, end]
            mask = np.zeros(size, dtype=np.uint8)
            painted(Point(t.x_nm, t.y_nm).buffer(t.drill_nm / 2), mask)
            barrels.append(np.nonzero(mask))
            painted(Point(t.x_nm, t.y_nm).buffer(t.pad_nm / 2), image)
        nets.append((net, barrels[0], barrels[1]))
    return image, tuple(nets)


def severed(layer: str, x_m: float, y_m: float, diameter_m: float) -> list[str]:
    """Return the nets of a layer whose two barrels no copper joins after drilling a hole."""
    image, nets = layer_copper(layer)
    left = image.copy()
    centre = [round(((v * 1e6 + MARGIN_UM) / STEP_UM) * 256) for v in (x_m, y_m)]
    cv2.circle(left, centre, round(diameter_m / 2 * 1e6 / STEP_UM * 256), 0, -1, shift=8)
    _, label = cv2.connectedComponents(left, connectivity=4)
    cut = []
    for net, start, end in nets:
        pieces = [set(label[barrel].tolist()) - {0} for barrel in (start, end)]
        if not pieces[0] & pieces[1]:
            cut.append(net.name)
    return cut


@cache
def figures() -> dict[str, tuple[float, dict[str, Any]]]:
    return {row.id: (row.figure, row.detail) for row in prove_tile(tile(), drawn()).properties}


def test_undrilled_nets_are_whole_and_apart() -> None:
    for layer in ("In1.Cu", "In2.Cu"):
        assert severed(layer, 0.0, -1.0, 1e-4) == []
        count, _ = cv2.connectedComponents(layer_copper(layer)[0], connectivity=8)
        assert count - 1 == len(layer_copper(layer)[1])


def test_the_witness_of_the_bound_severs_nothing() -> None:
    figure, detail = figures()["hole.severing.perpendicular"]
    x, y = detail["at_m"]
    for layer in ("In1.Cu", "In2.Cu"):
        assert severed(layer, x, y, figure - 12e-6) == []


def test_the_witness_of_the_layer_bound_severs_nothing_in_that_layer() -> None:
    figure, detail = figures()["hole.severing.per_layer"]
    x, y = detail["at_m"]
    worst = max(detail["layers"], key=lambda name: float(detail["layers"][name]))
    assert severed(worst, x, y, figure - 12e-6) == []


def places(count: int, diameter_m: float, *, rim: bool) -> list[tuple[float, float]]:
    """Return centres of holes wholly inside the board: anywhere, or touching its edge."""
    rng = np.random.default_rng(11)
    low = diameter_m / 2
    xs = rng.uniform(low, WIDTH_UM / 1e6 - low, count)
    ys = rng.uniform(low, HEIGHT_UM / 1e6 - low, count)
    if rim:
        side = rng.integers(0, 4, count)
        xs = np.where(side == 0, low, np.where(side == 1, WIDTH_UM / 1e6 - low, xs))
        ys = np.where(side == 2, low, np.where(side == 3, HEIGHT_UM / 1e6 - low, ys))
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


@pytest.mark.parametrize("rim", [False, True])
def test_every_larger_hole_severs_a_net(rim: bool) -> None:
    figure, _ = figures()["hole.severing.perpendicular"]
    size = figure + 10e-6
    spared = [
        (x, y) for x, y in places(150, size, rim=rim)
        if not severed("In1.Cu", x, y, size) and not severed("In2.Cu", x, y, size)
    ]  # fmt: skip
    assert spared == []


def test_holes_just_under_the_neck_do_not_sever_everywhere() -> None:
    """The test above could fail: of holes half as large many sever nothing."""
    size = figures()["hole.severing.perpendicular"][0] / 2.5
    spared = [
        (x, y) for x, y in places(60, size, rim=True)
        if not severed("In1.Cu", x, y, size) and not severed("In2.Cu", x, y, size)
    ]  # fmt: skip
    assert len(spared) > 20
