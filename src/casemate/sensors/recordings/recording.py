"""A recorded stream in memory, and the checks that every file of one has to pass.

The key is never in a recording. What is there is a commitment to it, so that a recording answers
only the challenge under which it was made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from casemate.core.challenge import Challenge
from casemate.core.errors import InputError
from casemate.core.randomness import commitment
from casemate.core.samples import Block, Channel, Values

FORMAT = 1
TABLE = "casemate.recording"
"""Name of the channel table in a file's metadata: JSON."""
CELLS_MAX = 1 << 27
"""Values a file: 1 GiB in memory. Longer recordings are cut into several."""
SI_UNITS = frozenset({
    "1", "ohm", "F", "H", "S", "V", "A", "W", "K", "Pa", "lx", "m", "m/s", "m/s^2", "rad", "rad/s",
    "s", "Hz", "T", "C", "V/m", "A/m", "W/m^2", "kg/m^3",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The challenge of a recording, without its key, to which `commitment` is one."""

    modality: str
    epoch: int
    chip_s: float
    constellation: str
    symbols: int
    silent: float
    order: int
    commitment: str

    def is_of(self, challenge: Challenge) -> bool:
        """Return whether `challenge` is the one of the recording, key included."""
        return self == origin_of(challenge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """K samples of C channels: t_s (K,), chip (K,), values (K, C), health (K, C)."""

    origin: Origin
    channels: tuple[Channel, ...]
    t_s: npt.NDArray[np.float64]
    chip: npt.NDArray[np.int64]
    values: Values
    health: npt.NDArray[np.uint16]


def origin_of(challenge: Challenge) -> Origin:
    """Return what a recording may say of a challenge."""
    label = f"recording/{challenge.modality}/{challenge.epoch}"
    return Origin(
        modality=challenge.modality,
        epoch=challenge.epoch,
        chip_s=challenge.chip_s,
        constellation=challenge.constellation,
        symbols=challenge.symbols,
        silent=challenge.silent,
        order=challenge.order,
        commitment=commitment(challenge.key, label),
    )


def recorded(
    blocks: Iterable[Block], channels: tuple[Channel, ...], challenge: Challenge
) -> Recording:
    """Return the recording of blocks, which have to end; InputError if there are none."""
    kept = list(blocks)
    if not kept:
        raise InputError("there is nothing to record.", remedy="record for longer.")
    values: Any = np.concatenate([block.values for block in kept])
    return Recording(
        origin=origin_of(challenge),
        channels=channels,
        t_s=np.concatenate([block.t_s for block in kept]),
        chip=np.concatenate([block.chip for block in kept]),
        values=values,
        health=np.concatenate([block.health for block in kept]),
    )


def table_of(recording: Recording) -> str:
    """Return the channel table as JSON: format, origin, channels, digest. No range is null."""
    rows = [asdict(channel) for channel in recording.channels]
    for row in rows:
        row.update({end: row[end] if np.isfinite(row[end]) else None for end in ("low", "high")})
    table = {
        "format": FORMAT,
        "complex": bool(np.iscomplexobj(recording.values)),
        "origin": asdict(recording.origin),
        "channels": rows,
        "sha256": _digest(recording),
    }
    return json.dumps(table, sort_keys=True)


def _digest(recording: Recording) -> str:
    """Return SHA-256 over origin, channels and samples: it finds damage, it proves no origin."""
    told = repr((recording.origin, recording.channels, recording.values.shape))
    digest = hashlib.sha256(told.encode())
    for array in (recording.t_s, recording.chip, recording.values, recording.health):
        digest.update(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The channel table of a file. sha256: "" if whoever wrote the file gave none."""

    origin: Origin
    channels: tuple[Channel, ...]
    is_complex: bool
    sha256: str


def parse_table(text: str, file: str) -> Table:
    """Return the channel table; InputError that names file and key."""
    try:
        table = json.loads(text)
        if table["format"] != FORMAT:
            raise wrong(file, f"{TABLE}.format", "another format", value=table["format"])
        origin = Origin(**table["origin"])
        channels = tuple(_channel(row) for row in table["channels"])
        is_complex, sha256 = table["complex"], table.get("sha256", "")
        numbers = [origin.chip_s, origin.silent]
        sound = isinstance(is_complex, bool) and isinstance(sha256, str)
        sound = sound and all(isinstance(n, float | int) for n in numbers)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise wrong(file, TABLE, f"no channel table ({type(error).__name__}: {error})") from None
    names = [channel.id for channel in channels]
    if not sound or not channels or len(set(names)) != len(names) or not origin.chip_s > 0.0:
        raise wrong(file, TABLE, "no sound channel table (none, or two of one name)")
    for channel in channels:
        if channel.unit not in SI_UNITS:
            raise wrong(
                file, f"{TABLE}.channels.{channel.id}.unit", "no SI unit", value=channel.unit
            )
    return Table(origin=origin, channels=channels, is_complex=is_complex, sha256=sha256)


def checked(file: str, table: Table, columns: dict[str, npt.NDArray[Any]]) -> Recording:
    """Return a recording of columns t_s, chip, values, health; InputError if they do not fit."""
    count = columns["t_s"].size
    shape = (count, len(table.channels))
    for key, kinds, wanted in (
        ("t_s", "f", (count,)),
        ("chip", "iu", (count,)),
        ("values", "fc", shape),
        ("health", "iu", shape),
    ):
        if columns[key].dtype.kind not in kinds:
            raise wrong(file, key, "the wrong type", value=str(columns[key].dtype))
        if columns[key].shape != wanted:
            raise wrong(file, key, f"another shape than {wanted}", value=columns[key].shape)
    health = columns["health"]
    if bool(((health < 0) | (health > 0xFFFF)).any()):
        raise wrong(file, "health", "flags that do not exist")
    values: Any = columns["values"]
    recording = Recording(
        origin=table.origin,
        channels=table.channels,
        t_s=columns["t_s"].astype(np.float64),
        chip=columns["chip"].astype(np.int64),
        values=values.astype(np.complex128 if values.dtype.kind == "c" else np.float64),
        health=health.astype(np.uint16),
    )
    if table.sha256 and table.sha256 != _digest(recording):
        raise wrong(file, f"{TABLE}.sha256", "been damaged: its digest is another")
    return recording


def wrong(file: str, key: str, what: str, *, value: object = None) -> InputError:
    """Return the error for a file that has `what` at `key`."""
    return InputError(
        f"the recording has {what}.",
        remedy="record or export it again; docs/formats/recording.md shows the layout.",
        file=file,
        key=key,
        value=value,
    )


def _channel(row: dict[str, Any]) -> Channel:
    ends: dict[str, Any] = {"low": -np.inf, "high": np.inf}
    given = dict(row)
    given.update({key: end for key, end in ends.items() if given.get(key, end) is None})
    channel = Channel(**given)
    texts = (channel.id, channel.modality, channel.unit, channel.tile)
    typed = all(isinstance(text, str) for text in texts) and isinstance(channel.excited, bool)
    if not typed or not channel.low <= channel.high:
        raise TypeError(f"channel {channel.id!r}")
    return channel
