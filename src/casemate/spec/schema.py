"""JSON Schema (draft 2020-12) of enclosure.toml for editors, and its reference table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def json_schema() -> dict[str, Any]:
    """Return the schema of enclosure.toml once read as TOML; cross-checks are beyond it."""
    from casemate.spec.shape import SpecFile

    schema = SpecFile.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Casemate enclosure spec",
        "$comment": "`casemate check` also finds contradictions that a schema cannot express.",
    }


def reference_table() -> str:
    """Return every key of enclosure.toml as a Markdown table (docs/formats/enclosure.md)."""
    schema = json_schema()
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    rows += [f"| `{key}` | {value} | {default} | {text} |"
             for key, value, default, text in _rows(schema, schema, "")]  # fmt: skip
    return "\n".join(rows)


def _rows(
    schema: dict[str, Any], table: dict[str, Any], prefix: str
) -> Iterator[tuple[str, str, str, str]]:
    required = set(table.get("required", ()))
    for name, declared in table["properties"].items():
        entry = _resolved(schema, declared)
        text = declared.get("description") or entry.get("description", "")
        item = _resolved(schema, entry.get("items", {}))
        if "properties" in entry:
            yield from _rows(schema, entry, f"{prefix}{name}.")
        elif "properties" in item:
            yield from _rows(schema, item, f"{prefix}{name}[].")
        else:
            yield f"{prefix}{name}", _value(schema, entry), _default(name, declared, required), text


def _resolved(schema: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    options = [one for one in entry.get("anyOf", []) if one.get("type") != "null"]
    if options:
        return _resolved(schema, options[0])
    if "$ref" in entry:
        found: dict[str, Any] = schema["$defs"][entry["$ref"].rsplit("/", 1)[1]]
        return found
    return entry


def _value(schema: dict[str, Any], entry: dict[str, Any]) -> str:
    if entry.get("type") == "array":
        item = _value(schema, _resolved(schema, entry["items"]))
        return f"list of {entry.get('minItems', 'any')}: {item}"
    if "x-unit" in entry:
        low, high = entry["x-minimum"], entry["x-maximum"]
        unit = entry["x-unit"] or "plain"
        return f'`"{entry["examples"][0]}"`, {low:.6g} to {high:.6g} {unit}'
    if "enum" in entry or "const" in entry:
        known = entry.get("enum", [entry.get("const")])
        return ", ".join(f'`"{one}"`' if isinstance(one, str) else f"`{one}`" for one in known)
    kind = str(entry.get("type"))
    if kind == "integer":
        return f"whole number, {entry['minimum']} to {entry['maximum']}"
    plain = {"number": "number from 0 to 1", "boolean": "`true`, `false`", "object": "table"}
    return plain.get(kind, "name: lower-case letters, digits, hyphens")


def _default(name: str, declared: dict[str, Any], required: set[str]) -> str:
    if name in required:
        return "required"
    default = declared.get("default")
    return "none" if default in (None, {}, []) else f"`{_shown(default)}`"


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:.6g}" if isinstance(default, float) else str(default)
