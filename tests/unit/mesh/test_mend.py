"""Refilling and mending: what they reach, the rules they keep, and whether their judge is right."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from shapely import LineString, Point, box

from casemate.core.geometry import Outline, circle_ring, rectangle_ring
from casemate.design.enclosure import TileDesign
from casemate.mesh import generate, mend
from casemate.mesh._mend_kernel import height_allowed
from casemate.mesh.generate import Drawing, draw_tile
from casemate.mesh.holes.region import region_bound, region_index
from casemate.mesh.prove import prove_tile
from casemate.mesh.tours import bump_fill, contract, follow
from small_tile import SECRET, tile


def ring_tile() -> TileDesign:
    """Return a round board of 24 mm with a round opening of 7 mm off its middle."""
    rim = circle_ring((0.012, 0.012), 0.012)
    hole = circle_ring((0.0105, 0.0125), 0.0035, clockwise=True)
    return tile(Outline(exterior=tuple(rim), holes=(tuple(hole),)))


@cache
def closed() -> Drawing:
    return draw_tile(ring_tile(), secret=SECRET, serial="S-1")


@cache
def as_filled() -> Drawing:
    """Return the same tile without refilling and mending."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            generate, "close_layers", lambda fillings, trace, *_: [n for f in trace for n in f()]
        )
        return draw_tile(ring_tile(), secret=SECRET, serial="S-1")


def figures(drawing: Drawing) -> dict[str, float]:
    return {row.id: row.figure for row in prove_tile(ring_tile(), drawing).properties}


def test_curved_rims_lose_their_largest_holes() -> None:
    before, after = figures(as_filled()), figures(closed())
    assert after["rim.severing"] <= min(0.52e-3, before["rim.severing"])
    assert after["hole.severing.per_layer"] <= 0.9 * before["hole.severing.per_layer"]
    assert after["hole.empty.any_direction"] <= 0.9 * before["hole.empty.any_direction"]
    for name in ("net.single_path", "net.no_contact", "terminal.exposed"):
        assert after[name] == 0
    assert after["fab.space"] >= 0.1e-3 - 1e-12


def test_every_trace_keeps_off_the_rim() -> None:
    design, mesh = ring_tile(), closed().mesh
    from casemate.mesh.region import polygon_nm

    free = polygon_nm(design.outline, swap=False).buffer(-(0.2e6 + 0.05e6) + 1)
    assert all(free.contains(LineString(net.vertices)) for net in mesh.nets)


