"""What was wrong with what a reader sent, kept until the next verdict."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casemate.core.samples import Health


class Notes:
    """What health flags a modality's channels carried since the last verdict."""

    def __init__(self, modality: str) -> None:
        self.modality = modality
        self.flags: dict[str, int] = {}

    def copy(self) -> Notes:
        """Return a copy that goes its own way."""
        found = Notes(self.modality)
        found.flags = dict(self.flags)
        return found

    def channels(self, said: npt.NDArray[np.int64]) -> None:
        """Note flags (C,) of a window."""
        if not said.any():
            return
        for flag in Health:
            count = int(((said & int(flag)) != 0).sum())
            if flag and count:
                self.say(f"{count} of {said.size} channels {flag.name}", count)

    def rows(self, flags: npt.NDArray[np.uint16]) -> None:
        """Note rows (K,) that answer no chip that is due."""
        for flag in (Health.OUT_OF_ORDER, Health.LATE):
            count = int((flags == int(flag)).sum())
            if count:
                self.say(f"samples {flag.name}", count)

    def say(self, text: str, count: int = 1) -> None:
        """Note anything else."""
        self.flags[text] = max(self.flags.get(text, 0), count)

    def taken(self) -> tuple[str, ...]:
        """Return the findings and forget them."""
        found = tuple(f"{self.modality}: {text}" for text in sorted(self.flags))
        self.flags = {}
        return found
