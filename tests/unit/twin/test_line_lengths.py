"""Fitted on one thru alone, the thru of the other length is predicted, both ways round.

Connectors are part of the model. Three comparisons, each at every point, not on average:

- |S21| in dB, to 4 and to 8 GHz; measured is the mean of S21 and S12, which the model has as one.
- Delay, twice: the slope of the unwrapped phase of S21 by least squares to 4 GHz, over 2 pi (the
  mean group delay); and when the transmitted step has risen to half of what it holds at 5 ns.
- Step impedance 50 (1 + r)/(1 - r), r the step response of S11 (then of S22) to a Gaussian edge of
  100 ps (10 to 90 %; faster ones need more than the 10 GHz of the data). Along the line: from the
  end of the near connector to the beginning of the far one, that is from twice the launch's delay
  to that much before the echo of the far plug. And over the whole trace, connectors included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from line_samples import recordings
from test_line_recordings import fitted, standards

from casemate.twin.line_fit import Standard, board_of, fit_board, predicted
from casemate.twin.line_launch import DELAY_S
from casemate.twin.line_materials import Complex, Real
from casemate.twin.line_tdr import step_response, with_zero
from truths import Truth, abs_error, rel_error

RISE_S = 100e-12
LATE_S = 5e-9
WAYS = [
    ("thru100", "thru200"),
    pytest.param("thru200", "thru100", marks=pytest.mark.slow),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Measured and modelled S, shape (F, 2, 2), of one line; transmission made one."""

    f_hz: Real
    measured: Complex
    model: Complex

    def passed(self) -> tuple[Complex, Complex]:
        """Return measured and modelled transmission, (F,) each."""
        return 0.5 * (self.measured[:, 1, 0] + self.measured[:, 0, 1]), self.model[:, 1, 0]


def held_out(known: str, other: str) -> Pair:
    standard = standards(recordings())[other]
    model = fitted(recordings(), (known,)).model
    return Pair(f_hz=standard.f_hz, measured=standard.s, model=predicted(model, standard))


def slope_s(f_hz: Real, s21: Complex, last_hz: float = 4e9) -> float:
    """Return the mean group delay up to `last_hz`."""
    inside = f_hz <= last_hz
    return float(-np.polyfit(f_hz[inside], np.unwrap(np.angle(s21[inside])), 1)[0] / (2 * np.pi))


def half_s(f_hz: Real, s21: Complex) -> float:
    """Return when the transmitted step reaches half of what it has at LATE_S."""
    t_s, step = step_response(*with_zero(f_hz, s21), RISE_S)
    level = 0.5 * np.interp(LATE_S, t_s, step)
    after = int(np.argmax(step > level))
    return float(np.interp(level, step[after - 1 : after + 1], t_s[after - 1 : after + 1]))


def impedance_ohm(f_hz: Real, s11: Complex) -> tuple[Real, Real]:
    t_s, step = step_response(*with_zero(f_hz, s11), RISE_S)
    return t_s, 50.0 * (1.0 + step) / (1.0 - step)


def truth_of(known: str, other: str) -> str:
    return f"recorded {other}, fitted on {known} alone"


@pytest.mark.parametrize(("known", "other"), WAYS)
@pytest.mark.parametrize(("last_ghz", "allowed_db"), [(4, 0.3), (8, 1.0)])
def test_transmission(
    known: str, other: str, last_ghz: int, allowed_db: float, truth: Truth
) -> None:
    pair = held_out(known, other)
    measured, model = (np.abs(s[pair.f_hz <= last_ghz * 1e9]) for s in pair.passed())
    truth(
        kernel="twin.line_board.two_port",
        against=f"{truth_of(known, other)}: |S21| to {last_ghz} GHz, every point",
        found=abs_error(20 * np.log10(model), 20 * np.log10(measured)),
        allowed=allowed_db,
        unit="dB",
    )


@pytest.mark.parametrize(("known", "other"), WAYS)
def test_delay(known: str, other: str, truth: Truth) -> None:
    pair = held_out(known, other)
    for name, delay_s in (("phase slope to 4 GHz", slope_s), ("half of the step", half_s)):
        measured, model = (delay_s(pair.f_hz, s) for s in pair.passed())
        truth(
            kernel="twin.line_board.two_port",
            against=f"{truth_of(known, other)}: delay by {name}",
            found=rel_error(model, measured),
            allowed=5e-3,
        )


@pytest.mark.parametrize(("known", "other"), WAYS)
def test_step_impedance(known: str, other: str, truth: Truth) -> None:
    pair = held_out(known, other)
    echo_s = 2.0 * half_s(pair.f_hz, pair.passed()[0])
    for port in (0, 1):
        t_s, measured = impedance_ohm(pair.f_hz, pair.measured[:, port, port])
        _, model = impedance_ohm(pair.f_hz, pair.model[:, port, port])
        along = (t_s > 2.0 * DELAY_S) & (t_s < echo_s - 2.0 * DELAY_S)
        whole = (t_s > -2.0 * RISE_S) & (t_s < echo_s + 1e-9)
        assert 47.0 < measured[along].min() and along.sum() > 50
        for name, window in (("along the line", along), ("with connectors", whole)):
            truth(
                kernel="twin.line_board.two_port",
                against=f"{truth_of(known, other)}: step impedance {name}, 100 ps edge",
                found=rel_error(model[window], measured[window]),
                allowed=0.02,
            )


@pytest.mark.slow
@pytest.mark.parametrize(("known", "other"), WAYS)
def test_the_prediction_survives_a_prior_that_is_off_by_its_spread(known: str, other: str) -> None:
    """Permittivity believed 0.15 too low: half a per cent of delay still holds.

    At twice that it does not (0.53 and 0.58 %): one length leaves line and connector to the priors.
    """
    off = board_of(height_m=1.5e-3, copper_m=50e-6, epsilon_r=4.25, tan_delta=0.02)
    data: dict[str, Standard] = standards(recordings())
    model = fit_board(off, (data[known],)).model
    f_hz, s = data[other].f_hz, data[other].s
    measured = slope_s(f_hz, 0.5 * (s[:, 1, 0] + s[:, 0, 1]))
    found = slope_s(f_hz, predicted(model, data[other])[:, 1, 0])
    assert abs(found / measured - 1.0) < 5e-3
