"""Numbers to text at machine speed: what the Gerber and KiCad writers share (numba kernels).

Kernels of other files have these compiled into their cache, which numba renews only when their own
file changes: touch gerber.py and kicad.py after a change here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

_F = TypeVar("_F", bound=Callable[..., Any])

Bytes = npt.NDArray[np.uint8]


def kernel(function: _F) -> _F:
    """Compile `function` once for all starts, and let other threads run beside it."""
    compiled: Any = numba.njit(cache=True, nogil=True, boundscheck=False)(function)
    return cast(_F, compiled)


DIGIT_PAIRS: Bytes = np.frombuffer(
    "".join(f"{value:02d}" for value in range(100)).encode(), dtype=np.uint8
).copy()
HEX_DIGITS: Bytes = np.frombuffer(b"0123456789abcdef", dtype=np.uint8).copy()


@kernel
def put_unsigned(buffer: Bytes, position: int, value: int) -> int:
    """Write a non-negative integer below 2**32 in decimal; return the next position."""
    rest = np.uint32(value)
    count = 1
    limit = np.uint64(10)
    while count < 10 and np.uint64(rest) >= limit:
        limit *= np.uint64(10)
        count += 1
    end = position + count
    while rest >= np.uint32(100):
        quotient = np.uint32(rest // np.uint32(100))
        pair = np.intp(rest - quotient * np.uint32(100)) * 2
        rest = quotient
        end -= 2
        buffer[end] = DIGIT_PAIRS[pair]
        buffer[end + 1] = DIGIT_PAIRS[pair + 1]
    if rest >= np.uint32(10):
        pair = np.intp(rest) * 2
        buffer[end - 2] = DIGIT_PAIRS[pair]
        buffer[end - 1] = DIGIT_PAIRS[pair + 1]
    else:
        buffer[end - 1] = np.uint8(48) + np.uint8(rest)
    return position + count


@kernel
def put_signed(buffer: Bytes, position: int, value: int) -> int:
    """Write an integer of magnitude below 2**32 in decimal; return the next position."""
    if value < 0:
        buffer[position] = 45
        return put_unsigned(buffer, position + 1, -value)
    return put_unsigned(buffer, position, value)


@kernel
def put_millimetres(buffer: Bytes, position: int, value_nm: int) -> int:
    """Write nanometres as the shortest exact millimetres ("12.05"); return the next position."""
    if value_nm < 0:
        buffer[position] = 45
        position += 1
        value_nm = -value_nm
    whole = value_nm // 1_000_000
    part = value_nm - whole * 1_000_000
    position = put_unsigned(buffer, position, whole)
    if part == 0:
        return position
    buffer[position] = 46
    for group in range(3):
        scale = 10_000 if group == 0 else (100 if group == 1 else 1)
        pair = (part // scale) % 100 * 2
        buffer[position + 1 + 2 * group] = DIGIT_PAIRS[pair]
        buffer[position + 2 + 2 * group] = DIGIT_PAIRS[pair + 1]
    position += 7
    while buffer[position - 1] == 48:
        position -= 1
    return position


@kernel
def put_hex(buffer: Bytes, position: int, value: int) -> int:
    """Write the low 32 bits of `value` as eight hex digits; return the next position."""
    for digit in range(8):
        buffer[position + digit] = HEX_DIGITS[(value >> (28 - 4 * digit)) & 15]
    return position + 8


@kernel
def put_bytes(buffer: Bytes, position: int, text: Bytes) -> int:
    """Copy `text` into the buffer; return the next position."""
    for index in range(text.size):
        buffer[position + index] = text[index]
    return position + text.size


def millimetres(value_nm: int) -> str:
    """Return nanometres as the shortest exact millimetres: 1_250_000 -> "1.25"."""
    sign = "-" if value_nm < 0 else ""
    whole, part = divmod(abs(value_nm), 1_000_000)
    tail = f".{part:06d}".rstrip("0").rstrip(".") if part else ""
    return f"{sign}{whole}{tail}"


def to_nm(value_m: float) -> int:
    """Return metres as the nearest whole nanometre."""
    return round(value_m * 1e9)
