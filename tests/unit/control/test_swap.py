"""A module swapped under a permit on a small enclosure that runs, and what must not pass."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from live_small import Live, judged
from small_enclosure import pretty, wait_for

from casemate.attest import permit
from casemate.attest.token import CheckpointRef
from casemate.control import approvals, closing
from casemate.control.permits import token_hash, token_text
from casemate.core.suites import DEFAULT_SUITE
from casemate.detect.anchor import CONTEXT
from casemate.translog import checkpoint as checkpoints

TOKEN = b"t" * 20


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signed_permit(live: Live, **changes: Any) -> bytes:
    """A permit for the module plates, signed by both parties."""
    stated, _ = checkpoints.parse((live.folder / "evidence" / "checkpoint").read_bytes())
    now_s = int(time.time())
    given: dict[str, Any] = {
        "enclosure": "small", "serial": "UNIT-1", "faces": (), "modules": ("plates",),
        "actions": ("re-anchor", "replace"), "not_before_s": now_s - 60,
        "not_after_s": now_s + 3600,
        "checkpoint": CheckpointRef(origin=stated.origin, size=stated.size, root=stated.root),
        "nonce": b"n" * 16, "technician": token_hash(TOKEN), "reason": "plates are noisy",
    }  # fmt: skip
    signers = changes.pop("signers", live.runtime.setting.party_keys)
    return permit.build(permit.Permit(**{**given, **changes}), signers)


def use(live: Live, signed: bytes, token: bytes = TOKEN) -> dict[str, Any]:
    return live.runtime.answer(
        {"permit": "use", "signed": b64(signed), "token": token_text(token) if token else ""}
    )


def re_anchor(live: Live) -> dict[str, Any]:
    """Both parties sign what was measured."""
    asked = live.runtime.answer({"permit": "anchor"})
    setting = live.runtime.setting
    data = (live.folder / asked["file"]).read_bytes()
    document = approvals.build(
        "re-anchor", bytes.fromhex(asked["challenge"]), bytes.fromhex(asked["subject"]),
        setting.party_keys,
    )  # fmt: skip
    signatures = {
        key.public_key().public_bytes_raw().hex(): key.sign(CONTEXT + data).hex()
        for key in setting._signers
    }
    return live.runtime.answer(
        {"permit": "re-anchor", "document": b64(document), "signatures": signatures}
    )


def finish(live: Live, signed: bytes) -> dict[str, Any]:
    digest = permit.identity(permit.peek(signed)[0].payload, DEFAULT_SUITE)
    made = closing.build(
        closing.Closing(permit=digest, outcome="done"), live.runtime.setting.party_keys
    )
    return live.runtime.answer({"permit": "finish", "closing": b64(made)})


def measured(live: Live) -> bool:
    return wait_for(lambda: live.runtime.upkeep._proposed is not None, 20.0)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Armed, permit, swap, signed anew, closed, armed."""
    folder = tmp_path_factory.mktemp("swap") / "small"
    folder.mkdir()
    live, told = Live(folder), {"folder": folder}
    try:
        live.reaches("ARMED")
        assert wait_for(lambda: (folder / "evidence" / "checkpoint").exists())
        time.sleep(2.5)
        signed = signed_permit(live)
        told["used"] = use(live, signed)
        live.far.swap("plates")
        assert measured(live), pretty(live.runtime.status())
        told["working"] = live.runtime.status()
        told["anchored"] = re_anchor(live)
        time.sleep(1.5)
        told["finished"] = finish(live, signed)
        time.sleep(3.0)
        told["after"] = live.runtime.status()
        live.far.hear = lambda _said: None
    finally:
        live.close()
    yield told


def test_the_rest_stays_armed(story: dict[str, Any]) -> None:
    assert (story["used"]["state"], story["used"]["permit_phase"]) == ("MAINTENANCE", "in use")
    assert (story["working"]["state"], story["working"]["verdict"]) == ("MAINTENANCE", "NORMAL")
    assert story["working"]["keys"] == "LIVE"


def test_it_ends_armed(story: dict[str, Any]) -> None:
    assert story["finished"]["state"] == "ARMED", pretty(story["finished"])
    assert (story["after"]["state"], story["after"]["verdict"]) == ("ARMED", "NORMAL")


def test_the_verifier_says_so(story: dict[str, Any]) -> None:
    found = judged(story["folder"])
    assert [each for each in found.findings if each.severity == "alarm"] == []
    assert found.state == "ARMED"
    kinds = [each.kind for each in found.intervals if each.length_s > 0]
    first, last = kinds.index("proven"), len(kinds) - 1 - kinds[::-1].index("proven")
    assert "maintenance" in kinds[first:last], kinds
    assert "interfered" not in kinds
