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
from pathlib import Path

PAGE = 4096


def regions(pid: int) -> list[tuple[int, int]]:
    found = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if "r" in rights and not line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
            start, end = (int(each, 16) for each in span.split("-"))
            found.append((start, end))
    return found


def memory(pid: int) -> list[bytes]:
    parts = []
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        for start, end in regions(pid):
            try:
                file.seek(start)
                parts.append(file.read(end - start))
            except OSError:
                continue
    return parts


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
            parts = []
        elif verb == "scan":
            parts = memory(int(what))
        elif verb == "file":
            parts = [Path(what).read_bytes()]
        else:
            parts = [each.read_bytes() for each in Path(what).rglob("*") if each.is_file()]
        counts = {name: sum(part.count(n) for part in parts) for name, n in known.items()}
        found = {name: count for name, count in counts.items() if count}
        bytes_read = sum(map(len, parts))
        print(json.dumps({"found": found, "bytes": bytes_read}), flush=True)


if __name__ == "__main__":
    main()
