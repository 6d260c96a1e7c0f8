"""A module swapped under a permit on a small enclosure that runs, and what must not pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from live_small import Live, judged, tokens
from permit_play import finish, measured, re_anchor, refused, signed_permit, told, use
from small_enclosure import COUNT, pretty, wait_for

from casemate.attest import claims as c
from casemate.attest.token import CheckpointRef

SECOND_S = 1.1
"""For the verifier, whose times are seconds."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Armed, wrong ways in, permit, wrong modules, the right one, signed anew, closed, armed."""
    folder = tmp_path_factory.mktemp("swap") / "small"
    folder.mkdir()
    live, seen = Live(folder), {"folder": folder}
    far, setting = live.far, live.runtime.setting
    try:
        live.reaches("ARMED")
        signed = signed_permit(live)
        by_host = signed_permit(live, signers=setting.party_keys[:2])
        elsewhere = signed_permit(live, serial="UNIT-2")
        seen["host alone"] = refused(live, lambda: use(live, by_host))
        seen["another enclosure"] = refused(live, lambda: use(live, elsewhere))
        forked = CheckpointRef(origin=setting.origin, size=1, root=b"\x01" * 32)
        other = signed_permit(live, checkpoint=forked)
        seen["another history"] = refused(live, lambda: use(live, other))
        seen["wrong token"] = refused(live, lambda: use(live, signed, b"x" * 20))
        time.sleep(SECOND_S)
        seen["used"] = use(live, signed)
        far.swap("plates", 9)
        seen["alien told"] = told(live, "does not prove its identity")
        seen["alien signed"] = refused(live, lambda: re_anchor(live))
        seen["alien closed"] = refused(live, lambda: finish(live, signed))
        far.change = {"bound": np.full(COUNT, 0.2)}
        far.swap("plates", 1)
        seen["wide told"] = told(live, "more changes in plates")
        far.change = {}
        far.swap("plates", 1, gain=1.4)
        seen["far told"] = told(live, "as far as a change that must be caught")
        seen["unsigned closed"] = refused(live, lambda: finish(live, signed))
        far.swap("plates")
        assert measured(live), pretty(live.runtime.status())
        seen["one signature"] = refused(live, lambda: re_anchor(live, roles=1))
        seen["working"] = live.runtime.status()
        seen["anchored"] = re_anchor(live)
        seen["finished"] = finish(live, signed)
        time.sleep(2.0 * SECOND_S)
        seen["after"] = live.runtime.status()
        seen["reused"] = refused(live, lambda: use(live, signed))
        use(live, signed_permit(live, modules=("coils",)))
        time.sleep(2.0 * SECOND_S)
        far.spared, far.cut = frozenset({"coils"}), True
        live.reaches("TAMPERED")
        assert wait_for(lambda: any(each.kind == "last" for each in tokens(folder)))
        seen["cut"] = live.runtime.status()
    finally:
        live.close()
    yield seen


def test_wrong_permits_are_refused(story: dict[str, Any]) -> None:
    assert "inspector" in story["host alone"]
    assert "UNIT-2" in story["another enclosure"]
    assert "another history" in story["another history"]
    assert "token is wrong" in story["wrong token"]
    assert "shown before" in story["reused"]


def test_the_rest_stays_armed(story: dict[str, Any]) -> None:
    assert (story["used"]["state"], story["used"]["permit_phase"]) == ("MAINTENANCE", "in use")
    assert (story["working"]["state"], story["working"]["verdict"]) == ("MAINTENANCE", "NORMAL")
    assert story["working"]["keys"] == "LIVE"


def test_an_alien_module_is_never_anchored(story: dict[str, Any]) -> None:
    assert story["alien told"]
    assert "proved its identity" in story["alien signed"]
    assert "plates is not anchored" in story["alien closed"]


def test_a_module_that_lies_is_not_signed(story: dict[str, Any]) -> None:
    """It widens its bound; or it reads another enclosure."""
    assert story["wide told"] and story["far told"]
    assert "plates is not anchored" in story["unsigned closed"]
    assert "not signed by every party" in story["one signature"]


def test_it_ends_armed(story: dict[str, Any]) -> None:
    assert story["finished"]["state"] == "ARMED", pretty(story["finished"])
    assert (story["after"]["state"], story["after"]["verdict"]) == ("ARMED", "NORMAL")


def test_the_verifier_says_so(story: dict[str, Any]) -> None:
    """Proven, maintenance under permit, proven; then maintenance again, and the cut."""
    found = judged(story["folder"])
    kinds = [each.kind for each in found.intervals if each.length_s > 0]
    first = kinds.index("proven")
    assert kinds[first:][:5] == ["proven", "maintenance", "proven", "maintenance", "interfered"]
    assert [each.id for each in found.findings if each.severity != "note"] == ["state.tampered"]


def test_the_log_has_it_in_order(story: dict[str, Any]) -> None:
    """Logged, cosigned, in use, anchored with the module's key; both anchors stay in the log."""
    found = tokens(story["folder"])
    acts = [each.body.act for each in found if isinstance(each.body, c.PermitUse)]
    assert acts[0] == "logged" and acts[-3:] == ["re-anchored", "closed", "logged"]
    logged = next(each for each in found if each.kind == "permit")
    begun = next(each for each in found if each.state == "MAINTENANCE")
    assert begun.checkpoint is not None and begun.checkpoint.size > logged.sequence
    new = next(each.body for each in found if getattr(each.body, "act", "") == "re-anchored")
    assert isinstance(new, c.PermitUse)
    assert begun.anchor != new.anchor == found[-1].anchor
    assert (new.module, len(new.keys)) == ("plates", 1)
    assert begun.permit and {
        each.permit for each in found if each.state == "MAINTENANCE" and each.anchor == begun.anchor
    } == {begun.permit}


def test_tampering_elsewhere_is_tampered(story: dict[str, Any]) -> None:
    """Coils were left out, the others cut: keys are gone as ever, and the verifier says so."""
    assert (story["cut"]["state"], story["cut"]["keys"]) == ("TAMPERED", "GONE")
    found = judged(story["folder"])
    assert [each.id for each in found.findings if each.severity == "alarm"] == ["state.tampered"]


def test_anchors_are_kept(story: dict[str, Any]) -> None:
    folder = story["folder"] / "anchor"
    assert (folder / "anchors-1.json").read_bytes() != (folder / "anchors.json").read_bytes()
