"""What the expert is asked to do, and the paths that it plans."""

from __future__ import annotations

import numpy as np
import pytest

from interlock.profile import Profile
from interlock.scene import Cell
from interlock_sim.tasks import NOISE_M, TASKS, start_positions
from interlock_sim.tool import Tool

STEP_S = 0.002


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("episode", range(5))
def test_paths_stay_well_within_the_limits(profile: Profile, cell: Cell, tool: Tool, name: str, episode: int) -> None:
    rng = np.random.default_rng(episode)
    task = TASKS[name](cell, tool, start_positions(profile), rng)

    path = task.path(profile, tool, rng)

    positions = path.positions(np.arange(0.0, path.end_s, STEP_S))
    speeds = np.abs(np.gradient(positions, STEP_S, axis=0)).max(axis=0)
    accelerations = np.abs(np.diff(positions, n=2, axis=0)).max(axis=0) / STEP_S**2
    tool_speed = np.linalg.norm(np.gradient(tool.forward(positions)[:, :3, 3], STEP_S, axis=0), axis=1).max()
    assert (speeds <= [0.7 * joint.velocity for joint in profile.joints]).all()
    assert (accelerations <= [0.6 * joint.acceleration for joint in profile.joints]).all()
    assert tool_speed <= 0.65
    assert path.end_s < 7.5


@pytest.mark.parametrize("name", TASKS)
def test_waypoints_are_off_by_3_mm_at_most(profile: Profile, cell: Cell, tool: Tool, name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    task = TASKS[name](cell, tool, start_positions(profile), rng)

    path = task.path(profile, tool, rng)

    last = tool.forward(path.positions(np.array([path.end_s])))[0, :3, 3]
    assert np.linalg.norm(last - np.array(task.waypoints[-1].xyz)) <= NOISE_M + 1e-4


def test_what_is_about_an_object_names_it_and_its_intended_contacts(profile: Profile, cell: Cell, tool: Tool) -> None:
    task = TASKS["pick_and_place"](cell, tool, start_positions(profile), np.random.default_rng(0))

    assert task.target in {thing.name for thing in task.things}
    assert task.intended.holds("panda_leftfinger", "cube", (0.5, 0.0, 0.0))
    assert not task.intended.holds("panda_hand", "cube", (0.5, 0.0, 0.0))
    assert not task.intended.holds("panda_leftfinger", "other_cube", (0.5, 0.0, 0.0))
