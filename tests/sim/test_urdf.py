"""The URDF that the physics loads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from defusedxml.ElementTree import fromstring

from interlock.errors import UnusableInput
from interlock.profile import Profile
from interlock_sim.urdf import described, urdf_text


def test_inertias_are_the_profiles(profile: Profile) -> None:
    root = fromstring(urdf_text(profile, described(profile), visuals=False))

    masses = {link.get("name"): mass.get("value") for link in root.iter("link") for mass in link.iter("mass")}

    for inertia in profile.inertias:
        assert masses[inertia.link] == repr(inertia.mass_kg)
    assert masses["panda_grasptarget"] == "0.0"


@pytest.mark.parametrize(("visuals", "count"), [(False, 0), (True, 11)])
def test_visual_shapes_are_there_only_where_asked_for(profile: Profile, visuals: bool, count: int) -> None:  # noqa: FBT001
    root = fromstring(urdf_text(profile, described(profile), visuals=visuals))

    assert len(list(root.iter("visual"))) == count


def test_a_profile_without_a_urdf_cannot_be_simulated(profile: Profile) -> None:
    with pytest.raises(UnusableInput, match="names no URDF"):
        described(replace(profile, urdf=None))


@pytest.mark.parametrize("visuals", [False, True])
def test_F26_no_line_is_so_long_that_pybullet_breaks_it_wherever_the_files_are(
    profile: Profile, *, visuals: bool
) -> None:
    text = urdf_text(profile, described(profile), visuals=visuals)

    assert max(len(line) for line in text.splitlines()) < 2048
    assert text.count("\n") > 100
