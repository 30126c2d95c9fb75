"""From a document to dataclasses: pydantic reads the fields, and its complaints get places in the file."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .forms import WRITTEN
from .problems import BadFile, Problem, nearest
from .yaml_text import Document, Path

F = TypeVar("F")
T = TypeVar("T")

WANTED: Final = {
    "string_type": "text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "dataclass_type": "an object",
}

COUNTED: Final = {
    "too_short": "at least {min_length} items, got {actual_length}",
    "too_long": "at most {max_length} items, got {actual_length}",
    "string_too_short": "some text, got none",
    "string_too_long": "at most {max_length} characters",
}


class FaultBelow(ValueError):
    """What is wrong with a value below the part of a document that is being made, and where from there."""

    def __init__(self, below: Path, message: str) -> None:
        super().__init__(message)
        self.below = below


_ADAPTERS: Final[dict[Any, TypeAdapter[Any]]] = {}


def adapter(form: Any) -> TypeAdapter[Any]:
    """Pydantic's reader for a form; made once."""
    if form not in _ADAPTERS:
        _ADAPTERS[form] = TypeAdapter(form)
    return _ADAPTERS[form]


@dataclass(frozen=True, slots=True)
class Reading:
    """One document being read: what is wrong with it so far."""

    document: Document
    problems: list[Problem] = field(default_factory=list[Problem])

    def read(self, form: type[T], tree: object, at: Path = (), also: Iterable[str] = ()) -> T | None:
        """The part of the document at a path as `form`; None, with the problems noted, where it is none.

        `also`: more keys that an author may write there, which somebody else reads.
        """
        try:
            return typing.cast(T, adapter(form).validate_python(tree))
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                message, at_key = _message(form, detail, tuple(also))
                self.note((*at, *detail["loc"]), message, at_key=at_key)
            return None

    def note(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Adds a problem with the value at a path, or with its key."""
        self.problems.append(self.document.problem(path, message, at_key=at_key))

    def build(self, at: Path, make: Callable[[], T]) -> T | None:
        """What `make` returns; None, with its ValueError noted at the path, or as far below as it says, where it raises
        one.
        """
        try:
            return make()
        except FaultBelow as error:
            self.note((*at, *error.below), str(error))
            return None
        except ValueError as error:
            self.note(at, str(error))
            return None

    def each(self, at: Path, forms: Sequence[F], make: Callable[[F], T]) -> tuple[T, ...]:
        """What `make` returns for each item of a list at a path; those that raise ValueError are noted and left out."""
        found = (self.build((*at, index), partial(make, form)) for index, form in enumerate(forms))
        return tuple(made for made in found if made is not None)

    def end(self, result: T | None) -> T:
        """The result; raises BadFile if anything was wrong."""
        if self.problems or result is None:
            raise BadFile(self.problems)
        return result


def _message(form: Any, detail: ErrorDetails, also: tuple[str, ...]) -> tuple[str, bool]:
    """What to tell the author, and whether it is the key that is wrong rather than its value."""
    kind, last, found = detail["type"], detail["loc"][-1] if detail["loc"] else "", detail["input"]
    if kind == "missing":
        return (f"item {last + 1} is missing" if isinstance(last, int) else f'"{last}" is missing'), False
    if kind == "unexpected_keyword_argument":
        above = detail["loc"][:-1]
        known = keys_at(form, above) + list(() if above else also)
        return f'unknown key "{last}"{nearest(str(last), known)}', True
    if kind == "literal_error":
        choices = str(detail.get("ctx", {}).get("expected")).replace("'", "").replace(" or ", ", ").split(", ")
        near = nearest(str(found), choices)
        return f"{_shown(found)} is not one of {', '.join(choices)}{near if near.endswith('?') else ''}", False
    if kind in WANTED:
        return f"expected {WANTED[kind]}, got {_shown(found)}", False
    if kind == "string_pattern_mismatch":
        return f"{_shown(found)} is not {WRITTEN[detail.get('ctx', {})['pattern']]}", False
    if kind in COUNTED:
        return f"expected {COUNTED[kind].format(**detail.get('ctx', {}))}", False
    return detail["msg"].removeprefix("Value error, "), False


def _shown(found: object) -> str:
    return "an object" if isinstance(found, dict) else "a list" if isinstance(found, list) else f'"{found}"'


def keys_at(form: Any, loc: Path) -> list[str]:
    """The keys that an object may have at a place in a form."""
    origin = typing.get_origin(form)
    if origin is Annotated:
        return keys_at(typing.get_args(form)[0], loc)
    if origin in (typing.Union, types.UnionType):
        return [key for arm in typing.get_args(form) for key in keys_at(arm, loc)]
    if origin is tuple and loc and isinstance(loc[0], int):
        items = typing.get_args(form)
        return keys_at(items[0] if items[-1] is Ellipsis else items[loc[0]], loc[1:])
    if not dataclasses.is_dataclass(form):
        return []
    fields = {alias(hint) or name: hint for name, hint in _hints(form).items()}
    if not loc:
        return list(fields)
    return keys_at(fields[str(loc[0])], loc[1:]) if loc[0] in fields else keys_at(form, loc[1:])


def _hints(form: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(form, include_extras=True)
    return {one.name: hints[one.name] for one in dataclasses.fields(form) if one.init}


def alias(hint: Any) -> str | None:
    """The name that a file uses for a field, where Python cannot: `except`."""
    found = [one.alias for one in getattr(hint, "__metadata__", ()) if isinstance(one, FieldInfo) and one.alias]
    return found[0] if found else None
