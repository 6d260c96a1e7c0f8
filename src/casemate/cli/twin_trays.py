"""Trays of a rack's twin: which one stands in each place, as the made-up Redfish service tells it.

It stands for hardware. A tray has a key of its own, as a reader has (`twin_modules`).
"""

from __future__ import annotations

from pathlib import Path

from casemate.control.adapters import made_up_rack


class Trays:
    """The trays of a rack. folder: of the made-up service's files. seed: as they were written."""

    def __init__(self, folder: Path, *, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self.names = made_up_rack.parts()

    def put(self, name: str, number: int) -> None:
        """Put tray `number` (0: as delivered) in a place: the service tells its serial numbers."""
        made_up_rack.write(self._folder, made_up_rack.tree(seed=self._seed))
        made_up_rack.put(self._folder, name, number, seed=self._seed)
