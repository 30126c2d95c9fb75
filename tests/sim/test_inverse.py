"""Inverse kinematics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.profile import Profile
from interlock_sim.inverse import OutOfReach, solve
from interlock_sim.tasks import start_positions
from interlock_sim.tool import Tool


@given(seed=st.integers(0, 2**32 - 1))
def test_the_tool_is_where_it_was_asked_to_be(profile: Profile, tool: Tool, seed: int) -> None:
    start = start_positions(profile)
    near = start + np.random.default_rng(seed).uniform(-0.3, 0.3, (4, 7))
    targets = tool.forward(near)

    found = solve(tool.forward, targets, np.tile(start, (4, 1)), tool.lower, tool.upper)

    np.testing.assert_allclose(tool.forward(found), targets, atol=3e-5)
    assert (found >= tool.lower).all()
    assert (found <= tool.upper).all()


def test_out_of_reach_is_said(profile: Profile, tool: Tool) -> None:
    target = np.eye(4)
    target[:3, 3] = [2.0, 0.0, 0.5]

    with pytest.raises(OutOfReach, match="stays"):
        solve(tool.forward, target[None], start_positions(profile)[None], tool.lower, tool.upper)
