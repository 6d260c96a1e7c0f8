"""A witness's folder: its name, its key, and the logs it knows.

witness.json   {"format", "name"}
key.pem        PKCS #8, readable by its owner alone
logs           lines `log VKEY [URL]`, as in a policy
state/, guilt/ what the witness writes
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from casemate.core import suites
from casemate.core.errors import FormatError, InputError
from casemate.core.suites import PublicKey, Signer
from casemate.translog import plain_json
from casemate.translog import policy as policies
from casemate.translog.disk import FolderDisk
from casemate.translog.note import NoteKey
from casemate.translog.signers import witness_key
from casemate.translog.witness import Witness

FORMAT = "casemate-witness-1"
ALGORITHMS = {"ml-dsa-44": suites.ML_DSA_44, "ed25519": suites.ED25519}
"""What a new witness may sign with."""


class FileSigner:
    """A private key from a file. It lives in this process: run a witness as its own user."""

    def __init__(self, key: Any, alg: int) -> None:
        self._key = key
        self.public = PublicKey(alg, key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        return bytes(self._key.sign(message))


def create(folder: Path, name: str, algorithm: str = "ml-dsa-44") -> NoteKey:
    """Make a witness's folder with a new key and no logs; return the key. InputError if it is."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

    made: Any = (
        ed25519.Ed25519PrivateKey.generate()
        if ALGORITHMS[algorithm] == suites.ED25519
        else mldsa.MLDSA44PrivateKey.generate()
    )
    public = witness_key(name, FileSigner(made, ALGORITHMS[algorithm]).public)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError("the folder is not empty.", remedy="name a new one.", file=str(folder))
    folder.chmod(0o700)
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    handle = os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
    disk = FolderDisk(folder)
    disk.put("logs", b"# one line a log: log VKEY [URL]\n")
    disk.put("witness.json", (json.dumps({"format": FORMAT, "name": name}) + "\n").encode())
    disk.sync_folder("")
    return public


def load(folder: Path) -> Witness:
    """Return the witness in a folder, which is then its process's own.

    InputError if there is none; FormatError on malformed files; LogError if it runs already.
    """
    name = _name(folder)
    return Witness(FolderDisk(folder), name, (_signer(folder),), read_logs(folder / "logs"))


def read_logs(path: Path) -> dict[str, tuple[NoteKey, ...]]:
    """Return the keys of each log in a file, by origin."""
    found: defaultdict[str, list[NoteKey]] = defaultdict(list)
    for key in policies.parse(_read(path) + b"\nquorum none\n").logs:
        found[key.name].append(key)
    return {origin: tuple(keys) for origin, keys in found.items()}


def _signer(folder: Path) -> Signer:
    from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    path = folder / "key.pem"
    data = _read(path)
    if path.stat().st_mode & 0o077:
        raise InputError(
            "others may read the key.", remedy="take their rights: chmod 600.", file=str(path)
        )
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        key = None  # type: ignore[assignment]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return FileSigner(key, suites.ED25519)
    if isinstance(key, mldsa.MLDSA44PrivateKey):
        return FileSigner(key, suites.ML_DSA_44)
    raise FormatError(
        f"{path} is no private key of Ed25519 or ML-DSA-44.", remedy="restore it from its copy."
    )


def _name(folder: Path) -> str:
    path = folder / "witness.json"
    row = plain_json.loads(_read(path), str(path))
    if row.get("format") != FORMAT:
        raise FormatError(f"{path} is malformed.", remedy="restore it from its copy.")
    name = row.get("name")
    if not isinstance(name, str) or set(row) != {"format", "name"}:
        raise FormatError(f"{path} is malformed.", remedy="restore it from its copy.")
    return name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"it cannot be read: {error.strerror}.",
            remedy="make a witness with `casemate witness new`.",
            file=str(path),
        ) from None
