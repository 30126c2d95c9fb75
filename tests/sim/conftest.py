"""The robot and the cell that the simulation's tests run in: those that ship."""

from __future__ import annotations

import pytest

from interlock.profile import Profile
from interlock.scene import Cell
from interlock_rules import load_cell, load_profile
from interlock_sim.tool import Tool, tool_of


@pytest.fixture(scope="session")
def profile() -> Profile:
    return load_profile("franka_panda")


@pytest.fixture(scope="session")
def cell() -> Cell:
    return load_cell("tabletop")


@pytest.fixture(scope="session")
def tool(profile: Profile, cell: Cell) -> Tool:
    return tool_of(profile, cell.mount)
