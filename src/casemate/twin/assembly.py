"""The twin of a design: its boards as drawn, its volume, and the place where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from casemate.core.errors import InputError
from casemate.design.enclosure import Enclosure
from casemate.twin.board import Board
from casemate.twin.drawing import boards
from casemate.twin.environment_sites import CAMERA, LABORATORY, RACK, SITES, Site
from casemate.twin.volume import Volume, volume_of

SITE_OF_KIND = {"rack": RACK, "camera": CAMERA, "sensor": LABORATORY}
"""Where things of a kind stand, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """An enclosure in its surroundings. `seed`: of what the unit is by chance (its fields)."""

    enclosure: Enclosure
    boards: dict[str, Board]
    volume: Volume
    site: Site
    seed: int

    def board(self, tile: str) -> Board:
        """Return a board; InputError, with the names, if there is none."""
        if tile not in self.boards:
            raise InputError(
                f"there is no board {tile!r}.",
                remedy=f"boards: {', '.join(self.boards)}.",
                key="tile",
            )
        return self.boards[tile]


def assemble(
    enclosure: Enclosure,
    *,
    kind: str,
    secret: bytes,
    folder: Path,
    site: str = "",
    seed: int = 0,
    workers: int = 0,
    say: Callable[[str], None] = lambda _text: None,
) -> Twin:
    """Return the twin of a design; boards are drawn as `build` draws them and kept in `folder`.

    `kind`: of the protected thing, which says where it stands unless `site` names one of SITES.
    """
    if site and site not in SITES:
        raise InputError(
            f"there is no site {site!r}.", remedy=f"sites: {', '.join(SITES)}.", key="--site"
        )
    place = SITES[site] if site else SITE_OF_KIND.get(kind, LABORATORY)
    return Twin(
        enclosure=enclosure,
        boards=boards(enclosure, secret=secret, folder=folder, workers=workers, say=say),
        volume=volume_of(enclosure),
        site=place,
        seed=seed,
    )
