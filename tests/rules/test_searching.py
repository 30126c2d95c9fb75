"""The search for a pose that a rule refuses: the same each time, within the travel, and honest where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from interlock_rules.kind import NoProvocation
from interlock_rules.searching import corners_of, lowest, the_model
from tests.rules.arm import HOME, SETUP, still


def test_home_is_taken_where_it_will_do() -> None:
    assert np.array_equal(lowest(SETUP, lambda at: np.zeros(len(at)), 0.0, "is anything"), HOME)


def test_a_small_target_is_found_within_the_travel() -> None:
    target = np.array([-1.0, 2.0, 0.5])

    found = lowest(SETUP, lambda at: np.linalg.norm(at - target, axis=1), 0.02, "is there")

    assert np.linalg.norm(found - target) <= 0.02


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NoProvocation, match="no pose within the joints' travel flies"):
        lowest(SETUP, lambda at: np.full(len(at), 2.0), 1.0, "flies")


def test_a_robot_without_a_shape_has_no_pose_in_the_world() -> None:
    with pytest.raises(NoProvocation, match="no shape"):
        the_model(replace(SETUP, model=None))


def test_the_corners_of_several_bodies_stand_in_a_row() -> None:
    assert corners_of(SETUP, ("tcp", "held", "gripper", "upper"), still(4)).shape == (4, 1 + 1 + 8 + 8, 3)
    assert corners_of(SETUP, ("robot",), still(4)).shape == (4, 24, 3)
