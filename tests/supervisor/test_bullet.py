"""The door to PyBullet: an answer that is always there, or an error; no memory, no history."""

from __future__ import annotations

import resource
from collections.abc import Callable

import numpy as np
import pybullet
import pytest
from scipy.spatial.transform import Rotation

from interlock._bullet import SWAPPED_M, Bullet, PhysicsFailed
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere
from interlock.shapes import separation, side, support

CUBE = np.array([[x, y, z] for x in (-0.1, 0.1) for y in (-0.1, 0.1) for z in (-0.1, 0.1)])
SHAPES: dict[str, Shape] = {
    "box": Box((0.2, 0.2, 0.2)),
    "sphere": Sphere(0.1),
    "cylinder": Cylinder(0.1, 0.2),
    "capsule": Capsule(0.05, 0.1),
    "mesh": ConvexMesh(CUBE),
    "half-space": HalfSpace((0.0, 0.0, 1.0)),
}


@pytest.fixture(scope="module")
def bullet() -> Bullet:
    return Bullet()


def at(x: float, y: float, z: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    pose = np.eye(4)
    pose[:3, 3] = (x, y, z)
    return pose


@pytest.mark.parametrize("name", SHAPES)
def test_the_distance_is_known_within_the_stated_margins(bullet: Bullet, name: str) -> None:
    found = bullet.nearest(side(ConvexMesh(CUBE), np.eye(4), 0), side(SHAPES[name], np.eye(4), 0), at(0.0, 0.0, 0.5))

    height = 0.0 if name == "half-space" else float(support(SHAPES[name], np.array([[0.0, 0.0, 1.0]]))[0])
    assert found.distance == pytest.approx(0.4 - height, abs=2.1e-3)
    assert found.distance <= 0.4 - height
    np.testing.assert_allclose(found.normal, (0.0, 0.0, 1.0), atol=1e-6)
    assert found.points[0, 2] == pytest.approx(0.4, abs=1.1e-3)
    assert found.points[1, 2] == pytest.approx(height, abs=1.1e-3)


SOLID = [name for name in SHAPES if name != "half-space"]


@pytest.mark.parametrize("ours", SOLID)
@pytest.mark.parametrize("theirs", SHAPES)
def test_the_normal_points_to_the_first_whatever_the_two_are(bullet: Bullet, ours: str, theirs: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = side(SHAPES[ours], np.eye(4), 0), side(SHAPES[theirs], np.eye(4), 0)

    for _ in range(20):
        pose = at(*generator.uniform(-0.25, 0.25, 3))
        pose[:3, :3] = Rotation.random(rng=generator).as_matrix()
        found = bullet.nearest(first, second, pose)
        measured = separation(first, second, pose[None], found.normal)[0]
        assert measured >= separation(first, second, pose[None], -found.normal)[0] - SWAPPED_M
        if found.distance > SWAPPED_M:
            assert measured == pytest.approx(found.distance, abs=SWAPPED_M)
            assert (found.points[0] - found.points[1]) @ found.normal == pytest.approx(found.distance, abs=1e-6)


def test_the_normal_measures_the_distance_however_they_lie(bullet: Bullet, seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = (side(ConvexMesh(generator.normal(size=(30, 3)) * 0.1), np.eye(4), 0) for _ in range(2))

    for _ in range(200):
        pose = at(*generator.uniform(-0.4, 0.4, 3))
        pose[:3, :3] = Rotation.random(rng=generator).as_matrix()
        found = bullet.nearest(first, second, pose)
        measured = separation(first, second, pose[None], found.normal)[0]
        assert measured <= found.distance + 2.3e-3
        if found.distance > 0.0:
            assert measured == pytest.approx(found.distance + 2e-3, abs=3e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_F02_a_pose_that_is_not_finite_is_refused_before_pybullet(bullet: Bullet, value: float) -> None:
    cube = side(ConvexMesh(CUBE), np.eye(4), 0)

    with pytest.raises(PhysicsFailed, match="finite"):
        bullet.nearest(cube, cube, at(0.0, value, 0.0))


def test_F02_pybullet_sees_nothing_at_nan() -> None:
    client = pybullet.connect(pybullet.DIRECT)
    ball = pybullet.createCollisionShape(pybullet.GEOM_SPHERE, radius=0.1, physicsClientId=client)

    found = pybullet.getClosestPoints(
        -1, -1, 1e3, collisionShapeA=ball, collisionShapeB=ball,
        collisionShapePositionA=[float("nan")] * 3, collisionShapePositionB=[0.0] * 3, physicsClientId=client,
    )  # fmt: skip

    assert not found
    pybullet.disconnect(client)


def test_F02_an_empty_answer_is_an_error_and_never_clear(bullet: Bullet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pybullet, "getClosestPoints", always(()))

    with pytest.raises(PhysicsFailed, match="no nearest points"):
        bullet.check_canary()


def always(answer: object) -> Callable[..., object]:
    def call(*_: object, **__: object) -> object:
        return answer

    return call


def answering(distance: float, normal: tuple[float, ...]) -> Callable[..., object]:
    def closest(**_: object) -> object:
        still = (0.0, 0.0, 0.0)
        return ((0, 0, 0, 0, 0, still, still, normal, distance, 0.0, 0.0, still, 0.0, still),)

    return closest


@pytest.mark.parametrize("distance", [-1.0, 0.0, 0.8, float("nan")])
def test_F02_the_canary_must_be_hit_and_missed(
    bullet: Bullet, monkeypatch: pytest.MonkeyPatch, distance: float
) -> None:
    monkeypatch.setattr(pybullet, "getClosestPoints", answering(distance, (0.0, 0.0, 1.0)))

    with pytest.raises(PhysicsFailed, match="canary"):
        bullet.check_canary()


@pytest.mark.parametrize("normal", [(0.0, 0.0, 0.0), (0.0, 0.0, 2.0), (float("nan"), 0.0, 0.0)])
def test_a_normal_that_is_none_is_replaced_by_a_sound_one(
    bullet: Bullet, monkeypatch: pytest.MonkeyPatch, normal: tuple[float, ...]
) -> None:
    cube = side(ConvexMesh(CUBE), np.eye(4), 0)
    bullet.nearest(cube, cube, np.eye(4))
    monkeypatch.setattr(pybullet, "getClosestPoints", answering(0.0, normal))

    assert bullet.nearest(cube, cube, np.eye(4)).normal.tolist() == [0.0, 0.0, 1.0]


def test_a_shape_that_pybullet_refuses_is_an_error(bullet: Bullet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pybullet, "createCollisionShape", always(-1))
    new = side(Sphere(0.123), np.eye(4), 0)

    with pytest.raises(PhysicsFailed, match="could not create a sphere"):
        bullet.nearest(new, new, np.eye(4))


def test_queries_leave_nothing_behind(bullet: Bullet) -> None:
    first, second = side(ConvexMesh(CUBE), np.eye(4), 0), side(Box((0.1, 0.1, 0.1)), np.eye(4), 0)
    pose = at(0.3, 0.2, 0.1)
    bullet.nearest(first, second, pose)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(20_000):
        bullet.nearest(first, second, pose)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000  # kB


def test_clients_are_given_back() -> None:
    clients = set[int]()

    for _ in range(5):
        made = Bullet()
        clients.add(int(vars(made)["_client"]))
        made.close()
        made.close()

    assert len(clients) == 1
