"""What a module card says, as frozen values in SI units. Format: docs/formats/module-card.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FUNCTIONS = (
    "mesh_skin",
    "seam",
    "shield",
    "vent",
    "window",
    "crossing_liquid",
    "crossing_power",
    "crossing_fibre",
    "crossing_copper",
    "skin_sensing",
    "volume_sensing",
    "aux_sensing",
    "reader",
    "controller",
    "key_store",
    "hold_up",
    "network",
)
"""Every function of an enclosure that a card can serve, outside first."""

EVIDENCE = ("proof", "measurement", "simulation", "datasheet", "judgement")
"""Kinds of evidence, strongest first; the last two raise a doubt."""

PARAMETER_UNITS = {
    "board_thickness": "m",
    "copper_thickness": "m",
    "mesh_depth": "m",
    "pitch_min": "m",
    "trace_min": "m",
    "size_min": "m",
    "bend_radius": "m",
    "gap": "m",
    "tool_reach": "m",
    "terminal_strip": "m",
    "overlap_min": "m",
    "cell": "m",
    "depth": "m",
    "wall": "m",
    "wire_pitch": "m",
    "wire_width": "m",
    "bore": "m",
    "bore_depth": "m",
    "diameter_max": "m",
    "sheet_thickness": "m",
    "conductivity": "S/m",
    "sheet_conductance": "S",
    "sheet_resistance": "ohm",
    "transfer_impedance": "ohm*m",
    "slot_length": "m",
    "contact_resistance": "ohm*m",
    "inductance_per_length": "H/m",
    "current_max": "A",
    "voltage_max": "V",
    "net_length_max": "m",
    "resolution": "s",
    "frequency_min": "Hz",
    "frequency_max": "Hz",
    "energy": "J",
    "false_alarm_handling": "s",
    "lamella_pitch": "m",
}
"""Parameter -> SI unit. In a loaded card the key carries the unit: `gap` becomes `gap_m`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One thing a module detects or withstands on one attack path.

    attack_path: skin, seam, vent, window, crossing_KIND, volume, opening, key, environment.WHAT.
    modality: common-mode group; two detections are independent only if these differ.
    read_by: forms of sensing cards of which one must be chosen for this detection to work
    (empty: the module needs no reader). primary: alone it notices the reference adversary with
    the smallest tool; a supporting one never counts towards dual detection.
    pod: probability of detection if one is known, else None. figure: what was found, in words.
    """

    attack_path: str
    modality: str
    read_by: tuple[str, ...] = ()
    primary: bool = True
    evidence: str
    error: str
    pod: float | None = None
    figure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attenuation:
    """The least attenuation (dB) that a module keeps between two frequencies (Hz)."""

    f_min_hz: float
    f_max_hz: float
    attenuation_db: float
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One drop-in module. Quantities are per `per` ("m^2", "m" or "each"), SI units.

    form: the kind within its function; sensing forms are chosen side by side, all else one a
    slot. applies_to: contexts of the slot ("any", "fixed", "door", "edge"). requires:
    "function/form" that must be chosen with it (on the same face if that function is one a face).
    stops_host: True if its replacement stops the protected host. latency_s: physical change to
    reading (sensing) or reading to verdict (controller).
    """

    id: str
    name: str
    function: str
    form: str
    applies_to: tuple[str, ...]
    per: str
    thickness_m: float
    mass_kg: float
    power_w: float
    hold_up_power_w: float
    unit_cost_usd: float
    development_cost_usd: float
    development_s: float
    install_s: float
    service_s: float
    mtbf_s: float
    stops_host: bool
    latency_s: float
    origin: str
    interface: str
    interface_standard: bool
    interface_reason: str
    maturity: str
    roadmap: str
    effort_on_placeholder: bool
    risk: str
    drop_in_for: tuple[str, ...]
    requires: tuple[str, ...]
    weaknesses: tuple[str, ...]
    detections: tuple[Detection, ...]
    attenuation: tuple[Attenuation, ...]
    source: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def attenuation_over(self, f_min_hz: float, f_max_hz: float) -> float | None:
        """Return the least attenuation (dB) stated over the whole band, None if not stated."""
        reach, least = f_min_hz, float("inf")
        for row in sorted(self.attenuation, key=lambda item: item.f_min_hz):
            if row.f_min_hz > reach * (1 + 1e-9) or row.f_max_hz < f_min_hz:
                continue
            least = min(least, row.attenuation_db)
            reach = max(reach, row.f_max_hz)
            if reach >= f_max_hz * (1 - 1e-9):
                return least
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All known cards, sorted by id."""

    cards: tuple[Card, ...]

    def __iter__(self) -> Iterator[Card]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def get(self, id: str) -> Card | None:
        """Return the card with this id, or None."""
        return next((card for card in self.cards if card.id == id), None)

    def serving(self, function: str) -> tuple[Card, ...]:
        """Return the cards of one function."""
        return tuple(card for card in self.cards if card.function == function)

    def drop_ins(self, id: str) -> tuple[str, ...]:
        """Return the ids of the cards that name `id` as the module they replace."""
        return tuple(card.id for card in self.cards if id in card.drop_in_for)
