"""The enclosure spec: frozen model, loader, cross-checks, fab profiles, JSON Schema."""

from __future__ import annotations

from casemate.spec.loader import load_spec, load_spec_text
from casemate.spec.schema import json_schema

__all__ = ["json_schema", "load_spec", "load_spec_text"]
