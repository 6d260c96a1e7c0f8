"""The conformance kit of readers: the same checks for every one, simulated or hardware.

`check_reader` raises AssertionError with the rule that is broken. It pulls a few hundred chips from
real time, so give it a challenge whose chips are short enough for the reader and long enough to
wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block, Channel, Health, Reader
from casemate.core.watch import Limits, watched

LATER_CHIPS_MAX = 4096
"""Chips that a stream may go on for after it was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What to ask of a reader.

    rows: samples to pull. for_s: longest to pull, whatever comes. ends: a recording, whose stream
    may end by itself. silent_share: a silent chip's greatest value, of a driven chip's median; 1
    for readers that hear strong interference. rests: values may repeat bit for bit.
    """

    rows: int = 200
    for_s: float = 20.0
    ends: bool = False
    silent_share: float = 0.1
    rests: bool = False


def check_reader(
    make_reader: Callable[[], Reader],
    challenge: Challenge,
    expectation: Expectation | None = None,
) -> Block:
    """Check a reader that has nothing wrong with it; return what it read.

    make_reader is called three times; each reader is closed. AssertionError names the rule.
    """
    wanted = expectation or Expectation()
    reader = make_reader()
    try:
        _channels(reader.channels)
        out = _pulled(reader.configure(challenge), wanted)
        _blocks(out, reader.channels, challenge)
        _silence(out, reader.channels, challenge, wanted)
        _unflagged_under_watch(out, reader.channels, challenge, wanted)
    finally:
        reader.close()
    _again(make_reader(), challenge, wanted)
    _closed(make_reader(), challenge)
    return out


def check_failing_reader(
    make_reader: Callable[[], Reader],
    challenge: Challenge,
    expectation: Expectation | None = None,
) -> Block:
    """Check that a reader with something wrong keeps its promises; return what it read, watched.

    Whatever happens, blocks are well-formed and nothing unsound is good.
    """
    wanted = expectation or Expectation()
    reader = make_reader()
    try:
        raw: list[Block] = []
        stream = watched(
            _kept(reader.configure(challenge), raw), reader.channels, challenge,
            limits=_limits(wanted),
        )  # fmt: skip
        out = _pulled(stream, wanted)
        for block in raw:
            _formed(block, reader.channels)
        _require(bool(np.isfinite(out.values[out.good]).all()), "what is good is a number")
    finally:
        reader.close()
    return out


def _channels(channels: tuple[Channel, ...]) -> None:
    names = [channel.id for channel in channels]
    _require(len(names) > 0, "a reader has channels, before it is configured too")
    _require(len(set(names)) == len(names), "channels have ids of their own")
    for channel in channels:
        _require(channel.low <= channel.high, f"{channel.id}: low is not above high")


def _formed(block: Block, channels: tuple[Channel, ...]) -> None:
    count = block.t_s.size
    _require(block.values.shape == (count, len(channels)), "values have shape (K, C)")
    _require(block.health.shape == block.values.shape, "health has the shape of values")
    _require(block.chip.shape == (count,), "there is a chip number a sample")
    _require(block.t_s.dtype == np.float64, "times are float64")
    _require(block.chip.dtype == np.int64, "chip numbers are int64")
    _require(block.health.dtype == np.uint16, "health is uint16")
    _require(
        block.values.dtype in (np.dtype(np.float64), np.dtype(np.complex128)),
        "values are float64 or complex128",
    )
    flagged = (block.health != 0) & (block.health != int(Health.CLIPPED))
    _require(bool(np.isnan(block.values[flagged]).all()), "a flagged value is nan")


def _blocks(out: Block, channels: tuple[Channel, ...], challenge: Challenge) -> None:
    _formed(out, channels)
    _require(out.t_s.size > 0, "a stream yields samples")
    rising = np.diff(out.t_s) > 0.0
    excused = (out.health[1:] != 0).all(axis=1)
    _require(bool((rising | excused).all()), "times rise, or the sample is flagged")
    if any(channel.excited for channel in channels):
        _require(out.chip[0] == 0, "an answer begins with chip 0")
        follows = np.diff(out.chip) == 1
        _require(bool((follows | excused).all()), "chips follow one another, or are flagged")
    else:
        _require(bool((out.chip == -1).all()), "without a challenge, chips are -1")
    share = float(np.mean((out.health == 0).all(axis=1)))
    _require(share > 0.9, f"a sound reader's samples are good; only {share:.0%} are")


def _silence(
    out: Block, channels: tuple[Channel, ...], challenge: Challenge, wanted: Expectation
) -> None:
    excited = [at for at, channel in enumerate(channels) if channel.excited]
    if not excited or not challenge.silent:
        return
    drawn = chips(challenge, 0, int(out.chip.max()) + 1)
    silent = drawn.silent[out.chip]
    for at in excited:
        good = out.good[:, at]
        quiet = np.abs(out.values[good & silent, at])
        driven = np.abs(out.values[good & ~silent, at])
        if quiet.size and driven.size:
            most = wanted.silent_share * float(np.median(driven))
            _require(bool((quiet <= most).all()), f"{channels[at].id}: silent chips carry no drive")


def _unflagged_under_watch(
    out: Block, channels: tuple[Channel, ...], challenge: Challenge, wanted: Expectation
) -> None:
    seen = next(watched(iter([out]), channels, challenge, limits=_limits(wanted)))
    flags = {Health(int(flag)) for flag in np.unique(seen.health[out.health == 0])} - {Health.GOOD}
    share = float(np.mean(seen.good))
    _require(share > 0.9, f"the monitor finds nothing amiss; it says {flags}")


def _again(reader: Reader, challenge: Challenge, wanted: Expectation) -> None:
    try:
        old = reader.configure(challenge)
        next(old)
        new = reader.configure(challenge)
        first = next(new)
        if any(channel.excited for channel in reader.channels):
            _require(first.chip[0] == 0, "configured again, it begins with chip 0")
        _ended(old, "configured again, it ends the stream before")
    finally:
        reader.close()


def _closed(reader: Reader, challenge: Challenge) -> None:
    stream = reader.configure(challenge)
    next(stream)
    reader.close()
    reader.close()
    _ended(stream, "closed, its stream ends")


def _ended(stream: Iterator[Block], rule: str) -> None:
    stop, count = time.monotonic() + 5.0, 0
    for block in stream:
        count += block.t_s.size
        _require(count < LATER_CHIPS_MAX and time.monotonic() < stop, rule)


def _pulled(stream: Iterator[Block], wanted: Expectation) -> Block:
    stop, blocks, count, ended = time.monotonic() + wanted.for_s, [], 0, True
    for block in stream:
        blocks.append(block)
        count += block.t_s.size
        if count >= wanted.rows or time.monotonic() > stop:
            ended = False
            break
    _require(wanted.ends or not ended, "a stream ends only when it is closed")
    _require(count > 0, "a stream yields samples")
    values = np.concatenate([block.values for block in blocks])
    return Block(
        t_s=np.concatenate([block.t_s for block in blocks]),
        chip=np.concatenate([block.chip for block in blocks]),
        values=values,
        health=np.concatenate([block.health for block in blocks]),
    )


def _kept(stream: Iterator[Block], into: list[Block]) -> Iterator[Block]:
    for block in stream:
        into.append(replace(block, values=block.values.copy()))
        yield block


def _limits(wanted: Expectation) -> Limits:
    return Limits(stalled_samples=0) if wanted.rests else Limits()


def _require(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"a reader's rule is broken: {rule}.")
