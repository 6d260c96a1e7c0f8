"""Attack potential: what a move asks of the adversary, in the points of the Common Criteria.

One sum over five factors (CEM, ISO/IEC 18045 annex B; ISO/SAE 21434 annex G has the same). The
scale ends below a state: months, several experts, bespoke equipment, critical knowledge and a
difficult window give 57 points at most, so persons and money are stated beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DAY_S = 86_400.0
ELAPSED = (
    (1.0, 0), (7.0, 1), (14.0, 2), (30.0, 4), (60.0, 7), (90.0, 10), (120.0, 13), (150.0, 15),
    (180.0, 17),
)  # fmt: skip
"""Days at most, points; longer counts 19."""
EXPERTISE = {"layman": 0, "proficient": 3, "expert": 6, "multiple experts": 8}
KNOWLEDGE = {"public": 0, "restricted": 3, "sensitive": 7, "critical": 11}
WINDOW = {"unlimited": 0, "easy": 1, "moderate": 4, "difficult": 10}
EQUIPMENT = {"standard": 0, "specialised": 4, "bespoke": 7, "multiple bespoke": 9}
LEVELS = ((25, "beyond high"), (20, "high"), (14, "moderate"), (10, "enhanced-basic"), (0, "basic"))
"""Least points of each level (AVA_VAN.5 must resist high)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Potential:
    """What a move takes. All figures are planning values unless the move's file names a source.

    elapsed_s: preparation and practice on samples. on_site_s: at the enclosure. persons: at once,
    on site and off it. cost_usd: of equipment, samples and wages.
    """

    elapsed_s: float
    on_site_s: float
    expertise: Literal["layman", "proficient", "expert", "multiple experts"]
    knowledge: Literal["public", "restricted", "sensitive", "critical"]
    window: Literal["unlimited", "easy", "moderate", "difficult"]
    equipment: Literal["standard", "specialised", "bespoke", "multiple bespoke"]
    persons: int
    cost_usd: float

    @property
    def points(self) -> int:
        """Return the sum over the five factors."""
        days = self.elapsed_s / DAY_S
        elapsed = next((points for most, points in ELAPSED if days <= most), 19)
        return (
            elapsed
            + EXPERTISE[self.expertise]
            + KNOWLEDGE[self.knowledge]
            + WINDOW[self.window]
            + EQUIPMENT[self.equipment]
        )

    @property
    def level(self) -> str:
        """Return the level of `points`."""
        return next(name for least, name in LEVELS if self.points >= least)


def together(parts: tuple[Potential, ...]) -> Potential:
    """Return the potential of a plan: the hardest factor of each part, times and costs summed.

    Persons are the most that any part needs.
    """
    return Potential(
        elapsed_s=sum(part.elapsed_s for part in parts),
        on_site_s=sum(part.on_site_s for part in parts),
        expertise=max((part.expertise for part in parts), key=EXPERTISE.__getitem__),
        knowledge=max((part.knowledge for part in parts), key=KNOWLEDGE.__getitem__),
        window=max((part.window for part in parts), key=WINDOW.__getitem__),
        equipment=max((part.equipment for part in parts), key=EQUIPMENT.__getitem__),
        persons=max(part.persons for part in parts),
        cost_usd=sum(part.cost_usd for part in parts),
    )