def test_a_layout_follows_from_the_secret_alone() -> None:
    again = draw_tile(ring_tile(), secret=SECRET, serial="S-1")
    pairs = zip(again.mesh.nets, closed().mesh.nets, strict=True)
    assert all(np.array_equal(a.vertices, b.vertices) for a, b in pairs)
    other = draw_tile(ring_tile(), secret=SECRET, serial="S-2")
    assert not all(
        np.array_equal(a.vertices, b.vertices)
        for a, b in zip(other.mesh.nets, closed().mesh.nets, strict=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Random places of a layer before mending, and how far its judge reaches there, nm."""

    at: npt.NDArray[np.float64]
    reach: npt.NDArray[np.float64]
    copper: list[npt.NDArray[np.int32]]
    barrels: npt.NDArray[np.float64]


@cache
def judged() -> dict[int, Judged]:
    """Return what the judge said of each layer while the tile was drawn."""
    seen: dict[int, Judged] = {}
    real = mend._Work.close

    def spy(self: mend._Work, chosen: list[int], aim: float) -> None:
        for index in {0, 1} - set(seen):
            if chosen != [index]:
                continue
            rows, columns = np.nonzero(self.mask)
            pick = np.random.default_rng(1).choice(len(rows), 60, replace=False)
            base = self.layers[0].lattice
            at = np.stack([base.x_nm + columns[pick] * 2e5, base.y_nm + rows[pick] * 2e5], axis=1)
            at += np.random.default_rng(2).uniform(-1e5, 1e5, at.shape)
            seen[index] = Judged(
                at=at, reach=self._reach(at, [index], 0.0, 5e5),
                copper=[net.vertices for net in self.nets[index]], barrels=self.barrels[index],
            )  # fmt: skip
        real(self, chosen, aim)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mend._Work, "close", spy)
        draw_tile(ring_tile(), secret=SECRET, serial="S-1")
    return seen


@pytest.mark.parametrize("index", [0, 1])
def test_the_judge_agrees_with_the_proofs_reading(index: int) -> None:
    """Reach by chains is the reach by boundary lines of the polylines, at random places."""
    found = judged()[index]
    for (x, y), reach in zip(found.at, found.reach, strict=True):
        proof = region_bound(
            region_index([found.copper], trace_nm=1e5, pitch_nm=2e5, end_trim_nm=1.25e5,
                         vias=[found.barrels],
                         boxes=np.array([[x - 1, y - 1, x + 1, y + 1]])),
            tolerance_m=1e-9,
        )  # fmt: skip
        if reach < 4.9e5:
            assert proof.bound_m / 2 == pytest.approx(reach * 1e-9, abs=4e-9)


def test_detours_can_be_taken_back() -> None:
    """contract undoes bump_fill whatever the order: the traces' own nodes stay, the ends too."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        links = np.zeros((12, 16), dtype=np.uint8)
        links[5, 3:12] = 1
        covered = np.zeros(links.shape, dtype=np.bool_)
        covered[5, 3:13] = True
        before, plain = covered.copy(), links.copy()
        bump_fill(links, rng.random(links.shape) < 0.8, covered, rng.integers(0, 9, (3, 5)))
        assert covered.sum() > before.sum()
        own = covered & ~before
        contract(links, covered, own, np.zeros((*links.shape, 2), dtype=np.bool_))
        assert (covered >= before).all()
        path = np.empty(links.size, dtype=np.int64)
        count = int(follow(links, 5, 3, path))
        assert count == covered.sum() and path[count - 1] == 5 * 16 + 12
        if covered.sum() == before.sum():
            assert np.array_equal(links, plain)


def test_a_shut_link_keeps_its_detour() -> None:
    links = np.zeros((4, 6), dtype=np.uint8)
    links[1, 1:4] = 1
    covered = np.zeros(links.shape, dtype=np.bool_)
    covered[1, 1:5] = True
    before = covered.copy()
    bump_fill(links, np.ones(links.shape, dtype=np.bool_), covered, np.zeros((1, 1), np.int64))
    held, own = links.copy(), covered & ~before
    shut = np.ones((*links.shape, 2), dtype=np.bool_)
    contract(links, covered, own, shut)
    assert np.array_equal(links, held)


def test_a_finger_rises_as_far_as_distances_allow() -> None:
    """height_allowed against shapely's distances: no taller finger fits, the one given does."""
    rng = np.random.default_rng(3)
    gap, tried = (2e5, 2.75e5, 2.5e5), 0
    for _ in range(200):
        x, y = rng.uniform(-6e5, 8e5), rng.uniform(2.5e5, 1.4e6)
        wall = np.array([[x, y, x + rng.choice([0, 4e5]), y]])
        wall[0, 3] += 0.0 if wall[0, 2] != x else 4e5
        via = np.array([[rng.uniform(-8e5, 1e6), rng.uniform(4e5, 1.5e6), 75e3]])
        edge = np.array([[-2e6, 1.6e6 + rng.uniform(-8e5, 0), 2e6, 1.6e6]])
        frame = (0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
        tall = float(height_allowed(0.0, 2e5, 2e6, frame, (wall, via, edge), gap))
        things = [
            (LineString(wall.reshape(2, 2)), gap[0]), (Point(via[0, :2]), gap[1]),
            (LineString(edge.reshape(2, 2)), gap[2]),
        ]  # fmt: skip
        if tall > 0:
            tried += 1
            assert all(box(0, 0, 2e5, tall).distance(thing) >= least - 1 for thing, least in things)
        higher = box(0, 0, 2e5, tall + 2e4)
        assert any(higher.distance(thing) < least + 1 for thing, least in things)
    assert tried > 50


def test_a_web_between_openings_gets_one_upright_zone() -> None:
    holes = tuple(
        tuple(reversed(rectangle_ring(0.03, 0.036, x_m=x, y_m=0.008))) for x in (0.008, 0.056)
    )
    design = tile(
        Outline(exterior=tuple(rectangle_ring(0.094, 0.052, x_m=0.0, y_m=0.0)), holes=holes)
    )
    design = replace(design, mesh=replace(design.mesh, net_length_max_m=2.0))
    drawing = draw_tile(design, secret=SECRET, serial="S-1")
    middle = [
        net for net in drawing.mesh.nets
        if net.layer == "In1.Cu" and 0.036e9 < net.vertices[:, 0].min()
        and net.vertices[:, 0].max() < 0.058e9 and np.ptp(net.vertices[:, 1]) > 0.02e9
    ]  # fmt: skip
    assert len(middle) == 4, "one zone of four nets runs up the web"
    figures = {row.id: row.figure for row in prove_tile(design, drawing).properties}
    assert figures["net.single_path"] == figures["net.no_contact"] == 0
    assert math.isfinite(figures["hole.severing.perpendicular"])
    assert figures["hole.severing.perpendicular"] < 0.6e-3
