"""Faults on a pair against ngspice, in frequency and in time, and small faults in their limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from line_samples import ladder, ngspice
from pair_samples import C_F_M, L_H_M, R_OHM_M, RISE_S, constant_pair, skewed_h
from pair_samples import LC_END as END
from scipy.special import erf

from casemate.twin import pair_faults
from casemate.twin.pair_line import laplace_of
from casemate.twin.pair_reflection import reflected
from casemate.twin.pair_time import band_hz, steps, times_s
from truths import Truth, abs_error

FIRST_M, SECOND_M, SPAN_M = 0.3, 0.2, 0.05
LATE_S = 1e-9


def piece(name: str, left: str, right: str, length_m: float) -> str:
    """Return a piece of pair from nodes left1, left2 to right1, right2: two LTRA lines as modes."""
    rows = []
    for mode, sign in (("e", 1.0), ("o", -1.0)):
        for end, node in (("l", left), ("r", right)):
            tag = f"{name}{mode}{end}"
            rows += [
                f"E{tag}1 x{tag} y{tag} {node}1 0 0.70710678118655",
                f"E{tag}2 y{tag} 0 {node}2 0 {sign * 0.70710678118655}",
                f"V{tag} x{tag} m{tag} 0",
                f"F{tag}1 {node}1 0 V{tag} 0.70710678118655",
                f"F{tag}2 {node}2 0 V{tag} {sign * 0.70710678118655}",
            ]
        l_h, c_f = L_H_M[0, 0] + sign * L_H_M[0, 1], C_F_M[0, 0] + sign * C_F_M[0, 1]
        rows.append(f"O{name}{mode} m{name}{mode}l 0 m{name}{mode}r 0 LM{name}{mode}")
        rows.append(
            f".model LM{name}{mode} LTRA(R={R_OHM_M} L={l_h:.9g} G=0 C={c_f:.9g} LEN={length_m} "
            "REL=1 ABS=1)"
        )
    return "\n".join(rows)


WIRES = "R1 b1 c1 1u\nR2 b2 c2 1u"
WIRE_2 = "R2 b2 c2 1u"
"""Between the pieces: nodes b1, b2 to c1, c2."""
CASES = {
    "sound": (pair_faults.sound(FIRST_M), WIRES, SECOND_M),
    "nick": (
        pair_faults.nick(FIRST_M, 0, ohm=2.0, henry=3e-10),
        WIRE_2 + "\nR1 b1 e 2\nL1 e c1 0.3n", SECOND_M,
    ),
    "probe": (
        pair_faults.probe(FIRST_M, 1, farad=5e-13, leak_ohm=1e3),
        WIRES + "\nC3 c2 0 0.5p\nR4 c2 0 1k", SECOND_M,
    ),
    "bridge": (
        pair_faults.bridge(FIRST_M, ohm=5.0, henry=1e-9),
        WIRES + "\nR3 b1 e 5\nL3 e b2 1n", SECOND_M,
    ),
    "cut": (
        pair_faults.cut(FIRST_M, 0, gap_f=1e-14, fringe_f=2e-14),
        WIRE_2 + "\nC1 b1 c1 10f\nR1 b1 c1 1t\nC3 b1 0 20f\nC4 c1 0 20f", SECOND_M,
    ),
    "jumper over both": (
        pair_faults.jumper(FIRST_M, 2, span_m=SPAN_M, ohm=0.1, henry=2e-9),
        "R1 b1 e 0.1\nL1 e c1 2n\nR2 b2 f 0.1\nL2 f c2 2n", SECOND_M - SPAN_M,
    ),
    "jumper over one": (
        pair_faults.jumper(FIRST_M, 0, span_m=SPAN_M, ohm=0.1, henry=2e-9),
        ("R1 b1 e 0.1\nL1 e c1 2n\nO9 b2 0 c2 0 LM9\n.model LM9 "
         f"LTRA(R={R_OHM_M} L={L_H_M[0, 0]} G=0 C={C_F_M[0, 0]} LEN={SPAN_M} REL=1 ABS=1)"),
        SECOND_M - SPAN_M,
    ),
}  # fmt: skip


def circuit(between: str, second_m: float, drive: str) -> str:
    """Return source, 50 ohm a lane, piece, what lies between, piece, termination."""
    return "\n".join(
        [
            drive,
            "E9 s2 0 s1 0 -1\nR91 s1 a1 50\nR92 s2 a2 50",
            piece("A", "a", "b", FIRST_M),
            between,
            piece("B", "c", "d", second_m),
            f"R93 d1 d2 {END.between_ohm}",
        ]
    )


@pytest.mark.external
@pytest.mark.parametrize("name", CASES)
def test_fault_in_frequency(name: str, tmp_path: Path, truth: Truth) -> None:
    faults, between, second_m = CASES[name]
    table = ngspice(
        tmp_path,
        circuit(between, second_m, "V1 s1 0 DC 0 AC 2"),
        analysis="ac lin 300 10meg 3g",
        nodes=("a1", "a2"),
    )
    f_hz = np.arange(301) * 1e7
    s = laplace_of(f_hz, damped=False)
    got = reflected(constant_pair(s, FIRST_M + SECOND_M), END, faults, z_ref_ohm=50.0)
    difference = 0.5 * (table[:, 1] - table[:, 2]) - 1.0
    common = 0.5 * (table[:, 1] + table[:, 2])
    assert np.allclose(table[:, 0].real, f_hz[1:])
    truth(
        kernel="twin.pair_reflection.reflected",
        against="ngspice to 3 GHz, faults on a lossy pair of like lanes",
        found=max(
            abs_error(got.difference[0, 1:], difference), abs_error(got.common[0, 1:], common)
        ),
        allowed=1e-6,
        unit="of S",
    )


@pytest.mark.external
@pytest.mark.parametrize(
    "name",
    [
        each if each in ("bridge", "cut", "nick") else pytest.param(each, marks=pytest.mark.slow)
        for each in CASES
    ],
)
def test_fault_in_time(name: str, tmp_path: Path, truth: Truth) -> None:
    faults, between, second_m = CASES[name]
    sigma_s = RISE_S / 2.5631031310892007
    t = np.linspace(0.0, 2e-9, 401)
    edge = 1.0 + erf((t - LATE_S) / (sigma_s * np.sqrt(2.0)))
    told = " ".join(f"{a:.6g} {b:.9g}" for a, b in zip(t, edge, strict=True))
    table = ngspice(
        tmp_path,
        circuit(between, second_m, f"V1 s1 0 PWL({told})"),
        analysis="tran 5p 9n 0 5p",
        nodes=("a1", "a2"),
    ).real
    s = laplace_of(band_hz(12e-9, RISE_S / 4.0))  # dense enough for straight lines between
    got = reflected(constant_pair(s, FIRST_M + SECOND_M), END, faults, z_ref_ohm=50.0)
    ours = np.interp(table[:, 0] - LATE_S, times_s(s), steps(s, got.difference, RISE_S)[0])
    theirs = 0.5 * (table[:, 1] - table[:, 2]) - np.interp(table[:, 0], t, 0.5 * edge)
    truth(
        kernel="twin.pair_time.steps",
        against="ngspice transient, faults on a lossy pair, rms",
        found=float(np.sqrt(np.mean((ours - theirs) ** 2))),
        allowed=3e-5,
        unit="of the step",
    )
    assert np.abs(ours - theirs).max() < 4e-4


@pytest.mark.external
def test_unlike_lanes_against_a_ladder(tmp_path: Path, truth: Truth) -> None:
    """60 mm, no modes anywhere: 240 lumped sections, inductance 2 % more and less, a probe."""
    skew, sections = 0.02, 240
    rows = ladder(skewed_h(skew), C_F_M, 0.06, sections)
    rows += "\nV1 s1 0 DC 0 AC 2\nE9 s2 0 s1 0 -1\nR91 s1 p0_0 50\nR92 s2 p1_0 50"
    rows += f"\nR93 p0_{sections} p1_{sections} {END.between_ohm}\nC99 p1_80 0 0.3p"
    table = ngspice(tmp_path, rows, analysis="ac lin 300 10meg 3g", nodes=("p0_0", "p1_0"))
    f_hz = np.arange(301) * 1e7
    s = laplace_of(f_hz, damped=False)
    faults = pair_faults.probe(0.02, 1, farad=3e-13)
    got = reflected(constant_pair(s, 0.06, 0.0, skew), END, faults, z_ref_ohm=50.0)
    difference, common = 0.5 * (table[:, 1] - table[:, 2]) - 1.0, 0.5 * (table[:, 1] + table[:, 2])
    truth(
        kernel="twin.pair_line.pair_of",
        against="ngspice, 240 lumped sections, lanes 2 % unlike, a probe",
        found=max(
            abs_error(got.difference[0, 1:], difference), abs_error(got.common[0, 1:], common)
        ),
        allowed=2e-3,
        unit="of S",
    )
