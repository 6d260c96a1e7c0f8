"""Doubts of a choice: every claim that no proof, measurement or simulation backs (rule 6)."""

from __future__ import annotations

from casemate.design.enclosure import Doubt
from casemate.design.totals import Chosen, bounds_field, is_stuck
from casemate.modules import Card, Catalogue
from casemate.spec.model import EnclosureSpec

SEVERITIES = ("error", "high", "medium", "low")
"""Worst first. `error` is a finding: the design is not sound while it stands."""


def doubts_of(chosen: Chosen, spec: EnclosureSpec, catalogue: Catalogue) -> tuple[Doubt, ...]:
    """Return the doubts of the chosen modules, worst first."""
    cards = {card.id: card for _, card, _ in chosen.values()}
    found = []
    for id in sorted(cards):
        found += _claims(cards[id])
        found += _ripeness(cards[id], catalogue)
        found += _bands(cards[id], spec)
    found += _whole(chosen, spec)
    return tuple(sorted(found, key=lambda doubt: SEVERITIES.index(doubt.severity)))


def _claims(card: Card) -> list[Doubt]:
    result = []
    for row in card.detections:
        if row.evidence not in ("judgement", "datasheet"):
            continue
        result.append(
            Doubt(
                id=f"{card.id}.{row.attack_path}.{row.modality}",
                claim=f"{card.name} notices an attack on path {row.attack_path}"
                f" by {row.modality}" + (f": {row.figure}" if row.figure else ""),
                why=f"evidence is {row.evidence}; error: {row.error}",
                closes_with="a measurement on a coupon, or a simulation with its error",
                severity="high" if row.evidence == "judgement" and row.primary else "medium",
            )
        )
    return result


def _ripeness(card: Card, catalogue: Catalogue) -> list[Doubt]:
    if is_stuck(card, catalogue):
        return [
            Doubt(
                id=f"{card.id}.stuck",
                claim=f"{card.name} will reach its target",
                why="it is stuck between roadmap and placeholder: no drop-in is named for it, or"
                " effort is spent on a level that never reaches the target",
                closes_with="a card with drop_in_for naming it and no effort on it, or a roadmap",
                severity="error",
            )
        ]
    if card.maturity == "placeholder":
        drop_ins = ", ".join(catalogue.drop_ins(card.id))
        return [
            Doubt(
                id=f"{card.id}.placeholder",
                claim=f"{card.name} serves for now",
                why=f"it is a placeholder; {card.roadmap}",
                closes_with=f"its drop-in: {drop_ins}",
                severity="high",
            )
        ]
    if card.maturity == "skipped":
        return [
            Doubt(
                id=f"{card.id}.skipped",
                claim=f"{card.function} is not needed",
                why=f"the function is skipped; risk: {card.risk}",
                closes_with="a performing module",
                severity="high",
            )
        ]
    return []


def _bands(card: Card, spec: EnclosureSpec) -> list[Doubt]:
    if card.function == "seam" and spec.targets.attenuation:
        return [
            Doubt(
                id=f"{card.id}.transfer-impedance",
                claim=f"{card.name}: contacts every {card.parameters['slot_length_m'] * 1e3:g} mm,"
                f" {card.parameters['transfer_impedance_ohm_m'] * 1e3:g} mohm m",
                why="planning values; products of one class differ by more than 110 dB",
                closes_with="transfer impedance measured to SAE ARP-1705 after door cycles",
                severity="medium",
            )
        ]
    if not bounds_field(card):
        return []
    result = []
    for band in spec.targets.attenuation:
        stated = card.attenuation_over(band.f_min_hz, band.f_max_hz)
        why = "the card states nothing over the whole band, so 0 dB is counted there"
        if stated is not None:
            why = f"its {stated:.0f} dB are {card.attenuation[0].evidence}"
        result.append(
            Doubt(
                id=f"{card.id}.attenuation.{band.id}",
                claim=f"{card.name} keeps {band.attenuation_db:.0f} dB over {band.id}",
                why=why,
                closes_with="insertion loss measured over the band",
                severity="high" if stated is None else "medium",
            )
        )
    return result


def _whole(chosen: Chosen, spec: EnclosureSpec) -> list[Doubt]:
    from casemate.spec.fab import load_fab_profiles

    result = [
        Doubt(
            id="choice.pod",
            claim=f"probability of detection is at least {spec.targets.pod:g}",
            why="no card gives a probability for this design; the choice only makes sure that"
            " independent detections exist",
            closes_with="casemate prove",
            severity="high",
        ),
        Doubt(
            id="choice.planning-values",
            claim="mass, cost, install and service times and MTBF",
            why="cards give planning values, not quotes or field data",
            closes_with="quotes and a service log, written into the cards",
            severity="low",
        ),
        Doubt(
            id="choice.hold-up",
            claim=f"hold-up of {spec.budgets.hold_up_s / 3600:.0f} h while armed",
            why="counts on slower scanning without outside power; the reaction time is then longer",
            closes_with="measured power of reader and controller in hold-up",
            severity="medium",
        ),
    ]
    profile = load_fab_profiles().get(spec.fab)
    blind = sorted(
        {c.id for _, c, _ in chosen.values() if c.function == "mesh_skin" and c.parameters["blind"]}
    )
    if blind and profile is not None and not profile.blind_vias:
        result.append(
            Doubt(
                id="choice.blind-vias",
                claim=f"{', '.join(blind)} can be made at {spec.fab}",
                why="the skin asks blind vias, the fab profile names none",
                closes_with="the fab's written agreement, or a fab profile with blind vias",
                severity="high",
            )
        )
    return result
