"""Limits on what the hand is told: how far it opens, how fast it moves, how hard it grips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import ConfigDict

from .quantities import Force, GripperRange, GripperSpeed
from .reader import STRICT


@dataclass(frozen=True, slots=True)
class GripperLimits:
    """Every gripper is told values in `width` only, and moves and grips within `max_speed` and `max_force`."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    kind: ClassVar[str] = "gripper"
    width: GripperRange
    max_speed: GripperSpeed
    max_force: Force
