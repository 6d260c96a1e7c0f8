"""Copies within compiled code, number by number.

Where a kernel assigns an array to a slice, numba compiles the words of an error that never comes:
two seconds in each process that compiles one (measured), for a loop of one line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

as_int: Any = np.int64
as_bool: Any = np.bool_
"""Types of a number, or of yes and no, that is not known while a kernel is compiled: one that is
written out, as 0 or True, would have the kernel that it is given to compiled for it alone."""


@njit(inline="always")
def put(into: Any, row: Any) -> None:
    """Copy row (n,) into `into` (n,), which it does not overlap."""
    for at in range(row.size):
        into[at] = row[at]


@njit(inline="always")
def put_rows(into: Any, rows: Any) -> None:
    """Copy rows (n, m) into the first n of `into` (at least n, m), which they do not overlap."""
    for one in range(rows.shape[0]):
        for at in range(rows.shape[1]):
            into[one, at] = rows[one, at]


@njit(inline="always")
def raise_by(into: Any, by: Any) -> None:
    """Add a number to each of `into` (n,)."""
    for at in range(into.size):
        into[at] += by
