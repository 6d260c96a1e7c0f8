"""A program that looks for a holder's keys in the memory of processes and in files.

It is a process of its own so that the process under test never has the needles. Lines in:
"holder PID" (learn the needles from that holder's page), "scan PID", "file PATH", "folder PATH".
Lines out: JSON, the name of each needle that was found with how often.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PAGE = 4096
PIECE, LONGEST = 1 << 20, 127
ZEROS = bytes(PIECE + LONGEST)


def regions(pid: int) -> list[tuple[int, int, bool]]:
    """Return start and end of what can be read, and whether it is this process's alone."""
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if "r" in rights and not line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
            start, end = (int(each, 16) for each in span.split("-"))
            found.append((start, end, "p" in rights))
    return found


def touched(pagemap: BinaryIO, start: int, end: int) -> list[tuple[int, int]]:
    """Return the runs of pages that are in memory or swapped out (proc(5), bits 63 and 62).

    Of a private region the rest was never written: it is zeros, or a file as it lies on the disk.
    """
    pagemap.seek(start // PAGE * 8)
    pages = array("Q", pagemap.read((end - start) // PAGE * 8))
    runs: list[tuple[int, int]] = []
    for number, entry in enumerate(pages):
        if entry >> 62:
            at = start + number * PAGE
            if runs and runs[-1][1] == at:
                runs[-1] = runs[-1][0], at + PAGE
            else:
                runs.append((at, at + PAGE))
    return runs


def memory(pid: int) -> Iterator[tuple[bytes, int]]:
    """Yield pieces of all that can be read, and how many bytes of each are its own.

    What follows belongs to the next one: a needle that lies across is found in one of them. Pieces
    of nothing but zeros are left out, and pages that the process never touched.
    """
    with (
        open(f"/proc/{pid}/mem", "rb", 0) as file,
        open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap,
    ):
        for first, last, private in regions(pid):
            for start, end in touched(pagemap, first, last) if private else [(first, last)]:
                for at in range(start, end, PIECE):
                    own = min(PIECE, end - at)
                    try:
                        file.seek(at)
                        piece = file.read(min(own + LONGEST, end - at))
                    except OSError:
                        continue
                    if piece != ZEROS[: len(piece)]:
                        yield piece, own


def whole(path: Path) -> tuple[bytes, int]:
    data = path.read_bytes()
    return data, len(data)


def key_page(pid: int) -> bytes:
    text = Path(f"/proc/{pid}/smaps").read_text()
    entries = re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", text)
    for entry in entries:
        span = entry.split()[0]
        start, end = (int(each, 16) for each in span.split("-"))
        flags = re.search(r"VmFlags: (.*)", entry)
        if end - start == PAGE and flags and {"lo", "dd", "dc"} <= set(flags[1].split()):
            with open(f"/proc/{pid}/mem", "rb", 0) as file:
                file.seek(start)
                return file.read(PAGE)
    raise SystemExit("no locked page that stays out of dumps and forks")


def needles(page: bytes) -> dict[str, bytes]:
    """Seeds, and what signing derives from them (RFC 8032, 5.1.5; FIPS 204, algorithm 6)."""
    first, second = page[:32], page[32:64]
    half = hashlib.sha512(first).digest()
    scalar = bytes([half[0] & 248]) + half[1:31] + bytes([half[31] & 127 | 64])
    made = {"seed 1": first, "scalar 1": scalar, "prefix 1": half[32:]}
    for name, seed in (("1", first), ("2", second)):
        for rows, columns in ((6, 5), (8, 7)):
            long = hashlib.shake_256(seed + bytes([rows, columns])).digest(128)
            made[f"rho' {name} {rows}"], made[f"K {name} {rows}"] = long[32:96], long[96:]
    if second != bytes(32):
        made["seed 2"] = second
    return made


def main() -> None:
    known: dict[str, bytes] = {}
    for line in sys.stdin:
        verb, what = line.rstrip("\n").split(" ", 1)
        if verb == "holder":
            known = needles(key_page(int(what)))
            parts = iter(())
        elif verb == "scan":
            parts = memory(int(what))
        elif verb == "file":
            parts = map(whole, [Path(what)])
        else:
            parts = map(whole, (each for each in Path(what).rglob("*") if each.is_file()))
        counts, bytes_read = dict.fromkeys(known, 0), 0
        for part, own in parts:
            bytes_read += own
            for name, needle in known.items():
                counts[name] += part.count(needle, 0, own + len(needle) - 1)
        found = {name: count for name, count in counts.items() if count}
        print(json.dumps({"found": found, "bytes": bytes_read}), flush=True)


if __name__ == "__main__":
    main()
