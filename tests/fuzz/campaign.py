"""Fuzz every parser of untrusted bytes: `python tests/fuzz [--cases N] [--seed S] [PARSER ...]`.

Seeded: the same seed gives the same cases. A case is a sample with changes, as bytes or as values.
It passes if the parser takes it or raises an error of our own tree, within a second of CPU time and
100 MB. Prints cases a parser; ends with 1 at the first thing that is otherwise, and prints it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from parsers import Parser, parsers

from casemate.core.errors import CasemateError

MOST_S = 1.0
MOST_KB = 100_000
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
CASES = 1_200_000
LEAST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of one parser's cases. slowest_s: CPU time of the slowest."""

    name: str
    taken: int
    refused: int
    slowest_s: float
    grown_kb: int


class WrongError(Exception):
    """A case that did what none may do."""


def judge(parser: Parser, data: bytes) -> tuple[bool, float, int]:
    """Return whether the parser took the bytes, and what that cost; or raise WrongError."""
    before_kb = _most_kb(anew=True)
    begin = time.thread_time()
    try:
        parser.parse(data)
        taken = True
    except CasemateError as error:
        taken = False
        if not error.message or not error.remedy:
            raise WrongError("its error says nothing") from error
    except BaseException as error:
        raise WrongError(f"{type(error).__name__}: {str(error)[:200]}") from error
    spent_s = time.thread_time() - begin
    grown_kb = _most_kb() - before_kb
    if spent_s > MOST_S:
        raise WrongError(f"it took {spent_s:.1f} s")
    if grown_kb > MOST_KB:
        raise WrongError(f"it took {grown_kb // 1000} MB")
    return taken, spent_s, grown_kb


def _most_kb(*, anew: bool = False) -> int:
    """Return the most memory that this process has held, since it was last asked `anew`."""
    if anew:  # proc(5): 5 sets the peak to what is held now
        _CLEAR.write_text("5")
    with _STATUS.open() as rows:
        return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM"))


def cases(parser: Parser, count: int, seed: int) -> Iterator[bytes]:
    """Yield the samples themselves, then bent ones."""
    draw = random.Random(f"{seed} {parser.name}")
    yield from parser.samples
    for _ in range(count - len(parser.samples)):
        yield parser.bend(draw.choice(parser.samples), draw)


def fuzz(parser: Parser, count: int, seed: int) -> Tally:
    """Return what became of `count` cases; WrongError, with the case, at the first."""
    taken = number = grown = 0
    slowest = 0.0
    for number, data in enumerate(cases(parser, count, seed), start=1):
        try:
            was_taken, spent_s, grown_kb = judge(parser, data)
        except WrongError as error:
            raise WrongError(
                f"{parser.name}, seed {seed}, case {number}: {error}; {len(data)} bytes: "
                f"{data[:400].hex()}"
            ) from error.__cause__
        taken, slowest, grown = taken + was_taken, max(slowest, spent_s), grown + grown_kb
        if number % 5000 == 0 and sys.stderr.isatty():
            print(f"\r{parser.name}: {number} of {count} ", end="", file=sys.stderr)
        if number == len(parser.samples) and not taken:
            raise WrongError(
                f"{parser.name} takes none of its samples: the cases would try nothing"
            )
    return Tally(
        name=parser.name, taken=taken, refused=number - taken, slowest_s=slowest, grown_kb=grown
    )


def main(arguments: Sequence[str]) -> int:
    """Fuzz the parsers that are named, all by default."""
    ask = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    ask.add_argument("--cases", type=int, default=CASES, help="of all parsers together")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("names", nargs="*", metavar="PARSER")
    args = ask.parse_args(arguments)
    chosen = [each for each in parsers() if not args.names or each.name in args.names]
    whole = sum(each.weight for each in chosen)
    total = 0
    print("| parser | cases | taken | refused | slowest, ms | memory, MB |")
    print("|---|---|---|---|---|---|")
    for parser in chosen:
        count = max(round(args.cases * parser.weight / whole), LEAST)
        try:
            done = fuzz(parser, count, args.seed)
        except WrongError as error:
            print(f"\nwrong: {error}", file=sys.stderr)
            return 1
        total += done.taken + done.refused
        print(
            f"| {done.name} | {done.taken + done.refused:,} | {done.taken:,} | {done.refused:,} | "
            f"{1000 * done.slowest_s:.0f} | {done.grown_kb / 1000:.0f} |",
            flush=True,
        )
    print(f"\n{total:,} cases, seed {args.seed}")
    return 0
