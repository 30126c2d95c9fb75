"""A case of a rule set as its author writes it: where the robot starts, what is proposed, what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from .cell_file import Size
from .forms import AT_ORIGIN, Name, Place, Text, Turn, Turns
from .quantities import Duration, GripperOpening, Mass, quantity

Error = Annotated[float, quantity("length", "not negative")]
ObjectSpeed = Annotated[float, quantity("speed", "not negative")]


@dataclass(frozen=True, slots=True)
class GoToForm:
    """Where to go: the `tcp` to a point of the robot's base frame, or every joint to a position; `path`: straight
    in joint space, or straight for the TCP. `orientation`: `tool_down` (z of the tool points down) or as it is.
    """

    tcp: Place | None = None
    joints: tuple[Turn, ...] | None = None
    frame: Literal["base"] = "base"
    orientation: Literal["tool_down", "as_is"] = "tool_down"
    path: Literal["joint", "straight"] = "joint"


@dataclass(frozen=True, slots=True)
class ProposalForm:
    """What is proposed: a quintic from rest to `go_to` that takes `in`, or joint positions row by row; and where the
    gripper goes meanwhile. `nan`: a joint whose position in the last row is no number, as a policy may send it.
    """

    go_to: GoToForm | None = None
    duration: Annotated[Duration | None, Field(alias="in")] = None
    rows: tuple[tuple[Turn, ...], ...] | None = None
    gripper: GripperOpening | None = None
    nan: Name | None = None


@dataclass(frozen=True, slots=True)
class ObjectForm:
    """An object that the cell reports, seen at the moment of the case."""

    name: Name
    box: tuple[Size, Size, Size]
    at: Place
    rpy: Turns = AT_ORIGIN
    uncertainty: Error = 0.0
    speed: ObjectSpeed = 0.0


@dataclass(frozen=True, slots=True)
class PartForm:
    """A region of a person's body: all within a radius of the line between two points of the world."""

    region: Name
    start: Annotated[Place, Field(alias="from")]
    end: Annotated[Place, Field(alias="to")]
    radius: Size


@dataclass(frozen=True, slots=True)
class PersonForm:
    """Somebody whom the tracker sees at the moment of the case; without a speed it is not measured."""

    name: Name
    parts: Annotated[tuple[PartForm, ...], Field(min_length=1)]
    uncertainty: Error = 0.0
    speed: ObjectSpeed | None = None


@dataclass(frozen=True, slots=True)
class HeldForm:
    """What is in the hand: a box at a place in the frame of the flange."""

    name: Name
    box: tuple[Size, Size, Size]
    at: Place
    mass: Mass


@dataclass(frozen=True, slots=True)
class ExpectForm:
    """The outcome, with the rule that must be among the violated ones: vetoed, stopped, slowed or cut."""

    veto: Name | None = None
    stop: Name | None = None
    slowed: Name | None = None
    cut: Name | None = None


@dataclass(frozen=True, slots=True)
class CaseForm:
    """One case. `from`: a pose of the profile, or joint positions; `mode`: the set's first where none is given."""

    name: Text
    start: Annotated[Name | tuple[Turn, ...], Field(alias="from")]
    chunk: ProposalForm
    expect: Literal["permitted"] | ExpectForm
    mode: Name | None = None
    objects: tuple[ObjectForm, ...] = ()
    target: Name | None = None
    held: HeldForm | None = None
    people: tuple[PersonForm, ...] = ()
