"""The card of a modality: its figures with their sources, from card.toml in its folder."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from casemate.core.errors import CardError

MATURITIES = ("draft", "simulated", "bench-proved", "field-proved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value in SI units and where it comes from."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityCard:
    """What a modality senses, how ripe it is, what it is blind to, and its figures by name."""

    id: str
    name: str
    senses: str
    maturity: str
    blind: tuple[str, ...]
    figures: dict[str, Figure]

    def __getitem__(self, name: str) -> float:
        """Return a figure's value; CardError if the card lacks it."""
        if name not in self.figures:
            raise CardError(
                f"the card of {self.id} has no figure {name!r}.",
                remedy="add it with value, unit and source.",
                file=f"sensors/{self.id}/card.toml",
                key=f"figures.{name}",
            )
        return self.figures[name].value


def load_card(modality: str) -> ModalityCard:
    """Return the card of a modality's folder; CardError if it is malformed or lacks a source."""
    path = resources.files(f"casemate.sensors.{modality}").joinpath("card.toml")
    where = f"sensors/{modality}/card.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        figures = {name: Figure(**row) for name, row in table.pop("figures").items()}
        card = ModalityCard(
            figures=figures,
            blind=tuple(table.pop("blind")),
            **table,
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CardError(
            f"the card cannot be read: {error}.", remedy="correct the card.", file=where
        ) from error
    unsourced = [name for name, each in card.figures.items() if not each.source.strip()]
    if unsourced or card.maturity not in MATURITIES or card.id != modality:
        raise CardError(
            "the card lacks a source, a known maturity or its own id.",
            remedy=f"maturities: {', '.join(MATURITIES)}; every figure names its source.",
            file=where,
            value=unsourced or card.maturity,
        )
    return card
