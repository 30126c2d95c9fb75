"""Exact JSON forms of frozen dataclasses: what the record, its digests and the files of `interlock check` are made of.

Canonical bytes follow RFC 8785. What JSON numbers cannot carry travels as text: nanoseconds (fields that end in `_ns`)
as decimals, non-finite floats as `NaN`, `Infinity`, `-Infinity`. Arrays are base64 of their little-endian bytes with a
shape; readers also take nested lists. A dataclass with a class variable `kind` carries it, so that unions can be told
apart.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import difflib
import hashlib
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
import rfc8785

from .arrays import unsigned_zeros
from .errors import UnusableInput

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

T = TypeVar("T")

NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
DTYPES: Final = {"f64": "<f8", "i64": "<i8", "b8": "|b1"}
NAMES: Final = {"f": "f64", "i": "i64", "b": "b8"}
DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,30})")


def canonical(value: Json) -> bytes:
    """The RFC 8785 bytes of a JSON value; raises UnusableInput where a number has no JSON form."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise UnusableInput(f"not canonical JSON: {error}") from error


def parse(raw: bytes | str, where: str) -> Json:
    """The JSON value of a text; `NaN` and the infinities are read as floats, to be judged like any other.

    Raises UnusableInput for what is no JSON, repeats a key, or nests too deeply.
    """

    def once(pairs: list[tuple[str, Json]]) -> Json:
        if len(dict(pairs)) != len(pairs):
            raise UnusableInput(f"{where}: a key is given twice among {', '.join(key for key, _ in pairs)}")
        return dict(pairs)

    try:
        return typing.cast("Json", json.loads(raw, object_pairs_hook=once, parse_int=_whole))
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{where}: not JSON: {error}") from error


def _whole(text: str) -> int | float:
    """RFC 8785 writes 1e16 as 10000000000000000: beyond 2^53 only a float can have been meant."""
    number = int(text)  # bounded: Python refuses more than 4300 digits with a ValueError
    return number if abs(number) < 2**53 else float(text)


