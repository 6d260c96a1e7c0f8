"""JSON Schema (draft 2020-12) of enclosure.toml, for editors and other tools."""

from __future__ import annotations

from typing import Any


def json_schema() -> dict[str, Any]:
    """Return the schema of enclosure.toml once read as TOML; cross-checks are beyond it."""
    from casemate.spec.shape import SpecFile

    schema = SpecFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Casemate enclosure spec",
        "x-note": "`casemate check` also finds contradictions that a schema cannot express.",
    }
