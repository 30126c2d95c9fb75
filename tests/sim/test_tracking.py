"""How closely the simulated arm follows."""

from __future__ import annotations

from interlock.profile import Profile
from interlock.scene import Cell
from interlock_sim.tracking import measure_tracking


def test_the_arm_follows_within_what_its_profile_states(profile: Profile, cell: Cell) -> None:
    found = measure_tracking(profile, cell)

    assert [tracking.joint for tracking in found] == list(profile.joint_names)
    for tracking, joint in zip(found, profile.joints, strict=True):
        assert tracking.error_rad <= joint.tracking
        assert tracking.speed_rad_s >= 0.7 * joint.velocity
