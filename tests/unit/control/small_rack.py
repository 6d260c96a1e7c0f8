"""A small enclosure that is a rack of two trays: its inventory is read by Redfish all the time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from live_small import Live
from small_enclosure import PARTS, wait_for

from casemate.control.adapters import made_up_rack, rack, redfish
from casemate.control.adapters.rack_parts import RackInventory

POLL_S = 0.3


class LiveRack(Live):
    """A runtime with readers, trays and a made-up service. A swap changes what the service tells.

    lies: trays whose service goes on telling of the tray before.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        self.tree, self.lies = folder.parent / "redfish", set[str]()
        made_up_rack.write(self.tree, made_up_rack.tree(len(PARTS), 1))
        self.server = made_up_rack.serve(self.tree)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        super().__init__(folder, parts=PARTS, **options)
        self.far.swapped = self._put
        self._ends, self._asked = threading.Event(), threading.Event()
        reference = folder / "anchor" / "rack.json"
        self.snapshots = rack.Snapshots(self._readings, reference, tell=self.runtime.tell)
        self.runtime.upkeep.parts.inventory = RackInventory(
            self.snapshots, within=made_up_rack.within, wake=self._asked.set, wait_s=30.0
        )
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert wait_for(reference.exists)

    def change(self, path: str, **changes: Any) -> dict[str, Any]:
        """Let the service tell something else of a resource; return what it told."""
        place = self.tree / path.lstrip("/") / made_up_rack.FILE
        was: dict[str, Any] = json.loads(place.read_text())
        place.write_text(json.dumps({**was, **changes}))
        return was

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        self.server.shutdown()
        self.server.server_close()
        super().close()

    def _put(self, name: str, number: int) -> None:
        if name in PARTS and name not in self.lies:
            made_up_rack.put(self.tree, name, number, seed=1)

    def _readings(self) -> Iterator[bytes | None]:
        service = redfish.Service(f"http://127.0.0.1:{self.server.server_address[1]}")
        for found in rack.readings(service, self._asks, poll_s=POLL_S):
            if self._ends.is_set():
                break
            yield found
        service.close()

    def _asks(self, seconds: float) -> bool:
        asked = self._asked.wait(seconds)
        self._asked.clear()
        return asked

    def _read(self) -> None:
        for _ in self.snapshots:
            pass
