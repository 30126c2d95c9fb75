"""What must remain between the robot and everything near it at every instant, and where less is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from .quantities import Length, Speed
from .reader import STRICT


@dataclass(frozen=True, slots=True)
class LessIn:
    """Between the two of `pair`, `min` [m] (or `contact`) suffices while the TCP is in a `zone`, within `max_speed`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    pair: tuple[str, str]
    min: Length | Literal["contact"]
    zone: tuple[str, ...]
    max_speed: Speed | None = None


@dataclass(frozen=True, slots=True)
class MinimumClearance:
    """The bodies named in `between` keep `min` [m], except where `exceptions` (in YAML: `except`) ask for less."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "clearance"
    between: tuple[str, str]
    min: Length
    exceptions: Annotated[tuple[LessIn, ...], Field(alias="except")] = ()
