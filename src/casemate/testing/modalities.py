"""Conformance kit of modalities: what each must keep on any twin, whoever wrote it.

    from casemate.testing.modalities import check_modality
    check_modality(fit(twin), twin)     # AssertionError says what is wrong

CHECKS has the same by name. The check of quiet windows plays WINDOWS of them, some seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import numpy as np

from casemate.campaigns.play import play
from casemate.core.samples import Channel
from casemate.sensors.card import MATURITIES, load_card
from casemate.sensors.modality import Fitted
from casemate.twin.assembly import Twin
from casemate.twin.board import Board
from casemate.twin.conditions import anchor_of
from casemate.twin.effects import (
    Bridge,
    Contact,
    Detached,
    Effect,
    HeatSpot,
    Hole,
    Lifted,
    Place,
    Pocket,
    Spot,
    Thinned,
)

WINDOWS = 200
APART_S = 12_000.0
"""Beyond the memory of most slow changes, and no divisor of a day."""
POOLED = (0.6, 1.5)
"""Root mean square of all residuals together: noises are what the modality says they are."""
EACH = (0.5, 1.7)
"""Of each residual by itself, 5 % of which is chance with so many windows."""
ALIKE = 0.5
"""Share of a blind spot's words that the README's section must have."""
Check = Callable[[Fitted, Twin], None]


def check_channels(fitted: Fitted, twin: Twin) -> None:
    """Channels have ids of their own, units, bounds round their nominal, boards of the design."""
    names = [each.id for each in fitted.channels]
    assert names and len(set(names)) == len(names), "ids are not unique"
    nominal, noise = fitted.nominal, fitted.noise
    assert nominal.shape == noise.shape == (len(names),), "one nominal and one noise a channel"
    assert nominal.dtype in (np.float64, np.complex128), nominal.dtype
    assert noise.dtype == np.float64, noise.dtype
    assert np.isfinite(nominal).all() and np.isfinite(noise).all()
    assert (noise > 0.0).all(), "noise is not above 0"
    for each, value in zip(fitted.channels, nominal.tolist(), strict=True):
        _channel(each, fitted, twin)
        assert each.low <= value.real <= each.high, f"{each.id}: nominal {value} out of bounds"
    assert fitted.chip_s > 0.0 and 0.0 < fitted.visits <= 1.0


def _channel(each: Channel, fitted: Fitted, twin: Twin) -> None:
    assert each.modality == fitted.id and each.excited == fitted.excited, each.id
    assert each.unit.strip() and each.low < each.high, each.id
    assert each.tile in ("", *twin.boards), f"{each.id}: no board {each.tile!r}"


def check_anchor(fitted: Fitted, twin: Twin) -> None:
    """At the anchor every channel reads its nominal, soundly, with nothing added."""
    found = fitted.read(anchor_of(twin))
    assert found.quantity.shape == found.additive.shape == found.health.shape
    assert np.allclose(found.quantity, fitted.nominal, rtol=1e-9, atol=0.0)
    assert found.health.dtype == np.uint16 and not found.health.any(), "unsound at the anchor"
    assert not found.additive.any() and not found.repeats


def check_nuisance(fitted: Fitted, twin: Twin) -> None:
    """Nuisance has one row a time, one column a channel, finite, and follows its generator."""
    times_s = np.array([0.0, 1.0, 50.0, 1e4, 1e5])
    first, again, other = (
        fitted.nuisance(times_s, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first.shape == (times_s.size, len(fitted.channels))
    assert np.iscomplexobj(first) == np.iscomplexobj(fitted.nominal)
    assert np.isfinite(first).all()
    assert np.array_equal(first, again), "the same generator gives something else"
    assert not first.any() or not np.array_equal(first, other), "all generators give the same"


def check_quiet(fitted: Fitted, twin: Twin) -> None:
    """Residuals of quiet windows are finite and about as large as their noise says."""
    times_s = APART_S * np.arange(WINDOWS, dtype=np.float64)
    (played,) = play(twin, (), seed=1, times_s=times_s, ready=(fitted,), only=(fitted.id,))
    found = played.residuals
    assert found.z.shape == (WINDOWS, len(found.names)) and found.names
    assert len(found.tiles) == len(found.names)
    assert len(set(zip(found.tiles, found.names, strict=True))) == len(found.names)
    assert all(name.strip() for name in found.names)
    unknown = set(found.tiles) - {"", *twin.boards}
    assert not unknown, f"residuals of boards that are not: {sorted(unknown)}"
    assert np.isfinite(found.z).all(), "a quiet residual is no number"
    whole = float(np.sqrt(np.mean(found.z**2)))
    assert POOLED[0] <= whole <= POOLED[1], f"rms of all residuals is {whole:.2f}"
    for name, rms in zip(found.names, np.sqrt(np.mean(found.z**2, axis=0)).tolist(), strict=True):
        assert EACH[0] <= rms <= EACH[1], f"rms of {name} is {rms:.2f}"


def check_elsewhere(fitted: Fitted, twin: Twin) -> None:
    """What is done to one board leaves the channels of all others as they are."""
    anchor = anchor_of(twin)
    tiles = np.array([each.tile for each in fitted.channels])
    boards = list(twin.boards.values())
    for board in (boards[0], boards[-1]):
        others = (tiles != board.tile.id) & (tiles != "")
        for effect in effects_on(board):
            found = fitted.read(replace(anchor, active=(effect,)))
            same = np.isclose(found.quantity, fitted.nominal, rtol=1e-9, atol=0.0)
            name = type(effect).__name__
            wrong = sorted(set(tiles[others & ~same].tolist()))
            assert not wrong, f"{name} on {board.tile.id} moves channels of {wrong}"
            assert not found.health[others].any() and not found.additive[others].any(), name


def effects_on(board: Board) -> tuple[Effect, ...]:
    """Return an effect of each kind that acts on a board, where its copper is."""
    tile = board.tile.id
    layer = board.tile.stackup.mesh[0]
    copper = board.copper().layers[layer]
    ends = [copper.a[len(copper.a) * share // 4] * 1e-9 for share in (1, 2)]
    at, to = (Spot(tile=tile, layer=layer, x_m=float(p[0]), y_m=float(p[1])) for p in ends)
    place = Place(tile=tile, x_m=at.x_m, y_m=at.y_m)
    return (
        Hole(at=at, diameter_m=6e-4),
        Pocket(at=at, diameter_m=1e-3),
        Thinned(at=at, diameter_m=1e-3, left=0.5),
        Bridge(at=at, to=to, ohm=0.01),
        Contact(at=at, farad=1e-12, ohm=1e4),
        Lifted(at=place, gap_m=1e-4, strain=1e-3, radius_m=0.01),
        HeatSpot(at=place, watt=1.0, radius_m=2e-3),
        Detached(tile=tile),
    )


def check_card(fitted: Fitted, twin: Twin) -> None:
    """The card loads, with sources and a maturity, and says what the modality is blind to."""
    card = load_card(fitted.id)
    assert card.maturity in MATURITIES and card.name.strip() and card.senses.strip()
    assert card.blind and all(each.strip() for each in card.blind)
    for name, figure in card.figures.items():
        assert np.isfinite(figure.value) and figure.unit.strip(), name
        assert len(figure.source) > 10, name


def check_readme(fitted: Fitted, twin: Twin) -> None:
    """README.md stands beside the card and names each of its blind spots and its maturity."""
    path = resources.files(f"casemate.sensors.{fitted.id}").joinpath("README.md")
    assert path.is_file(), f"sensors/{fitted.id}/README.md is missing"
    text = path.read_text(encoding="utf-8")
    card = load_card(fitted.id)
    assert "**Senses**" in text and "**Equation" in text
    assert re.search(rf"\b{card.maturity}\b", text, re.IGNORECASE), "its maturity is not named"
    _, found, section = text.partition("## Blind spots")
    assert found, "there is no section of blind spots"
    told = _words(section.split("\n## ")[0])
    for blind in card.blind:
        words = _words(blind)
        shared = len(words & told) / len(words)
        assert shared >= ALIKE, f"blind spot not named: {blind}"


def _words(text: str) -> set[str]:
    """Return the first five letters of each longer word, so that endings do not count."""
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())}


CHECKS: dict[str, Check] = {
    "channels": check_channels,
    "anchor": check_anchor,
    "nuisance": check_nuisance,
    "quiet": check_quiet,
    "elsewhere": check_elsewhere,
    "card": check_card,
    "readme": check_readme,
}
"""All checks by name; each raises AssertionError that says what is wrong."""


def check_modality(fitted: Fitted, twin: Twin) -> None:
    """Make all checks of a modality fitted to a twin."""
    for check in CHECKS.values():
        check(fitted, twin)
