"""The catalogue of drop-in modules: one TOML card each, checked on loading."""

from casemate.modules.loader import load_catalogue
from casemate.modules.model import Attenuation, Card, Catalogue, Detection

__all__ = ["Attenuation", "Card", "Catalogue", "Detection", "load_catalogue"]
