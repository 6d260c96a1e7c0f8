"""Chips: reproducible from any start, unforeseeable without the key, silent as often as asked."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st

from casemate.core.challenge import Challenge, chips, points
from casemate.core.errors import InputError
from casemate.core.randomness import keystream

KEY = bytes(range(32))


def asked(**changes: object) -> Challenge:
    """A challenge of the tests, with changes."""
    settings = {"key": KEY, "modality": "loop_resistance", "epoch": 3, "chip_s": 1e-3}
    return Challenge(**{**settings, **changes})  # type: ignore[arg-type]


@given(st.integers(0, 500), st.integers(0, 200))
def test_a_keystream_can_be_read_from_any_byte(offset: int, count: int) -> None:
    whole = Cipher(algorithms.ChaCha20(KEY, bytes(16)), mode=None).encryptor().update(bytes(700))
    assert keystream(KEY, count, offset=offset).tobytes() == whole[offset : offset + count]


@given(st.integers(0, 300), st.integers(1, 60), st.integers(1, 17))
def test_any_split_gives_the_same_chips(first: int, count: int, order: int) -> None:
    challenge = asked(order=order, constellation="phase", symbols=8)
    whole, part = chips(challenge, 0, first + count), chips(challenge, first, count)
    assert np.array_equal(whole.drive[first:], part.drive)
    assert np.array_equal(whole.place[first:], part.place)


def test_silence_signs_and_places_are_even() -> None:
    drawn = chips(asked(silent=0.25, order=16), 0, 160_000)
    assert abs(drawn.silent.mean() - 0.25) < 0.005
    loud = drawn.drive[~drawn.silent].real
    assert set(np.unique(loud)) == {-1.0, 1.0}
    assert abs(loud.mean()) < 0.012  # 4 sigma
    assert np.array_equal(np.sort(drawn.place.reshape(-1, 16), axis=1)[7], np.arange(16))
    first = np.bincount(drawn.place[::16], minlength=16)
    assert np.all(np.abs(first - 625) < 120)
    again = np.corrcoef(loud[:-1], loud[1:])[0, 1]
    assert abs(again) < 0.012


@pytest.mark.parametrize("change", [{"epoch": 4}, {"modality": "tdr"}, {"key": bytes(32)}])
def test_another_epoch_modality_or_key_is_unrelated(change: dict[str, object]) -> None:
    one, other = chips(asked(silent=0.0), 0, 4096), chips(asked(silent=0.0, **change), 0, 4096)
    assert abs(np.mean(one.drive * other.drive)) < 0.07


@pytest.mark.parametrize("symbols", [2, 4, 256])
def test_constellations_have_power_one_and_no_zero(symbols: int) -> None:
    for name in ("amplitude", "phase"):
        drawn = points(name, symbols)  # type: ignore[arg-type]
        assert np.mean(np.abs(drawn) ** 2) == pytest.approx(1.0)
        assert np.abs(drawn).min() > 0.0


def test_the_key_is_never_shown() -> None:
    assert KEY.hex() not in repr(asked()) and "key" not in repr(asked())


@pytest.mark.parametrize(
    "change",
    [{"key": b"short"}, {"symbols": 3}, {"symbols": 4}, {"silent": 1.0}, {"chip_s": 0.0},
     {"order": 0}, {"epoch": -1}],
)  # fmt: skip
def test_what_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        asked(**change)
