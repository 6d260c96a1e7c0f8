"""Lines and defects against ngspice, in frequency and in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from line_samples import FR4, constant, ladder, ngspice
from scipy.special import erf

from casemate.twin.line_coupled import PerMetre, capacitance_f_m, coupled_line, folded
from casemate.twin.line_defects import (
    Jumper,
    Nick,
    Plug,
    Probe,
    Stub,
    jumper,
    nick,
    plug,
    probe,
    stub,
)
from casemate.twin.line_materials import C0_M_S, Complex, j_omega
from casemate.twin.line_network import cascade, line
from casemate.twin.line_tdr import frequencies, step_response
from truths import Truth, abs_error

F_HZ = np.linspace(1e7, 3e9, 300)
AC = "ac lin 300 10meg 3g"
R, L, C = 20.0, 250e-9, 100e-12
MODEL = f".model LM{{0}} LTRA(R={R} L={L} G=0 C={C} LEN={{1}} REL=1 ABS=1)"
SOURCE = "V1 s 0 DC 0 AC 2\nR1 s a 50\n"


def spice_s(folder: Path, circuit: str, end: str) -> tuple[Complex, Complex]:
    """Return S11 and S21 of what lies between node a and node `end`, 50 ohm at both."""
    table = ngspice(folder, f"{SOURCE}{circuit}\nR2 {end} 0 50", analysis=AC, nodes=("a", end))
    return table[:, 1] - 1.0, table[:, 2]


def two_lines(middle: str, first: float, second: float) -> str:
    return "\n".join(
        [f"O1 a 0 b 0 LM1\n{middle}\nO2 c 0 d 0 LM2", MODEL.format(1, first),
         MODEL.format(2, second)]
    )  # fmt: skip


WAVE = constant(F_HZ, r=R, l_h=L, g=0.0, c_f=C)
STUB = constant(F_HZ, r=0.0, l_h=L, g=0.0, c_f=C)
BRIDGED = "T1 b 0 c 0 Z0=50 TD=0.1n\nR3 b e 0.1\nL3 e c 5n"
CASES = {
    "clean": ("R3 b c 1u", []),
    "nick": ("R3 b e 2\nL3 e c 0.3n", [nick(Nick(r_ohm=2.0, l_h=0.3e-9), F_HZ)]),
    "probe": ("R3 b c 1u\nC3 c 0 1p", [probe(Probe(c_f=1e-12), F_HZ)]),
    "probe with tip and leak": (
        "R3 b c 1u\nL3 c e 1n\nC3 e 0 1p\nR4 e 0 1k",
        [probe(Probe(c_f=1e-12, leak_ohm=1e3, l_h=1e-9), F_HZ)],
    ),
    "open stub": (
        "R3 b c 1u\nT1 c 0 e 0 Z0=50 TD=0.1n\nR4 e 0 1g",
        [stub(Stub(length_m=0.02), STUB)],
    ),
    "shorted stub": (
        "R3 b c 1u\nT1 c 0 e 0 Z0=50 TD=0.1n\nR4 e 0 1n",
        [stub(Stub(length_m=0.02, shorted=True), STUB)],
    ),
    "jumper over a cut": (
        "R3 b e 0.1\nL3 e c 5n",
        [jumper(Jumper(length_m=0.02, r_ohm=0.1, l_h=5e-9), STUB, F_HZ)],
    ),
    "jumper over whole line": (
        BRIDGED,
        [jumper(Jumper(length_m=0.02, r_ohm=0.1, l_h=5e-9, cut=False), STUB, F_HZ)],
    ),
    "connector": (
        "C3 b 0 0.2p\nR3 b e 0.05\nL3 e c 0.5n\nC4 c 0 0.3p",
        [plug(Plug(c_left_f=0.2e-12, l_h=0.5e-9, c_right_f=0.3e-12, contact_ohm=0.05), F_HZ)],
    ),
}

KERNELS = {
    "clean": "twin.line_network.line",
    "nick": "twin.line_defects.nick",
    "probe": "twin.line_defects.probe",
    "open": "twin.line_defects.stub",
    "shorted": "twin.line_defects.stub",
    "jumper": "twin.line_defects.jumper",
    "connector": "twin.line_defects.plug",
}
"""What each case is a truth for, by its first word."""


@pytest.mark.external
@pytest.mark.parametrize("name", CASES)
def test_defect_on_a_lossy_line(name: str, tmp_path: Path, truth: Truth) -> None:
    circuit, network = CASES[name]
    s11, s21 = spice_s(tmp_path, two_lines(circuit, 0.3, 0.2), "d")
    s = cascade(line(WAVE, 0.3), *network, line(WAVE, 0.2))
    truth(
        kernel=KERNELS[name.split()[0]],
        against=f"ngspice to 3 GHz: {name} between lossy lines",
        found=max(abs_error(s[:, 0, 0], s11), abs_error(s[:, 1, 0], s21)),
        allowed=2e-4,
        unit="of S",
    )


@pytest.mark.external
@pytest.mark.parametrize(("l_h", "c_f"), [(250e-9, 100e-12), (350e-9, 80e-12)])
def test_step_in_time(l_h: float, c_f: float, tmp_path: Path, truth: Truth) -> None:
    """Matched and unmatched, with a nick: the reflected step of a Gaussian edge."""
    rise_s, late_s = 0.2e-9, 1e-9
    sigma_s = rise_s / 2.5631031310892007
    t = np.linspace(0.0, 2e-9, 201)
    edge = 1.0 + erf((t - late_s) / (sigma_s * np.sqrt(2.0)))
    pairs = " ".join(f"{a:.6g} {b:.9g}" for a, b in zip(t, edge, strict=True))
    model = f"LTRA(R={R} L={l_h} G=0 C={c_f} REL=1 ABS=1 LEN="
    table = ngspice(
        tmp_path,
        f"V1 s 0 PWL({pairs})\nR1 s a 50\nO1 a 0 b 0 M1\nR3 b c 5\nO2 c 0 d 0 M2\nR2 d 0 50\n"
        f".model M1 {model}0.3)\n.model M2 {model}0.2)",
        analysis="tran 5p 9n 0 5p",
        nodes=("a",),
    ).real  # fmt: skip
    f_hz = frequencies(80e-9, rise_s)
    f_hz[0] = 1.0
    wave = constant(f_hz, r=R, l_h=l_h, g=0.0, c_f=c_f)
    bad = nick(Nick(r_ohm=5.0, l_h=0.0), f_hz)
    s = cascade(line(wave, 0.3), bad, line(wave, 0.2))
    f_hz[0] = 0.0
    t_s, step = step_response(f_hz, s[:, 0, 0], rise_s)
    # v(a) = incident + reflected; both edges are centred on late_s.
    ours = np.interp(table[:, 0] - late_s, t_s, step)
    theirs = table[:, 1] - np.interp(table[:, 0], t, 0.5 * edge)
    gap = ours - theirs
    truth(
        kernel="twin.line_tdr.step_response",
        against="ngspice transient, lossy lines and a nick, rms",
        found=float(np.sqrt(np.mean(gap**2))),
        allowed=3e-4,
        unit="of the step",
    )
    assert np.abs(gap).max() < 2e-3


@pytest.mark.external
@pytest.mark.parametrize("turn", [False, True])
def test_coupled_pair(turn: bool, tmp_path: Path, truth: Truth) -> None:
    """Two 1 mm strips 0.5 mm apart, 50 mm long, against 200 lumped sections; then a hairpin."""
    widths, gaps = (1e-3, 1e-3), (0.5e-3,)
    c_f = capacitance_f_m(widths, gaps, FR4.height_m, 4.43)
    l_h = np.linalg.inv(capacitance_f_m(widths, gaps, FR4.height_m, 1.0)) / C0_M_S**2
    jw = j_omega(F_HZ)[:, None, None]
    s = coupled_line(PerMetre(series=jw * l_h, shunt=jw * c_f), 0.05)
    rows = ladder(l_h, c_f, 0.05, 200)
    rows += "\nRa a p0_0 1u"
    if turn:
        rows += "\nRt p0_200 p1_200 1u\nR2 p1_0 0 50"
        ends, modelled = ("a", "p1_0"), folded(s)[:, :, 0]
    else:
        rows += "\nR2 p1_0 0 50\nR3 p0_200 0 50\nR4 p1_200 0 50"
        ends, modelled = ("a", "p1_0", "p0_200", "p1_200"), s[:, :, 0]
    table = ngspice(tmp_path, f"{SOURCE}{rows}", analysis=AC, nodes=ends)
    theirs = table[:, 1:]
    theirs[:, 0] -= 1.0
    truth(
        kernel="twin.line_coupled.coupled_line",
        against="ngspice, 200 lumped sections, pair and hairpin",
        found=abs_error(modelled, theirs),
        allowed=2e-3,
        unit="of S",
    )
