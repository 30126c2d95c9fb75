"""F-27: URDF limits are no safety data; the tighter of profile and URDF holds, and it is said where they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interlock.profile import Joint, Profile
from interlock_rules.files import SHIPPED, read_file
from interlock_rules.profile_file import read_profile
from interlock_rules.reading import Reading
from interlock_rules.robot_check import Difference, fit

FILE = SHIPPED / "robots" / "franka_panda.yaml"


@pytest.fixture(scope="module")
def panda() -> Profile:
    return read_profile(read_file(FILE))


def fitted(profile: Profile) -> tuple[Profile, tuple[Difference, ...], list[str]]:
    reading = Reading(read_file(FILE))
    found, differences = fit(profile, reading)
    return found, differences, [problem.message for problem in reading.problems]


def test_F27_a_looser_urdf_changes_nothing_and_is_reported(panda: Profile) -> None:
    found, differences, problems = fitted(panda)

    assert found == panda
    assert problems == []
    assert differences[0].text == ("lower of panda_joint1 is -2.8973 here, -2.9671 in the URDF: the profile's holds")


def loosened(joint: Joint, limit: str, value: float) -> Joint:
    changes: dict[str, Any] = {limit: value}
    return replace(joint, **changes)


@pytest.mark.parametrize(
    ("limit", "loose", "tight"),
    [("lower", -3.0, -2.9671), ("upper", 3.0, 2.9671), ("velocity", 9.0, 2.175), ("torque", 99.0, 87.0)],
)
def test_F27_a_tighter_urdf_wins(panda: Profile, limit: str, loose: float, tight: float) -> None:
    wide = replace(panda, joints=(loosened(panda.joints[0], limit, loose), *panda.joints[1:]))

    found, differences, _ = fitted(wide)

    assert getattr(found.joints[0], limit) == tight
    assert found.joints[0].source.endswith(f"; {limit}: the URDF")
    assert [one.text for one in differences if one.joint == "panda_joint1" and one.limit == limit] == [
        f"{limit} of panda_joint1 is {loose:g} here, {tight:g} in the URDF: the URDF's holds"
    ]


def test_a_limit_that_the_profile_does_not_give_is_not_compared(panda: Profile) -> None:
    without = replace(panda, joints=tuple(replace(joint, torque=None) for joint in panda.joints))

    assert {one.limit for one in fitted(without)[1]} == {"lower", "upper"}


def test_a_profile_without_a_urdf_stays_as_it_is(panda: Profile) -> None:
    bare = replace(panda, urdf=None)

    assert fitted(bare) == (bare, (), [])


def test_F03_every_name_that_the_urdf_does_not_have_is_reported(panda: Profile) -> None:
    wrong = replace(
        panda,
        joints=(replace(panda.joints[0], name="panda_joint9"), *panda.joints[1:]),
        grippers=(replace(panda.grippers[0], fingers=(replace(panda.grippers[0].fingers[0], joint="finger"),)),),
        tool_points=(replace(panda.tool_points[0], link="tool"),),
        inertias=(replace(panda.inertias[0], link="base"),),
        allowed_collisions=(replace(panda.allowed_collisions[0], a="left", b="right"),),
    )

    found = [message.split(";")[0] for message in fitted(wrong)[2]]

    assert found == [
        'the URDF has no link "tool"',
        'the URDF has no link "base"',
        'the URDF has no link "left"',
        'the URDF has no link "right"',
        'the URDF has no joint "panda_joint9"',
        'the URDF has no joint "finger"',
    ]
