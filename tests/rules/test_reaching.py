from __future__ import annotations

import numpy as np
import pytest

from interlock.motion import RobotModel
from interlock_rules import load_report
from interlock_rules.loading import Loaded
from interlock_rules.reaching import OutOfReach, quintic, reach, tool_poses

FREE = np.full(3, np.nan)
DOWN = np.column_stack([FREE, FREE, [0.0, 0.0, -1.0]])


@pytest.fixture(scope="module")
def panda() -> Loaded:
    return load_report("panda-tabletop")


def model(loaded: Loaded) -> RobotModel:
    assert loaded.setup.model is not None
    return loaded.setup.model


def test_the_tool_is_where_it_is_wanted_and_points_down(panda: Loaded) -> None:
    point = np.array([0.45, 0.1, 0.2])

    found = reach(model(panda), panda.rules.profile, panda.setup.home, point, DOWN)

    pose = tool_poses(model(panda), found[None])[0]
    assert np.abs(pose[:3, 3] - point).max() <= 1e-5
    assert np.abs(pose[:3, 2] - [0.0, 0.0, -1.0]).max() <= 1e-5


def test_where_the_tool_is_already_nothing_moves(panda: Loaded) -> None:
    pose = tool_poses(model(panda), panda.setup.home[None])[0]

    found = reach(model(panda), panda.rules.profile, panda.setup.home, pose[:3, 3], pose[:3, :3])

    assert found.tolist() == panda.setup.home.tolist()


def test_the_shipped_tool_point_lies_between_the_fingertips(panda: Loaded) -> None:
    pose = tool_poses(model(panda), panda.setup.home[None])[0]

    assert pose[:3, 3].round(4).tolist() == [0.3069, 0.0, 0.4869]  # the maker's end effector in its start pose
    assert pose[:3, 2].round(6).tolist() == [0.0, 0.0, -1.0]


def test_beyond_reach_is_said(panda: Loaded) -> None:
    with pytest.raises(OutOfReach, match="cannot be at"):
        reach(model(panda), panda.rules.profile, panda.setup.home, np.array([2.0, 0.0, 0.5]), DOWN)


def test_a_quintic_starts_and_ends_at_rest() -> None:
    shares = np.concatenate([[0.0], quintic(1000)])

    speed = np.diff(shares) * 1000.0
    assert shares[-1] == 1.0
    assert max(speed[0], speed[-1]) < 1e-4
    assert speed.max() == pytest.approx(1.875, abs=1e-4)
