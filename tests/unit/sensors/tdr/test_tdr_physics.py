"""Reflectometry on a drawn tile: channels, keys, noise, seeds, bad input."""

from __future__ import annotations

import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from tdr_samples import TILE, mesh, sample

from casemate.core.challenge import chips
from casemate.core.errors import InputError
from casemate.sensors.card import load_card
from casemate.sensors.tdr import physics
from casemate.twin import pair_faults
from casemate.twin.line_materials import Real
from casemate.twin.modules import MODALITY_OF
from casemate.twin.pair_tile import board_of, lanes_of
from small_tile import STACK

KEY = bytes(range(32))
SEED = 11
ZONE = "tdr/front-1/In1_Cu_Z00U0+In1_Cu_Z00U1"


def faults_of(chunk: int) -> Real:
    """Return four probes and nicks of the first channel, another place each chunk."""
    length = sample().channels[0].pair.length_m
    at = (0.1 + 0.2 * chunk) * length
    return np.concatenate(
        [
            pair_faults.probe([at, at + 0.01], 0, farad=1e-13),
            pair_faults.nick([at, at + 0.01], 1, ohm=0.1, henry=3e-11),
        ]
    )


def one_chunk(chunk: int) -> Real:
    """Return the values of a chunk of episodes; also run in another process."""
    tdr = sample()
    got = physics.episodes(
        tdr, tdr.channels[0], faults_of(chunk), physics.asked(tdr, KEY, 3), seed=SEED, chunk=chunk
    )
    return got.values


def test_every_zone_is_a_channel() -> None:
    tdr = sample()
    assert tdr.channels[0].channel.id == ZONE
    assert len({of.channel.id for of in tdr.channels}) == len(lanes_of(mesh())) == 4
    for of in tdr.channels:
        first, second = of.lanes.nets
        assert (first.zone, first.layer) == (second.zone, second.layer)
        assert (first.lane, second.lane) == (0, 1)
        assert of.channel.unit == "1" and of.channel.excited and of.channel.tile == "front-1"
        assert of.pair.slow_s_m.max() < physics.SLOWEST_S_M
    only = physics.tdr_of(TILE, mesh(), tdr.reader, unit=5, only=(ZONE,))
    assert np.array_equal(only.channels[0].errors, tdr.channels[0].errors)
    assert only.bins == tdr.bins


def test_the_card_is_what_the_reader_is() -> None:
    card = load_card(physics.MODALITY)
    assert card.maturity == "simulated" and MODALITY_OF["sense-tdr"] == card.id
    reader = physics.card_reader()
    assert reader.rise_s == card["rise"] <= 2e-10 and reader.averages == 256
    assert physics.card_reader("analyser").noise == card["analyser_noise"] == 5e-6


@pytest.mark.parametrize("number", range(4))
def test_a_fault_shows_at_its_delay_and_not_before(number: int) -> None:
    tdr = sample()
    of = tdr.channels[number]
    prepared = physics.fingerprint(of)
    sound = physics.anchor(tdr, of, prepared)
    at = 0.4 * of.pair.length_m
    faults = pair_faults.probe(at, 0, farad=5e-13)
    gap = np.abs(physics.responses(tdr, of, faults, prepared)[0] - sound)
    due_s = 2.0 * at * of.pair.slow_s_m.min()
    assert gap[tdr.t_s < due_s - 3e-10].max() < 5e-6
    after = (tdr.t_s > due_s - 3e-10) & (tdr.t_s < due_s + 1.5e-9)
    assert gap[after].max() > 1e-3


def test_units_differ_and_keep_their_fingerprint() -> None:
    one, other, again = sample(5), sample(6), physics.tdr_of(
        TILE, mesh(), physics.card_reader(), unit=5
    )  # fmt: skip
    first = [physics.anchor(tdr, tdr.channels[1]) for tdr in (one, other, again)]
    assert np.array_equal(first[0], first[2])
    apart = np.abs(first[0] - first[1]).max()
    quiet = one.reader.noise / math.sqrt(one.reader.averages)
    assert 20 * quiet < apart < 0.05


def test_heat_makes_everything_later() -> None:
    """10 K: 152 ppm/K of delay, found on the echo of an open end."""
    cold, warm = sample(), sample(rise_k=10.0)
    found = []
    for tdr in (cold, warm):
        of = tdr.channels[2]
        open_end = pair_faults.cut(of.pair.length_m, 2)
        step = physics.responses(tdr, of, open_end)[0]
        gap = step - physics.anchor(tdr, of)
        found.append(float(np.interp(0.1, gap[: int(gap.argmax())], tdr.t_s[: int(gap.argmax())])))
    assert (found[1] / found[0] - 1.0) / 10.0 == pytest.approx(152e-6, rel=0.35)


