"""Proposals that a clearance must refuse: an object in the arm's way, or two bodies in one another."""

from __future__ import annotations

import numpy as np
from scipy.spatial import ConvexHull, KDTree

from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.motion import RobotModel
from interlock.scene import Body, SceneObject

from .bodies import CELL, GRIPPER, HELD, OBJECT, OBJECTS, ROBOT, TARGET, allowed_collisions, is_robot, shaped
from .kind import NoProvocation, Provoked, Setup
from .provoking import hold_still
from .searching import corners_of, in_hand, lowest, the_model

INTRUDER = "provocation"
DEEP_M = -0.002  # how deep two bodies must be in each other, so that nothing about it is a matter of rounding


def provoke_clearance(setup: Setup, between: tuple[str, str]) -> Provoked:
    """The arm stands where the two are in each other; raises NoProvocation where no such pose is found."""
    model = the_model(setup)
    one, other = between if is_robot(between[0], model.links) else (between[1], between[0])
    if is_robot(other, model.links):
        return hold_still(setup, _into_itself(setup, model, one, other), held=in_hand((one,)) or in_hand((other,)))
    if other in (OBJECTS, TARGET) or other.startswith(OBJECT):
        name = other.removeprefix(OBJECT) if other.startswith(OBJECT) else INTRUDER
        x, y, z = corners_of(setup, (one,), setup.home[None])[0, 0].tolist()
        ball = SceneObject(name, Sphere(0.03), Pose((x, y, z)), 0, 0.0, 0.0)
        return hold_still(setup, setup.home, objects=(ball,), target=name, held=in_hand((one,)))
    bodies = [body for body in setup.cell.bodies if other in (CELL, body.name)]
    return hold_still(setup, _into_cell(setup, one, bodies), held=in_hand((one,)))


def _into_cell(setup: Setup, word: str, bodies: list[Body]) -> FloatArray:
    """Positions in which a corner of the robot is inside the first of the bodies that it can be in."""
    tried: list[str] = []
    convex = [(body.name, shape, body.pose) for body in bodies for shape in body.convex]
    for name, shape, pose in convex:
        planes = _planes(shape, pose)

        def slack(positions: FloatArray, planes: FloatArray = planes) -> FloatArray:
            points = corners_of(setup, (word,), positions)
            return np.asarray((points @ planes[:, :3].T + planes[:, 3]).max(axis=2).min(axis=1))

        try:
            return lowest(setup, slack, DEEP_M, f"brings {word} into {name}")
        except NoProvocation as error:
            tried.append(str(error))
    raise NoProvocation("; ".join(tried) or "the cell has no bodies")


def _planes(shape: Shape, pose: Pose) -> FloatArray:
    """Half-spaces (F, 4) in the world, whose common part lies in the shape at a pose: n . p + d <= 0."""
    place = pose.matrix()
    if isinstance(shape, HalfSpace):
        normal = place[:3, :3] @ np.asarray(shape.normal)
        return np.append(normal, -float(normal @ place[:3, 3]))[None]
    return np.asarray(ConvexHull(points_in(shape) @ place[:3, :3].T + place[:3, 3]).equations)


def points_in(shape: Shape) -> FloatArray:
    """Points (V, 3) [m] of a shape that span most of it."""
    ball = np.concatenate([np.eye(3), -np.eye(3)])
    match shape:
        case Box(size=size):
            return np.asarray(_CUBE * np.array(size))
        case Cylinder(radius=radius, length=length):
            return np.asarray(_CUBE * np.array([2.0**0.5 * radius, 2.0**0.5 * radius, length]))
        case Sphere(radius=radius):
            return np.asarray(ball * radius)
        case Capsule(radius=radius, length=length):
            end = np.array([0.0, 0.0, length / 2.0])
            return np.concatenate([ball * radius - end, ball * radius + end])
        case ConvexMesh(vertices=vertices):
            return vertices
        case _:
            raise ValueError("a half-space has no corners")


_CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])


def _into_itself(setup: Setup, model: RobotModel, one: str, other: str) -> FloatArray:
    """Positions in which a corner of one part is in the largest ball around the middle of another that it may not
    touch.
    """
    pairs = [(a, b) for a in _singles(setup, model, one) for b in _singles(setup, model, other)]
    pairs += [(b, a) for a, b in pairs]
    allowed = allowed_collisions(setup.profile.allowed_collisions, setup.profile.hand_links)
    wanted = {
        (a, b)
        for a, b in pairs
        if b not in (a, HELD)
        and b != HELD
        and (min(a, b), max(a, b)) not in allowed
        and not (a in model.fixed and b in model.fixed)
    }
    balls = {b: _ball(model.vertices[b]) for b in {b for _, b in wanted}}
    facing = {a: sorted(b for first, b in wanted if first == a) for a in sorted({a for a, _ in wanted})}
    corners = {a: KDTree(model.vertices[a] if a != HELD else np.zeros((1, 3))) for a in facing}

    def slack(positions: FloatArray) -> FloatArray:
        poses = model.forward(positions)
        middles = {b: _moved(poses[:, model.links.index(b)], middle) for b, (middle, _) in balls.items()}
        gaps = np.full(len(positions), np.inf)
        for a, others in facing.items():
            place = poses[:, model.links.index(setup.profile.flange if a == HELD else a)]
            away = np.stack([middles[b] for b in others], axis=1) - place[:, None, :3, 3]
            nearest = np.asarray(corners[a].query(np.einsum("nji,nbj->nbi", place[:, :3, :3], away))[0])
            radii = np.array([balls[b][1] for b in others])
            gaps = np.minimum(gaps, (nearest - radii).min(axis=1))
        return gaps

    return lowest(setup, slack, DEEP_M, f"brings {one} into {other}")


def _moved(place: FloatArray, point: FloatArray) -> FloatArray:
    """A point (3,) of a link in the world, for poses (M, 4, 4) of the link; (M, 3)."""
    return np.asarray(place[:, :3, :3] @ point + place[:, :3, 3])


def _singles(setup: Setup, model: RobotModel, word: str) -> tuple[str, ...]:
    links = shaped(model)
    if word == ROBOT:
        return links
    if word == GRIPPER:
        return tuple(link for link in links if link in setup.profile.hand_links)
    return (word,)


def _ball(vertices: FloatArray) -> tuple[FloatArray, float]:
    """The middle (3,) of a hull's corners, and the radius [m] of the largest ball around it in the hull."""
    middle = vertices.mean(axis=0)
    planes = ConvexHull(vertices).equations
    return middle, float(-(planes[:, :3] @ middle + planes[:, 3]).max())
