"""A rack's inventory when a tray is put in: what may differ from the reference, and what may not.

Another tray is one whose components are other ones of the same kinds, with the same firmware
measured. Whatever else differs is not what a permit to replace a tray allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from casemate.control.adapters import rack, redfish
from casemate.core.errors import PermitError
from casemate.core.whole_file import write_whole

WAIT_S = redfish.TOTAL_S + rack.POLL_S
"""For a reading that begins now (planning value)."""
_OTHERS = ("component.added", "component.missing", "component.swapped", "service.swapped")
_LIKE = ("kind", "Manufacturer", "Model", "PartNumber", "FirmwareVersion", "State")
"""Of a component: what another one that takes its place has in common with it."""


def proposed(
    reading: dict[str, Any],
    reference: dict[str, Any],
    parts: Collection[str],
    within: Callable[[str], Sequence[str]],
) -> tuple[bytes, list[list[str]]]:
    """Return the reading as a reference, and its differences, if they are those of `parts` alone.

    within: paths of what a part consists of, its system first. PermitError if a part is not another
    one, if one of its components is of another kind or a serial number is there twice, or if
    anything else differs, such as what a component measures.
    """
    found = rack.differences(reading, reference)
    paths = {path: part for part in parts for path in within(part)}
    for each in found:
        mine = any(redfish.inside(each["component"], path) for path in paths)
        if each["id"] != "component.swapped" or not mine:
            raise _refused(f"{each['id']} at {each['component']}: {each['what']}")
    was = {each["path"]: each for each in reference["components"]}
    changed = {each["component"] for each in found}
    for part in parts:
        if within(part)[0] not in changed:
            raise _refused(f"{part} is the one that was there before")
    for row in reading["components"]:
        before = was[row["path"]]
        for name in _LIKE:
            if row.get(name) != before.get(name):
                told = f"{name} {row.get(name, '-')}, not {before.get(name, '-')}"
                raise _refused(f"{row['path']} has {told}")
    _once(reading)
    rows = [[each["id"], each["component"], each["what"]] for each in found]
    return rack.as_reference(reading), rows


def _once(reading: dict[str, Any]) -> None:
    """Refuse a component that claims to be one that is there already."""
    seen: set[tuple[str, str, str]] = set()
    for row in reading["components"]:
        serial = row.get("SerialNumber", "")
        mark = (row["kind"], row.get("PartNumber", ""), serial)
        if serial and mark in seen:
            raise _refused(f"{row['path']} has the serial number of another component")
        seen.add(mark)


class RackInventory:
    """The inventory that snapshots are made from, as `control.parts.Inventory`.

    within: paths of what a part consists of, its system first. wake: has the service read at once.
    """

    def __init__(
        self,
        snapshots: rack.Snapshots,
        *,
        within: Callable[[str], Sequence[str]],
        wake: Callable[[], None],
        wait_s: float = WAIT_S,
    ) -> None:
        self._snapshots, self._path = snapshots, snapshots.path
        self._within, self._wake, self._wait_s = within, wake, wait_s
        self._lock, self._presence, self._before = threading.Lock(), snapshots.presence, 0

    @property
    def well(self) -> bool:
        """Return whether it was read lately and is that of the reference."""
        return self._snapshots.well

    def reference(self) -> bytes:
        """Return the reference of now, b"" if there is none."""
        try:
            return self._path.read_bytes()
        except OSError:
            return b""

    def first(self) -> bytes:
        """Return the inventory of now as a reference, for both parties to begin with.

        PermitError if the service does not answer or a serial number is there twice.
        """
        with self._lock:
            reading = self._anew()
        _once(reading)
        return rack.as_reference(reading)

    def proposed(self, parts: Collection[str]) -> tuple[bytes, list[list[str]]]:
        """Return the inventory of now as a reference, and what differs; see `proposed`."""
        with self._lock:
            reading = self._anew()
            return proposed(reading, self._snapshots.held(), parts, self._within)

    def pin(self) -> None:
        """Hold readings against the reference of now, whatever becomes of its file. InputError."""
        self._snapshots.pinned = rack.load_reference(self._path)

    def begin(self) -> None:
        """Work begins: what is away from now on may not be, unless it is worked on."""
        self._before = self._presence.count

    def others(self, parts: Collection[str]) -> list[str]:
        """Return what is other, missing, added, or was away since `begin` and is none of `parts`.

        Waits until it was read anew; PermitError if the service does not answer.
        """
        with self._lock:
            found = rack.differences(self._anew(), self._snapshots.held())
        rows = [f"{each['id']} at {each['component']}" for each in found if each["id"] in _OTHERS]
        allowed = [path for part in parts for path in self._within(part)]
        return rows + self._presence.since(self._before, allowed)

    def take(self, data: bytes, parts: Collection[str]) -> None:
        """Let `data`, with other `parts`, be the reference; that before is kept. OutputError."""
        number = len(list(self._path.parent.glob(f"{self._path.stem}-[0-9]*.json"))) + 1
        kept, before = self._path.with_name(f"{self._path.stem}-{number}.json"), self._path
        if before.read_bytes() != data:
            write_whole(kept, before.read_bytes().decode())
            write_whole(self._path, data.decode())
        self.pin()
        self._presence.settle([path for part in parts for path in self._within(part)])

    def _anew(self) -> dict[str, Any]:
        """Return a reading that has begun after this call: the second that comes."""
        until_s = time.monotonic() + self._wait_s
        before, _ = self._snapshots.reading
        came, number = before, before
        self._ask()
        while number < before + 2:
            if time.monotonic() > until_s:
                raise _refused("the service of the rack does not answer in time")
            time.sleep(0.05)
            number, reading = self._snapshots.reading
            if number != came:
                came = number
                self._ask()
        return reading

    def _ask(self) -> None:
        with suppress(OSError):  # it has ended: no reading comes, and that is told
            self._wake()


def _refused(why: str) -> PermitError:
    return PermitError(
        f"this inventory may not take the place of the one before: {why}.",
        remedy="mend that, or put in a tray of the same kind and firmware; else commission anew.",
    )
