"""What the tests of lines share: the recordings, ngspice, and a line of constant R, L, G, C."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from casemate.twin.line_materials import Complex, Dielectric, Metal, Real, j_omega
from casemate.twin.line_microstrip import Substrate, Wave

FR4 = Substrate(
    height_m=1.5e-3,
    copper_m=50e-6,
    dielectric=Dielectric(epsilon_r=4.43, tan_delta=0.02),
    metal=Metal(),
)


def recordings() -> Path:
    """Return the folder of the recorded lines; skip where CASEMATE_DATA is not set."""
    home = os.environ.get("CASEMATE_DATA")
    if not home:
        pytest.skip("CASEMATE_DATA is not set: no recordings to compare with")
    folder = Path(home) / "tdr_microstrip"
    if not folder.is_dir():
        if os.environ.get("CASEMATE_REQUIRE_ALL") == "1":
            pytest.fail("CASEMATE_DATA has no folder tdr_microstrip")
        pytest.skip("CASEMATE_DATA has no folder tdr_microstrip")
    return folder


def ngspice(folder: Path, circuit: str, *, analysis: str, nodes: tuple[str, ...]) -> Complex:
    """Run a circuit; return columns, shape (points, 1 + nodes): abscissa, then node voltages."""
    if shutil.which("ngspice") is None:
        if os.environ.get("CASEMATE_REQUIRE_ALL") == "1":
            pytest.fail("ngspice is required here and missing")
        pytest.skip("ngspice is not installed")
    told = " ".join(f"v({node})" for node in nodes)
    linear = "linearize\n" if analysis.startswith("tran") else ""
    (folder / "line.cir").write_text(
        f"* line\n{circuit}\n.{analysis}\n.control\nset wr_singlescale\nrun\n{linear}"
        f"wrdata line.txt {told}\n.endc\n.end\n"
    )
    subprocess.run(
        ["ngspice", "-b", "line.cir"], cwd=folder, capture_output=True, timeout=120, check=False
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
