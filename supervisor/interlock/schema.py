"""The JSON Schema (2020-12) of the JSON forms: what `interlock check` reads, and what a record holds."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from .jsonform import DTYPES, NAMES, Json

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NUMBER: Final[Json] = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
WHOLE: Final[Json] = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?(0|[1-9][0-9]{0,30})$"}]}
SCALARS: Final[Mapping[Any, Json]] = {
    float: NUMBER,
    int: WHOLE,
    bool: {"type": "boolean"},
    str: {"type": "string"},
    type(None): {"type": "null"},
}


def json_schema(form: type) -> dict[str, Any]:
    """The schema of a dataclass's JSON form; raises TypeError for one that has none."""
    definitions: dict[str, Json] = {}
    reference = _of(form, definitions)
    return {
        "$schema": DIALECT,
        "title": form.__name__,
        **typing.cast("dict[str, Json]", reference),
        "$defs": definitions,
    }


def _of(form: Any, definitions: dict[str, Json]) -> Json:
    origin, inner = typing.get_origin(form), typing.get_args(form)
    if form in SCALARS:
        return SCALARS[form]
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [_of(choice, definitions) for choice in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return _tuple(inner, definitions)
    if origin is np.ndarray:
        return _array(NAMES[np.dtype(typing.get_args(inner[1])[0]).kind])
    if dataclasses.is_dataclass(form):
        return _dataclass(typing.cast("type", form), definitions)
    raise TypeError(f"{form!r} has no JSON form")


def _tuple(inner: tuple[Any, ...], definitions: dict[str, Json]) -> Json:
    if len(inner) == 2 and inner[1] is Ellipsis:
        return {"type": "array", "items": _of(inner[0], definitions)}
    items = [_of(item, definitions) for item in inner]
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}


def _array(name: str) -> Json:
    shape: Json = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    packed: Json = {
        "type": "object",
        "description": f"base64 of the little-endian bytes of {DTYPES[name]}, in C order",
        "properties": {name: {"type": "string"}, "shape": shape},
        "required": [name, "shape"],
        "additionalProperties": False,
    }
    return {"anyOf": [packed, {"type": "array", "description": "the same numbers as nested lists"}]}


def _dataclass(form: type, definitions: dict[str, Json]) -> Json:
    reference: Json = {"$ref": f"#/$defs/{form.__name__}"}
    if form.__name__ in definitions:
        return reference
    definitions[form.__name__] = True  # holds the place while its fields are read
    hints = typing.get_type_hints(form)
    fields = [field for field in dataclasses.fields(form) if field.init]
    properties = {field.name: _field(field.name, hints[field.name], definitions) for field in fields}
    tag: object = getattr(form, "kind", None)
    if isinstance(tag, str):
        properties = {"kind": {"const": tag}, **properties}
    needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    definitions[form.__name__] = {
        "type": "object",
        "description": inspect.getdoc(form) or "",
        "properties": properties,
        "required": needed + (["kind"] if isinstance(tag, str) else []),
        "additionalProperties": False,
    }
    return reference


def _field(name: str, hint: Any, definitions: dict[str, Json]) -> Json:
    found = _of(hint, definitions)
    return {"description": "nanoseconds", **typing.cast("dict[str, Json]", found)} if name.endswith("_ns") else found
