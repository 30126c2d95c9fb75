"""The simulated robot, its hand and its motors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from interlock.errors import UnusableInput
from interlock.geometry import Box, Pose
from interlock.motion import Plan
from interlock.profile import Profile
from interlock.scene import Cell
from interlock.urdf import Description
from interlock_sim.tasks import start_positions
from interlock_sim.tool import Tool
from interlock_sim.track import at_rest, following
from interlock_sim.urdf import described, urdf_text
from interlock_sim.watch import Intended
from interlock_sim.world import Thing, World

FINGERS = ("panda_leftfinger", "panda_rightfinger")
GRASP = Intended(pairs=frozenset(frozenset((finger, "cube")) for finger in FINGERS))


@pytest.fixture
def world(profile: Profile, cell: Cell, tool: Tool) -> Iterator[World]:
    """The arm at its start with an open hand around a light cube that hangs in the air for the blink of an eye."""
    start = start_positions(profile)
    x, y, z = tool.forward(start[None])[0, :3, 3].tolist()
    cube = Thing("cube", Box((0.05, 0.05, 0.05)), Pose((x, y, z)), 0.1)
    made = World(profile, cell, (cube,), GRASP, positions=start, grippers=np.array([0.054]))
    yield made
    made.close()


def renamed(text: str) -> str:
    return text.replace("panda_joint4", "panda_joint9")


def wider(text: str) -> str:
    return text.replace('upper="0.0"', 'upper="3.0"')


def stiff(text: str) -> str:
    return text.replace('name="panda_joint4" type="revolute"', 'name="panda_joint4" type="fixed"')


def swapped(text: str) -> str:
    """The third and the fourth joint in each other's place, names and limits as they were."""
    for a, b in (("panda_joint3", "?"), ("panda_joint4", "panda_joint3"), ("?", "panda_joint4")):
        text = text.replace(f'joint name="{a}"', f'joint name="{b}"')
    return text


def longer(text: str) -> str:
    more = '<joint name="more" type="fixed"><parent link="panda_hand"/><child link="more"/></joint>'
    return text.replace("</robot>", f'<link name="more"/>{more}</robot>')


def broken_by_pybullet(text: str) -> str:
    """One line, in which byte 8191 falls into the name of a joint."""
    line = text.replace("\n", "")
    before = line[: line.index("panda_joint4")].rindex("<joint")
    assert before < 8000
    return line[:before] + " " * (8191 - before - len('<joint name="panda_')) + line[before:]


@pytest.mark.parametrize("damage", [renamed, wider, stiff, swapped, longer, broken_by_pybullet])
def test_F26_a_robot_that_is_not_loaded_as_it_is_described_is_not_simulated(
    damage: Callable[[str], str], profile: Profile, cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = urdf_text(profile, described(profile), visuals=False)
    damaged = damage(text)

    def of(_profile: Profile, _description: Description, *, visuals: bool) -> str:
        assert not visuals
        return damaged

    monkeypatch.setattr("interlock_sim.world.urdf_text", of)

    with pytest.raises(UnusableInput, match=r"PyBullet loaded joint '\w+' as .*, not as "):
        World(profile, cell, (), Intended(), positions=start_positions(profile), grippers=np.array([0.08]))
    assert damaged != text


def hand_to(world: World, width: float, until_ns: int) -> None:
    positions = np.array(world.positions)
    world.follow(at_rest(world.now_ns, positions, np.array([width])))
    world.run_until(until_ns)


def test_forward_kinematics_agrees_with_the_physics(world: World, tool: Tool) -> None:
    expected = tool.forward(np.array([world.positions]))[0]

    found = world.link_pose("panda_hand").matrix() @ tool.place

    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_at_rest_the_arm_holds_its_own_weight(world: World) -> None:
    start = world.positions

    world.run_until(500_000_000)

    np.testing.assert_allclose(world.positions, start, atol=1e-5)
    assert not world.watch.limit_violated
    assert not world.watch.contacts


def test_a_hand_that_closes_takes_the_cube_and_lets_go_when_it_opens(world: World) -> None:
    hand_to(world, 0.046, 150_000_000)
    held = world.held
    height = world.pose_of("cube").xyz[2]
    world.run_until(1_000_000_000)
    held_height = world.pose_of("cube").xyz[2]
    hand_to(world, 0.07, 1_400_000_000)

    assert held is not None
    assert held.name == "cube"
    assert abs(held_height - height) < 0.002
    assert world.held is None
    assert world.pose_of("cube").xyz[2] < held_height - 0.1


def test_what_is_held_is_reported_in_the_flange_frame(world: World) -> None:
    hand_to(world, 0.046, 300_000_000)

    assert world.held is not None
    flange = world.link_pose("panda_link8").matrix()
    expected = np.linalg.inv(flange) @ world.pose_of("cube").matrix()
    np.testing.assert_allclose(world.held.pose.matrix(), expected, atol=2e-3)


def test_the_table_is_felt(profile: Profile, cell: Cell) -> None:
    start = start_positions(profile)
    world = World(profile, cell, (), Intended(), positions=start, grippers=np.array([0.08]))
    lean = np.array([0.0, 1.2, 0.0, 0.0, 0.0, 0.0, 0.0])
    times = np.array([0, 1_500_000_000])
    plan = Plan(times, np.array([start, start + lean]), np.full((2, 1), 0.08), int(times[-1]))

    world.follow(following(world.track, plan, 0))
    world.run_until(1_500_000_000)
    world.close()

    assert any("table" in contact.pair for contact in world.watch.contacts)


def test_a_plan_without_notice_needs_no_jolt(profile: Profile, cell: Cell) -> None:
    start = start_positions(profile)
    world = World(profile, cell, (), Intended(), positions=start, grippers=np.array([0.08]))
    step = np.array([0.2, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2]) * 0.02  # from rest to these speeds [rad/s] within a row
    world.run_until(100_000_000)

    times = world.now_ns + 20_000_000 * np.arange(11)
    plan = Plan(times, start + np.arange(11)[:, None] * step, np.full((11, 1), 0.08), int(times[-1]))
    world.follow(following(world.track, plan, world.now_ns))
    world.run_until(world.now_ns + 100_000_000)
    world.close()

    assert not world.watch.limit_violated


def test_a_nan_is_handed_to_the_motors_and_makes_blind(world: World) -> None:
    world.follow(at_rest(0, np.full(7, np.nan), np.array([0.05])))

    world.run_until(10_000_000)

    assert world.watch.blind
    assert world.now_ns == 10_000_000


def test_the_same_commands_give_the_same_motion(profile: Profile, cell: Cell) -> None:
    def ends() -> tuple[float, ...]:
        start = start_positions(profile)
        world = World(profile, cell, (), Intended(), positions=start, grippers=np.array([0.08]))
        plan = Plan(np.array([0, 10**9]), np.array([start, start + 0.3]), np.full((2, 1), 0.02), 10**9)
        world.follow(following(world.track, plan, 0))
        world.run_until(1_200_000_000)
        world.close()
        return world.positions + world.velocities + world.torques

    assert ends() == ends()


def test_the_camera_sees_the_arm_move(world: World) -> None:
    before = world.photograph(64, 48)
    moved = world.positions[0] + 0.5, *world.positions[1:]
    world.follow(at_rest(world.now_ns, np.array(moved), np.array(world.grippers)))
    world.run_until(world.now_ns + 500_000_000)

    after = world.photograph(64, 48)

    assert before.shape == (48, 64, 3)
    assert before.dtype == np.uint8
    assert np.count_nonzero(before != after) > 100
    assert len(np.unique(before)) > 10
