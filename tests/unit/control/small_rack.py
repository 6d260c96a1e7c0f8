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
from casemate.core.errors import CasemateError

POLL_S = 0.3


class LiveRack(Live):
    """A runtime with readers, trays and a made-up service. A swap changes what the service tells.

    lies: trays whose service goes on telling of the tray before.
    """

    def __init__(self, folder: Path) -> None:
        self.tree, self.lies = folder.parent / "redfish", set[str]()
        made_up_rack.write(self.tree, made_up_rack.tree(len(PARTS), 1))
        self.server = made_up_rack.serve(self.tree)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        super().__init__(folder, parts=PARTS)
        self.far.swapped = self._put
        self._ends, self._asked = threading.Event(), threading.Event()
        reference = folder / "anchor" / "rack.json"
        self.snapshots = rack.Snapshots(self._readings, reference, tell=self.runtime.tell)
        self.runtime.upkeep.parts.inventory = RackInventory(
            lambda: self.snapshots.reading, reference, within=made_up_rack.within,
            wake=self._asked.set, wait_s=30.0,
        )  # fmt: skip
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert wait_for(reference.exists)

    def change(self, path: str, **changes: Any) -> None:
        """Let the service tell something else of a resource."""
        place = self.tree / path.lstrip("/") / made_up_rack.FILE
        place.write_text(json.dumps({**json.loads(place.read_text()), **changes}))

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
        while not self._ends.is_set():
            try:
                found = redfish.read(service)
            except CasemateError as error:
                found = {"silent": error.message}
            yield json.dumps(found).encode()
            self._asked.wait(POLL_S)
            self._asked.clear()
        service.close()

    def _read(self) -> None:
        for _ in self.snapshots:
            pass
