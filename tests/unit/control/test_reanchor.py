"""Anchors after a swap: readings of what was replaced may change, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_enclosure import COUNT, NAMES, anchor

from casemate.control.reanchor import moved
from casemate.core.errors import InputError
from casemate.detect.anchor import AnyAnchor, FieldAnchor, PassiveAnchor

BEFORE = tuple(map(anchor, NAMES))


def changed(**changes: Any) -> tuple[AnyAnchor, ...]:
    return (BEFORE[0], replace(BEFORE[1], **changes), *BEFORE[2:])


def test_readings_may_move() -> None:
    new = np.array([1.0, 1.03, 0.97, 1.06])
    (found,) = moved(BEFORE, changed(nominal=new), ["plates"])
    assert (found.modality, found.features) == ("plates", 3)
    assert found.largest == pytest.approx(0.06)
    assert found.share == pytest.approx(0.2)
    assert moved(BEFORE, BEFORE, []) == ()


@pytest.mark.parametrize(
    "name", ["noise", "bound", "step", "must", "rate", "weight", "first", "names", "tiles"]
)
def test_nothing_else_may(name: str) -> None:
    """Whoever widens a bound, or renames a feature, trains the detector."""
    value = getattr(BEFORE[1], name)
    other = value[::-1] if isinstance(value, tuple) or name == "first" else 2.0 * value
    with pytest.raises(InputError, match="more changes in plates"):
        moved(BEFORE, changed(**{name: other}), ["plates"])


def test_what_was_not_replaced_may_not_move() -> None:
    with pytest.raises(InputError, match="was not replaced"):
        moved(BEFORE, changed(nominal=1.01 * np.ones(COUNT)), ["coils"])


@pytest.mark.parametrize("reads", [1.3, 0.7, 5.0, -1.0])
def test_no_change_that_must_be_caught_is_hidden(reads: float) -> None:
    new = np.array([1.0, 1.0, reads, 1.0])
    with pytest.raises(InputError, match="1 features move as far"):
        moved(BEFORE, changed(nominal=new), ["plates"])


def test_differences_move_by_both_channels() -> None:
    weight = np.tile([1.0, -1.0], (COUNT, 1))
    second, none = np.array([1, 0, 3, 2]), np.full(COUNT, -1)
    pairs = replace(BEFORE[1], weight=weight, second=second, group=none)
    alike = replace(pairs, nominal=np.full(COUNT, 1.1))
    (found,) = moved((pairs,), (alike,), ["plates"])
    assert found.largest == pytest.approx(0.0)
    apart = replace(pairs, nominal=np.array([1.2, 0.8, 1.0, 1.0]))
    with pytest.raises(InputError, match="2 features"):
        moved((pairs,), (apart,), ["plates"])


def test_other_modalities_are_refused() -> None:
    with pytest.raises(InputError, match="other modalities"):
        moved(BEFORE, BEFORE[:2], ["plates"])


def test_a_cavity_and_sensors_that_rest() -> None:
    one = np.ones(1)
    shapes = np.eye(3, 8)[None]
    field = FieldAnchor(
        modality="rf", chip_s=1e-3, visits=1.0, names=("a",), field=np.ones((1, 4), complex),
        shapes=shapes, noise=0.01 * one, bound=0.1 * one, step=0.1 * one, must=0.5 * one,
    )  # fmt: skip
    (found,) = moved((field,), (replace(field, field=1.1 * field.field),), ["rf"])
    assert found.share == pytest.approx(0.2)
    with pytest.raises(InputError, match="as far as"):
        moved((field,), (replace(field, field=1.6 * field.field),), ["rf"])
    rest = PassiveAnchor(
        modality="rest", chip_s=0.1, names=("t",), tiles=("",), kind=("light",), nominal=one,
        spread=0.1 * one, log=one > 0.0, contrast=one < 0.0, coefficients=np.zeros((1, 1)),
        innovation=one, slack=0.0 * one, bound=8.0 * one, noise=one,
    )  # fmt: skip
    (found,) = moved((rest,), (replace(rest, nominal=1.5 * one),), ["rest"])
    assert found.share == pytest.approx(np.log(1.5) / 0.1 / 8.0)
    with pytest.raises(InputError, match="as far as"):
        moved((rest,), (replace(rest, nominal=3.0 * one),), ["rest"])
