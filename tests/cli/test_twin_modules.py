"""Modules of a twin: they answer, read differently, stay fitted over a restart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from casemate.cli.twin_modules import SPARES, SPREAD, WIDEST, Modules
from casemate.control import module_identity
from casemate.control.anchor_file import anchors_of
from casemate.control.reanchor import moved
from casemate.core.errors import InputError, SignatureError
from casemate.core.samples import Block
from casemate.core.suites import ED25519, PublicKey

sys.path.append(str(Path(__file__).parents[1] / "unit" / "control"))
from small_enclosure import COUNT, NAMES, anchor

BEFORE = tuple(map(anchor, NAMES))


def made(folder: Path, said: list[dict[str, Any]]) -> Modules:
    return Modules(
        BEFORE, enclosure="small", serial="UNIT-1", secret=b"s" * 32,
        file=folder / "fitted.json", say=said.append,
    )  # fmt: skip


def prover(modules: Modules, said: list[dict[str, Any]]) -> str:
    """The key in hex of the module that answers for plates now."""
    nonce = module_identity.new_nonce()
    modules.take({"identify": "plates", "nonce": nonce.hex()})
    known = [PublicKey(ED25519, bytes.fromhex(key)) for _, key in modules.identities()]
    asked = module_identity.message("small", "UNIT-1", "plates", nonce)
    found = module_identity.prover(known, asked, bytes.fromhex(said[-1]["signature"]))
    return found.data.hex()


def test_spares_prove_themselves_and_an_alien_does_not(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    modules = made(tmp_path, said)
    seen = [prover(modules, said)]
    for _ in range(SPARES):
        modules.swap("plates", alien=False)
        assert said[-1] == {"announced": "plates"}
        seen.append(prover(modules, said))
    assert seen == [key for name, key in modules.identities() if name == "plates"]
    modules.swap("plates", alien=True)
    with pytest.raises(SignatureError):
        prover(modules, said)
    modules.swap("plates", alien=False)
    assert prover(modules, said) == seen[0]
    with pytest.raises(InputError):
        modules.swap("nothing", alien=False)


def test_it_reads_differently_and_says_how(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    modules = made(tmp_path, said)
    modules.swap("plates", alien=False)
    modules.take({"measure": "plates"})
    after = anchors_of(said[-1]["measured"].encode())
    (found,) = moved(BEFORE, after, ["plates"])
    assert 0.0 < found.largest <= SPREAD * WIDEST
    health = np.zeros((2, COUNT), np.uint16)
    health[1, 0] = 4
    values = np.full((2, COUNT), 9.0)
    block = Block(t_s=np.arange(2.0), chip=np.arange(2), values=values, health=health)
    read = modules.read("plates", block).values
    assert np.allclose(read[0], 9.0 * after[1].nominal)  # type: ignore[union-attr]
    assert read[1, 0] == 9.0
    assert modules.read("loops", block) is block


def test_it_stays_over_a_restart(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = []
    modules = made(tmp_path, said)
    modules.swap("plates", alien=False)
    assert prover(made(tmp_path, said), said) == prover(modules, said)
