"""Witnesses that `casemate run` starts by itself, each a process with its own key and state.

They show how witnessing works, and catch a copy of the enclosure's folder that is put back. They
are no witnesses of rival states: all run on one machine.
"""

from __future__ import annotations

import multiprocessing
import secrets
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from casemate.control.demo_parties import SeedKey, kept_secret
from casemate.core.errors import InputError, ReaderError
from casemate.core.suites import ML_DSA_44
from casemate.translog.client import HttpAsker, Peer
from casemate.translog.disk import FolderDisk
from casemate.translog.note import NoteKey, parse_vkey
from casemate.translog.serve import WitnessServer
from casemate.translog.signers import witness_key
from casemate.translog.witness import Witness

START_S, END_S = 30.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWitness:
    """A witness that runs. link: as long as it is open, the witness lives."""

    peer: Peer
    url: str
    link: Connection
    process: BaseProcess

    def close(self) -> None:
        """End it, and wait: the next start finds its folder free."""
        _end(self.link, self.process)


def start(folder: Path, names: tuple[str, ...], logs: dict[str, str]) -> tuple[LocalWitness, ...]:
    """Start a witness for each name, with its state in a folder of that name.

    logs: keys (vkey) by origin. ReaderError if one does not start; then none runs.
    """
    context = multiprocessing.get_context("spawn")
    begun = []
    for name in names:
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, str(folder / name), name, logs), daemon=True
        )
        process.start()
        theirs.close()
        begun.append((name, ours, process))
    try:
        return tuple(_started(folder, *each) for each in begun)
    except BaseException:
        for _, link, process in begun:
            _end(link, process)
        raise


def _started(folder: Path, name: str, link: Connection, process: BaseProcess) -> LocalWitness:
    """Return the witness once it serves."""
    try:
        said = link.recv() if link.poll(START_S) else None
    except (EOFError, OSError):
        said = None
    if not isinstance(said, tuple):
        raise ReaderError(
            f"the witness {name} does not start{f': {said}' if said else ''}.",
            remedy=f"see whether another one uses {folder / name}.",
        )
    url, vkey = said
    peer = Peer(name=name, keys=(parse_vkey(vkey),), asker=HttpAsker(url))
    return LocalWitness(peer=peer, url=url, link=link, process=process)


def _end(link: Connection, process: BaseProcess) -> None:
    link.close()
    process.join(END_S)
    if process.is_alive():
        process.kill()
        process.join(END_S)


def _serve(link: Connection, folder: str, name: str, logs: dict[str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        place = Path(folder)
        row = kept_secret(place / "key.json", {"seed": secrets.token_hex(32)})
        key = SeedKey(ML_DSA_44, bytes.fromhex(str(row["seed"])))
        keys: dict[str, tuple[NoteKey, ...]] = {
            origin: (parse_vkey(vkey),) for origin, vkey in logs.items()
        }
        witness = Witness(FolderDisk(place), f"witness/{name}", (key,), keys)
        server = WitnessServer(("127.0.0.1", 0), witness)
    except Exception as error:  # whatever it is, who started us has to be told
        with suppress(OSError):
            link.send(str(error))
        return
    threading.Thread(target=server.serve_forever, daemon=True).start()
    vkey = witness_key(f"witness/{name}", key.public).vkey()
    with suppress(EOFError, OSError):  # who started us may have ended meanwhile
        link.send((f"http://127.0.0.1:{server.server_address[1]}", vkey))
        link.recv()
    server.shutdown()
    witness.close()


def remote(text: str) -> Peer:
    """Return the witness of NAME,VKEY,URL; InputError if it is none."""
    name, _, rest = text.partition(",")
    vkey, _, url = rest.partition(",")
    if not (name and vkey and url):
        raise InputError(
            "this names no witness.", remedy="write NAME,VKEY,URL.", key="--witness", value=text
        )
    return Peer(name=name, keys=(parse_vkey(vkey),), asker=HttpAsker(url))
