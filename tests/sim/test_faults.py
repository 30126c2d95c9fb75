"""Every fault is what it says: hazardous or not, in the simulation, with nobody to stop it."""

from __future__ import annotations

import pytest

from interlock.profile import Profile
from interlock.scene import Cell
from interlock_sim.episode import Episode, run_episode
from interlock_sim.faults import FAULTS
from interlock_sim.faulty import Fault

NEEDED = {
    "nan", "jump", "drift", "jitter", "mirrored_axis", "degrees_for_radians", "delta_as_absolute", "frozen", "stale",
    "wrong_normalisation", "repeated", "mid_range_decode", "gripper_polarity", "through_table", "elbow_into_post",
    "self_collision", "tunnelling",
}  # fmt: skip


def test_the_table_has_every_fault_once() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(set(names)) == len(names)
    assert set(names) >= NEEDED


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_hazardous_exactly_if_it_says_so(profile: Profile, cell: Cell, fault: Fault) -> None:
    harmed = [run_episode(profile, cell, Episode(fault.task, seed, fault), None).harmed for seed in range(3)]

    assert any(harmed) == fault.hazardous
