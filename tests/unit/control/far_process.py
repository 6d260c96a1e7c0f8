"""Two readers in a process of their own, which answers challenges as a twin does."""

from __future__ import annotations

import itertools
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from casemate.control.wires import challenge_of, frame, unframed
from casemate.core.challenge import Challenge, chips
from casemate.core.samples import Block

NAMES, COUNT, CHIPS, CHIP_S = ("loops", "plates"), 2, 10, 1e-3


def hello() -> dict[str, Any]:
    rows = [[f"{n}/{k}", "1", "", 0.0, 9.0, True] for n in NAMES for k in range(COUNT)]
    return {
        "readers": [
            {"modality": n, "chip_s": CHIP_S, "order": 1,
             "channels": [each for each in rows if each[0].startswith(n)]}
            for n in NAMES
        ],
        "rekeys": True,
    }  # fmt: skip


def block(asked: Challenge, first: int, window: int) -> Block:
    """Return what answers a challenge in a window; its stream began with window `first`."""
    drawn = chips(asked, (window - first) * CHIPS, CHIPS)
    chip = (window - first) * CHIPS + np.arange(CHIPS)
    return Block(
        t_s=np.asarray((first * CHIPS + chip) * CHIP_S), chip=chip,
        values=np.repeat(drawn.drive.real[:, None], COUNT, axis=1),
        health=np.zeros((CHIPS, COUNT), np.uint16),
    )  # fmt: skip


def work(link: Connection) -> None:
    """Deliver a window of each reader every 10 ms; challenges that came meanwhile take over."""
    asked: dict[str, tuple[Challenge, int]] = {}
    for window in itertools.count():
        while link.poll(0.0 if len(asked) == len(NAMES) else 1.0):
            message, _ = unframed(link.recv_bytes())  # EOFError ends it
            challenge = challenge_of(message["configure"])
            asked[challenge.modality] = challenge, window
        for name, (challenge, first) in asked.items():
            head = {"modality": name, "epoch": challenge.epoch}
            link.send_bytes(frame(head, block(challenge, first, window)))
        time.sleep(0.01)
