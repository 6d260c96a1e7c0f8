"""The closed form against matrices: modes by eigenvectors, networks by the star product."""

from __future__ import annotations

import numpy as np
import pytest
from pair_samples import (
    DAMPED,
    END,
    F_HZ,
    S,
    by_cascade,
    ended,
    matrices,
    of_matrix,
    sample,
    two_by_two,
)

from casemate.twin import pair_faults
from casemate.twin.line_coupled import PerMetre, coupled_line
from casemate.twin.line_materials import Complex
from casemate.twin.line_network import cascade
from casemate.twin.pair_line import Termination
from casemate.twin.pair_reflection import reflected
from truths import Truth, abs_error

N = F_HZ.size
AT, LENGTH = 0.23, 0.6


def series(z: Complex, lane: int) -> Complex:
    return of_matrix(z=two_by_two(z if lane != 1 else 0.0, 0.0, z if lane != 0 else 0.0, N))


def shunt(y: Complex, lane: int) -> Complex:
    return of_matrix(y=two_by_two(y if lane != 1 else 0.0, 0.0, y if lane != 0 else 0.0, N))


CUT = 1.0 / (1.0 / pair_faults.INSULATED_OHM + S * 5e-15)
WIRE = 1.0 / (3.0 + S * 1e-9)
CASES = {
    "sound": (pair_faults.sound(AT), []),
    "nick": (pair_faults.nick(AT, 0, ohm=0.5, henry=1e-10), [series(0.5 + S * 1e-10, 0)]),
    "nick of both": (pair_faults.nick(AT, 2, ohm=0.5, henry=0.0), [series(0.5 + 0.0 * S, 2)]),
    "probe": (
        pair_faults.probe(AT, 1, farad=2e-13, leak_ohm=1e3, henry=1e-9),
        [shunt(1.0 / (S * 1e-9 + 1.0 / (S * 2e-13 + 1e-3)), 1)],
    ),
    "bridge": (
        pair_faults.bridge(AT, ohm=3.0, henry=1e-9),
        [of_matrix(y=two_by_two(WIRE, -WIRE, WIRE, N))],
    ),
    "cut": (
        pair_faults.cut(AT, 0),
        [shunt(S * 5e-15, 0), series(CUT, 0), shunt(S * 5e-15, 0)],
    ),
    "cut of both": (
        pair_faults.cut(AT, 2),
        [shunt(S * 5e-15, 2), series(CUT, 2), shunt(S * 5e-15, 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("share", [0.0, 0.004, 0.1])
@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_what_the_cascade_says(name: str, share: float, truth: Truth) -> None:
    faults, parts = CASES[name]
    lines, _ = matrices(share)
    got = reflected(sample(LENGTH, share), END, faults, z_ref_ohm=50.0)
    difference, common = by_cascade(lines, (AT, LENGTH - AT), parts)
    truth(
        kernel="twin.pair_reflection.reflected",
        against="cascade of four-ports by the star product, all faults, lanes alike and unlike",
        found=max(abs_error(got.difference[0], difference), abs_error(got.common[0], common)),
        allowed=1e-10,
        unit="of S",
    )


@pytest.mark.parametrize(
    "end",
    [
        Termination(between_ohm=np.inf, ground_ohm=(50.0, 70.0)),
        Termination(between_ohm=20.0, ground_ohm=(np.inf, 1e-3)),
    ],
)
def test_any_termination(end: Termination) -> None:
    faults, parts = CASES["nick"]
    got = reflected(sample(LENGTH), end, faults, z_ref_ohm=50.0)
    difference, common = by_cascade(matrices()[0], (AT, LENGTH - AT), parts, end)
    assert np.abs(got.difference[0] - difference).max() < 1e-10
    assert np.abs(got.common[0] - common).max() < 1e-10


@pytest.mark.parametrize("share", [0.0, 0.004])
def test_jumper_over_both_lanes_is_a_shorter_pair(share: float) -> None:
    span = 0.07
    faults = pair_faults.jumper(AT, 2, span_m=span, ohm=0.1, henry=2e-9)
    got = reflected(sample(LENGTH, share), END, faults, z_ref_ohm=50.0)
    parts = [series(0.1 + S * 2e-9, 2)]
    want = by_cascade(matrices(share)[0], (AT, LENGTH - AT - span), parts)
    assert np.abs(got.difference[0] - want[0]).max() < 1e-10


@pytest.mark.parametrize("lane", [0, 1])
def test_jumper_over_one_lane_leaves_the_other_alone(lane: int) -> None:
    span = 0.07
    lines, alone = matrices(0.01)
    faults = pair_faults.jumper(AT, lane, span_m=span, ohm=0.1, henry=2e-9)
    got = reflected(sample(LENGTH, 0.01), END, faults, z_ref_ohm=50.0)
    single = coupled_line(alone, span)
    beside = np.zeros((N, 4, 4), dtype=np.complex128)  # ports: 0, 1 left; 2, 3 right
    left, right = 1 - lane, 3 - lane
    beside[:, left, left], beside[:, right, right] = single[:, 0, 0], single[:, 1, 1]
    beside[:, left, right], beside[:, right, left] = single[:, 0, 1], single[:, 1, 0]
    beside[:, lane, lane + 2] = beside[:, lane + 2, lane] = 1.0
    parts = [series(0.1 + S * 2e-9, lane), beside]
    difference, common = by_cascade(lines, (AT, LENGTH - AT - span), parts)
    assert np.abs(got.difference[0] - difference).max() < 1e-10
    assert np.abs(got.common[0] - common).max() < 1e-10


def test_a_dummy_is_another_line_from_there_on() -> None:
    """Loss and delay scaled alike, which matrices can say too; impedance by itself."""
    lines, _ = matrices()
    faults = pair_faults.dummy(AT, z=1.1, loss=1.05, delay=1.05)
    got = reflected(sample(LENGTH), END, faults, z_ref_ohm=50.0)
    other = PerMetre(series=lines.series * 1.1 * 1.05, shunt=lines.shunt / 1.1 * 1.05)
    s = ended(cascade(coupled_line(lines, AT), coupled_line(other, LENGTH - AT)), END)
    difference = 0.5 * (s[:, 0, 0] + s[:, 1, 1] - s[:, 0, 1] - s[:, 1, 0])
    assert np.abs(got.difference[0] - difference).max() < 1e-10


def test_damped_frequencies_obey_the_same_algebra() -> None:
    faults = pair_faults.bridge(AT, ohm=3.0)
    lines, _ = matrices(0.004, DAMPED)
    part = of_matrix(y=two_by_two(1 / 3, -1 / 3, 1 / 3, N))
    got = reflected(sample(LENGTH, 0.004, DAMPED), END, faults, z_ref_ohm=50.0)
    difference, common = by_cascade(lines, (AT, LENGTH - AT), [part])
    assert np.abs(got.difference[0] - difference).max() < 1e-10
    assert np.abs(got.common[0] - common).max() < 1e-10


def test_a_batch_is_its_rows() -> None:
    table = np.concatenate([faults for faults, _ in CASES.values()])
    pair = sample(LENGTH, 0.004)
    whole = reflected(pair, END, table, z_ref_ohm=50.0)
    for e, row in enumerate(table):
        alone = reflected(pair, END, row[None], z_ref_ohm=50.0)
        assert np.array_equal(whole.difference[e], alone.difference[0])


def test_like_lanes_turn_nothing_into_common_waves() -> None:
    pair = sample()
    assert np.abs(reflected(pair, END, pair_faults.nick(0.1, 2, ohm=1.0, henry=0.0),
                            z_ref_ohm=50.0).common).max() < 1e-15  # fmt: skip
    one = reflected(pair, END, pair_faults.nick(0.1, 0, ohm=1.0, henry=0.0), z_ref_ohm=50.0)
    two = reflected(pair, END, pair_faults.nick(0.1, 1, ohm=1.0, henry=0.0), z_ref_ohm=50.0)
    assert np.abs(one.common).max() > 1e-3
    assert np.allclose(one.common, -two.common, rtol=0, atol=1e-12)
    assert np.allclose(one.difference, two.difference, rtol=0, atol=1e-12)
