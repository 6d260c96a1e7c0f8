"""Reads module cards: TOML, checked, quantities in SI; every fault is one clear CardError."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from casemate.core.errors import CardError
from casemate.core.units import QuantityError, parse_quantity
from casemate.modules.model import PARAMETER_UNITS, Attenuation, Card, Catalogue, Detection

SHIPPED = Path(__file__).parent / "cards"
MAX_BYTES = 200_000

_SIGNED_UNITS: tuple[tuple[str, str, str], ...] = (
    ("thickness", "thickness_m", "m"),
    ("mass", "mass_kg", "kg"),
    ("power", "power_w", "W"),
    ("unit_cost", "unit_cost_usd", "USD"),
    ("development_cost", "development_cost_usd", "USD"),
    ("development_time", "development_s", "s"),
    ("install", "install_s", "s"),
    ("service", "service_s", "s"),
    ("mtbf", "mtbf_s", "s"),
    ("latency", "latency_s", "s"),
)
_SHARED = ("mass", "power", "unit_cost", "install")
_COPIED = (
    "id",
    "name",
    "function",
    "form",
    "per",
    "stops_host",
    "origin",
    "interface",
    "interface_standard",
    "interface_reason",
    "maturity",
    "roadmap",
    "effort_on_placeholder",
    "risk",
    "source",
)
_SUFFIX = {"S/m": "s_per_m", "ohm*m": "ohm_m", "H/m": "h_per_m"}


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """Return the shipped cards and those in `extra`; a card there replaces its namesake.

    Raises CardError for any file that is not a sound card.
    """
    cards = _load_folder(SHIPPED)
    if extra is not None:
        if not extra.is_dir():
            raise CardError(
                "the folder of extra cards does not exist.",
                remedy="name a folder that holds *.toml cards.",
                file=str(extra),
            )
        cards.update(_load_folder(extra))
    catalogue = Catalogue(cards=tuple(cards[key] for key in sorted(cards)))
    _check_references(catalogue)
    return catalogue


def load_card(path: Path) -> Card:
    """Return the card in one TOML file."""
    from pydantic import ValidationError

    from casemate.modules.schema import CardFile

    file = path.name
    raw = _read(path)
    try:
        checked = CardFile.model_validate(raw)
    except ValidationError as error:
        raise _first_fault(error, file, set(CardFile.model_fields)) from None
    card = _to_card(checked.model_dump(), file)
    _check_rules(card, file)
    return card


def _load_folder(folder: Path) -> dict[str, Card]:
    cards: dict[str, Card] = {}
    for path in sorted(folder.glob("*.toml")):
        card = load_card(path)
        if card.id in cards:
            raise CardError(
                "two cards have the same id.",
                remedy="give one of them another id.",
                file=path.name,
                key="id",
                value=card.id,
            )
        cards[card.id] = card
    return cards


def _read(path: Path) -> dict[str, Any]:
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise ValueError(f"the file is longer than {MAX_BYTES} bytes")
        return tomllib.loads(data.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CardError(
            f"the card cannot be read: {error}.",
            remedy="write it as UTF-8 TOML, see docs/formats/module-card.md.",
            file=path.name,
        ) from None


def _first_fault(error: Any, file: str, known: set[str]) -> CardError:
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    remedy = "see docs/formats/module-card.md for the keys and their form."
    message = f"{fault['msg']}."
    if fault["type"] == "extra_forbidden":
        message = "the key is unknown."
        near = difflib.get_close_matches(key, sorted(known), n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"remove it, or {remedy}"
    value = None if fault["type"] == "missing" else fault.get("input")
    return CardError(message, remedy=remedy, file=file, key=key, value=value)


def _quantity(text: object, unit: str, file: str, key: str) -> float:
    try:
        value = parse_quantity(text, unit)  # type: ignore[arg-type]
    except QuantityError as error:
        raise CardError(
            f"{error}.", remedy=f'write it as "1 {unit}".', file=file, key=key, value=text
        ) from None
    if value < 0:
        raise CardError(
            "the quantity is negative.",
            remedy="give zero or a positive value.",
            file=file,
            key=key,
            value=text,
        )
    return value


def _to_card(row: dict[str, Any], file: str) -> Card:
    values = {name: row[name] for name in _COPIED}
    share = {"each": "", "m": "/m", "m^2": "/m^2"}[row["per"]]
    for key, name, unit in _SIGNED_UNITS:
        values[name] = _quantity(row[key], unit + (share if key in _SHARED else ""), file, key)
    held = row["hold_up_power"]
    values["hold_up_power_w"] = (
        values["power_w"] if held is None else _quantity(held, f"W{share}", file, "hold_up_power")
    )
    for name in ("applies_to", "drop_in_for", "requires", "weaknesses"):
        values[name] = tuple(row[name])
    values["detections"] = tuple(
        _detection(item, file, f"detections.{index}")
        for index, item in enumerate(row["detections"])
    )
    values["attenuation"] = tuple(
        _attenuation(item, file, f"attenuation.{index}")
        for index, item in enumerate(row["attenuation"])
    )
    values["parameters"] = _parameters(row["parameters"], file)
    return Card(**values)


def _detection(row: dict[str, Any], file: str, key: str) -> Detection:
    pod = row["pod"]
    chance = None if pod is None else _quantity(pod, "", file, f"{key}.pod")
    if chance is not None and chance > 1:
        raise CardError(
            "a probability is above 1.",
            remedy="give a share such as 0.99.",
            file=file,
            key=f"{key}.pod",
            value=pod,
        )
    return Detection(
        attack_path=row["attack_path"],
        modality=row["modality"],
        read_by=tuple(row["read_by"]),
        primary=row["role"] == "primary",
        evidence=row["evidence"],
        error=row["error"],
        pod=chance,
        figure=row["figure"],
    )


def _attenuation(row: dict[str, Any], file: str, key: str) -> Attenuation:
    low = _quantity(row["f_min"], "Hz", file, f"{key}.f_min")
    high = _quantity(row["f_max"], "Hz", file, f"{key}.f_max")
    if low > high:
        raise CardError(
            "f_min is above f_max.", remedy="swap them.", file=file, key=key, value=row["f_min"]
        )
    return Attenuation(
        f_min_hz=low,
        f_max_hz=high,
        attenuation_db=_quantity(row["attenuation"], "dB", file, f"{key}.attenuation"),
        evidence=row["evidence"],
    )


def _parameters(table: dict[str, Any], file: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in table.items():
        unit = PARAMETER_UNITS.get(key)
        if unit is None:
            result[key] = tuple(value) if isinstance(value, list) else value
            continue
        name = f"{key}_{_SUFFIX.get(unit, unit.lower())}"
        place = f"parameters.{key}"
        if isinstance(value, list):
            result[name] = tuple(_quantity(item, unit, file, place) for item in value)
        else:
            result[name] = _quantity(value, unit, file, place)
    return result


def _check_rules(card: Card, file: str) -> None:
    """Raise unless the card obeys the rules of PRODUCT.md that one card alone can break."""

    def refuse(key: str, message: str, remedy: str, value: object = None) -> None:
        raise CardError(message, remedy=remedy, file=file, key=key, value=value)

    if not card.interface_standard and not card.interface_reason:
        refuse(
            "interface_reason",
            "a custom interface needs a reason.",
            "say why no standard one serves, or set interface_standard = true.",
            card.interface,
        )
    if card.maturity == "performing" and not card.roadmap:
        refuse("roadmap", "a performing module needs a roadmap to the target.", 'write "at target"')
    if card.maturity == "skipped" and not card.risk:
        refuse("risk", "a skipped function needs its risk stated.", "write what may happen.")
    if card.mtbf_s <= 0:
        refuse("mtbf", "the mean time between failures is zero.", "give a positive time.")
    if card.function == "mesh_skin":
        _check_skin(card, file)


def _check_skin(card: Card, file: str) -> None:
    needed = [
        "copper",
        "mesh",
        "plane",
        "mesh_depth_m",
        "board_thickness_m",
        "copper_thickness_m",
        "blind",
    ]
    needed += ["trace_min_m", "pitch_min_m"]
    for key in needed:
        if key not in card.parameters:
            raise CardError(
                "a mesh skin lacks a parameter that the layout reads.",
                remedy="add it, see docs/formats/module-card.md.",
                file=file,
                key=f"parameters.{key}",
            )
    mesh, depth = card.parameters["mesh"], card.parameters["mesh_depth_m"]
    copper = card.parameters["copper"]
    outside = set(mesh) - set(copper) | set(card.parameters["plane"]) - set(copper)
    if len(mesh) != len(depth) or outside or list(depth) != sorted(depth):
        raise CardError(
            "mesh layers, their depths and the copper layers disagree.",
            remedy="name mesh and plane layers from `copper`, one depth a mesh layer, outer first.",
            file=file,
            key="parameters.mesh",
            value=mesh,
        )


def alternatives(named: tuple[str, ...]) -> list[str]:
    """Return single references: "seam/lap|fold" becomes "seam/lap" and "seam/fold"."""
    singles: list[str] = []
    for name in named:
        function, slash, forms = name.partition("/")
        singles += [f"{function}{slash}{form}" for form in forms.split("|")] if slash else [name]
    return singles


def _check_references(catalogue: Catalogue) -> None:
    ids = {card.id for card in catalogue}
    forms = {f"{card.function}/{card.form}" for card in catalogue}
    for card in catalogue:
        for key, named, known in (
            ("drop_in_for", card.drop_in_for, ids),
            ("requires", card.requires, forms),
        ):
            for name in alternatives(named):
                if name not in known:
                    raise CardError(
                        "the card names a module that does not exist.",
                        remedy="name an existing one, or remove it.",
                        file=f"{card.id}.toml",
                        key=key,
                        value=name,
                    )
