"""What the closed loop needs of a robot, a policy and a clock: three small protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from interlock.chunk import ActionChunk, Malformed
from interlock.motion import Reference
from interlock.permit import Permit
from interlock.scene import RobotState, Scene


class Robot(Protocol):
    """A robot that takes permits, not actions."""

    def read(self) -> tuple[RobotState, Scene]:
        """The measured state, and the scene around it, as of now."""
        ...

    def follow(self, permit: Permit) -> None:
        """Begins the permitted plan at its own time, replacing what was commanded; raises PermitRefused."""
        ...

    def brake(self) -> None:
        """Stops at once along the plan that it follows, as `stopping.Stop` of that plan says; does nothing at rest."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What a policy is asked: what was measured, when, when row 0 of the answer is due, and the reference there."""

    request_ns: int
    state: RobotState
    scene: Scene
    first_row_ns: int
    reference: Reference
    sequence: int


class Policy(Protocol):
    """A policy that answers later: `ask` starts it, `answer` has the chunk when it has come. At most one question at a
    time.
    """

    def ask(self, asked: Asked) -> None:
        """Starts working on an answer; never blocks."""
        ...

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        """The answer if it has arrived by now, else None; each answer is given once."""
        ...


class Clock(Protocol):
    """Monotonic time, real or simulated."""

    def now_ns(self) -> int:
        """Nanoseconds on the one clock that all stamps use."""
        ...

    def sleep_until(self, when_ns: int) -> None:
        """Returns at `when_ns`, or at once if that is past; a simulated clock steps its physics here."""
        ...
