"""Limits on the tool and on points of the arm in the world: speed and orientation, sound between nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from .quantities import Angle, Direction, Speed
from .reader import STRICT


@dataclass(frozen=True, slots=True)
class TcpSpeed:
    """The tool centre point is never faster than `max` [m/s]."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "tcp_speed"
    max: Speed


@dataclass(frozen=True, slots=True)
class LinkSpeed:
    """No point of `body` is ever faster than `max` [m/s]."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "link_speed"
    max: Speed
    body: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TcpOrientation:
    """The tool's `axis` (in the tool's frame) never tilts more than `max` [rad] from `towards` (in the world)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "tcp_orientation"
    axis: Direction
    towards: Direction
    max: Angle
