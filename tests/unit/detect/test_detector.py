"""The detector of an enclosure: quiet, cut, dated, copied, signed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_box import TONES, Box, anchor, flagged, passive_anchor

from casemate.core.errors import InputError
from casemate.core.samples import Health
from casemate.detect.anchor import signed
from casemate.detect.detector import Detector
from casemate.detect.onset import Onset
from casemate.detect.response import SEAL, policy
from casemate.detect.verdict import Verdict


def cut(block, drawn):
    """Return a block in which net 1 is open: at the end of the range, with the drive's sign."""
    values, health = block.values.copy(), block.health.copy()
    values[:, 1] = drawn.drive.real * 1e4
    health[:, 1] = Health.CLIPPED
    return replace(block, values=values, health=health), drawn


def settled(seed=1) -> Box:
    box = Box(np.random.default_rng(seed))
    assert box.detector.judge(0.0).verdict is Verdict.DENIED  # nothing is known yet
    assert box.step(500).verdict is Verdict.DENIED
    assert box.step(2500).verdict is Verdict.NORMAL
    return box


def test_a_quiet_enclosure_stays_normal_and_a_cut_is_tamper_within_100_ms() -> None:
    box = settled()
    for _ in range(60):
        assert box.step(500).verdict is Verdict.NORMAL
    cut_s = box.now_s
    while box.step(5, cut, "loops").verdict is not Verdict.TAMPER:
        assert box.now_s - cut_s < 0.1
    judged = box.step(300, cut, "loops")
    assert judged.level == SEAL and judged.items[0].modality == "loops"
    assert judged.onset_s == pytest.approx(cut_s, abs=0.101)
    assert judged.causes[0].name == "board unplugged"  # the net's zone is all of its board


def test_a_change_that_stays_is_dated_by_focus() -> None:
    box = settled()
    box.step(1000)
    box.gain["plates"] = 1.03
    changed_s = box.now_s
    judged = [box.step(500) for _ in range(6)]
    assert judged[-1].verdict is Verdict.TAMPER
    assert judged[-1].onset_s == pytest.approx(changed_s, abs=0.101)
    assert abs(judged[-1].items[0].off - 0.03) < 0.002


def test_a_cavity_that_changes_is_tamper() -> None:
    box = settled()
    # one gain for all tones is a reader's own, and no change of the volume
    box.gain["cavity"] = 1.5
    assert Verdict.TAMPER not in [box.step(500).verdict for _ in range(6)]
    box.gain["cavity"] = np.where(np.arange(TONES) % 2, 0.4, 1.6)
    assert [box.step(500).verdict for _ in range(8)][-1] is Verdict.TAMPER


def test_a_dead_modality_is_denied_and_seals_when_it_lasts() -> None:
    for only in ("loops", "cavity"):
        box = settled()
        judged = [box.step(500, lambda b, c: (flagged(b, Health.MISSING), c), only)
                  for _ in range(26)]  # fmt: skip
        assert judged[3].verdict is Verdict.DENIED and judged[-1].verdict is Verdict.DENIED
        assert judged[-1].blind_s > box.policy.blind_s and judged[-1].level == SEAL
        assert any(only in each for each in judged[-1].findings)


def test_blind_time_holds_the_level_until_it_is_pardoned() -> None:
    box = settled()
    for _ in range(26):
        box.step(500, lambda b, c: (flagged(b, Health.MISSING), c), "loops")
    judged = [box.step(500) for _ in range(4)][-1]
    assert (judged.verdict, judged.level) == (Verdict.NORMAL, SEAL)
    box.detector.pardon()
    judged = box.step(500)
    assert (judged.verdict, judged.blind_s) == (Verdict.NORMAL, 0.0) and judged.level < SEAL


