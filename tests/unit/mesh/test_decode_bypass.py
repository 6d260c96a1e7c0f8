"""Reading back and judging bridges, against an independent count over all nodes and segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from mesh_samples import drawn

from casemate.mesh.decode import bypass, decode, incomplete, runs
from casemate.mesh.model import Net
from casemate.mesh.region import Lattice


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Owner and place along the net of every node, each from all segments of the layer."""

    owner: npt.NDArray[np.int64]
    arc_um: npt.NDArray[np.float64]
    length_um: list[float]


def reference(nets: list[Net], lattice: Lattice) -> Reference:
    rows, columns = lattice.shape
    y, x = np.divmod(np.arange(rows * columns), columns)
    at = np.stack([lattice.x_nm + x * lattice.pitch_nm, lattice.y_nm + y * lattice.pitch_nm], 1)
    owner = np.full(rows * columns, -1)
    arc = np.zeros(rows * columns)
    lengths = []
    for number, net in enumerate(nets):
        v = net.vertices.astype(np.int64)
        along = 0
        for a, b in zip(v[:-1], v[1:], strict=True):
            low, high = np.minimum(a, b), np.maximum(a, b)
            on = ((at >= low) & (at <= high)).all(axis=1)
            owner[on] = number
            arc[on] = (along + np.abs(at[on] - a).sum(axis=1)) / 1e3
            along += int(np.abs(b - a).sum())
        lengths.append(along / 1e3)
    return Reference(
        owner=owner.reshape(rows, columns), arc_um=arc.reshape(rows, columns), length_um=lengths
    )


def layer_nets(index: int) -> tuple[list[Net], Lattice]:
    layer = drawn().layers[index]
    assert not layer.swap
    return [net for net in drawn().mesh.nets if net.layer == layer.layer], layer.lattice


@pytest.mark.parametrize("index", [0, 1])
def test_decode_agrees_with_brute_force(index: int) -> None:
    nets, lattice = layer_nets(index)
    found, truth = decode(nets, lattice, swap=False), reference(nets, lattice)
    assert (found.owner == truth.owner).all()
    assert np.abs(found.arc_um - truth.arc_um)[truth.owner >= 0].max() <= 1.0
    assert found.length_um == pytest.approx(truth.length_um)
    assert found.twice == 0
    owned = truth.owner[drawn().layers[index].covered]
    assert (owned >= 0).all(), "a node that the generator calls covered has no copper"


@pytest.mark.parametrize("index", [0, 1])
def test_decode_of_the_exchanged_frame_is_the_same(index: int) -> None:
    nets, lattice = layer_nets(index)
    turned = [
        Net(name=n.name, layer=n.layer, zone=n.zone, lane=n.lane,
            vertices=np.ascontiguousarray(n.vertices[:, ::-1])) for n in nets
    ]  # fmt: skip
    assert (decode(turned, lattice, swap=True).owner == decode(nets, lattice, swap=False).owner
            ).all()  # fmt: skip


@pytest.mark.parametrize("index", [0, 1])
def test_free_segments_are_exactly_those_off_the_lattice(index: int) -> None:
    nets, lattice = layer_nets(index)
    expected = set()
    for number, net in enumerate(nets):
        places = (net.vertices - [lattice.x_nm, lattice.y_nm]) % lattice.pitch_nm
        whole = (places == 0).all(axis=1)
        expected |= {(number, k) for k in range(len(whole) - 1) if not (whole[k] and whole[k + 1])}
    found = decode(nets, lattice, swap=False).free
    assert {(int(n), int(k)) for n, k in found} == expected
    assert expected, "the sample has no fingers, so this shows nothing"


@pytest.mark.parametrize("index", [0, 1])
def test_bypass_agrees_with_brute_force(index: int) -> None:
    nets, lattice = layer_nets(index)
    truth = reference(nets, lattice)
    gaps = same = over = 0
    worst = 0.0
    rows, columns = lattice.shape
    for r in range(rows):
        for c in range(columns):
            for r1, c1 in ((r, c + 1), (r + 1, c)):
                if r1 >= rows or c1 >= columns:
                    continue
                a, b = truth.owner[r, c], truth.owner[r1, c1]
                if a < 0 or b < 0:
                    continue
                cut = abs(truth.arc_um[r, c] - truth.arc_um[r1, c1])
                if a == b and cut <= 1.5 * lattice.pitch_nm / 1e3:
                    continue
                gaps += 1
                if a == b:
                    share = cut / truth.length_um[a]
                    same, over, worst = same + 1, over + (share > 0.01), max(worst, share)
    d = decode(nets, lattice, swap=False)
    found = bypass(d.owner, d.arc_um, d.length_um, lattice.pitch_nm / 1e3)
    assert found[0] == gaps and found[1] == same
    assert found[2] == pytest.approx(over, abs=2)  # cuts within a micrometre of 1 %
    assert found[3] == pytest.approx(worst, rel=1e-3)


def test_bypass_by_hand() -> None:
    """A U of two 10-node legs: the worst bridge, over its mouth, cuts out all but nothing."""
    owner = np.zeros((2, 10), dtype=np.int32)
    arc = np.array([np.arange(10), 19 - np.arange(10)], dtype=np.int32) * 100
    found = bypass(owner, arc, np.array([1900.0]), 100.0)
    assert tuple(found[:3]) == (9, 9, 9)
    assert found[3] == pytest.approx(1.0) and tuple(found[4:]) == (0, 0)
    owner[1] = 1
    assert tuple(bypass(owner, arc, np.array([900.0, 1900.0]), 100.0)[:4]) == (10, 0, 0, 0.0)


def test_incomplete_is_dilation_by_a_square() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(5)
    owner = np.where(rng.random((60, 70)) < 0.01, -1, 3).astype(np.int32)
    for reach in (1, 3, 4):
        square = np.ones((2 * reach + 1,) * 2, dtype=bool)
        assert (incomplete(owner, reach) == ndimage.binary_dilation(owner < 0, square)).all()


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_runs_partition_the_mask(limit: int) -> None:
    mask = np.random.default_rng(6).random((40, 50)) < 0.8
    rebuilt = np.zeros(mask.shape, dtype=int)
    for row, first, end in runs(mask, limit):
        assert 0 < end - first <= limit
        rebuilt[row, first:end] += 1
    assert (rebuilt == mask).all()
