"""From what pydantic found wrong to one clear SpecError with a remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_args

from casemate.core.errors import SpecError

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails


PLAIN = {
    "string_type": "expected a string in quotes",
    "int_type": "expected a whole number",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "less_than_equal": "the number is larger than <le>",
    "greater_than_equal": "the number is smaller than <ge>",
    "too_short": "the list has fewer than <min_length> entries",
    "too_long": "there are more than <max_length> entries",
    "string_too_long": "the text is longer than <max_length> characters",
}
"""What pydantic's complaints are called here."""


def spec_error(problem: ValidationError, *, file: str, model: type[BaseModel]) -> SpecError:
    """Return the first problem (unknown keys before all else) and count the others."""
    found = problem.errors(include_url=False)
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    message, remedy, value = _explain(first, model)
    more = len(found) - 1
    if more:
        message = f"{message[:-1]} (and {more} more {'problem' if more == 1 else 'problems'})."
    return SpecError(message, remedy=remedy, file=file, key=dotted(first["loc"]), value=value)


def dotted(loc: Iterable[int | str]) -> str:
    """Return ("crossings", 0, "face") as "crossings[0].face"."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part not in ("[key]",):
            text += f".{part}" if text else part
    return text


def closest(word: object, known: Iterable[str]) -> str:
    """Return 'did you mean "x"? ' or an empty string."""
    near = difflib.get_close_matches(str(word)[:80], list(known), n=1, cutoff=0.55)
    return f'did you mean "{near[0]}"? ' if near else ""


def _explain(each: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, object]:
    kind, loc, context = each["type"], each["loc"], each.get("ctx", {})
    value: object = each["input"]
    if kind == "casemate":
        return f"{context['text']}.", str(context["remedy"]), value
    if kind == "extra_forbidden":
        known = sorted(_table(model, loc[:-1]).model_fields)
        return (
            "this key is unknown.",
            f"{closest(loc[-1], known)}known keys here: {', '.join(known)}.",
            None,
        )
    if kind == "missing":
        return "this key is missing.", f"add {_sample(model, loc)}.", None
    if kind == "literal_error":
        known = [str(one) for one in _choices(model, loc)]
        remedy = f"{closest(value, known)}use {_either(known)}."
        return "not one of the known values.", remedy, value
    if kind == "string_pattern_mismatch":
        return (
            "the name has a wrong form.",
            "use lower-case letters, digits and hyphens, beginning with a letter.",
            value,
        )
    message = PLAIN.get(kind, each["msg"])
    for name in ("le", "ge", "min_length", "max_length"):
        message = message.replace(f"<{name}>", str(context.get(name)))
    return f"{message}.", f"write {_sample(model, loc)}.", value


def _either(known: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(known[:-1]), known[-1]))) if known else "another"


def _table(model: type[BaseModel], loc: Iterable[int | str]) -> type[BaseModel]:
    """Return the pydantic model that describes the table at `loc`."""
    from pydantic import BaseModel

    for part in loc:
        if isinstance(part, int) or part not in model.model_fields:
            continue
        for candidate in _flat(model.model_fields[part].annotation):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                model = candidate
    return model


def _flat(annotation: Any) -> list[Any]:
    inner = [leaf for part in get_args(annotation) for leaf in _flat(part)]
    return inner or [annotation]


def _choices(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[Any]:
    info = _table(model, loc[:-1]).model_fields.get(str(loc[-1]))
    return _flat_literal(info.annotation) if info else []


def _flat_literal(annotation: Any) -> list[Any]:
    return [part for part in get_args(annotation) if isinstance(part, str | int)]


def _sample(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """Return an example line for the key at `loc`, taken from its declaration."""
    names = [part for part in loc if isinstance(part, str)]
    if not names:
        return "a table"
    info = _table(model, loc[: loc.index(names[-1])]).model_fields.get(names[-1])
    if info is None:
        return f'{names[-1]} = "id-of-a-module"'
    schema = _property_schema(model, loc, names[-1])
    if schema.get("type") == "array":
        return (
            f"{names[-1]} as a list, {_listed(schema)}"
            if _listed(schema)
            else (f"the list [[{'.'.join(names)}]]")
        )
    if "$ref" in schema or schema.get("type") == "object":
        return f"the table [{'.'.join(names)}]"
    return f"{names[-1]} = {_shown(schema)}"


def _property_schema(
    model: type[BaseModel], loc: tuple[int | str, ...], name: str
) -> dict[str, Any]:
    table = _table(model, loc[: loc.index(name)])
    schema: dict[str, Any] = table.model_json_schema()["properties"][name]
    options = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return options[0] if options else schema


def _listed(schema: dict[str, Any]) -> str:
    item = schema.get("items", {})
    if "$ref" in item:
        return ""
    return f"[{', '.join([_shown(item)] * int(schema.get('minItems', 1)))}]"


def _shown(schema: dict[str, Any]) -> str:
    example = next(iter(schema.get("examples") or schema.get("enum") or []), None)
    if example is None:
        example = {"boolean": True, "integer": schema.get("minimum", 1)}.get(
            str(schema.get("type")), "text"
        )
    if isinstance(example, bool):
        return "true"
    return f'"{example}"' if isinstance(example, str) else f"{example}"
