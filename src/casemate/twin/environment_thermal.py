"""Heat: a network of heat capacities and conductances, stepped exactly.

C dT/dt = P + sum G (T_j - T_i) + G_a (T_a - T_i); power and ambient are held during a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casemate.core.errors import InputError
from casemate.twin._course_kernel import stepped
from casemate.twin.line_materials import Real


@dataclass(frozen=True, slots=True, kw_only=True)
class ThermalNetwork:
    """N nodes: capacities (N,), conductances between them (N, N) and to ambient (N,)."""

    capacity_j_k: tuple[float, ...]
    between_w_k: tuple[tuple[float, ...], ...]
    ambient_w_k: tuple[float, ...]


def rates(
    network: ThermalNetwork, opened_w_k: tuple[float, ...] | None = None
) -> tuple[Real, Real]:
    """Return (A (N, N), B (N, N + 1)) of dT/dt = A T + B (P, T_ambient).

    `opened_w_k` (N,) is added to the conductance to ambient: a door that stands open. Raises
    InputError if shapes disagree or a capacity is not positive.
    """
    capacity = np.asarray(network.capacity_j_k)
    between, ambient = np.asarray(network.between_w_k), np.asarray(network.ambient_w_k)
    count = capacity.size
    good = between.shape == (count, count) and ambient.shape == (count,)
    if not (good and np.all(capacity > 0.0) and np.allclose(between, between.T)):
        raise InputError(
            "The thermal network is inconsistent.",
            remedy="Give N positive capacities, a symmetric N x N matrix and N conductances.",
        )
    if opened_w_k is not None:
        ambient = ambient + np.asarray(opened_w_k)
    between = between - np.diag(np.diag(between))
    matrix = (between - np.diag(between.sum(axis=1) + ambient)) / capacity[:, None]
    drive = np.column_stack([np.diag(1.0 / capacity), ambient / capacity])
    return matrix, drive


def settled_k(network: ThermalNetwork, power_w: Real, ambient_k: float) -> Real:
    """Return the temperatures (N,) in the end for a constant power (N,) and ambient."""
    matrix, drive = rates(network)
    return np.asarray(np.linalg.solve(matrix, -drive @ np.append(power_w, ambient_k)))


def temperatures_k(
    network: ThermalNetwork,
    start_k: Real,
    power_w: Real,
    ambient_k: Real,
    step_s: float,
    door: NDArray[np.bool_] | None = None,
    opened_w_k: tuple[float, ...] | None = None,
) -> Real:
    """Return temperatures (K, N) at the ends of steps that begin at `start_k` (N,).

    `power_w` (K, N) and `ambient_k` (K,) hold during each step; where `door` (K,) is set,
    `opened_w_k` is added to the conductances to ambient. Exact for such inputs.
    """
    forms = [_step(*rates(network), step_s)]
    if door is not None:
        forms.append(_step(*rates(network, opened_w_k), step_s))
    inputs = np.column_stack([power_w, ambient_k])
    state = np.array(start_k, dtype=np.float64)
    which = np.zeros(ambient_k.size, dtype=np.int64) if door is None else door.astype(np.int64)
    driven = np.stack([inputs @ add.T for _, add in forms])[which, np.arange(which.size)]
    out = np.empty((ambient_k.size, state.size))
    stepped(np.stack([keep for keep, _ in forms]), driven, which, state, out)
    return out


MOST_STEPS = 256
"""Kept: scenes of one kind share their steps, and a matrix exponential takes milliseconds."""
_steps: dict[tuple[bytes, bytes, float], tuple[Real, Real]] = {}


def _step(matrix: Real, drive: Real, step_s: float) -> tuple[Real, Real]:
    key = (matrix.tobytes(), drive.tobytes(), step_s)
    if key not in _steps:
        if len(_steps) >= MOST_STEPS:
            _steps.clear()
        _steps[key] = _stepped(matrix, drive, step_s)
    return _steps[key]


def _stepped(matrix: Real, drive: Real, step_s: float) -> tuple[Real, Real]:
    from scipy.linalg import expm

    count, width = drive.shape
    block = np.zeros((count + width, count + width))
    block[:count, :count], block[:count, count:] = matrix, drive
    whole = expm(block * step_s)
    return np.asarray(whole[:count, :count]), np.asarray(whole[:count, count:])
