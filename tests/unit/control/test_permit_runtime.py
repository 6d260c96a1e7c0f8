"""What ends a permit on a small enclosure: tampering, an open face, time, an emergency."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from live_small import Live, judged
from permit_play import finish, measured, re_anchor, signed_permit, told, use
from small_enclosure import pretty, wait_for

from casemate.control.actions import MoreChips
from casemate.core.errors import CasemateError

pytestmark = pytest.mark.slow


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    folder = tmp_path / "small"
    folder.mkdir()
    found = Live(folder)
    try:
        found.reaches("ARMED")
        yield found
    finally:
        found.close()


def alarms(live: Live) -> list[str]:
    found = judged(live.folder)
    return [each.id for each in found.findings if each.severity == "alarm"]


def keys(live: Live) -> str:
    return str(live.runtime.status()["keys"])


def test_fresh_keys_lose_no_window(live: Live) -> None:
    """Asked for twice, given once in ten seconds; a cut is seen as ever after."""
    runtime = live.runtime
    assert wait_for(lambda: runtime.status()["verdict"] == "NORMAL")
    time.sleep(1.0)
    before = runtime.status()["incomplete_windows"]
    epochs = [each.challenge.epoch for each in runtime.pumps]
    for _ in range(2):
        runtime.watching.calls.put(lambda: assert_done(runtime.upkeep.act(MoreChips())))
    lives = runtime.watching.detector.live.values()
    after = [each + 1 for each in epochs]
    assert wait_for(lambda: [each.place.epoch for each in lives] == after, 10.0)  # type: ignore[union-attr]
    time.sleep(1.0)
    status = runtime.status()
    assert (status["state"], status["verdict"]) == ("ARMED", "NORMAL"), pretty(status)
    assert status["incomplete_windows"] == before
    live.far.cut = True
    live.reaches("TAMPERED")
    assert [each.challenge.epoch for each in runtime.pumps] == after


def assert_done(done: bool) -> None:
    assert done


def test_a_face_in_scope_may_open_and_another_not(live: Live) -> None:
    """The back opens, and what is cut there is left out; at the front all counts."""
    use(live, signed_permit(live, faces=("back",), modules=(), actions=("open",)))
    assert live.far.unlocked == {"back"}
    live.far.hear({"face": "back", "open": True})
    live.far.place, live.far.cut = 3, True
    time.sleep(1.5)
    status = live.runtime.status()
    assert (status["state"], status["verdict"]) == ("MAINTENANCE", "NORMAL"), pretty(status)
    live.far.place = 0
    live.reaches("TAMPERED")
    assert wait_for(lambda: keys(live) == "GONE")
    assert wait_for(lambda: live.far.unlocked == set())
    live.close()
    assert alarms(live) == ["state.tampered"]


def test_a_face_opened_and_closed_ends_armed(live: Live) -> None:
    """Closing is refused while it is open, and while what was cut there is not mended."""
    signed = signed_permit(live, faces=("back",), modules=(), actions=("open",))
    use(live, signed)
    live.far.hear({"face": "back", "open": True})
    live.far.place, live.far.cut = 3, True
    time.sleep(0.5)
    with pytest.raises(CasemateError, match="back is open"):
        finish(live, signed)
    live.far.hear({"face": "back", "open": False})
    live.far.cut = False
    assert wait_for(lambda: live.runtime.watching.machine.whole)
    assert finish(live, signed)["state"] == "ARMED"
    time.sleep(2.5)
    assert live.state() == "ARMED"
    live.close()
    assert alarms(live) == []


def test_an_open_face_is_named_before_anybody_signs(live: Live) -> None:
    signed = signed_permit(live, faces=("back",), actions=("open", "re-anchor", "replace"))
    use(live, signed)
    live.far.hear({"face": "back", "open": True})
    live.far.swap("plates")
    assert told(live, "proves its identity") and measured(live)
    assert wait_for(lambda: live.runtime.watching.machine.open == {"back"})
    with pytest.raises(CasemateError, match="back is open"):
        re_anchor(live)
    live.far.hear({"face": "back", "open": False})
    assert wait_for(lambda: not live.runtime.watching.machine.open)
    re_anchor(live)
    assert finish(live, signed)["state"] == "ARMED"


def test_what_is_not_mended_is_not_armed(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casemate.control.upkeep.WAIT_S", 5.0)
    signed = signed_permit(live, faces=("back",), modules=(), actions=("open",))
    use(live, signed)
    live.far.place, live.far.cut = 3, True
    time.sleep(0.5)
    with pytest.raises(CasemateError, match="nothing left out"):
        finish(live, signed)
    assert live.state() == "MAINTENANCE"


@pytest.mark.parametrize("corroborated", [False, True])
def test_a_face_outside_the_scope(live: Live, corroborated: bool) -> None:
    """A switch alone seals; with what one modality sees, keys are gone."""
    use(live, signed_permit(live))
    if corroborated:
        live.far.spared, live.far.cut = frozenset({"plates", "coils"}), True
        assert wait_for(lambda: bool(live.runtime.status()["seen_by"]))
    live.far.hear({"face": "front", "open": True})
    live.reaches("TAMPERED")
    assert wait_for(lambda: keys(live) == ("GONE" if corroborated else "SEALED"))


def test_a_swap_without_a_permit(live: Live) -> None:
    live.far.swap("plates", gain=1.0)
    live.reaches("TAMPERED")
    live.close()
    assert alarms(live) == ["state.tampered"]


def test_a_permit_that_expires(live: Live) -> None:
    """Nothing was done: ARMED follows by checks. What is not anchored seals the keys."""
    now_s = int(time.time())
    use(live, signed_permit(live, not_after_s=now_s + 8))
    live.reaches("MAINTENANCE")
    live.reaches("ARMED")
    assert time.time() < now_s + 9
    time.sleep(2.0)
    use(live, signed_permit(live, not_after_s=int(time.time()) + 8))
    live.far.swap("plates")
    assert measured(live)
    live.reaches("UNKNOWN")
    assert wait_for(lambda: keys(live) == "SEALED")
    live.close()
    assert alarms(live) == []


def test_an_emergency_opens_at_once(live: Live) -> None:
    """In the midst of work: locks open, keys are sealed, the gap is declared."""
    use(live, signed_permit(live))
    time.sleep(1.5)
    began_s = time.monotonic()
    found: dict[str, Any] = live.runtime.answer({"permit": "emergency", "cause": "leak"})
    assert time.monotonic() - began_s < 2.0
    assert (found["state"], found["keys"]) == ("UNKNOWN", "SEALED")
    assert live.far.unlocked == {"front", "back"}
    time.sleep(2.5)
    live.close()
    result = judged(live.folder)
    assert "permit.emergency" in {each.id for each in result.findings}
    assert [each.id for each in result.findings if each.severity == "alarm"] == []
    assert result.state == "UNKNOWN"
