"""What a layout's Cartesian columns mean: where a tool point is to be at each row, in the world.

Knows frames, references and rotations. Which joints bring the tool there is left to `inverse`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from .arrays import FloatArray
from .chunk import ActionChunk, Anchor, Channel, Layout, Quantity, Rotation
from .profile import Profile
from .rotations import COORDINATES, fault, matrices, unit_of

PLACE: Final = ("x", "y", "z")
CARTESIAN: Final[tuple[Quantity, ...]] = ("ee_position", "ee_rotation")
FRAMES: Final = ("base", "world", "tool")


@dataclass(frozen=True, slots=True)
class Target:
    """The columns of one tool point: `place` (3) and `turn`, the latter in the form `rotation`.

    Absolute poses stand in the base or the world. A delta is added along the axes of the base or the world, and turns
    about them; in frame tool it is a motion in the frame of the pose that it counts from.
    """

    tool: str
    place: tuple[int, ...]
    turn: tuple[int, ...]
    reference: Anchor
    frame: str
    rotation: Rotation


def columns_of(tool: str, quantity: Quantity, rotation: Rotation) -> tuple[str, ...]:
    """The names of the columns that say a tool point's place, or its rotation in a form; raises ValueError for none."""
    if quantity == "ee_position":
        return tuple(f"{tool}.{name}" for name in PLACE)
    if rotation not in COORDINATES:
        raise ValueError(f"ee_rotation needs a rotation: one of {', '.join(COORDINATES)}")
    return tuple(f"{tool}.{name}" for name in COORDINATES[rotation])


def is_cartesian(channel: Channel) -> bool:
    """Whether a column says where a tool point is to be."""
    return channel.quantity in CARTESIAN


def tool_of(channel: Channel) -> str:
    """The tool point of a Cartesian column."""
    return channel.name.rpartition(".")[0]


def targets_of(layout: Layout) -> tuple[Target, ...]:
    """One for each tool point that a layout commands; the layout has no `problems`."""
    found: list[Target] = []
    for tool, channels in _by_tool(layout).items():
        first = channels[0][1]
        place = tuple(index for index, channel in channels if channel.quantity == "ee_position")
        turn = tuple(index for index, channel in channels if channel.quantity == "ee_rotation")
        found.append(Target(tool, place, turn, first.reference, first.frame, layout.channels[turn[0]].rotation))
    return tuple(found)


def _by_tool(layout: Layout) -> dict[str, list[tuple[int, Channel]]]:
    found: dict[str, list[tuple[int, Channel]]] = {}
    for index, channel in enumerate(layout.channels):
        if is_cartesian(channel):
            found.setdefault(tool_of(channel), []).append((index, channel))
    return found


def problems(layout: Layout, profile: Profile) -> list[str]:
    """Why a layout's Cartesian columns cannot be judged on this robot; empty where they can (F-09)."""
    by_tool = _by_tool(layout)
    if not by_tool:
        return []
    known = {"tcp", *(point.name for point in profile.tool_points)} if profile.tool_points else set[str]()
    names = {channel.name for channel in layout.channels}
    found = [f"gripper {item.name!r} has no column" for item in profile.grippers if item.name not in names]
    if profile.urdf is None:
        found.append(f"tool points need the robot's URDF, and profile {profile.name} names none; name it under urdf")
    if profile.interpolation != "linear":
        found.append(
            f"rows of a tool point are followed along straight joint paths, not {profile.interpolation} ones; the "
            "robot must drive interpolation: linear, or take rows of joints"
        )
    for tool, channels in by_tool.items():
        if tool not in known:
            found.append(f"{tool!r} is no tool point of {profile.name}; it has: {', '.join(sorted(known)) or 'none'}")
        found += _tool_problems(tool, [channel for _, channel in channels])
    return found


def _tool_problems(tool: str, channels: list[Channel]) -> list[str]:
    place = [channel for channel in channels if channel.quantity == "ee_position"]
    turn = [channel for channel in channels if channel.quantity == "ee_rotation"]
    found = [*_kind_problems(tool, "ee_position", "none", place)]
    if len({channel.rotation for channel in turn}) == 1:
        found += _kind_problems(tool, "ee_rotation", turn[0].rotation, turn)
    else:
        found.append(
            f"{tool}: the columns of ee_rotation must name one rotation, got {_said(c.rotation for c in turn)}"
        )
    frames, references = {c.frame for c in channels}, {c.reference for c in channels}
    if len(frames) != 1 or len(references) != 1:
        found.append(f"{tool}: place and rotation must share frame and reference, got {_said(frames | references)}")
    elif not frames <= set(FRAMES):
        found.append(f"{tool}: frame {_said(frames)} is not supported; use one of {', '.join(FRAMES)}")
    elif frames == {"tool"} and references == {"absolute"}:
        found.append(f"{tool}: an absolute pose cannot stand in the tool's own frame")
    return found


def _kind_problems(tool: str, quantity: Quantity, rotation: Rotation, channels: list[Channel]) -> list[str]:
    if quantity == "ee_rotation" and rotation == "none":
        return [f"{tool}: ee_rotation needs a rotation: one of {', '.join(COORDINATES)}"]
    wanted, unit = columns_of(tool, quantity, rotation), "m" if quantity == "ee_position" else unit_of(rotation)
    got = tuple(channel.name for channel in channels)
    if got != wanted:
        said = quantity if quantity == "ee_position" else f"{quantity} as {rotation}"
        return [
            f"{tool}: the columns of {said} must be {', '.join(wanted)}, in this order, got {', '.join(got) or 'none'}"
        ]
    found = [f"{channel.name} must be in {unit}, got {channel.unit}" for channel in channels if channel.unit != unit]
    return found + [
        f"{channel.name} must have rotation {rotation} and no polarity"
        for channel in channels
        if channel.rotation != rotation or channel.polarity != "none"
    ]


def _said(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words))) or "none"


def rotation_fault(target: Target, values: FloatArray) -> tuple[int, str] | None:
    """The first row of a chunk's values (R, C) whose rotation is none, and why; None where all are."""
    return fault(target.rotation, values[:, list(target.turn)])


def wanted(
    target: Target, chunk: ActionChunk, rows: int, mount: FloatArray, anchor: FloatArray, origin: FloatArray
) -> FloatArray:
    """World poses (R, 4, 4) of the tool point at the first R rows.

    mount (4, 4): the base in the world. anchor, origin (4, 4): the tool point at the observation, and at the reference
    when row 0 is due.
    """
    given = np.tile(np.eye(4), (rows, 1, 1))
    given[:, :3, :3] = matrices(target.rotation, chunk.values[:rows, list(target.turn)])
    given[:, :3, 3] = chunk.values[:rows, list(target.place)]
    frame = mount if target.frame == "base" else np.eye(4)
    if target.reference == "absolute":
        return np.asarray(frame @ given)
    if target.reference == "delta_from_observation":
        return np.stack([_moved(anchor, step, target.frame, frame) for step in given])
    found, pose = np.empty_like(given), origin
    for row, step in enumerate(given):
        pose = found[row] = _moved(pose, step, target.frame, frame)
    return found


def _moved(pose: FloatArray, step: FloatArray, frame_name: str, frame: FloatArray) -> FloatArray:
    if frame_name == "tool":
        return np.asarray(pose @ step)
    axes, found = frame[:3, :3], np.eye(4)
    found[:3, :3] = axes @ step[:3, :3] @ axes.T @ pose[:3, :3]
    found[:3, 3] = pose[:3, 3] + axes @ step[:3, 3]
    return found