def test_the_same_on_one_process_as_on_two() -> None:
    here = [one_chunk(chunk) for chunk in range(4)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = list(pool.map(one_chunk, [3, 1, 0, 2]))
    for chunk, values in zip([3, 1, 0, 2], there, strict=True):
        assert np.array_equal(here[chunk], values)
    assert not np.array_equal(here[0], here[1])


def test_another_seed_is_other_noise() -> None:
    one, two = physics.generator_of(1, 0), physics.generator_of(2, 0)
    other = physics.generator_of(1, 1)
    drawn = [each.standard_normal(1000) for each in (one, two, other)]
    assert abs(np.corrcoef(drawn)[np.triu_indices(3, 1)]).max() < 0.13


def quiet_capture(wave: Real, silent: float = 0.125) -> physics.Captures:
    tdr = sample()
    silence = replace(tdr, reader=replace(tdr.reader, noise=0.0, jitter_s=0.0, wander_s=0.0))
    challenge = physics.asked(tdr, KEY, 3, silent=silent)
    return physics.captured(silence, wave[None], challenge, 0, physics.generator_of(1, 0))


def test_a_capture_asks_every_bin_once_in_a_keyed_order() -> None:
    tdr = sample()
    wave = physics.anchor(tdr, tdr.channels[0])
    got = quiet_capture(wave)
    place = got.chips.place
    assert np.array_equal(np.sort(place), np.arange(tdr.bins))
    assert not np.array_equal(place, np.arange(tdr.bins))
    assert np.array_equal(got.values[0], got.chips.drive.real * wave[place])
    waves, quiet = physics.folded(got)
    heard = ~np.isnan(waves[0])
    assert np.allclose(waves[0, heard], wave[heard], rtol=0, atol=1e-15)
    assert (quiet[0, ~heard] == 0.0).all() and np.isnan(quiet[0, heard]).all()
    assert abs((~heard).mean() - 0.125) < 0.03


def test_amplitudes_are_driven_too() -> None:
    tdr = sample()
    wave = physics.anchor(tdr, tdr.channels[0])
    challenge = replace(physics.asked(tdr, KEY, 3), constellation="amplitude", symbols=8)
    got = physics.captured(tdr, wave[None], challenge, 2, physics.generator_of(1, 0))
    waves, _ = physics.folded(got)
    flat = np.abs(np.gradient(wave, tdr.t_s[1])) * tdr.reader.wander_s < 1e-6
    heard = ~np.isnan(waves[0]) & flat
    assert np.abs(waves[0, heard] - wave[heard]).max() < 1e-3
    assert len(np.unique(np.abs(got.chips.drive))) == 5  # four sizes and silence


def test_noise_is_that_of_the_card() -> None:
    tdr = sample()
    wave = np.zeros(tdr.bins)
    got = physics.captured(
        tdr, np.tile(wave, (40, 1)), physics.asked(tdr, KEY, 3), 0, physics.generator_of(1, 0)
    )
    assert got.values.std() == pytest.approx(tdr.reader.noise / 16.0, rel=0.01)


def test_jitter_and_wander_act_where_it_is_steep() -> None:
    tdr = sample()
    slope = 1e9
    wave = slope * tdr.t_s
    still = replace(tdr, reader=replace(tdr.reader, noise=0.0))
    got = physics.captured(
        still, np.tile(wave, (300, 1)), physics.asked(tdr, KEY, 3, silent=0.0), 0,
        physics.generator_of(1, 0),
    )  # fmt: skip
    gap = physics.folded(got)[0] - wave
    assert gap.mean(axis=1).std() == pytest.approx(slope * 5e-12, rel=0.15)
    inside = gap - gap.mean(axis=1, keepdims=True)
    assert inside.std() == pytest.approx(slope * 20e-12 / 16.0, rel=0.01)


def test_what_is_sent_in_shows_on_silent_chips_and_not_in_the_fold() -> None:
    """A constant intrusion of 0.01: silence reads it, keyed signs average it away."""
    tdr = sample()
    wave = physics.anchor(tdr, tdr.channels[0])
    got = physics.captured(
        tdr, np.tile(wave, (20, 1)), physics.asked(tdr, KEY, 3), 0, physics.generator_of(1, 0), 0.01
    )
    waves, quiet = physics.folded(got)
    assert np.nanmean(quiet) == pytest.approx(0.01, rel=0.01)
    assert abs(np.nanmean(waves - wave)) < 5 * 0.01 / math.sqrt(waves.size)


def test_a_block_is_any_part_of_the_stream() -> None:
    tdr = sample()
    waves = np.stack([physics.anchor(tdr, of) for of in tdr.channels])
    challenge = physics.asked(tdr, KEY, 3)
    got = physics.block(tdr, waves, challenge, 100, 50, physics.generator_of(1, 0))
    assert got.values.shape == (50, 4) and got.good.all()
    assert np.allclose(got.t_s, (100 + np.arange(50)) * tdr.reader.capture_s / tdr.bins)
    asked = chips(challenge, 100, 50)
    assert np.abs(got.values[asked.silent]).max() < 6 * tdr.reader.noise / 16.0
    loud = got.values - (asked.drive.real[:, None] * waves[:, asked.place].T)
    assert np.abs(loud).max() < 0.01


def test_a_board_without_a_plane_is_refused() -> None:
    with pytest.raises(InputError, match="plane"):
        board_of(replace(STACK, plane=()), "In1.Cu")


@pytest.mark.parametrize(
    "change",
    [{"rise_s": 0.0}, {"rise_s": math.nan}, {"noise": -1.0}, {"jitter_s": math.nan},
     {"averages": 0}, {"capture_s": math.inf}, {"z_ohm": -50.0}],
)  # fmt: skip
def test_readers_that_cannot_be(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match="Remedy"):
        replace(physics.card_reader(), **change)


def test_other_input_that_cannot_be() -> None:
    tdr = sample()
    wave = np.zeros((1, tdr.bins))
    challenge = physics.asked(tdr, KEY, 3)
    for wrong in (
        replace(challenge, order=7),
        replace(challenge, constellation="phase", symbols=4),
    ):
        with pytest.raises(InputError, match="asked"):
            physics.captured(tdr, wave, wrong, 0, physics.generator_of(1, 0))
    with pytest.raises(InputError, match="embedded"):
        physics.card_reader("telescope")
    with pytest.raises(InputError, match="lanes"):
        physics.tdr_of(TILE, replace(mesh(), nets=mesh().nets[:1]), tdr.reader, unit=1)
    with pytest.raises(InputError, match="Remedy"):
        physics.responses(tdr, tdr.channels[0], pair_faults.probe(0.1, 0, farad=math.nan))
