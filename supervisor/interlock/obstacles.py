"""Where a demand's names stand in the world: fixed bodies, zones cut into convex prisms, and objects that were seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from .arrays import FloatArray, frozen
from .geometry import ConvexMesh, Shape
from .scene import Cell, Scene, SceneObject, Zone


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """A convex shape at a pose (4, 4) in the world. What certainly remains is less by `uncertainty` [m] and by `speed` [m/s]
    times the time since `seen_ns`; both are NaN where that is not known, and 0 for what is fixed.
    """

    shape: Shape
    pose: FloatArray
    uncertainty: float = 0.0
    speed: float = 0.0
    seen_ns: int | None = None

    def growth(self, now_ns: int, times_s: FloatArray) -> FloatArray:
        """What is lost (N,) [m] up to times_s (N,) after now; NaN where it is not known."""
        if self.seen_ns is None:
            return np.full(len(times_s), self.uncertainty)
        age = (now_ns - self.seen_ns) / 1e9
        return self.uncertainty + self.speed * (times_s + age if age >= 0.0 else math.nan)


def fixed_obstacles(cell: Cell) -> dict[str, tuple[Obstacle, ...]]:
    """The obstacles of each body and zone of the cell, by name; a name that both bear means both."""
    found: dict[str, tuple[Obstacle, ...]] = {}
    for body in cell.bodies:
        found[body.name] = (Obstacle(body.shape, body.pose.matrix()),)
    for zone in cell.zones:
        found[zone.name] = (*found.get(zone.name, ()), *(Obstacle(part, np.eye(4)) for part in prisms(zone)))
    return found


def seen_obstacles(scene: Scene, held: str | None) -> dict[str, tuple[Obstacle, ...]]:
    """The obstacle of each object of the scene, by name, but for the one that is in the hand."""
    found: dict[str, tuple[Obstacle, ...]] = {}
    for item in scene.objects:
        if item.name != held:
            found[item.name] = (*found.get(item.name, ()), _seen(item))
    return found


def _seen(item: SceneObject) -> Obstacle:
    known = item.pose.fault is None and 0.0 <= item.uncertainty_m < math.inf
    pose = item.pose.matrix() if known else frozen(np.eye(4))
    speed = math.nan if item.speed_m_s is None or not 0.0 <= item.speed_m_s < math.inf else item.speed_m_s
    return Obstacle(item.shape, pose, item.uncertainty_m if known else math.nan, speed, item.seen_ns)


def prisms(zone: Zone) -> tuple[ConvexMesh, ...]:
    """Triangular prisms that fill the zone exactly, holes left out."""
    triangles = shapely.constrained_delaunay_triangles(zone.polygon)
    corners = [np.array(triangle.exterior.coords)[:3] for triangle in triangles.geoms]
    return tuple(
        ConvexMesh(np.array([[x, y, z] for x, y in corner.tolist() for z in (zone.z_min, zone.z_max)]))
        for corner in corners
    )
