"""A drawn mesh as one file: NumPy's npz with vertices as differences, and a table as JSON.

Reading it back gives the very same mesh. The file is as secret as the layout that it holds.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from casemate.core.errors import InputError, OutputError
from casemate.mesh.model import Net, Terminal, TileMesh

FORMAT = "casemate/mesh/1"


def mesh_bytes(mesh: TileMesh) -> bytes:
    """Return the file's bytes; the same mesh gives the same bytes."""
    head = {
        "format": FORMAT,
        "tile": mesh.tile,
        "trace_nm": mesh.trace_nm,
        "pitch_nm": mesh.pitch_nm,
        "fine_cells": mesh.fine_cells,
        "commitment": mesh.commitment,
        "nets": [[net.name, net.layer, net.zone, net.lane] for net in mesh.nets],
        "terminals": [asdict(terminal) for terminal in mesh.terminals],
    }
    sizes = np.array([len(net.vertices) for net in mesh.nets], dtype=np.int64)
    steps = [np.diff(net.vertices, axis=0, prepend=np.zeros((1, 2), np.int32)) for net in mesh.nets]
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        head=np.frombuffer(json.dumps(head).encode(), dtype=np.uint8),
        sizes=sizes,
        steps=np.concatenate(steps).astype(np.int32) if steps else np.empty((0, 2), np.int32),
    )
    return stream.getvalue()


def keep_mesh(path: Path, mesh: TileMesh) -> None:
    """Write a mesh's file, whole or not at all; folders are made. OutputError if it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}")
        part.write_bytes(mesh_bytes(mesh))
        os.replace(part, path)
    except OSError as error:
        raise OutputError(
            f"the mesh {path} cannot be kept: {error.strerror}.",
            remedy="free space, or name a folder on another disk with -o.",
        ) from error


def load_mesh(path: Path) -> TileMesh:
    """Return the mesh in a file; InputError if it is damaged or of another format."""
    try:
        with np.load(path, allow_pickle=False) as held:
            head = json.loads(held["head"].tobytes())
            sizes, steps = held["sizes"], held["steps"]
        if head["format"] != FORMAT or sizes.sum() != len(steps):
            raise ValueError(f"format {head['format']!r}, {len(steps)} vertices")
        ends = np.cumsum(sizes)
        nets = tuple(
            Net(
                name=name,
                layer=layer,
                zone=zone,
                lane=lane,
                vertices=np.cumsum(steps[end - size : end], axis=0, dtype=np.int32),
            )
            for (name, layer, zone, lane), size, end in zip(head["nets"], sizes, ends, strict=True)
        )
        return TileMesh(
            tile=head["tile"],
            trace_nm=head["trace_nm"],
            pitch_nm=head["pitch_nm"],
            nets=nets,
            terminals=tuple(Terminal(**row) for row in head["terminals"]),
            fine_cells=head["fine_cells"],
            commitment=head["commitment"],
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"the stored mesh cannot be read: {error}.",
            remedy="remove the file; it is drawn anew from the spec and the secret.",
            file=path.name,
        ) from error
