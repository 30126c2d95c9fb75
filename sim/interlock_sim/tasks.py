"""What the expert is to do in the cell `tabletop`: where things stand, the way through, and when it is done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import shapely

from interlock.arrays import FloatArray
from interlock.geometry import Box, Cylinder, Pose, Vector
from interlock.profile import Profile
from interlock.scene import Cell

from .path import PEAK_ACCELERATION, PEAK_SPEED, JointPath, Waypoint, plan
from .tool import Tool
from .watch import Intended
from .world import Thing, World

NOISE_M = 0.003  # how far a policy's waypoints are off, at most; in height all by the same, as a camera would be
CUBE_M = 0.05
CUBE_KG = 0.1
OTHER_Y_M = 0.035
GRASP_M = 0.005  # the tool takes a cube this far above its middle
OPEN_M, CLOSED_M = 0.078, 0.046  # the hand before and around a cube
SPEED_M_S = 0.5
ACCELERATION_M_S2 = 1.1
DROP_M = 0.001  # from so high a cube is let go
GRASP_S, LET_GO_S = 0.35, 0.6  # a cube that has just been let go still moves, as far as a tracker can tell
CAREFUL_M_S, CAREFUL_M = 0.085, 0.04  # with a cube so close above the table
START = "ready"
REACHED_M = 0.01
STILL_RAD_S = 0.01
STILL_M_S = 0.01

Done: TypeAlias = Callable[[World, Tool], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """A task with its scene: things, the one that it is about, waypoints without noise, and the test of success."""

    name: str
    things: tuple[Thing, ...]
    target: str | None
    hand: float
    waypoints: tuple[Waypoint, ...]
    intended: Intended
    done: Done
    instruction: str

    def path(self, profile: Profile, tool: Tool, rng: np.random.Generator) -> JointPath:
        """The expert's path, each waypoint off by up to NOISE_M."""
        height = NOISE_M * rng.uniform(-1.0, 1.0)
        bearing = rng.uniform(-np.pi, np.pi, len(self.waypoints))
        aside = math.sqrt(NOISE_M**2 - height**2) * rng.uniform(size=len(bearing))
        off = np.stack([aside * np.cos(bearing), aside * np.sin(bearing), np.full(len(bearing), height)], axis=1)
        noisy = tuple(waypoint.moved(by) for waypoint, by in zip(self.waypoints, off, strict=True))
        return plan(tool.forward, start_positions(profile), self.hand, noisy, tool.lower, tool.upper)


def start_positions(profile: Profile) -> FloatArray:
    """Where every episode begins (n,) [rad]."""
    return np.array(next(pose.positions for pose in profile.poses if pose.name == START))


def pick_and_place(cell: Cell, tool: Tool, start: FloatArray, rng: np.random.Generator) -> Task:
    """Takes a cube from the pick zone, over another cube and the tray's rim, into the place zone."""
    place = cell.zone("place").polygon
    x, y = float(rng.uniform(0.46, 0.54)), float(rng.uniform(-0.2, -0.1))
    to_x, to_y = float(place.centroid.x + rng.uniform(-0.04, 0.04)), float(place.centroid.y + rng.uniform(-0.03, 0.03))
    other_x = float(rng.uniform(0.48, 0.54))
    low = CUBE_M / 2.0 + GRASP_M
    down = low + DROP_M
    way = _Way(tool, start)
    way.to((x, y, low + 0.08))
    way.to((x, y, low), early_s=0.2, dwell_s=GRASP_S, width=CLOSED_M)
    way.to((x, y, low + CAREFUL_M), speed=CAREFUL_M_S)
    way.to((0.5 * (x + to_x), OTHER_Y_M, 0.17), early_s=0.2)
    way.to((to_x, to_y, down + CAREFUL_M), early_s=0.3)
    way.to((to_x, to_y, down), early_s=0.1, speed=CAREFUL_M_S, dwell_s=LET_GO_S, width=OPEN_M)
    way.to((to_x, to_y, down + CAREFUL_M), speed=CAREFUL_M_S)  # whoever judges this does not know yet that it let go
    way.to((to_x, to_y, down + 0.12), early_s=0.2)
    fingers = ("panda_leftfinger", "panda_rightfinger")
    return Task(
        name="pick_and_place",
        things=(_cube("cube", x, y), _cube("other_cube", other_x, OTHER_Y_M)),
        target="cube",
        hand=OPEN_M,
        waypoints=tuple(way.points),
        intended=Intended(
            pairs=frozenset(frozenset((finger, "cube")) for finger in fingers),
            inside=frozenset([frozenset(("cube", "table"))]),
            zones=(cell.zone("pick"), cell.zone("place")),
        ),
        done=lambda world, _: _is_placed(world, place),
        instruction="put the cube into the tray",
    )


def reach(cell: Cell, tool: Tool, start: FloatArray, rng: np.random.Generator) -> Task:
    """Reaches down on the right of a thin rod, then over it to the left, and stays there."""
    del cell
    rod = (0.55, float(rng.uniform(-0.02, 0.02)), 0.1)
    x = float(rng.uniform(0.5, 0.56))
    target = (x, 0.17, float(rng.uniform(0.15, 0.18)))
    way = _Way(tool, start)
    way.to((x, -0.17, 0.16))
    way.to((0.55, rod[1], 0.27), early_s=0.3)
    way.to(target, early_s=0.35)
    return Task(
        name="reach",
        things=(Thing("rod", Cylinder(ROD_RADIUS_M, 2.0 * rod[2]), Pose(rod), 0.0),),
        target=None,
        hand=CLOSED_M,
        waypoints=tuple(way.points),
        intended=Intended(),
        done=lambda world, tool: _is_reached(world, tool, target),
        instruction="point at the left of the rod",
    )


TASKS = {"pick_and_place": pick_and_place, "reach": reach}
ROD_RADIUS_M = 0.002


def _cube(name: str, x: float, y: float) -> Thing:
    return Thing(name, Box((CUBE_M, CUBE_M, CUBE_M)), Pose((x, y, CUBE_M / 2.0)), CUBE_KG)


class _Way:
    """Waypoints one after the other, each leg as quick as the tool's speed and acceleration allow."""

    def __init__(self, tool: Tool, start: FloatArray) -> None:
        self.points: list[Waypoint] = []
        self._here: FloatArray = tool.forward(start[None])[0, :3, 3]

    def to(
        self,
        xyz: Vector,
        *,
        speed: float = SPEED_M_S,
        early_s: float = 0.0,
        dwell_s: float = 0.0,
        width: float | None = None,
    ) -> None:
        length = float(np.linalg.norm(np.array(xyz) - self._here))
        duration_s = max(PEAK_SPEED * length / speed, math.sqrt(PEAK_ACCELERATION * length / ACCELERATION_M_S2))
        self.points.append(Waypoint(xyz, duration_s, early_s, dwell_s, width))
        self._here = np.array(xyz)


def _is_still(world: World) -> bool:
    return all(abs(velocity) < STILL_RAD_S for velocity in world.velocities)


def _is_placed(world: World, place: shapely.Polygon) -> bool:
    x, y, z = world.pose_of("cube").xyz
    resting = world.held is None and world.speed_of("cube") < STILL_M_S and abs(z - CUBE_M / 2.0) < 0.005
    return resting and bool(shapely.intersects_xy(place, x, y)) and _is_still(world)


def _is_reached(world: World, tool: Tool, target: Vector) -> bool:
    here = tool.forward(np.array([world.positions]))[0, :3, 3]
    return bool(np.linalg.norm(here - np.array(target)) < REACHED_M) and _is_still(world)
