"""The sentence that tells Qwen-VLA which robot it moves: from the robot's profile and the contract, never from free
text alone. A wrong sentence silently selects another convention (F-08), so nothing in it is a default.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from interlock.chunk import Layout
from interlock.fields import check_fields, text
from interlock.profile import Profile
from interlock_policies.answer import Contract

MOST_LETTERS: Final = 2000
ARMS: Final = {
    "single": "a single arm",
    "dual": "dual arms",
}  # the words for {arms} are ours
SIDES: Final = frozenset({"left_arm", "right_arm"})
BASE: Final = frozenset({"base_velocity", "base_waypoint", "base_height"})


@dataclass(frozen=True, slots=True)
class Embodiment:
    """What the sentence says of a robot's body. `tag` is the name that the model was trained with."""

    tag: str
    arms: Literal["single", "dual"]
    waist: bool
    mobile_base: bool

    def __post_init__(self) -> None:
        check_fields(self)
        _check_line("tag", self.tag)

    @property
    def said(self) -> str:
        """The tag, and what the robot has."""
        has = ARMS[self.arms] + ", waist" * self.waist + ", and mobile base" * self.mobile_base
        return f"{self.tag} with {has}"


def embodiment(tag: str, profile: Profile, layout: Layout) -> Embodiment:
    """The body that a layout of a profile moves: its arms and waist by the groups of its channels (`arm`, or `arms`, or
    `left_arm` and `right_arm`; `waist`), its base by their quantities.

    Raises ValueError for a layout that is not the profile's, and for one that does not say how many arms there are.
    """
    if layout not in profile.layouts:
        names = ", ".join(item.name for item in profile.layouts)
        raise ValueError(f"layout {layout.name!r} is not one of profile {profile.name!r}, which has: {names}")
    groups = {channel.group for channel in layout.channels}
    found = groups & {"arm", "arms", *SIDES}
    if found not in ({"arm"}, {"arms"}, SIDES):
        raise ValueError(
            f"layout {layout.name!r} has groups {sorted(groups)}, which do not say how many arms it moves: name them "
            "arm, arms, or left_arm and right_arm"
        )
    moves_base = any(channel.quantity in BASE for channel in layout.channels)
    return Embodiment(tag, "single" if found == {"arm"} else "dual", "waist" in groups, moves_base)


def prompt(body: Embodiment, period_s: float, rows: int, instruction: str) -> str:
    """The sentence that is reported of arXiv 2605.30280: for a body, the period [s] of its rows, how many, and a task.

    Raises ValueError for what is not positive and finite, and for an instruction that is no single printable line.
    """
    if not 0.0 < period_s < math.inf or rows < 1:
        raise ValueError(f"period and rows must be positive and finite, got {period_s} s and {rows}")
    _check_line("instruction", instruction)
    return (
        f"The robot is {body.said}. The control frequency is {1.0 / period_s:g} Hz. Please predict the next {rows} "
        f"control actions to execute the following task: {instruction.strip().removesuffix('.')}."
    )


def prompt_of(contract: Contract, body: Embodiment, instruction: str) -> str:
    """The sentence for chunks of a contract, with the errors of `prompt`."""
    return prompt(body, contract.period_s, contract.rows, instruction)


def _check_line(name: str, line: str) -> None:
    written = text(name, line)
    if not written.strip() or not written.isprintable() or len(written) > MOST_LETTERS:
        raise ValueError(f"{name} must be one printable line of 1 to {MOST_LETTERS} letters, got {written[:60]!r}")
