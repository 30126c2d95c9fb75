"""The robot's shape: what the profile, the URDF and the mount make of it, and bounds that no sampled pose exceeds."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.geometry import Box, Pose
from interlock.motion import RobotModel
from interlock.profile import ToolPoint
from interlock.reach import Route
from interlock.robot_model import UrdfRobot
from interlock.rotations import rotvecs
from interlock.scene import Held
from tests.supervisor import panda
from tests.supervisor.truth import Truth

MODEL = UrdfRobot(panda.profile(tracking=0.01), panda.cell())
HELD = Held("cube", Box((0.1, 0.06, 0.2)), Pose((0.02, 0.0, 0.15)), 0.5)
LINKS = st.sampled_from([*panda.MOVING, "held"])


def corners(model: UrdfRobot, positions: FloatArray, link: str) -> FloatArray:
    """All corners (N, V, 3) [m, world] of a link, or of what is held."""
    if link == "held":
        half = np.array([0.05, 0.03, 0.1])
        points = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * half + HELD.pose.xyz
        link = "panda_link8"
    else:
        points = model.vertices[link]
    poses = model.forward(positions)[:, model.links.index(link)]
    return np.asarray(points @ np.swapaxes(poses[:, :3, :3], 1, 2) + poses[:, None, :3, 3])


def test_the_links_are_those_with_a_shape_and_those_that_the_profile_names() -> None:
    model: RobotModel = MODEL

    assert model.links == ("panda_link0", *panda.ARM, "panda_link8", *panda.HAND)
    assert model.fixed == {"panda_link0"}
    assert set(model.vertices) == {"panda_link0", *panda.MOVING}
    assert set(model.tool_offsets) == {"tcp"}
    assert model.tool_offsets["tcp"][0] == "panda_link8"


def test_the_mount_moves_everything() -> None:
    turned = Pose((1.0, 2.0, 3.0), (0.0, 0.0, math.sin(0.3), math.cos(0.3)))
    mounted = UrdfRobot(panda.profile(), panda.cell(mount=turned))

    found = mounted.forward(panda.READY[None])

    np.testing.assert_allclose(found, turned.matrix() @ MODEL.forward(panda.READY[None]), atol=1e-12)


def test_of_one_motion_everything_is_worked_out_once() -> None:
    rows = panda.sweep(panda.READY, panda.READY + 0.3, 4)
    kept, open_ = rows.copy(), rows.copy()
    kept.flags.writeable = False
    frames, steps = MODEL.frames(kept), MODEL.steps(kept)

    assert MODEL.frames(kept) is frames
    assert MODEL.steps(kept) is steps
    assert not frames.flags.writeable
    assert not steps.flags.writeable
    np.testing.assert_array_equal(MODEL.frames(open_), frames)


def test_what_can_still_change_is_worked_out_again() -> None:
    rows = panda.sweep(panda.READY, panda.READY + 0.3, 4)
    view = rows[:]
    view.flags.writeable = False
    before = MODEL.frames(rows), MODEL.frames(view)
    rows += 0.1

    for values, old in zip((rows, view), before, strict=True):
        assert not np.array_equal(MODEL.frames(values), old)


def test_hulls_are_those_of_pybullet(seed: int) -> None:
    generator = np.random.default_rng(seed)
    referee = Truth(finger=0.0)
    referee.add_floor("floor", -1.0)

    for positions in generator.uniform(panda.LOWER, panda.UPPER, (5, 7)):
        referee.pose(positions)
        for link in (*panda.ARM, "panda_hand"):
            lowest = corners(MODEL, positions[None], link)[0, :, 2].min() + 1.0
            assert referee.distance(link, "floor") == pytest.approx(lowest, abs=2e-4)
    referee.close()


@given(st.lists(st.floats(-1.0, 1.0), min_size=7, max_size=7))
def test_a_jacobian_is_how_each_joint_moves_and_turns_the_tool(at: list[float]) -> None:
    positions = panda.READY + np.array(at)
    nudge = 1e-6 * np.eye(7)
    poses, jacobians = MODEL.tool(positions[None], "tcp")
    ahead, behind = MODEL.tool(positions + nudge, "tcp")[0], MODEL.tool(positions - nudge, "tcp")[0]
    turned = ahead[:, :3, :3] @ np.swapaxes(behind[:, :3, :3], 1, 2)

    link = MODEL.forward(positions[None])[:, MODEL.links.index("panda_link8")]
    assert np.array_equal(poses, link @ MODEL.tool_offsets["tcp"][1])
    assert np.allclose(jacobians[0, :3].T, (ahead - behind)[:, :3, 3] / 2e-6, atol=1e-8)
    assert np.allclose(jacobians[0, 3:].T, rotvecs(turned) / 2e-6, atol=1e-8)


@pytest.mark.parametrize("changes", [{"columns": np.array([0, 0, 1, 2, 3, 4, 5])}, {"gains": np.full(7, -1.0)}])
def test_a_tool_before_which_joints_mimic_others_is_refused(changes: dict[str, Any]) -> None:
    class Mimicking(UrdfRobot):
        def route(self, start: str, end: str) -> Route:
            return replace(super().route(start, end), **changes)

    with pytest.raises(UnusableInput, match="joints before tool point 'tcp' mimic others"):
        Mimicking(panda.profile(), panda.cell()).tool(panda.READY[None], "tcp")


def test_fingers_are_swept_over_their_travel() -> None:
    wide = np.ptp(MODEL.vertices["panda_leftfinger"], axis=0)
    still = np.ptp(MODEL.hulls["panda_leftfinger"].vertices, axis=0)

    assert wide[1] == pytest.approx(still[1] + 0.04)
    assert MODEL.finger("panda_leftfinger", 0.0, 0.08).key == MODEL.sides["panda_leftfinger"].key
    assert MODEL.finger("panda_leftfinger", 0.01, 0.02) is MODEL.finger("panda_leftfinger", 0.01, 0.02)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), LINKS, st.floats(1e-3, 0.5))
def test_no_point_leaves_its_chord_by_more_than_the_sagitta(chance: int, link: str, size: float) -> None:
    generator = np.random.default_rng(chance)
    start = generator.uniform(panda.LOWER, panda.UPPER)
    ends = np.array([start, start + generator.uniform(-size, size, 7)])
    shares = np.linspace(0.0, 1.0, 17)[:, None]

    found = MODEL.sagitta(ends, link, HELD)

    places = corners(MODEL, (1.0 - shares) * ends[0] + shares * ends[1], link)
    chord = (1.0 - shares[:, None]) * places[:1] + shares[:, None] * places[-1:]
    assert found[0] == pytest.approx(0.0)
    assert np.linalg.norm(places - chord, axis=2).max() <= found[1] + 1e-12


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), LINKS)
def test_F23_no_tracking_error_moves_a_point_by_more_than_reach_error(chance: int, link: str) -> None:
    generator = np.random.default_rng(chance)
    commanded = generator.uniform(panda.LOWER, panda.UPPER)
    measured = commanded + generator.choice([-0.01, 0.01, 0.004], (40, 7))

    found = MODEL.reach_error(commanded[None], link, HELD)

    moved = corners(MODEL, measured, link) - corners(MODEL, commanded[None], link)
    assert np.linalg.norm(moved, axis=2).max() <= found[0] + 1e-12


def test_a_link_without_a_shape_is_its_origin() -> None:
    steps = np.array([panda.READY, panda.READY + 0.1])

    assert 0.0 < MODEL.sagitta(steps, "panda_link8")[1] < MODEL.sagitta(steps, "panda_hand")[1]
    assert 0.0 < MODEL.reach_error(steps, "panda_link8")[1] < MODEL.reach_error(steps, "panda_hand")[1]


def test_held_needs_what_is_held() -> None:
    with pytest.raises(ValueError, match="nothing is held"):
        MODEL.sagitta(panda.READY[None], "held")


def test_shapes_are_compared() -> None:
    with pytest.raises(ValueError, match=r"shape \(N, 7\)"):
        MODEL.forward(np.zeros((1, 8)))


def test_a_profile_without_a_urdf_has_no_shape() -> None:
    with pytest.raises(UnusableInput, match="names no URDF"):
        UrdfRobot(replace(panda.profile(), urdf=None), panda.cell())


def test_a_link_that_is_not_there_is_refused() -> None:
    unknown = replace(panda.profile(), tool_points=(ToolPoint("tip", "panda_tip", Pose()),))

    with pytest.raises(UnusableInput, match=r"no link 'panda_tip'; it has: panda_link0"):
        UrdfRobot(unknown, panda.cell())