def test_a_reader_that_comes_back_after_the_surroundings_moved_is_no_tamper() -> None:
    """It warms by 1 % in 20 s, within the common mode's rate of 1e-3 a second, unseen."""
    box = settled()
    for _ in range(40):
        box.step(500, lambda b, c: None, "loops")
    box.gain["loops"] = 1.01
    verdicts = [box.step(500).verdict for _ in range(8)]
    assert Verdict.TAMPER not in verdicts and verdicts[-1] is Verdict.NORMAL
    box.gain["loops"] = 1.2
    assert [box.step(500).verdict for _ in range(2)][-1] is Verdict.TAMPER


def test_copies_go_their_own_way() -> None:
    box = settled()
    twin = box.detector.copy()
    before = twin.copy().judge(box.now_s)
    for _ in range(4):
        box.step(100, cut, "loops")
    assert box.detector.judge(box.now_s).verdict is Verdict.TAMPER
    after = twin.judge(before.now_s)
    assert after.verdict is Verdict.NORMAL and after.nats == before.nats


def test_anchors_are_signed_by_both_or_refused() -> None:
    box = Box(np.random.default_rng(1))
    keys = (Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate())
    public = tuple(each.public_key() for each in keys)
    anchors = tuple(box.anchors.values())
    signatures = signed(anchors, keys)
    Detector(anchors, box.policy, signatures=signatures, keys=public)
    moved = (replace(anchors[0], bound=2.0 * anchors[0].bound), *anchors[1:])
    with pytest.raises(InputError):
        Detector(moved, box.policy, signatures=signatures, keys=public)
    with pytest.raises(InputError):
        Detector(anchors, box.policy, signatures=signatures[:1], keys=public)


def test_wrong_configurations_are_refused() -> None:
    few = policy(far_per_year=0.01, features=2, window_s=0.1)
    enough = policy(far_per_year=0.01, features=8, window_s=0.1)
    for anchors, mine in (((), enough), ((passive_anchor(),), enough), ((anchor(),), few),
                          ((anchor(), anchor()), enough)):  # fmt: skip
        with pytest.raises(InputError):
            Detector.unsafe_unsigned(anchors, mine)


def test_many_features_are_dated_by_boards() -> None:
    onset = Onset.start(("a", "a", "b", "b"), single=False)
    for k in range(60):
        z = np.random.default_rng(k).standard_normal(4)
        z[2] += 5.0 if k >= 40 else 0.0
        onset.add(z)
    nats, windows, _ = onset.since(3)
    assert nats > 20.0 and windows == 20
    assert onset.since(0)[0] < 12.0
    onset.add(np.full(4, np.nan))


INJECTED = {
    "noise of 100 sigma": lambda g, t: 0.1 * g.standard_normal(t.size),
    "cauchy": lambda g, t: 1e-3 * g.standard_cauchy(t.size),
    "on and off": lambda g, t: 0.05 * (np.cumsum(g.random(t.size) < 0.02) % 2),
    "sine": lambda g, t: 0.03 * np.sin(0.37 * t),
    "beyond the range": lambda g, t: 1e9 * (g.random(t.size) < 0.05),
}


@pytest.mark.parametrize("what", sorted(INJECTED))
def test_injection_without_the_key_is_never_tamper_and_passes(what) -> None:
    """Also from the first second on, when states are still taken."""
    for late in (True, False):
        box = settled(7) if late else Box(np.random.default_rng(7))
        generator = np.random.default_rng(8)

        def injected(block, drawn, generator=generator):
            load = INJECTED[what](generator, block.chip)
            values = block.values + block.values.std(axis=0) * load[:, None]
            return replace(block, values=values), drawn

        during = [box.step(500, injected, "loops").verdict for _ in range(12)]
        assert Verdict.TAMPER not in during
        assert late or Verdict.NORMAL not in during[:2]
        forgets = 40 if what == "beyond the range" else 8
        after = [box.step(2500).verdict for _ in range(forgets)]
        assert Verdict.TAMPER not in after and after[-1] is Verdict.NORMAL
