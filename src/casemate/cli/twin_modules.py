"""Modules of a running twin: each holds a key, reads a little differently, and can be swapped.

It stands for hardware. What is fitted stays fitted over a restart (`run/fitted.json`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ed25519

from casemate.cli.twin_trays import Trays
from casemate.control import module_identity
from casemate.core.errors import InputError
from casemate.core.randomness import derive
from casemate.core.samples import Block
from casemate.core.whole_file import write_whole
from casemate.detect.anchor import Anchor, AnyAnchor, FieldAnchor, Real, anchor_bytes

SPARES = 2
"""Of each module, delivered with the enclosure; then it is the turn of the fitted one again."""
ALIEN = 1_000
"""Number of the first module that nobody knows."""
SPREAD, WIDEST = 1e-3, 2.0
"""Standard deviation of a module's gain, relative, and most of them (planning values)."""
VOLUME = "rf_cavity"
"""What sees the whole volume: each tray that is put in moves its readings by as much as SPREAD."""


class Modules:
    """What is fitted in each place. secret: of the twin. file: what was fitted when it ended.

    say: sends a message to the controller. trays: of a rack; places without a reader.
    """

    def __init__(
        self,
        anchors: tuple[AnyAnchor, ...],
        *,
        enclosure: str,
        serial: str,
        secret: bytes,
        file: Path,
        say: Callable[[dict[str, Any]], None],
        trays: Trays | None = None,
    ) -> None:
        self._anchors, self._secret, self._file, self._say = anchors, secret, file, say
        self._enclosure, self._serial = enclosure, serial
        self._trays, self.parts = trays, trays.names if trays is not None else ()
        self._names = (*(each.modality for each in anchors), *self.parts)
        self._fitted = dict.fromkeys(self._names, 0)
        if file.exists():
            held = json.loads(file.read_text(encoding="utf-8"))
            self._fitted |= {name: int(held[name]) for name in self._names if name in held}
        self._gains = {each.modality: self._gain(each) for each in anchors}

    def identities(self) -> list[list[str]]:
        """Return [place, key in hex] of what was delivered: the fitted ones and spares."""
        return [
            [name, self._key(name, number).public_key().public_bytes_raw().hex()]
            for name in self._names
            for number in range(1 + SPARES)
        ]

    def read(self, name: str, block: Block) -> Block:
        """Return what the fitted module makes of a block."""
        gains = self._gains[name]
        if bool((gains == 1.0).all()):
            return block
        sound = block.health == 0
        values: Any = np.where(sound, block.values * gains, block.values)
        return replace(block, values=values)

    def swap(self, name: str, *, alien: bool) -> str:
        """Put another module in, which announces itself; return what was done. InputError."""
        if name not in self._fitted:
            raise InputError(
                f"there is no module {name!r}.", remedy=f"one of {', '.join(self._names)}."
            )
        before = self._fitted[name]
        known = before % ALIEN
        self._fitted[name] = ALIEN + known if alien else (known + 1) % (1 + SPARES)
        write_whole(self._file, json.dumps(self._fitted) + "\n")
        if self._trays is not None and name in self.parts:
            self._trays.put(name, self._fitted[name])
        self._gains = {each.modality: self._gain(each) for each in self._anchors}
        self._say({"announced": name})
        return f"{name}: module {self._fitted[name]} takes the place of module {before}"

    def take(self, message: dict[str, Any]) -> None:
        """Answer what the controller asks a module."""
        if message.get("identify") in self._fitted:
            name, nonce = str(message["identify"]), bytes.fromhex(str(message["nonce"]))
            asked = module_identity.message(self._enclosure, self._serial, name, nonce)
            signature = self._key(name, self._fitted[name]).sign(asked)
            self._say({"identified": name, "nonce": nonce.hex(), "signature": signature.hex()})
        if message.get("measure") in self._fitted:
            made = tuple(_measured(each, self._gains[each.modality]) for each in self._anchors)
            self._say({"measured": anchor_bytes(made).decode()})

    def _key(self, name: str, number: int) -> ed25519.Ed25519PrivateKey:
        seed = derive(self._secret, f"twin/module/{name}/{number}")
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)

    def _gain(self, anchor: AnyAnchor) -> Real:
        """Return gains (C,) of what is fitted: 1 for the first, and for sensors that rest."""
        count = len(anchor.channels if isinstance(anchor, Anchor) else anchor.names)
        found: Real = np.ones(count)
        if not isinstance(anchor, Anchor | FieldAnchor):
            return found
        for name in (anchor.modality, *(self.parts if anchor.modality == VOLUME else ())):
            number = self._fitted[name]
            if number != 0:
                label = anchor.modality if name == anchor.modality else f"{anchor.modality}/{name}"
                seed = derive(self._secret, f"twin/gain/{label}/{number}")
                drawn = np.random.default_rng(list(seed)).standard_normal(count)
                found = found * (1.0 + SPREAD * np.clip(drawn, -WIDEST, WIDEST))
        return found


def _measured(anchor: AnyAnchor, gain: Real) -> AnyAnchor:
    if bool((gain == 1.0).all()):
        return anchor
    if isinstance(anchor, Anchor):
        return replace(anchor, nominal=anchor.nominal * gain)
    if isinstance(anchor, FieldAnchor):
        return replace(anchor, field=anchor.field * gain[:, None])
    return anchor
