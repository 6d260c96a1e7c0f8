"""Touchstone files in and out, by scikit-rf."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from casemate.core.errors import InputError

Real = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]
Z_REF_OHM = 50.0
"""Reference impedance of every S-parameter inside; files in another one are renormalised."""
FILE_BYTES_MAX = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measurement in 50 ohm: `s` has shape (F, n, n)."""

    file: str
    f_hz: Real
    s: Complex


def read_touchstone(path: Path) -> Measured:
    """Return a one- or two-port file; InputError if it is none."""
    file = str(path)
    if not path.is_file():
        raise InputError(
            "there is no such file.", remedy="name a Touchstone file (.s1p or .s2p).", file=file
        )
    if path.stat().st_size > FILE_BYTES_MAX:
        raise InputError(
            f"the file is larger than {FILE_BYTES_MAX >> 20} MiB.",
            remedy="measure fewer points.",
            file=file,
        )
    if path.suffix.lower() not in (".s1p", ".s2p"):
        raise InputError(
            "the name does not end in .s1p or .s2p.",
            remedy="name a Touchstone file of one or two ports.",
            file=file,
        )
    f_hz, s = _parsed(path)
    sound = f_hz.size >= 2 and f_hz[0] >= 0.0 and bool(np.all(np.diff(f_hz) > 0.0))
    if not sound or not np.isfinite(s).all():
        raise InputError(
            "the frequencies do not rise, or a value is no number.",
            remedy="export the measurement again.",
            file=file,
        )
    above = f_hz > 0.0  # the closed forms divide by frequency
    return Measured(file=file, f_hz=f_hz[above], s=s[above])


def _parsed(path: Path) -> tuple[Real, Complex]:
    import skrf  # deferred: 0.3 s, and `--help` must not pay it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = skrf.Network(str(path))
            if not np.allclose(network.z0, Z_REF_OHM):
                network.renormalize(Z_REF_OHM)
    except Exception as error:  # scikit-rf raises many unrelated types on a broken file
        logging.getLogger(__name__).debug("scikit-rf: %s", error)
        raise InputError(
            f"this is no Touchstone file that can be read: {type(error).__name__}.",
            remedy="export it again as Touchstone 1 with S-parameters.",
            file=str(path),
        ) from None
    return np.asarray(network.f, dtype=np.float64), np.asarray(network.s, dtype=np.complex128)


def touchstone_text(f_hz: Real, s: Complex, *, comments: tuple[str, ...] = ()) -> str:
    """Return a Touchstone 1 two-port file in 50 ohm, real and imaginary, with comment lines."""
    rows = [f"! {line}" for line in comments] + [f"# HZ S RI R {Z_REF_OHM:g}"]
    columns = np.column_stack(
        [f_hz]
        + [part for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)) for part in (s[:, i, j].real,
                                                                      s[:, i, j].imag)]
    )  # fmt: skip
    rows += [f"{row[0]:.0f} " + " ".join(f"{value:.9g}" for value in row[1:]) for row in columns]
    return "\n".join(rows) + "\n"
