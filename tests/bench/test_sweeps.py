"""Other engines agree with ours on one robot: Pinocchio on kinematics and torques, coal and MuJoCo on distances."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import Any, cast

import numpy as np
import pytest

from bench.arms import Arm
from bench.engines import Gauge, MissingEngine, Thing, coal_shape, engine
from bench.sweeps import Referee, Seen, Way
from interlock._bullet import Bullet
from interlock.arrays import FloatArray
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, Pose, Shape, Sphere
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD, separation, side
from interlock.torques import Torques
from interlock_rules import load_profile
from tests.supervisor import panda

pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
pytest.importorskip("pinocchio", reason="needs pin, of the extra `referee`")

MOUNT = Pose((0.3, -0.2, 0.5), (0.5, 0.5, -0.5, 0.5))
PROFILE = load_profile("franka_panda")
MODEL = UrdfRobot(PROFILE, panda.cell(mount=MOUNT))
ARM = Arm(PROFILE, np.asarray(MOUNT.matrix()))
OPEN = 0.04

SHAPES: tuple[Shape, ...] = (
    Box((0.1, 0.2, 0.3)),
    Box((0.002, 0.3, 0.4)),
    Sphere(0.05),
    Cylinder(0.001, 0.5),
    Cylinder(0.2, 0.05),
    Capsule(0.02, 0.3),
    ConvexMesh(np.random.default_rng(1).uniform(-0.1, 0.1, (12, 3))),
)


def poses_of_arm(seed: int, count: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(panda.LOWER, panda.UPPER, (count, 7))


def test_F23_links_are_where_pinocchio_sees_them_and_as_large(seed: int) -> None:
    positions = poses_of_arm(seed, 20)
    frames, theirs = MODEL.frames(positions), ARM.frames(positions)

    for part, parent in zip(ARM.parts, ARM.parents, strict=True):
        place = frames[:, MODEL.index(part.name)]
        ours = MODEL.hulls[part.name].vertices @ np.swapaxes(place[:, :3, :3], 1, 2) + place[:, None, :3, 3]
        there = theirs[:, parent]
        found = part.corners @ np.swapaxes(there[:, :3, :3], 1, 2) + there[:, None, :3, 3]
        np.testing.assert_allclose(ours.max(axis=1), found.max(axis=1), atol=1e-7)
        np.testing.assert_allclose(ours.min(axis=1), found.min(axis=1), atol=1e-7)
    assert {part.name for part in ARM.parts} == set(MODEL.hulls)


def test_the_referees_chain_is_pinocchios_own_recursion(seed: int) -> None:
    pin: Any = engine("pinocchio")
    positions = poses_of_arm(seed, 5)

    found = ARM.frames(positions)

    for row, values in enumerate(positions):
        pin.forwardKinematics(ARM.model, ARM.data, np.append(values, [0.0, 0.0]))
        for joint in range(ARM.model.njoints):
            np.testing.assert_allclose(found[row, joint], MOUNT.matrix() @ ARM.data.oMi[joint].homogeneous, atol=1e-12)


def test_fingers_slide_as_far_as_the_sweep_says() -> None:
    for part, parent in zip(ARM.parts, ARM.parents, strict=True):
        if part.name in MODEL.slides:
            frames = ARM.frames(panda.READY[None])
            shut, opened = (
                ARM.poses(frames, ARM.parts.index(part), np.array([value]))[0]
                for value in (0.0, PROFILE.grippers[0].open)
            )
            moved = frames[0, parent, :3, :3].T @ (opened - shut)[:3, 3]
            turned = MODEL.frames(panda.READY[None])[0, MODEL.index(part.name), :3, :3]
            ours = turned @ MODEL.slides[part.name].direction * PROFILE.grippers[0].open
            np.testing.assert_allclose(frames[0, parent, :3, :3] @ moved, ours, atol=1e-9)
            assert np.linalg.norm(moved) == pytest.approx(0.04)


@pytest.mark.parametrize("link", ["panda_link4", "panda_hand"])
def test_small_steps_move_links_as_pinocchios_jacobian_says(link: str, seed: int) -> None:
    positions, step = poses_of_arm(seed, 1)[0], 1e-6
    part = next(index for index, part in enumerate(ARM.parts) if part.name == link)
    found = ARM.jacobian(positions, part)

    nudged = MODEL.frames(np.vstack([positions, positions + step * np.eye(7)]))[:, MODEL.index(link)]
    parent = ARM.frames(positions[None])[0, ARM.parents[part], :3, 3]
    for joint in range(7):
        turn = (nudged[joint + 1, :3, :3] - nudged[0, :3, :3]) @ nudged[0, :3, :3].T / step
        spin = np.array([turn[2, 1], turn[0, 2], turn[1, 0]])
        speed = (nudged[joint + 1, :3, 3] - nudged[0, :3, 3]) / step
        np.testing.assert_allclose(spin, found[3:, joint], atol=1e-5)
        np.testing.assert_allclose(speed + np.cross(spin, parent - nudged[0, :3, 3]), found[:3, joint], atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES, ids=["box", "plate", "ball", "rod", "disc", "capsule", "mesh"])
def test_F23_the_plane_of_a_query_never_claims_more_than_coal_measures(shape: Shape, seed: int) -> None:
    chance, gauge, bullet = np.random.default_rng(seed), Gauge(), Bullet()
    thing, made = side(shape, np.eye(4), WORLD), coal_shape(shape)
    for _ in range(40):
        part = ARM.parts[int(chance.integers(len(ARM.parts)))]
        hull = side(MODEL.hulls[part.name], np.eye(4), 0)
        place = turned(chance)
        place[:3, 3] = chance.uniform(0.05, 0.5) * place[:3, 0]
        ours = coal_shape(MODEL.hulls[part.name])

        exact = gauge.distance(ours, gauge.placed(place), made, gauge.placed(np.eye(4)))

        lower = separation(hull, thing, place[None], bullet.nearest(hull, thing, place).normal)[0]
        assert lower <= exact + 1e-5
        if exact > 1e-3:
            assert lower >= exact - 5e-4  # Bullet's normals are a little off; what matters is above


def turned(chance: np.random.Generator) -> FloatArray:
    """A pose at the origin, turned at random."""
    x, y, z, w = chance.normal(size=4)
    size = math.sqrt(x * x + y * y + z * z + w * w)
    return np.array(Pose((0.0, 0.0, 0.0), (x / size, y / size, z / size, w / size)).matrix())


@pytest.mark.parametrize("root", [pytest.param(False, id="moved links"), pytest.param(True, id="the root link too")])
def test_torques_are_those_of_pinocchio(root: bool, seed: int) -> None:  # noqa: FBT001 - a case
    pin: Any = engine("pinocchio")
    inertias = tuple(inertia for inertia in PROFILE.inertias if root or inertia.link != "panda_link0")
    chance, model = np.random.default_rng(seed), ARM.model.copy()
    for index in range(1, model.njoints):
        model.inertias[index] = pin.Inertia.Zero()
    for inertia in inertias:
        frame = model.frames[model.getFrameId(inertia.link)]
        xx, xy, xz, yy, yz, zz = inertia.tensor
        tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        own = pin.Inertia(inertia.mass_kg, np.array(inertia.com), tensor)
        if frame.parentJoint:
            model.inertias[frame.parentJoint] += frame.placement.act(own)
    model.gravity.linear = MOUNT.matrix()[:3, :3].T @ np.array([0.0, 0.0, -9.80665])
    positions, speeds, changes = poses_of_arm(seed, 20), chance.uniform(-2, 2, (20, 7)), chance.uniform(-7, 7, (20, 7))
    robot = UrdfRobot(replace(PROFILE, inertias=inertias), panda.cell(mount=MOUNT))

    found = Torques(robot).of(positions, speeds, changes, None)

    data, still = model.createData(), [0.0, 0.0]
    for row in range(20):
        q, v, a = (np.append(values[row], still) for values in (positions, speeds, changes))
        np.testing.assert_allclose(found[row], pin.rnea(model, data, q, v, a)[:7], atol=1e-6)


def test_mujoco_measures_what_coal_measures(seed: int) -> None:
    mujoco: Any = pytest.importorskip("mujoco", reason="needs mujoco, of the extra `referee`")
    chance, gauge = np.random.default_rng(seed), Gauge()
    spec = mujoco.MjSpec()
    for name, shape in (("hand", MODEL.hulls["panda_hand"]), ("other", SHAPES[-1])):
        spec.add_mesh(name=name, uservert=np.asarray(shape.vertices, dtype=np.float64).ravel())  # type: ignore[union-attr]
        spec.worldbody.add_body(name=name, mocap=True).add_geom(
            name=name, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name
        )
    world = spec.compile()
    state = mujoco.MjData(world)
    hand, other = coal_shape(MODEL.hulls["panda_hand"]), coal_shape(SHAPES[-1])
    touching, given_up = 0, 0
    for _ in range(40):
        place = turned(chance)
        place[:3, 3] = chance.uniform(0.02, 0.3) * place[:3, 0]
        state.mocap_pos[0], state.mocap_pos[1] = place[:3, 3], np.zeros(3)
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, place[:3, :3].ravel())
        state.mocap_quat[0], state.mocap_quat[1] = quaternion, [1.0, 0.0, 0.0, 0.0]
        mujoco.mj_kinematics(world, state)

        found = mujoco.mj_geomDistance(world, state, 0, 1, 1.0, None)

        exact = gauge.distance(hand, gauge.placed(place), other, gauge.placed(np.eye(4)))
        if found == 0.0 < exact:  # MuJoCo 3.4 gives up now and then; a plane shows that coal is right
            corners = MODEL.hulls["panda_hand"].vertices @ place[:3, :3].T + place[:3, 3]
            theirs = np.asarray(cast("ConvexMesh", SHAPES[-1]).vertices)
            plane = gauge.apart()
            gap = float(np.min(theirs @ plane)) - float(np.max(corners @ plane))
            assert gap == pytest.approx(exact, abs=1e-5)
            given_up += 1
            continue
        assert found == pytest.approx(exact, abs=1e-4)
        touching += exact < 0.0
    assert 0 < touching < 40
    assert given_up < 10


def alone() -> Referee:
    """A referee that looks at things around the arm only."""
    referee = Referee(Arm(PROFILE, np.eye(4)))
    referee.allowed |= {frozenset((one.name, other.name)) for one, other in combinations(referee.arm.parts, 2)}
    return referee


def standing(nodes: FloatArray, period_s: float = 0.2) -> Way:
    wide = np.full(len(nodes), OPEN)
    return Way(np.arange(len(nodes), dtype=np.float64) * period_s, nodes, wide, wide)


def rod(middle: FloatArray, radius: float, uncertainty: float = 0.0, speed: float = 0.0) -> Thing:
    pose = np.eye(4)
    pose[:3, 3] = middle
    shape = Cylinder(radius, 0.4)
    return Thing("rod", coal_shape(shape), pose, uncertainty, speed, fixed=False, convex=(shape,))


SWING = np.array([[-0.4, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0], [0.4, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0]])


def test_F21_a_rod_of_2_mm_between_two_nodes_is_seen() -> None:
    referee = alone()
    middle = referee.arm.frames(SWING.mean(axis=0, keepdims=True))[0, referee.arm.joints[6], :3, 3]
    thing = rod(middle, 1e-3)

    seen = referee.sweep(standing(SWING), [thing])

    assert min(referee.start(standing(node[None]), [thing]) for node in SWING) > 0.1
    assert seen.gap < -1e-3
    assert seen.pair[1] == "rod"


def densely(arm: Arm, thing: Thing, samples: int) -> float:
    """The least distance of the whole arm over a swing."""
    frames, gauge = arm.frames(SWING[0] + np.linspace(0.0, 1.0, samples)[:, None] * (SWING[1] - SWING[0])), Gauge()
    wide = np.full(len(frames), OPEN)
    return min(
        gauge.distance(part.shape, gauge.placed(pose), thing.shape, gauge.placed(thing.pose))
        for index, part in enumerate(arm.parts)
        for pose in arm.poses(frames, index, wide)
    )


@pytest.mark.parametrize("gap", [-5e-4, 1e-4, 1e-3])
def test_what_grazes_is_measured_to_a_hundredth_of_a_millimetre(gap: float, seed: int) -> None:
    referee, chance = alone(), np.random.default_rng(seed)
    middle = referee.arm.frames(SWING.mean(axis=0, keepdims=True))[0, referee.arm.joints[6], :3, 3]
    where = middle + np.array([0.4, 0.0, chance.uniform(-0.05, 0.05)])
    for _ in range(12):
        where[0] -= densely(referee.arm, rod(where, 1e-3), 101) - gap

    seen = referee.sweep(standing(SWING), [rod(where, 1e-3)])

    assert seen.gap == pytest.approx(densely(referee.arm, rod(where, 1e-3), 5001), abs=1e-5)
    assert seen.gap == pytest.approx(gap, abs=1e-3)


def test_what_an_object_may_have_moved_is_lost() -> None:
    referee = alone()
    tip = referee.arm.frames(SWING[:1])[0, referee.arm.joints[6], :3, 3]
    still, way = SWING[[0, 0]], np.array([0.6, 0.0, 0.0])

    known, unsure, moving = (
        referee.sweep(standing(still), [rod(tip + way, 1e-3, *growth)]).gap
        for growth in ((0.0, 0.0), (0.005, 0.0), (0.005, 0.1))
    )

    assert known - unsure == pytest.approx(0.005)
    assert unsure - moving == pytest.approx(0.02)


def test_a_tracking_error_that_brings_the_arm_nearer_is_tried() -> None:
    referee = alone()
    tip = referee.arm.frames(SWING[:1])[0, referee.arm.joints[6], :3, 3]
    thing = rod(tip + np.array([0.3, 0.0, 0.0]), 1e-3)
    seen = referee.sweep(standing(SWING[:1]), [thing])

    lost = seen.gap - referee.astray(seen, [thing])

    assert 1e-3 < lost < seen.gap - seen.room


@pytest.mark.parametrize("radius", [0.001, 0.02])
def test_pybullet_asked_where_a_sweep_is_nearest_sees_what_coal_sees(radius: float) -> None:
    referee = alone()
    middle = referee.arm.frames(SWING.mean(axis=0, keepdims=True))[0, referee.arm.joints[6], :3, 3]
    hit, missed = rod(middle, radius), rod(middle + np.array([0.0, 0.0, 0.6]), radius)

    through, by = (referee.sweep(standing(SWING), [thing]) for thing in (hit, missed))

    assert referee.asked(through, [hit]) == pytest.approx(through.gap, abs=1e-3)
    assert referee.asked(by, [missed]) == pytest.approx(by.gap, abs=1e-3)
    assert through.gap < -0.002 < 0.01 < by.gap


def test_pybullet_is_asked_of_two_links_too() -> None:
    referee = Referee(Arm(PROFILE, np.eye(4)))
    folded = np.array([[0.0, 0.0, 0.0, -3.0, 0.0, 0.5, 0.0]])

    seen = referee.sweep(standing(np.vstack([folded, folded])), [])

    assert seen.pair[1].startswith("panda_")
    assert referee.asked(seen, []) == pytest.approx(seen.gap, abs=1e-3)


def test_where_nothing_is_near_nothing_is_asked() -> None:
    assert alone().asked(Seen(), []) == math.inf


def test_a_missing_engine_says_what_to_install() -> None:
    with pytest.raises(MissingEngine, match=r"interlock-vla\[referee\]"):
        engine("no_such_engine")


def test_a_robot_that_was_read_once_stands_elsewhere_as_if_read_again() -> None:
    mount = np.asarray(Pose((0.4, -0.2, 0.1), (0.0, 0.0, 0.6, 0.8)).matrix())
    positions = np.array([PROFILE.poses[0].positions])

    stood, anew = ARM.stood(PROFILE, mount), Arm(PROFILE, mount)

    assert np.array_equal(stood.frames(positions), anew.frames(positions))
    assert np.array_equal(stood.reach, anew.reach)
    assert not np.array_equal(stood.frames(positions), ARM.frames(positions))


def test_another_robot_is_not_the_one_that_was_read() -> None:
    with pytest.raises(ValueError, match="is not the robot that was read"):
        ARM.stood(replace(PROFILE, grippers=()), np.eye(4))
