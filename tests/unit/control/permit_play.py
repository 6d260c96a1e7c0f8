"""What host, inspector and technician do with permits at a small enclosure that runs."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from live_small import Live
from small_enclosure import wait_for

from casemate.attest import approval, permit
from casemate.attest.token import CheckpointRef
from casemate.control import closing
from casemate.control.permits import token_hash, token_text
from casemate.core.errors import CasemateError
from casemate.core.suites import DEFAULT_SUITE
from casemate.detect.anchor import CONTEXT
from casemate.translog import checkpoint as checkpoints

TOKEN = b"t" * 20


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signed_permit(live: Live, **changes: Any) -> bytes:
    """A permit for the module plates, signed by both parties."""
    path = live.folder / "evidence" / "checkpoint"
    assert wait_for(lambda: live.runtime.setting.log.signed.size > 0)
    stated, _ = checkpoints.parse(path.read_bytes())
    now_s = int(time.time())
    given: dict[str, Any] = {
        "enclosure": "small", "serial": "UNIT-1", "faces": (), "modules": ("plates",),
        "actions": ("re-anchor", "replace"), "not_before_s": now_s - 60,
        "not_after_s": now_s + 3600,
        "checkpoint": CheckpointRef(origin=stated.origin, size=stated.size, root=stated.root),
        "nonce": secrets.token_bytes(16), "technician": token_hash(TOKEN),
        "reason": "plates are noisy",
    }  # fmt: skip
    signers = changes.pop("signers", live.runtime.setting.party_keys)
    return permit.build(permit.Permit(**{**given, **changes}), signers)


def use(live: Live, signed: bytes, token: bytes = TOKEN) -> dict[str, Any]:
    """Show a permit, and begin with a token."""
    return live.runtime.answer(
        {"permit": "use", "signed": b64(signed), "token": token_text(token) if token else ""}
    )


def refused(live: Live, call: Callable[[], object]) -> str:
    """Return what the enclosure says to something that it refuses."""
    with pytest.raises(CasemateError) as raised:
        call()
    assert live.state() in ("ARMED", "MAINTENANCE")
    return raised.value.message


def told(live: Live, text: str) -> bool:
    """Wait until it says so."""
    return wait_for(lambda: any(text in each.text for each in live.runtime.told), 10.0)


def measured(live: Live) -> bool:
    """Wait until what a module reads is there to be signed, and the machine knows whose it is."""
    upkeep, watching = live.runtime.upkeep, live.runtime.watching
    return wait_for(lambda: upkeep._proposed is not None and not watching.machine.alien, 20.0)


def re_anchor(live: Live, *, roles: int = 2, inventory: bool = True) -> dict[str, Any]:
    """Both parties sign what was measured, and the inventory if asked; or one of them alone."""
    asked = live.runtime.answer({"permit": "anchor"})
    setting = live.runtime.setting
    data = (live.folder / asked["file"]).read_bytes()
    said = approval.Statement(
        enclosure=asked["enclosure"], serial=asked["serial"], purpose="re-anchor",
        challenge=bytes.fromhex(asked["challenge"]), subject=bytes.fromhex(asked["subject"]),
    )  # fmt: skip
    document = approval.build(said, setting.party_keys[: 2 * roles])
    signatures = {
        key.public_key().public_bytes_raw().hex(): key.sign(CONTEXT + data).hex()
        for key in setting._signers[:roles]
    }
    question = {"permit": "re-anchor", "document": b64(document), "signatures": signatures}
    if "inventory" in asked and inventory:
        also = replace(said, subject=bytes.fromhex(asked["inventory"]["subject"]))
        signed = approval.build(also, setting.party_keys[: 2 * roles])
        question["inventory"] = b64(signed)
    return live.runtime.answer(question)


def finish(live: Live, signed: bytes) -> dict[str, Any]:
    """Sign how it ended, and hand it in."""
    digest = permit.identity(permit.peek(signed)[0].payload, DEFAULT_SUITE)
    made = closing.build(
        closing.Closing(permit=digest, outcome="done"), live.runtime.setting.party_keys
    )
    return live.runtime.answer({"permit": "finish", "closing": b64(made)})
