"""Attack potential: what a move asks of the adversary, in points of Common Criteria and of JIL.

CEM is one sum over five factors (ISO/IEC 18045 annex B; ISO/SAE 21434 annex G has the same). It
ends below a state: months, several experts, bespoke equipment, critical knowledge and a difficult
window give 57 points at most. JIL for smartcards sums identification and exploitation. Both
saturate, so persons, money, suppliers, concealment and repeats count in `beyond`, which has no end.
Points are data: `potentials/*.toml`, with their sources and whether they were verified.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from casemate.attacks.potential_tables import CEM, JIL, endless_axes, points_table

DAY_S = 86_400.0
Knowledge = Literal["public", "restricted", "sensitive", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Potential:
    """What a move takes. All figures are planning values unless the move's file names a source.

    elapsed_s: preparation and practice on samples. on_site_s: at the enclosure. persons: at once,
    on site and off it. cost_usd: of equipment, samples and wages. samples: enclosures used up to
    prepare. open_samples: how guarded samples are whose inside is open to the adversary, public if
    none is needed. suppliers: insiders or suppliers that must cooperate. concealed_s: for which the
    attack must stay unseen afterwards. attempts: needed until one succeeds.
    """

    elapsed_s: float
    on_site_s: float
    expertise: Literal["layman", "proficient", "expert", "multiple experts"]
    knowledge: Knowledge
    window: Literal["unlimited", "easy", "moderate", "difficult"]
    equipment: Literal["standard", "specialised", "bespoke", "multiple bespoke"]
    persons: int
    cost_usd: float
    samples: int = 1
    open_samples: Knowledge = "public"
    suppliers: int = 0
    concealed_s: float = 0.0
    attempts: int = 1

    @property
    def points(self) -> int:
        """Return the sum of CEM over the five factors."""
        return sum(each.points(getattr(self, each.id))[0] for each in points_table(CEM).factors)

    @property
    def level(self) -> str:
        """Return the level of `points`."""
        return points_table(CEM).level(self.points)

    @property
    def jil(self) -> tuple[int, int]:
        """Return the points of identification and exploitation; JIL's figure is their sum.

        Preparation is identification's time, time on site exploitation's. Expertise, knowledge,
        samples and equipment are taken as hard in both, so exploitation is an upper bound.
        """
        identification = exploitation = 0
        for each in points_table(JIL).factors:
            if each.id == "elapsed":
                first, second = each.points(self.elapsed_s)[0], each.points(self.on_site_s)[1]
            else:
                first, second = each.points(getattr(self, each.id))
            identification += first
            exploitation += second
        return identification, exploitation

    @property
    def jil_level(self) -> str:
        """Return the AVA_VAN level of a product whose easiest attack takes this."""
        return points_table(JIL).level(sum(self.jil))

    @property
    def beyond(self) -> float:
        """Return the points of axes that never end: ours, planning values, beside the scales."""
        return sum(axis.points(getattr(self, axis.id)) for axis in endless_axes())


def together(parts: tuple[Potential, ...]) -> Potential:
    """Return the potential of a plan: the hardest factor of each part, times and costs summed.

    Persons, suppliers, concealment and attempts are the most that any part needs.
    """
    return replace(
        hardest(parts),
        elapsed_s=sum(part.elapsed_s for part in parts),
        on_site_s=sum(part.on_site_s for part in parts),
        cost_usd=sum(part.cost_usd for part in parts),
        samples=sum(part.samples for part in parts),
    )


def hardest(parts: tuple[Potential, ...]) -> Potential:
    """Return the hardest of every factor, times, costs and counts included."""
    found = parts[0]
    for part in parts[1:]:
        found = raised(found, **{name: getattr(part, name) for name in _FIELDS})
    return found


def raised(potential: Potential, **least: object) -> Potential:
    """Return a potential whose factors are at least those given; words as the tables order them."""
    chosen: dict[str, Any] = {
        name: _FIELDS[name](getattr(potential, name), value) for name, value in least.items()
    }
    return replace(potential, **chosen)


def _harder(factor: str, table: str = CEM) -> Callable[[str, str], str]:
    return lambda first, second: points_table(table).factor(factor).harder(first, second)


_FIELDS: dict[str, Callable[..., object]] = {
    **{name: _harder(name) for name in ("expertise", "knowledge", "window", "equipment")},
    "open_samples": _harder("open_samples", JIL),
    **dict.fromkeys(
        ("elapsed_s", "on_site_s", "persons", "cost_usd", "samples", "suppliers", "concealed_s",
         "attempts"),
        max,
    ),
}  # fmt: skip
"""How the harder of two values is found, by field."""
