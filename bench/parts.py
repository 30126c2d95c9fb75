"""What every engine of the bench is given: the hulls of the robot, what stands around it, and the pairs that count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from interlock import BulletPhysics
from interlock.arrays import FloatArray
from interlock.obstacles import placed
from interlock.robot_model import UrdfRobot
from interlock.scene import Cell, SceneObject
from interlock.shapes import WORLD, Side


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """A link of the tree: its name, its parent's place in the order (-1: the world), its pose (4, 4) in its parent
    where all joints are at 0, and the axis (3,) and the column of the joint that turns it; None: nothing does.
    """

    link: str
    parent: int
    pose: FloatArray
    axis: FloatArray | None
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A robot among things that stand still. apart: the pairs of links that may not touch, as the rules judge them.

    Fingers are hulls over their full travel.
    """

    model: UrdfRobot
    things: tuple[Side, ...]
    apart: tuple[tuple[str, str], ...]

    @property
    def moving(self) -> tuple[str, ...]:
        """The links with a shape that joints move."""
        return tuple(link for link in self.model.sides if link not in self.model.fixed)

    def tree(self) -> Iterator[Hop]:
        """The links, parents first. Raises ValueError for a joint that another one drives."""
        tree = self.model.kinematics
        still = self.model.frames(np.zeros((1, len(self.model.profile.joints))))[0]
        for index, (link, parent) in enumerate(zip(tree.links, tree.parents, strict=True)):
            turns = bool(tree.gain[index] != 0.0 and tree.axes[index].any())
            if turns and (tree.gain[index] != 1.0 or tree.offset[index] != 0.0):
                raise ValueError(f"{link} is turned by a joint that follows another; the bench's engines know none")
            pose = still[index] if parent < 0 else _seen_from(still[parent], still[index])
            yield Hop(link, parent, pose, tree.axes[index] if turns else None, int(tree.column[index]))


def robot_of(physics: BulletPhysics) -> UrdfRobot:
    """The robot's shape; raises TypeError where there is none."""
    if physics.model is None:
        raise TypeError("the bench needs a robot with a shape")
    return physics.model


def parts_of(model: UrdfRobot, cell: Cell, objects: Sequence[SceneObject]) -> Parts:
    """The robot, the bodies of the cell and the objects, where they stand."""
    shapes = [(shape, body.pose) for body in cell.bodies for shape in body.convex] + [
        (item.shape, item.pose) for item in objects
    ]
    things = tuple(side for shape, pose in shapes if (side := placed(shape, pose, WORLD)) is not None)
    allowed = {frozenset((pair.a, pair.b)) for pair in model.profile.allowed_collisions}
    apart = tuple(
        (one, other)
        for one, other in combinations(model.sides, 2)
        if frozenset((one, other)) not in allowed and not {one, other} <= model.fixed
    )
    return Parts(model, things, apart)


def _seen_from(here: FloatArray, there: FloatArray) -> FloatArray:
    """The pose (4, 4) of one frame in another, both in the world."""
    turned = here[:3, :3].T
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = turned @ there[:3, :3], turned @ (there[:3, 3] - here[:3, 3])
    return found
