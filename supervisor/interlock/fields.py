"""The fields of values that come from outside: each holds what its annotation says, or there is no such value."""

from __future__ import annotations

import dataclasses
import types
import typing
from functools import cache
from typing import Any

from .arrays import whole


def check_fields(value: object) -> None:
    """Raises TypeError or ValueError unless every field of this dataclass is of the type that its annotation names.

    A whole number becomes a float where a float is meant, a list a tuple where a tuple is meant, minus zero becomes
    zero, as in the record. A boolean is no number. Any float is kept, NaN included; arrays are left to `floats` and
    `flags`. Called by `__post_init__`, before anything is computed from a field.
    """
    kind: Any = type(value)
    for name, form in _forms(kind):
        found = getattr(value, name)
        fitted = _fit(f"{type(value).__name__}.{name}", form, found)
        if fitted is not found:
            object.__setattr__(value, name, fitted)


def text(name: str, value: object) -> str:
    """The value, if it is Unicode text, which can be put on record; raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text, got {_shown(value)}")
    try:
        encoded = str.encode(value, "utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} must be Unicode text: {error}") from error
    return value if type(value) is str else encoded.decode("utf-8")  # a subclass might show itself as another text


def number(name: str, value: object) -> float:
    """The value as a float, if it is a number; raises TypeError, and ValueError for what is too large for one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {_shown(value)}")
    try:
        if isinstance(value, int):
            return float(int.__index__(value))
        return value if type(value) is float and value != 0.0 else float.__add__(value, 0.0)
    except OverflowError as error:
        raise ValueError(f"{name} must be a number that a float can hold: {error}") from error


@cache
def _forms(kind: Any) -> tuple[tuple[str, Any], ...]:
    """The fields of a dataclass, with their annotations resolved."""
    hints = typing.get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))


def _fit(name: str, form: Any, value: object) -> object:
    if form is float:
        return number(name, value)
    if form is int:
        return whole(name, value)
    if form is str:
        return text(name, value)
    origin, inner = typing.get_origin(form), typing.get_args(form)
    if origin is tuple:
        return _tuple(name, inner, value)
    if origin is typing.Literal:
        if not any(type(value) is type(choice) and value == choice for choice in inner):
            raise TypeError(f"{name} must be one of {', '.join(map(repr, inner))}, got {_shown(value)}")
        return value
    if origin in (typing.Union, types.UnionType):
        return _union(name, inner, value)
    if isinstance(form, type) and not isinstance(value, form):
        raise TypeError(f"{name} must be a {form.__name__}, got {_shown(value)}")
    return value


def _tuple(name: str, inner: tuple[Any, ...], value: object) -> object:
    if not isinstance(value, tuple | list):
        raise TypeError(f"{name} must be a tuple, got {_shown(value)}")
    items = typing.cast("tuple[object, ...] | list[object]", value)
    forms = inner[:1] * len(items) if inner[1:] == (Ellipsis,) else inner
    if len(forms) != len(items):
        raise TypeError(f"{name} must have {len(forms)} items, got {len(items)}")
    return tuple(_fit(f"{name}[{index}]", forms[index], item) for index, item in enumerate(items))


def _union(name: str, inner: tuple[Any, ...], value: object) -> object:
    forms = [form for form in inner if form is not type(None)]
    if value is None and len(forms) < len(inner):
        return None
    if len(forms) == 1:
        return _fit(name, forms[0], value)
    if not any(isinstance(form, type) and isinstance(value, form) for form in forms):
        raise TypeError(f"{name} must be one of {', '.join(form.__name__ for form in forms)}, got {_shown(value)}")
    return value


def _shown(value: object) -> str:
    said = "None" if value is None else f"{type(value).__name__} {value!r}"
    return said if len(said) <= 60 else f"{said[:57]}..."
