"""What the tests of lines share: the recordings, ngspice, and a line of constant R, L, G, C."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from casemate.twin.line_materials import Complex, Dielectric, Metal, Real, j_omega
from casemate.twin.line_microstrip import Substrate, Wave
from outside_programs import program
from truths import recorded

FR4 = Substrate(
    height_m=1.5e-3,
    copper_m=50e-6,
    dielectric=Dielectric(epsilon_r=4.43, tan_delta=0.02),
    metal=Metal(),
)


def recordings() -> Path:
    """Return the folder of the recorded lines."""
    return recorded("tdr_microstrip")


def ngspice(folder: Path, circuit: str, *, analysis: str, nodes: tuple[str, ...]) -> Complex:
    """Run a circuit; return columns, shape (points, 1 + nodes): abscissa, then node voltages."""
    spice = program("ngspice")
    told = " ".join(f"v({node})" for node in nodes)
    linear = "linearize\n" if analysis.startswith("tran") else ""
    (folder / "line.cir").write_text(
        f"* line\n{circuit}\n.{analysis}\n.control\nset wr_singlescale\nrun\n{linear}"
        f"wrdata line.txt {told}\n.endc\n.end\n"
    )
    subprocess.run(
        [spice, "-b", "line.cir"], cwd=folder, capture_output=True, timeout=120, check=False
    )
    table = np.loadtxt(folder / "line.txt")
    if analysis.startswith("tran"):
        return table.astype(np.complex128)
    parts = table[:, 1::2] + 1j * table[:, 2::2]
    return np.column_stack([table[:, 0], parts])


def constant(f_hz: Real, *, r: float, l_h: float, g: float, c_f: float) -> Wave:
    """Return the wave on a line of constant R, L, G, C per metre."""
    series, shunt = r + j_omega(f_hz) * l_h, g + j_omega(f_hz) * c_f
    return Wave(gamma_1_m=np.sqrt(series * shunt), z_ohm=np.sqrt(series / shunt))


def ladder(l_h: Real, c_f: Real, length_m: float, sections: int) -> str:
    """Return a coupled pair as a ladder of halves of L, C, halves of L; ends a, b and y, z."""
    step = length_m / sections
    rows = []
    for n in range(sections):
        for side, other in ((0, 1), (1, 0)):
            left, right = f"p{side}_{n}", f"p{side}_{n + 1}"
            rows.append(f"L{side}_{n} {left} {right} {l_h[side, side] * step:.9g}")
            ground = (c_f[side, side] + c_f[side, other]) * step
            rows.append(f"C{side}_{n} {left} 0 {ground / 2:.9g}")
            rows.append(f"D{side}_{n}x {right} 0 {ground / 2:.9g}".replace("D", "CD"))
        share = l_h[0, 1] / np.sqrt(l_h[0, 0] * l_h[1, 1])
        rows.append(f"K{n} L0_{n} L1_{n} {share:.9g}")
        mutual = -c_f[0, 1] * step / 2
        rows.append(f"CM{n} p0_{n} p1_{n} {mutual:.9g}\nCN{n} p0_{n + 1} p1_{n + 1} {mutual:.9g}")
    return "\n".join(rows)
