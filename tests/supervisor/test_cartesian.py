"""Chunks that say where the tool is to be: one motion in any convention, and whatever cannot be followed is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Turn

from interlock.amend import slowed
from interlock.arrays import FloatArray
from interlock.cartesian import Target, columns_of, is_cartesian, problems, targets_of, tool_of, wanted
from interlock.case import Case, Memory
from interlock.chunk import ActionChunk, Channel, Layout, Rotation
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.geometry import Pose
from interlock.inverse import CLOSE, LENGTH_M
from interlock.judge import judge
from interlock.lower import layout_of, lower
from interlock.motion import Plan, RobotModel
from interlock.profile import Profile, ToolPoint
from interlock.robot_model import UrdfRobot
from interlock.rotations import COORDINATES, unit_of
from interlock.rules import Accepts
from interlock.scene import RobotState
from interlock.verdict import Decision, Finding, Verdict
from tests.supervisor import panda, toy
from tests.supervisor.toy import NOW, PERIOD, PERIOD_S, Reach, Speed, rule, rules, stamps
from tests.supervisor.truth import Truth

MOUNT = Pose((0.3, -0.2, 0.1), (0.0, 0.0, math.sin(0.6), math.cos(0.6)))
HAND = Channel("hand", "hand", "gripper", "absolute", "m", "tool", polarity="zero_closed")
ROWS = 10


def layout(
    frame: str = "base", reference: Any = "absolute", rotation: Rotation = "quat_xyzw", tool: str = "tcp"
) -> Layout:
    place = tuple(
        Channel(name, "arm", "ee_position", reference, "m", frame) for name in columns_of(tool, "ee_position", "none")
    )
    turn = tuple(
        Channel(name, "arm", "ee_rotation", reference, unit_of(rotation), frame, rotation)
        for name in columns_of(tool, "ee_rotation", rotation)
    )
    return Layout(f"{tool}-{reference}-{frame}-{rotation}", (*place, *turn, HAND))


CONVENTIONS = [
    layout(frame, reference, rotation)
    for rotation in COORDINATES
    for reference in ("absolute", "delta_from_observation", "delta_from_previous")
    for frame in ("base", "world", "tool")
    if (reference, frame) != ("absolute", "tool")
]
ARM_JOINTS = tuple(f"panda_joint{number}" for number in range(1, 8))
JOINTS = Layout(
    "joints", (*(Channel(name, "arm", "joint_position", "absolute", "rad", "joint") for name in ARM_JOINTS), HAND)
)
MIXED = Layout("mixed", (*layout().channels[:-1], JOINTS.channels[0], HAND))
TWICE = Layout("twice", (*layout().channels[:-1], *layout(tool="wrist").channels))
PROFILE = replace(
    panda.profile(tracking=0.05),
    layouts=(*CONVENTIONS, JOINTS, MIXED, TWICE),
    tool_points=(*panda.profile().tool_points, ToolPoint("wrist", "panda_link7", Pose())),
)
CELL = panda.cell(mount=MOUNT)
MODEL = UrdfRobot(PROFILE, CELL)
RULES = rules(
    rule(Speed(1.5), "slow"),
    rule(Reach(4.0)),
    profile=PROFILE,
    cell=CELL,
    accepts=Accepts(PROFILE.layouts, PERIOD_S, 1, 64, 25, "none"),
)
WAY: FloatArray = panda.READY + np.arange(1.0, ROWS + 1.0)[:, None] * np.array(
    [0.006, -0.004, 0.004, 0.006, -0.01, 0.008, 0.01]
)


def tool(positions: FloatArray) -> FloatArray:
    return MODEL.tool(positions, "tcp")[0]


def said(found: Layout, poses: FloatArray, start: FloatArray) -> FloatArray:
    """Rows (T, C) of a layout that say world poses (T, 4, 4), worked out from the words and not by the code."""
    first = found.channels[0]
    frame = MOUNT.matrix() if first.frame == "base" else np.eye(4)
    before = np.concatenate([start[None], poses[:-1]])
    origin = before if first.reference == "delta_from_previous" else np.tile(start, (len(poses), 1, 1))
    if first.reference == "absolute":
        steps = np.linalg.inv(frame) @ poses
    elif first.frame == "tool":
        steps = np.linalg.inv(origin) @ poses
    else:
        axes = frame[:3, :3]
        steps = np.tile(np.eye(4), (len(poses), 1, 1))
        steps[:, :3, 3] = (poses[:, :3, 3] - origin[:, :3, 3]) @ axes
        steps[:, :3, :3] = axes.T @ poses[:, :3, :3] @ np.swapaxes(origin[:, :3, :3], 1, 2) @ axes
    form = found.channels[3].rotation
    turns, matrix = Turn.from_matrix(steps[:, :3, :3]), steps[:, :3, :3]
    forms: dict[str, FloatArray] = {
        "rotvec": turns.as_rotvec(),
        "rpy_xyz": turns.as_euler("xyz"),
        "quat_xyzw": turns.as_quat(),
        "quat_wxyz": turns.as_quat(scalar_first=True),
        "rot6d": np.concatenate([matrix[:, :, 0], matrix[:, :, 1]], axis=1),
        "rot6d_rows": matrix[:, :2].reshape(-1, 6),
        "matrix": matrix.reshape(-1, 9),
    }
    return np.column_stack([steps[:, :3, 3], forms[form], np.full(len(poses), toy.OPEN)])


def chunk(found: Layout, values: FloatArray, **changes: Any) -> ActionChunk:
    made = toy.chunk(values, layout=found.digest, profile=RULES.profile_digest, anchor=panda.READY)
    return replace(made, **changes)


def case(made: ActionChunk, **changes: Any) -> Case:
    rest = np.zeros(7)
    state = RobotState(NOW, ARM_JOINTS, panda.READY, rest, np.array([toy.OPEN]))
    return replace(toy.case(made, rules=RULES, state=state), **changes)


def physics(model: RobotModel | None = MODEL) -> toy.Physics:
    return toy.Physics(model=model)


def refused(found: Case) -> dict[str, Finding]:
    return {finding.rule: finding for finding in judge(found, physics()).verdict.violated}


@pytest.mark.parametrize("found", CONVENTIONS, ids=[found.name for found in CONVENTIONS])
@pytest.mark.parametrize("late", [0, 3])
def test_F07_F09_one_motion_of_the_tool_said_in_any_convention_is_one_path(found: Layout, late: int) -> None:
    """Rows that are past are dropped, and deltas of dropped rows count all the same."""
    poses = tool(WAY)
    made = chunk(found, said(found, poses, tool(panda.READY[None])[0]), stamps=stamps(first_row_ns=NOW - late * PERIOD))
    there = case(made, state=replace(case(made).state, positions=WAY[late - 1] if late else panda.READY))
    if found.channels[0].reference == "delta_from_previous" and late:
        plan = Plan(
            NOW + PERIOD * np.arange(-3, 2), np.vstack([panda.READY, WAY[:3], WAY[2]]), np.full((5, 1), 0.08), NOW
        )
        there = replace(there, memory=Memory(plan=plan))

    path = lower(there, made, found, MODEL)

    assert all(one.ok for one in path.followed)
    assert path.positions.shape == (ROWS - late, 7)
    assert np.allclose(tool(path.positions), poses[late:], atol=3e-6)


@settings(max_examples=25)
@given(st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7), st.sampled_from(CONVENTIONS))
def test_F09_any_way_of_the_tool_is_read_as_it_was_written(way: list[float], found: Layout) -> None:
    joints: FloatArray = panda.READY + np.arange(1.0, ROWS + 1.0)[:, None] * 0.01 * np.array(way)
    start, poses = tool(panda.READY[None])[0], tool(joints)
    (target,) = targets_of(found)
    values = said(found, poses, start)

    read = wanted(target, chunk(found, values), ROWS, MOUNT.matrix(), start, start)

    assert np.allclose(read, poses, atol=1e-9)


ways = st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7).map(np.array)


@settings(max_examples=30, deadline=None)
@given(ways, st.sampled_from(CONVENTIONS), st.sampled_from(CONVENTIONS), st.lists(st.booleans(), min_size=ROWS))
def test_F09_one_motion_said_in_two_conventions_is_one_path_of_the_joints(
    way: FloatArray, one: Layout, other: Layout, flips: list[bool]
) -> None:
    """The hand points down: rotations are half a turn from those of the base, where vectors and signs change sides."""
    poses, start = tool(panda.READY + np.arange(1.0, ROWS + 1.0)[:, None] * 0.01 * way), tool(panda.READY[None])[0]
    paths: list[FloatArray] = []
    for found in (one, other):
        values = said(found, poses, start)
        if found.channels[3].rotation.startswith("quat"):
            values[np.array(flips[:ROWS]), 3:7] *= -1.0
        made = chunk(found, values)
        path = lower(case(made), made, found, MODEL)
        assert all(item.ok for item in path.followed)
        paths.append(path.positions)

    assert np.allclose(tool(paths[0]), poses, atol=CLOSE + CLOSE / LENGTH_M)  # what a row may leave, in place and turn
    assert np.allclose(paths[0], paths[1], atol=2e-4)  # a micrometre of the tool is at most 0.1 mrad of the joints


def test_F09_the_same_numbers_mean_different_motions_in_different_conventions() -> None:
    numbers = np.tile([0.001, 0.002, 0.003, 0.01, 0.02, 0.03, toy.OPEN], (ROWS, 1))
    deltas = [found for found in CONVENTIONS if found.channels[3].rotation in ("rotvec", "rpy_xyz")]
    chosen = [found for found in deltas if found.channels[0].reference != "absolute"]

    ends = [lower(case(chunk(found, numbers)), chunk(found, numbers), found, MODEL).positions[-1] for found in chosen]

    assert len(chosen) == 12
    apart = [np.abs(a - b).max() for i, a in enumerate(ends) for b in ends[:i]]
    assert min(apart) > 1e-6


def test_F09_a_quaternion_may_change_its_sign_from_row_to_row() -> None:
    found = layout()
    values = said(found, tool(WAY), tool(panda.READY[None])[0])
    flipped = values.copy()
    flipped[1::2, 3:7] *= -1.0

    one, other = (lower(case(chunk(found, rows)), chunk(found, rows), found, MODEL) for rows in (values, flipped))

    assert np.allclose(one.positions, other.positions, atol=1e-12)


def test_a_right_chunk_is_permitted_and_says_how_well_it_is_followed() -> None:
    found = layout()
    made = chunk(found, said(found, tool(WAY), tool(panda.READY[None])[0]))

    decision = decide(case(made), physics())

    told = [finding for finding in decision.verdict.findings if finding.rule == "check:follow"]
    assert decision.reaction == "permit"
    assert len(told) == 1
    assert told[0].links == ("tcp",)


WORLD = layout("world")
HERE = tool(panda.READY[None])[0]


def along(steps: FloatArray) -> FloatArray:
    """World poses (T, 4, 4) of a tool that moves by steps (T, 3) [m] and does not turn."""
    found = np.tile(HERE, (len(steps), 1, 1))
    found[:, :3, 3] += np.cumsum(steps, axis=0)
    return found


def stairs(step_m: float) -> ActionChunk:
    """Two rows one way, two at a right angle to it, and so on."""
    steps = step_m * np.tile(np.repeat([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], 2, axis=0), (5, 1))
    return chunk(WORLD, said(WORLD, along(steps), HERE))


@pytest.fixture(scope="module")
def truth() -> Iterator[Truth]:
    found = Truth()
    yield found
    found.close()


small = st.floats(-0.008, 0.008)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(small, small, small), min_size=2, max_size=8), st.floats(0.05, 1.0))
def test_F34_a_slowed_path_has_its_nodes_on_the_proposed_one_and_cuts_corners_by_no_more_than_told(
    truth: Truth, steps: list[tuple[float, float, float]], speed: float
) -> None:
    """The tool's places are PyBullet's, and its way is what the chunk says."""
    poses = along(np.array(steps))
    made = chunk(WORLD, said(WORLD, poses, HERE))
    path = lower(case(made), made, WORLD, MODEL)
    assume(all(one.ok for one in path.followed))

    found = slowed(path, speed, PROFILE, MODEL)

    line, covered = np.vstack([panda.READY, path.positions]), np.concatenate([[0.0], found.covered])
    nodes, rows = np.vstack([panda.READY, found.positions]), np.arange(len(line))
    for joint in range(7):
        assert np.allclose(nodes[:, joint], np.interp(covered, rows, line[:, joint]), rtol=0.0, atol=1e-12)
    ways = np.vstack([HERE[:3, 3], poses[:, :3, 3]])
    off = 0.0
    for node in range(len(steps)):
        for share in np.linspace(0.0, 1.0, 9):
            positions, place = (one[node] + share * (one[node + 1] - one[node]) for one in (nodes, covered))
            seen = MOUNT.matrix() @ [*truth.point(positions, "panda_link8", (0.0, 0.0, 0.1034)), 1.0]
            row = min(int(place), len(steps) - 1)
            way = ways[row] + (place - row) * (ways[row + 1] - ways[row])
            off = max(off, float(np.linalg.norm(seen[:3] - way)))
    told = found.followed[-2]
    assert off <= told.value + 3.0 * CLOSE
    assert told.value <= 1.1 * off + 2e-4


def told_of(verdict: Verdict) -> Finding:
    """What is told of the check that rows of a tool are followed."""
    (found,) = (finding for finding in verdict.findings if finding.rule == "check:follow")
    return found


def slowly(step_m: float, speed: float) -> Decision:
    slow = replace(RULES, rules=(rule(Speed(speed), "slow"), rule(Reach(4.0))))
    return decide(case(stairs(step_m), rules=slow), physics())


def test_F34_a_slowed_chunk_that_would_cut_a_corner_is_slowed_until_it_keeps_to_its_way() -> None:
    """At a share s of its speed the path cuts a right angle by up to s * 5 mm / sqrt(8)."""
    decision = slowly(0.005, 0.6)

    first, cutting, last = (attempt.verdict for attempt in decision.attempts)
    assert decision.reaction == "slow"
    assert told_of(first).ok
    assert [finding.rule for finding in cutting.violated] == ["check:follow"]
    assert (cutting.reaction, told_of(cutting).row) == ("slow", 10)
    assert 1e-3 < told_of(cutting).value < 0.741 * 0.005 / math.sqrt(8.0)
    assert told_of(last).ok


def test_F34_a_chunk_whose_corners_stay_too_sharp_when_slowed_is_refused() -> None:
    decision = slowly(0.008, 0.6)

    assert decision.reaction == "veto"
    assert [told_of(attempt.verdict).ok for attempt in decision.attempts] == [True, False, False, False]


def test_F34_cut_corners_are_told_beside_what_was_told_of_the_rows() -> None:
    path = lower(case(stairs(0.006)), stairs(0.006), WORLD, MODEL)

    found = slowed(path, 0.9, PROFILE, MODEL).followed

    assert [(one.ok, one.reaction, one.unit) for one in found[len(path.followed) :]] == [
        (False, "slow", "m"),
        (True, "slow", "rad"),
    ]
    assert found[: len(path.followed)] == path.followed
    assert {one.reaction for one in path.followed} == {"veto"}
    with pytest.raises(UnusableInput, match="need the robot's model"):
        slowed(path, 0.9, PROFILE)


def spoiled(found: Layout, row: int, column: int, value: float) -> ActionChunk:
    values = said(found, tool(WAY), tool(panda.READY[None])[0])
    values[row, column] = value
    return chunk(found, values)


def far(found: Layout, row: int, way: tuple[float, float, float]) -> ActionChunk:
    """From one row on the tool is elsewhere."""
    poses = tool(WAY)
    poses[row:, :3, 3] += way
    return chunk(found, said(found, poses, tool(panda.READY[None])[0]))


def masked(found: Layout, column: int) -> ActionChunk:
    made = said_again(found)
    mask = np.ones(made.values.shape, dtype=np.bool_)
    mask[4, column] = False
    return replace(made, mask=mask)


def said_again(found: Layout) -> ActionChunk:
    return chunk(found, said(found, tool(WAY), tool(panda.READY[None])[0]))


def wide(found: Layout, size: int) -> ActionChunk:
    return chunk(found, np.zeros((ROWS, size)))


SIX = layout(rotation="rot6d")
NINE = layout(rotation="matrix")
SWAPPED = layout(rotation="quat_wxyz")
SINCE = layout("tool", "delta_from_observation")
CASES: dict[str, tuple[ActionChunk, str]] = {
    "F01 NaN for the tool": (spoiled(layout(), 3, 1, math.nan), "finite"),
    "F01 NaN in a rotation": (spoiled(layout(), 3, 4, math.nan), "rotation"),
    "F09 a quaternion of norm 1.1": (spoiled(layout(), 9, 6, 1.1), "rotation"),
    "F09 a quaternion of zeros": (
        chunk(layout(), np.tile([0.3, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.08], (ROWS, 1))), "rotation",
    ),
    "F09 a wxyz quaternion of zeros": (
        chunk(layout(rotation="quat_wxyz"), np.tile([0.3, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.08], (ROWS, 1))), "rotation",
    ),
    "F01 a quaternion that is not finite": (spoiled(layout(), 0, 6, math.inf), "rotation"),
    "F09 degrees": (
        chunk(layout(rotation="rpy_xyz"), np.tile([0.3, 0.0, 0.5, 180.0, 0.0, 0.0, 0.08], (ROWS, 1))), "rotation",
    ),
    "F09 a six of which a column is gone": (spoiled(SIX, 2, 3, 7.0), "rotation"),
    "F09 a matrix that mirrors": (
        chunk(NINE, np.tile([0.3, 0.0, 0.5, 1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0, 0.08], (ROWS, 1))), "rotation",
    ),
    "F09 xyzw taken for wxyz": (
        replace(said_again(layout()), layout=SWAPPED.digest), "seam",
    ),
    "F09 world taken for base": (replace(said_again(layout("world")), layout=layout().digest), "seam"),
    "F07 poses taken for deltas": (
        replace(said_again(layout()), layout=layout(reference="delta_from_previous").digest), "seam",
    ),
    "F06 a coordinate masked": (masked(layout(), 1), "mask"),
    "F06 a rotation masked": (masked(layout(), 5), "mask"),
    "F05 a column too few": (wide(layout(), 7), "shape"),
    "F07 no anchor to count from": (replace(said_again(SINCE), anchor=None), "layout"),
    "F14 a first row elsewhere": (far(layout(), 0, (0.5, 0.0, 0.0)), "seam"),
    "F14 a jump in the middle": (far(layout(), 5, (0.2, 0.0, 0.0)), "follow"),
    "F34 out of reach": (far(layout(), 9, (0.0, 0.0, 2.0)), "follow"),
    "joints and the tool of one arm": (
        chunk(MIXED, np.insert(said_again(layout()).values, 7, panda.READY[0], axis=1)), "follow",
    ),
    "two tools of one arm": (
        chunk(TWICE, np.column_stack([said_again(layout()).values[:, :7], said_again(layout()).values])), "follow",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_a_chunk_of_the_tool_is_refused_by_the_check_that_says_so(what: str) -> None:
    made, check = CASES[what]

    found = refused(case(made))

    assert f"check:{check}" in found
    assert found[f"check:{check}"].message


def test_F06_the_zeros_of_padding_are_no_rotation_and_need_not_be() -> None:
    made = said_again(layout())
    values, mask = made.values.copy(), np.ones(made.values.shape, dtype=np.bool_)
    values[-2:], mask[-2:] = 0.0, False

    assert refused(case(replace(made, values=values, mask=mask))) == {}


def test_F14_what_starts_elsewhere_is_not_followed_at_all() -> None:
    made, _ = CASES["F14 a first row elsewhere"]

    path = lower(case(made), made, layout(), MODEL)

    assert {one.check for one in path.followed} == {"seam"}
    assert np.isnan(path.positions).all()


def test_F31_an_arm_that_stands_a_little_beyond_a_limit_is_not_thrown_inside() -> None:
    tight = replace(PROFILE.joints[0], upper=-0.05)
    robot = replace(PROFILE, joints=(tight, *PROFILE.joints[1:]))
    made = said_again(layout())

    path = lower(case(made, rules=replace(RULES, profile=robot)), made, layout(), MODEL)

    assert all(one.ok for one in path.followed)
    assert np.abs(np.diff(path.positions[:, 0], prepend=0.0)).max() < 0.02


def test_F34_a_refusal_gives_row_value_and_limit() -> None:
    found = refused(case(far(layout(), 5, (0.2, 0.0, 0.0))))["check:follow"]

    assert found.row == 5
    assert found.value > found.limit > 0.0
    assert found.unit in ("m", "rad", "rad/m")


def test_F34_the_row_is_counted_from_the_chunk_and_not_from_the_take_over() -> None:
    found = case(far(layout(), 5, (0.2, 0.0, 0.0)))
    late = replace(found, chunk=replace(cast(ActionChunk, found.chunk), stamps=stamps(first_row_ns=NOW - 2 * PERIOD)))
    late = replace(late, state=replace(late.state, positions=WAY[1]))

    assert refused(late)["check:follow"].row == 5


def test_an_anchor_that_nothing_counts_from_is_not_read() -> None:
    made = replace(said_again(layout()), anchor=np.zeros(3))

    assert refused(case(made)) == {}


def test_F10_a_hand_that_is_not_commanded_by_the_chunk_is_refused() -> None:
    bare = Layout("bare", layout().channels[:-1])

    assert problems(bare, PROFILE) == ["gripper 'hand' has no column"]


def changed(index: int, **changes: Any) -> Layout:
    channels = list(layout().channels)
    channels[index] = replace(channels[index], **changes)
    return Layout("changed", tuple(channels))


def every(**changes: Any) -> Layout:
    moved = [replace(channel, **changes) if is_cartesian(channel) else channel for channel in layout().channels]
    return Layout("every", tuple(moved))


CHANNELS = layout().channels
PROBLEMS: dict[str, tuple[Layout, str]] = {
    "an unknown tool": (layout(tool="nose"), "'nose' is no tool point of panda; it has: tcp, wrist"),
    "columns in the order of another form": (
        Layout("x", (*CHANNELS[:3], CHANNELS[6], *CHANNELS[3:6], HAND)),
        "tcp: the columns of ee_rotation as quat_xyzw must be tcp.qx, tcp.qy, tcp.qz, tcp.qw, in this order, got",
    ),
    "y before x": (
        Layout("x", (CHANNELS[1], CHANNELS[0], *CHANNELS[2:])),
        "tcp: the columns of ee_position must be tcp.x, tcp.y, tcp.z, in this order, got tcp.y, tcp.x, tcp.z",
    ),
    "no rotation": (Layout("x", (*CHANNELS[:3], HAND)), "must name one rotation, got none"),
    "no place": (Layout("x", CHANNELS[3:]), "got none"),
    "two rotations": (changed(3, rotation="quat_wxyz"), "must name one rotation, got quat_wxyz, quat_xyzw"),
    "a rotation of no form": (
        Layout("x", (*CHANNELS[:3], *(replace(one, rotation="none") for one in CHANNELS[3:7]), HAND)),
        "tcp: ee_rotation needs a rotation",
    ),
    "millimetres": (changed(0, unit="rad"), "tcp.x must be in m, got rad"),
    "a quaternion in radians": (changed(6, unit="rad"), "tcp.qw must be in ratio, got rad"),
    "a place with a rotation": (changed(2, rotation="rotvec"), "tcp.z must have rotation none and no polarity"),
    "a polarity": (changed(4, polarity="zero_open"), "tcp.qy must have rotation quat_xyzw and no polarity"),
    "two frames": (changed(5, frame="tool"), "must share frame and reference, got absolute, base, tool"),
    "two references": (changed(0, reference="delta_from_previous"), "must share frame and reference"),
    "a camera's frame": (every(frame="camera:front"), "frame camera:front is not supported; use one of base"),
    "the joints' frame": (every(frame="joint"), "frame joint is not supported"),
    "an absolute pose in the tool": (every(frame="tool"), "an absolute pose cannot stand in the tool's own frame"),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_F09_a_layout_that_does_not_say_one_convention_is_refused(what: str) -> None:
    found, message = PROBLEMS[what]
    accepting = replace(RULES, accepts=replace(RULES.accepts, layouts=(found,)))
    made = chunk(found, np.zeros((ROWS, len(found.channels))))

    verdict = judge(case(made, rules=accepting), physics()).verdict

    assert message in "; ".join(problems(found, PROFILE))
    assert any(message in finding.message for finding in verdict.violated)


@pytest.mark.parametrize(
    ("robot", "message"),
    [
        (replace(PROFILE, urdf=None), "need the robot's URDF, and profile panda names none"),
        (replace(PROFILE, interpolation="cubic"), "straight joint paths, not cubic ones"),
        (replace(PROFILE, tool_points=()), "'tcp' is no tool point of panda; it has: none"),
    ],
    ids=["no URDF", "cubic", "no tool point"],
)
def test_a_robot_that_cannot_follow_a_tool_refuses_its_layout(robot: Profile, message: str) -> None:
    assert message in "; ".join(problems(layout(), robot))


def test_a_layout_of_joints_has_no_targets_and_no_problems() -> None:
    assert targets_of(JOINTS) == ()
    assert problems(JOINTS, PROFILE) == []


def test_targets_know_their_columns() -> None:
    (found,) = targets_of(layout("tool", "delta_from_previous", "quat_wxyz"))

    assert found == Target("tcp", (0, 1, 2), (3, 4, 5, 6), "delta_from_previous", "tool", "quat_wxyz")
    assert tool_of(layout().channels[0]) == "tcp"
    with pytest.raises(ValueError, match="ee_rotation needs a rotation"):
        columns_of("tcp", "ee_rotation", "none")


def test_F34_an_arm_of_two_joints_cannot_hold_a_pose() -> None:
    place = layout().channels[:-1]
    found = Layout("two", (*place, HAND))
    robot = replace(toy.profile(), layouts=(found,), tool_points=(ToolPoint("tcp", "fore", Pose()),))
    made = toy.chunk(np.tile([1.0, 0, 0, 0, 0, 0, 1.0, 0.08], (ROWS, 1)), layout=found.digest)
    there = toy.case(made, rules=rules(profile=robot))

    path = lower(there, made, found, toy.Arm())

    assert np.isnan(path.positions).all()
    assert [one.what for one in path.followed] == ["2 joints move tcp; its place and rotation need 6"]
    assert not path.followed[0].ok


def test_F11_a_joint_that_nothing_commands_is_refused() -> None:
    found = layout()
    robot = replace(PROFILE, joints=(*PROFILE.joints, replace(PROFILE.joints[0], name="waist")))
    there = case(said_again(found), rules=replace(RULES, profile=robot))
    longer = replace(there.state, positions=np.append(panda.READY, 0.0), velocities=np.zeros(8))

    class Waisted(UrdfRobot):
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
            poses, jacobians = super().tool(positions[:, :7], name)
            return poses, np.concatenate([jacobians, np.zeros((len(positions), 6, 1))], axis=2)

    path = lower(replace(there, state=longer), said_again(found), found, Waisted(PROFILE, CELL))

    assert [one.what for one in path.followed] == ["no column commands waist"]


def test_what_only_a_checked_chunk_has_is_an_error_where_it_is_missing() -> None:
    found = layout_of(case(said_again(SINCE)), said_again(SINCE))
    assert found is not None
    bare = replace(said_again(SINCE), anchor=None)

    with pytest.raises(UnusableInput, match="model"):
        lower(case(bare), bare, found)
    with pytest.raises(UnusableInput, match="anchor"):
        lower(case(bare), bare, found, MODEL)


def test_F14_the_first_step_is_measured_from_the_reference_of_a_running_plan() -> None:
    found = layout()
    plan = Plan(
        NOW + PERIOD * np.arange(-3, 20),
        np.vstack([panda.READY + 0.02 * k for k in range(23)]),
        np.full((23, 1), 0.08),
        NOW,
    )
    made = said_again(found)

    still, running = (lower(case(made, memory=Memory(plan=p)), made, found, MODEL) for p in (None, plan))

    assert still.followed[0].what == "speed of the tool from the reference to the first row"
    assert running.followed[0].value > still.followed[0].value + 0.5
