"""The paths by which a field gets through this enclosure, each with its curve and its source."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from casemate.design import shielding as em
from casemate.design.crossings import open_area
from casemate.design.layout import Layout
from casemate.modules.model import Card
from casemate.spec.model import CrossingSpec, EnclosureSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakPath:
    """One leakage path. curve: f in hertz to (decibels incoherent, decibels coherent)."""

    id: str
    module: str
    equation: str
    source: str
    judged: bool
    curve: Callable[[float], tuple[float, float]]


def leak_paths(
    spec: EnclosureSpec, layout: Layout, picked: Mapping[str, Card]
) -> tuple[LeakPath, ...]:
    """Return every path of the laid-out enclosure. picked: slot key -> chosen card."""
    paths: list[LeakPath] = []
    shields = {key.split("/")[1]: card for key, card in picked.items() if key[:7] == "shield/"}
    for card in _distinct(shields.values()):
        paths.append(_sheet(card))
    paths.extend(_seams(spec, layout, picked, shields))
    for item in spec.crossings:
        card_of = [card for key, card in picked.items() if key.endswith(f"/{item.id}")]
        if card_of:
            paths.append(_crossing(item, card_of[0], layout))
    return tuple(paths)


def _distinct(cards: Any) -> list[Card]:
    return list({card.id: card for card in cards}.values())


def _sheet(card: Card) -> LeakPath:
    thickness = card.parameters.get("sheet_thickness_m", 0.0)
    sigma = card.parameters.get("conductivity_s_per_m", 0.0)

    def curve(f: float) -> tuple[float, float]:
        value = em.sheet_db(f, thickness, sigma) if thickness and sigma else 0.0
        return value, value

    return LeakPath(
        id=f"shield.{card.id}",
        module=card.id,
        equation="T = 4 eta Z0/(eta+Z0)^2 e^(-gt) / (1 - rho^2 e^(-2gt)); SE = -20 log|T|",
        source="reference/cad_em.md 2.1.1",
        judged=False,
        curve=curve,
    )


def _seams(
    spec: EnclosureSpec, layout: Layout, picked: Mapping[str, Card], shields: Mapping[str, Card]
) -> list[LeakPath]:
    cards = {card.id: card for card in picked.values() if card.function == "seam"}
    bond = max(
        (card.parameters.get("transfer_impedance_ohm_m", 0.0) for card in shields.values()),
        default=0.0,
    )
    distance = min(spec.protected.size_m) / 2
    paths = []
    for module in sorted({seam.module for seam in layout.seams}):
        length = sum(seam.length_m for seam in layout.seams if seam.module == module)
        if module == layout.edges[0].module:  # two legs a strip, one joint
            length = sum(edge.length_m for edge in layout.edges if not edge.door)
        lines = max(1.0, length / max(layout.size_m))
        card = cards.get(module)
        given = card.parameters if card is not None else {}
        paths.append(_seam(module, given, bond, distance, lines))
    return paths


def _seam(
    module: str, given: Mapping[str, Any], bond: float, distance: float, lines: float
) -> LeakPath:
    transfer = max(bond, given.get("transfer_impedance_ohm_m", 0.0))
    slot = given.get("slot_length_m", 0.0)

    def curve(f: float) -> tuple[float, float]:
        if not transfer:
            return 0.0, 0.0
        inductance = em.contact_inductance_h_m(slot, f) if slot else 0.0
        one = em.seam_db(f, transfer, inductance, distance)
        return _several(one, lines)

    return LeakPath(
        id=f"seam.{module}",
        module=module,
        equation="E = Zt J k |H1(k d)| / 2, J = 2 E0/Z0, Zt = R + j w mu0 alpha / l",
        source="reference/cad_em.md 2.1.6 with the card's Zt; slots between contacts as magnetic"
        f" dipoles; d = {distance * 1e3:.0f} mm, {lines:.1f} lines",
        judged=True,
        curve=curve,
    )


def _several(one_db: float, count: float) -> tuple[float, float]:
    """Return what `count` like openings keep, as a power sum and in phase, at least 0 dB."""
    return (
        max(0.0, em.many_db(one_db, count, coherent=False)),
        max(0.0, em.many_db(one_db, count, coherent=True)),
    )


def _crossing(item: CrossingSpec, card: Card, layout: Layout) -> LeakPath:
    given = card.parameters
    count = float(max(1, item.count))
    if item.kind == "air" and "cell_m" in given:
        area = open_area(layout.openings[item.face], item.id)
        cells = em.honeycomb_cells(area, given["cell_m"])
        return _path(
            item,
            card,
            lambda f: em.guide_db(f, given["cell_m"], given["depth_m"]),
            cells,
            f"27.3 (t/W) sqrt(1-(f/fc)^2), {cells:.0f} cells",
            "reference/cad_em.md 2.1.4",
        )
    if item.kind == "window" and "sheet_resistance_ohm" in given:
        value = em.thin_sheet_db(given["sheet_resistance_ohm"])
        return _path(
            item, card, lambda f: value, count, "20 log(1 + Z0/(2 Rs))", "reference/cad_em.md 2.1.1"
        )
    if item.kind == "window" and "wire_pitch_m" in given:
        return _path(
            item,
            card,
            lambda f: em.grid_db(f, given["wire_pitch_m"], given["wire_width_m"]),
            count,
            "20 log|1 + Z0/(2 j w Ls)|",
            "reference/cad_em.md 2.1.5",
        )
    if item.kind in ("fibre", "liquid") and "bore_m" in given:
        return _bore(item, card, count)
    return _stated(item, card, count)


def _bore(item: CrossingSpec, card: Card, count: float) -> LeakPath:
    bore, depth = card.parameters["bore_m"], card.parameters["bore_depth_m"]
    if item.kind == "fibre":
        bores = math.ceil(count / int(card.parameters.get("capacity", 1)))
        return _path(
            item,
            card,
            lambda f: em.round_guide_db(f, bore, depth),
            bores,
            f"32 (t/D) sqrt(1-(f/fc)^2), {bores} bores",
            "reference/cad_em.md 2.1.4",
        )
    parallel = max(1.0, 0.6 * (item.diameter_m / bore) ** 2) if item.diameter_m > bore else 1.0
    return _path(
        item,
        card,
        lambda f: em.filled_bore_db(f, bore, depth, em.water_permittivity(f)),
        count * parallel,
        f"8.686 t Re sqrt(kc^2 - eps k^2), water at 25 deg C, {count * parallel:.0f} bores",
        "TE11 in a lossy filling (textbook); limit reference/cad_em.md 2.1.4",
    )


def _stated(item: CrossingSpec, card: Card, count: float) -> LeakPath:
    """Return a path that rests on the card's own figure; outside its bands nothing is kept."""

    def one(f: float) -> float:
        rows = [a.attenuation_db for a in card.attenuation if a.f_min_hz <= f <= a.f_max_hz]
        return max(rows, default=0.0)

    return _path(
        item,
        card,
        one,
        count,
        "as the card states; 0 dB where it states nothing (an unfiltered wire voids the wall)",
        f"card {card.id}: {card.source}",
        judged=True,
    )


def _path(
    item: CrossingSpec,
    card: Card,
    one: Callable[[float], float],
    count: float,
    equation: str,
    source: str,
    *,
    judged: bool = False,
) -> LeakPath:
    def curve(f: float) -> tuple[float, float]:
        return _several(one(f), count)

    return LeakPath(
        id=f"{item.kind}.{item.id}",
        module=card.id,
        equation=equation,
        source=source,
        judged=judged,
        curve=curve,
    )