def digest(value: Json) -> str:
    """SHA-256 of the canonical bytes, in lower-case hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_of(value: object) -> str:
    """SHA-256 of the canonical JSON form of a dataclass."""
    return digest(to_json(value))


def to_json(value: object) -> Json:
    """The JSON form of a dataclass, or of anything that a dataclass of ours may hold; raises TypeError for anything
    else.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, np.ndarray):
        return _array_to_json(value)  # pyright: ignore[reportUnknownArgumentType] - any array
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in typing.cast(Mapping[object, object], value).items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in typing.cast(Sequence[object], value)]
    if dataclasses.is_dataclass(value):
        return _dataclass_to_json(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def written_out(value: Json) -> Json:
    """The same JSON with its packed arrays as nested lists, for people; readers take both."""
    if isinstance(value, Mapping):
        name = next((name for name in DTYPES if set(value) == {name, "shape"}), None)
        if name is None:
            return {key: written_out(item) for key, item in value.items()}
        return typing.cast("Json", _read_packed(name, value, "array").tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [written_out(item) for item in value]
    return value


def from_json(form: type[T], value: Json, where: str = "") -> T:
    """The dataclass `form` read back from its JSON form; raises UnusableInput that says where, what was found and
    expected.
    """
    try:
        return typing.cast(T, _read(form, value, where or form.__name__))
    except RecursionError as error:
        raise UnusableInput(f"{where or form.__name__}: nested too deeply") from error


def _number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value + 0.0  # minus zero becomes zero


def _array_to_json(values: np.ndarray[Any, Any]) -> Json:
    name = NAMES[values.dtype.kind]
    owned: np.ndarray[Any, Any] = np.array(values, dtype=DTYPES[name], order="C")
    if name == "f64":
        unsigned_zeros(owned)
    return {name: base64.b64encode(owned.tobytes()).decode("ascii"), "shape": list(values.shape)}


def _dataclass_to_json(value: Any) -> Json:
    found: dict[str, Json] = {}
    tag: object = getattr(type(value), "kind", None)  # pyright: ignore[reportUnknownArgumentType] - any dataclass
    if isinstance(tag, str):
        found["kind"] = tag
    for field in dataclasses.fields(value):
        item = getattr(value, field.name)
        found[field.name] = str(item) if field.name.endswith("_ns") and isinstance(item, int) else to_json(item)
    return found


@cache
def _hints(form: type) -> dict[str, Any]:
    return typing.get_type_hints(form)


def _read(form: Any, value: Json, where: str) -> object:
    origin = typing.get_origin(form)
    if origin in (typing.Union, types.UnionType):
        return _read_union(typing.get_args(form), value, where)
    if origin is typing.Literal:
        return _read_literal(typing.get_args(form), value, where)
    if origin is tuple:
        return _read_tuple(typing.get_args(form), value, where)
    if origin is np.ndarray:
        return _read_array(typing.get_args(form)[1], value, where)
    if origin in (dict, Mapping):
        return {
            key: _read(typing.get_args(form)[1], item, f"{where}.{key}") for key, item in _object(value, where).items()
        }
    if dataclasses.is_dataclass(form):
        return _read_dataclass(typing.cast(type, form), value, where)
    return _read_scalar(form, value, where)


def _object(value: Json, where: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise UnusableInput(f"{where}: expected an object, got {_said(value)}")
    return value


def _said(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _read_dataclass(form: type, value: Json, where: str) -> object:
    given = dict(_object(value, where))
    hints = _hints(form)
    tag = getattr(form, "kind", None)
    if isinstance(tag, str) and given.pop("kind", tag) != tag:
        raise UnusableInput(f"{where}: expected kind {tag!r}, got {_said(_object(value, where)['kind'])}")
    fields = {field.name: field for field in dataclasses.fields(form) if field.init}
    for key in given:
        if key not in fields:
            near = difflib.get_close_matches(key[:60], fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it has: {', '.join(fields)}"
            raise UnusableInput(f"{where}: unknown key {_said(key)}{hint}")
    found: dict[str, object] = {}
    for name, field in fields.items():
        if name in given:
            whole = name.endswith("_ns") and int in (hints[name], *typing.get_args(hints[name]))
            read = _read_ns if whole else _read
            found[name] = read(hints[name], given[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise UnusableInput(f"{where}: {name!r} is missing")
    try:
        return form(**found)
    except (TypeError, ValueError) as error:
        raise UnusableInput(f"{where}: {error}") from error


def _read_ns(form: Any, value: Json, where: str) -> object:
    if value is None and type(None) in typing.get_args(form):
        return None
    if isinstance(value, str) and DECIMAL.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise UnusableInput(f"{where}: expected nanoseconds as decimal text, got {_said(value)}")


def _read_union(forms: tuple[Any, ...], value: Json, where: str) -> object:
    if value is None and type(None) in forms:
        return None
    choices = [form for form in forms if form is not type(None)]
    tagged = {form.kind: form for form in choices if isinstance(getattr(form, "kind", None), str)}
    if tagged:
        tag = _object(value, where).get("kind")
        if not isinstance(tag, str) or tag not in tagged:
            raise UnusableInput(f"{where}: kind must be one of {', '.join(sorted(tagged))}, got {_said(tag)}")
        return _read(tagged[tag], value, where)
    problems: list[str] = []
    for form in choices:
        try:
            return _read(form, value, where)
        except UnusableInput as error:
            problems.append(str(error))
    raise UnusableInput("; or ".join(problems))


def _read_literal(choices: tuple[Any, ...], value: Json, where: str) -> object:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    raise UnusableInput(f"{where}: must be one of {', '.join(map(repr, choices))}, got {_said(value)}")


def _read_tuple(forms: tuple[Any, ...], value: Json, where: str) -> object:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UnusableInput(f"{where}: expected a list, got {_said(value)}")
    if len(forms) == 2 and forms[1] is Ellipsis:
        return tuple(_read(forms[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if len(forms) != len(value):
        raise UnusableInput(f"{where}: expected {len(forms)} items, got {len(value)}")
    return tuple(
        _read(form, item, f"{where}[{index}]") for index, (form, item) in enumerate(zip(forms, value, strict=True))
    )


def _read_array(dtype: Any, value: Json, where: str) -> object:
    scalar = typing.get_args(dtype)[0]
    name = NAMES[np.dtype(scalar).kind]
    if isinstance(value, Mapping):
        return _read_packed(name, value, where)
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise UnusableInput(f"{where}: expected a list of numbers or {{{name}, shape}}, got {_said(value)}")
    try:
        return np.array(_plain(name, value, where), dtype=DTYPES[name])
    except (ValueError, OverflowError) as error:
        raise UnusableInput(f"{where}: not a rectangular array of {name} ({error})") from error


def _plain(name: str, value: Json, where: str) -> Any:
    """Nested lists of what an array of that name holds, and of nothing that numpy would quietly turn into it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(name, item, where) for item in value]
    return _read_scalar({"f64": float, "i64": int, "b8": bool}[name], value, where)


def _read_packed(name: str, value: Mapping[str, Json], where: str) -> np.ndarray[Any, Any]:
    shape, text = value.get("shape"), value.get(name)
    if (
        set(value) != {name, "shape"}
        or not isinstance(text, str)
        or isinstance(shape, str)
        or not isinstance(shape, Sequence)
    ):
        raise UnusableInput(f"{where}: expected an object with {name!r} and 'shape', got keys {sorted(value)}")
    sizes = [size for size in shape if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**24]
    if len(sizes) != len(shape):
        raise UnusableInput(f"{where}: 'shape' must hold whole numbers, got {_said(shape)}")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnusableInput(f"{where}: {name!r} is not base64 ({error})") from error
    dtype = np.dtype(DTYPES[name])
    if len(sizes) > 3 or len(raw) != math.prod(sizes) * dtype.itemsize:
        raise UnusableInput(f"{where}: {len(raw)} bytes do not fill shape {_said(shape)} of {name}")
    if name == "b8" and set(raw) - {0, 1}:
        raise UnusableInput(f"{where}: booleans must be 0 or 1")
    return np.frombuffer(raw, dtype=dtype).reshape(sizes)


def _read_scalar(form: Any, value: Json, where: str) -> object:
    if form is float:
        if isinstance(value, str) and value in NON_FINITE:
            return NON_FINITE[value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _as_float(value, where)
    elif form is int:
        if isinstance(value, str) and DECIMAL.fullmatch(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():  # RFC 8785 writes 1.0 as 1, other writers the reverse
            return int(value)
    elif form is bool or form is str:
        if type(value) is form:
            return value
    else:
        raise TypeError(f"{where}: {form!r} has no JSON form")
    raise UnusableInput(f"{where}: expected {form.__name__}, got {_said(value)}")


def _as_float(value: float, where: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise UnusableInput(f"{where}: a whole number of {int(value).bit_length()} bits is no float") from error
