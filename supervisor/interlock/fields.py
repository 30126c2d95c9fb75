"""The fields of values that come from outside: each holds what its annotation says, or there is no such value."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from .arrays import whole

Fit: TypeAlias = Callable[[str, object], object]
"""From a field's name in a message and its value to the value in the one form that is meant; raises."""


def check_fields(value: object) -> None:
    """Raises TypeError or ValueError unless every field of this dataclass is of the type that its annotation names.

    A whole number becomes a float where a float is meant, a list a tuple where a tuple is meant, minus zero becomes
    zero, as in the record. A boolean is no number. Any float is kept, NaN included; arrays are left to `floats` and
    `flags`. Called by `__post_init__`, before anything is computed from a field.
    """
    kind: Any = type(value)
    for name, full_name, fit in _fits(kind):
        found = getattr(value, name)
        fitted = fit(full_name, found)
        if fitted is not found:
            object.__setattr__(value, name, fitted)


def text(name: str, value: object) -> str:
    """The value, if it is Unicode text, which can be put on record; raises TypeError or ValueError."""
    if type(value) is str and value.isascii():
        return value
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
def _fits(kind: Any) -> tuple[tuple[str, str, Fit], ...]:
    """The fields of a dataclass: name, name in a message, and what fits a value to the annotation. To look at the
    annotations anew for every value would take longer than the checks themselves.
    """
    hints = typing.get_type_hints(kind)
    return tuple(
        (field.name, f"{kind.__name__}.{field.name}", _fit(hints[field.name])) for field in dataclasses.fields(kind)
    )


def _fit(form: Any) -> Fit:
    if form is float:
        return number
    if form is int:
        return whole
    if form is str:
        return text
    origin, inner = typing.get_origin(form), typing.get_args(form)
    if origin is tuple:
        return _tuple(inner)
    if origin is typing.Literal:
        return _choice(inner)
    if origin in (typing.Union, types.UnionType):
        return _union(inner)
    return _instance(form) if isinstance(form, type) else _anything


def _tuple(inner: tuple[Any, ...]) -> Fit:
    repeated = inner[1:] == (Ellipsis,)
    fits = tuple(map(_fit, inner[:1] if repeated else inner))

    def fit(name: str, value: object) -> object:
        if not isinstance(value, tuple | list):
            raise TypeError(f"{name} must be a tuple, got {_shown(value)}")
        items = typing.cast("tuple[object, ...] | list[object]", value)
        if not repeated and len(fits) != len(items):
            raise TypeError(f"{name} must have {len(fits)} items, got {len(items)}")
        each = fits * len(items) if repeated else fits
        return tuple(each[index](f"{name}[{index}]", item) for index, item in enumerate(items))

    return fit


def _choice(inner: tuple[Any, ...]) -> Fit:
    def fit(name: str, value: object) -> object:
        if not any(type(value) is type(choice) and value == choice for choice in inner):
            raise TypeError(f"{name} must be one of {', '.join(map(repr, inner))}, got {_shown(value)}")
        return value

    return fit


def _union(inner: tuple[Any, ...]) -> Fit:
    forms = [form for form in inner if form is not type(None)]
    optional, only = len(forms) < len(inner), _fit(forms[0]) if len(forms) == 1 else None

    def fit(name: str, value: object) -> object:
        if value is None and optional:
            return None
        if only is not None:
            return only(name, value)
        if not any(isinstance(form, type) and isinstance(value, form) for form in forms):
            raise TypeError(f"{name} must be one of {', '.join(form.__name__ for form in forms)}, got {_shown(value)}")
        return value

    return fit


def _instance(form: type) -> Fit:
    def fit(name: str, value: object) -> object:
        if not isinstance(value, form):
            raise TypeError(f"{name} must be a {form.__name__}, got {_shown(value)}")
        return value

    return fit


def _anything(_name: str, value: object) -> object:
    return value


def _shown(value: object) -> str:
    said = "None" if value is None else f"{type(value).__name__} {value!r}"
    return said if len(said) <= 60 else f"{said[:57]}..."
