"""Sixteen float32 side by side as one value of compiled code: an AVX-512 register, or two of AVX2.

LLVM's own vectoriser keeps to 256 bits on processors that have 512, so kernels that arithmetic
bounds say so themselves. Every operation is that of float32, lane by lane: `fused` rounds once
wherever the processor can, as the loops of plain floats do with numba's flag `contract`.

Contract of `load` and `store`: a flat C-contiguous float32 array of at least `at` + LANES values;
nothing checks it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.core.datamodel import models

intrinsic: Any = extending.intrinsic
"""Untyped: what it makes is called without the typing context that it is defined with."""

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_WORD = 4
"""Bytes that loads and stores are aligned to, at least."""
_SECOND = 2
"""LLVM's name for the second cache."""


class Wide(types.Type):  # type: ignore[misc]
    """The type of LANES float32."""

    def __init__(self) -> None:
        super().__init__(name="casemate.detect.wide")


@extending.register_model(Wide)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


WIDE = Wide()


def _place(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    held = context.make_array(array_type)(context, builder, array)
    return builder.bitcast(builder.gep(held.data, [at]), _VECTOR.as_pointer())


def _called(builder: Any, name: str, given: Any) -> Any:
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(given))
    whole = f"llvm.{name}.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, whole), given)


@intrinsic
def load(typing: Any, array: Any, at: Any) -> Any:
    """Return array[at : at + LANES]."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _place(context, builder, signature.args[0], *given)
        return builder.load(place, align=_WORD)

    return WIDE(array, types.intp), make


@intrinsic
def store(typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Set array[at : at + LANES] to value."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        place = _place(context, builder, signature.args[0], given[0], given[1])
        builder.store(given[2], place, align=_WORD)
        return context.get_dummy_value()

    return types.void(array, types.intp, WIDE), make


@intrinsic
def fetch(typing: Any, array: Any, at: Any) -> Any:
    """Ask for the cache line of array[at] ahead of its use; any `at` will do."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        array_type, word = signature.args[0], ir.IntType(32)
        held = context.make_array(array_type)(context, builder, given[0])
        place = builder.bitcast(builder.gep(held.data, [given[1]]), cgutils.voidptr_t)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, word, word, word])
        known = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(known, [place, word(0), word(_SECOND), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), make


@intrinsic
def every(typing: Any, value: Any) -> Any:
    """Return `value` in all lanes."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), given[0], ir.Constant(ir.IntType(32), 0)
        )
        none = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
        return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), none)

    return WIDE(types.float32), make


@intrinsic
def plus(typing: Any, a: Any, b: Any) -> Any:
    """Return a + b."""
    return WIDE(WIDE, WIDE), lambda context, builder, signature, given: builder.fadd(*given)


@intrinsic
def minus(typing: Any, a: Any, b: Any) -> Any:
    """Return a - b."""
    return WIDE(WIDE, WIDE), lambda context, builder, signature, given: builder.fsub(*given)


@intrinsic
def times(typing: Any, a: Any, b: Any) -> Any:
    """Return a b."""
    return WIDE(WIDE, WIDE), lambda context, builder, signature, given: builder.fmul(*given)


@intrinsic
def fused(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once where the processor can."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _called(builder, "fmuladd", given)

    return WIDE(WIDE, WIDE, WIDE), make


@intrinsic
def less(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a b - c, rounded as `fused`."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        a, b, c = given
        return _called(builder, "fmuladd", (a, b, builder.fneg(c)))

    return WIDE(WIDE, WIDE, WIDE), make


@intrinsic
def against(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return -a b - c, rounded as `fused`."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        a, b, c = given
        return _called(builder, "fmuladd", (builder.fneg(a), b, builder.fneg(c)))

    return WIDE(WIDE, WIDE, WIDE), make


@intrinsic
def larger(typing: Any, a: Any, b: Any) -> Any:
    """Return a where a > b, else b: b where either is not a number."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *given), *given)

    return WIDE(WIDE, WIDE), make


@intrinsic
def smaller(typing: Any, a: Any, b: Any) -> Any:
    """Return a where a < b, else b: b where either is not a number."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *given), *given)

    return WIDE(WIDE, WIDE), make


@intrinsic
def above(typing: Any, a: Any, b: Any, one: Any, other: Any) -> Any:
    """Return `one` where a > b, else `other`."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *given[:2]), *given[2:])

    return WIDE(WIDE, WIDE, WIDE, WIDE), make


@intrinsic
def size(typing: Any, a: Any) -> Any:
    """Return |a|."""

    def make(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _called(builder, "fabs", given)

    return WIDE(WIDE), make
