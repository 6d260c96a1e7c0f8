"""The account of blind time while nothing is guarded yet: it would hold up the self-test for hours.

Ten seconds an hour are forgiven (`detect.verdict`), so that who blinds often is treated as who
blinds for long. Readers that begin on a busy computer leave windows out in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from casemate.control.states import Keys, Machine, State
from casemate.detect.response import SEAL, Policy
from casemate.detect.verdict import FORGIVEN, Judged, Verdict


class Pardons(Protocol):
    """A detector, as far as it is of use here."""

    policy: Policy

    def pardon(self) -> None:
        """Forget blind time."""
        ...


class BlindAccount:
    """Pardons what came before the enclosure guards, and says what a self-test waits for.

    Pardoned are COMMISSIONING, which both parties attend and which freezes the model, and what came
    before the first verdict of a start that was well: keys were sealed or gone. What came later
    stays: whoever blinds an enclosure that guards gets nothing forgiven by its becoming UNKNOWN.
    """

    def __init__(self, detector: Pardons, tell: Callable[[str], None]) -> None:
        self._detector, self._tell = detector, tell
        self._was_well = self._told = False

    def settle(self, judged: Judged, now: Machine) -> None:
        """Take a verdict, and the state in which it was given."""
        if judged.verdict is not Verdict.NORMAL or judged.findings:
            return
        starts = now.state is State.UNKNOWN and not self._was_well
        self._was_well = True
        over_s = judged.blind_s - self._detector.policy.blind_s
        if now.state is State.COMMISSIONING or starts:
            self._detector.pardon()
        elif over_s <= 0.0 or judged.level < SEAL:
            self._told = False
        elif now.state is State.UNKNOWN and now.keys is Keys.SEALED and not self._told:
            self._told = True
            self._tell(
                f"the self-test waits: readings told too little for {judged.blind_s:.0f} s, which "
                f"is forgiven in {over_s / FORGIVEN / 60.0:.0f} min"
            )
