"""Zones that bodies stay in or stay out of: prisms over polygons with holes, judged over the whole swept motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from .reader import STRICT


@dataclass(frozen=True, slots=True)
class KeepIn:
    """Every point of `body` stays inside `zone`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "keep_in"
    zone: str
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeepOut:
    """No point of `body` enters `zone`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "keep_out"
    zone: str
    body: tuple[str, ...]
