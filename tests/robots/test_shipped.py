"""Every shipped robot with a shape: its kinematics are PyBullet's, its poses are clear, its folded arm is seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pybullet
import pytest

from interlock.arrays import FloatArray
from interlock.assembly import assembled
from interlock.bullet_physics import BulletPhysics
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.geometry import Pose
from interlock.profile import Profile, UrdfCopy
from interlock.robot_model import UrdfRobot
from interlock.scene import Cell
from interlock.urdf import file_of
from interlock_rules import load, load_profile, load_report
from interlock_rules.cases import run_cases, walk
from interlock_rules.example import standing_still
from interlock_rules.files import shipped
from interlock_rules.lint import lint
from interlock_rules.routes import route_of

SHAPED = [name for name in shipped("robots") if load_profile(name).urdf is not None]
SETS = {
    "franka_panda": "panda-tabletop",
    "g1_upper_body": "g1-upper-body",
    "panda_gym": "panda-gym",
    "pandas_facing": "pandas-facing",
    "so101": "so101-floor",
    "ur10": "ur10-floor",
    "xarm7": "xarm7-floor",
}
SHAPES = re.compile(r"<(collision|visual)\b.*?</\1>", re.DOTALL)


class Twin:
    """The robots that PyBullet makes of a profile's URDF without its shapes, posed joint by joint."""

    def __init__(self, profile: Profile, folder: Path) -> None:
        assert profile.urdf is not None
        self.client = pybullet.connect(pybullet.DIRECT)
        file = folder / "bare.urdf"
        file.write_text(SHAPES.sub("", file_of(profile.urdf).read_text()))
        copies = profile.urdf.copies or (UrdfCopy("", Pose()),)
        self.joints: dict[str, tuple[int, int]] = {}
        self.links: dict[str, tuple[int, int]] = {}
        for copy in copies:
            body = pybullet.loadURDF(
                str(file), copy.pose.xyz, copy.pose.quat_xyzw, useFixedBase=True, physicsClientId=self.client
            )
            for index in range(pybullet.getNumJoints(body, physicsClientId=self.client)):
                row = pybullet.getJointInfo(body, index, physicsClientId=self.client)
                self.joints[f"{copy.prefix}{row[1].decode()}"] = body, index
                self.links[f"{copy.prefix}{row[12].decode()}"] = body, index

    def pose(self, name: str, position: float) -> None:
        pybullet.resetJointState(*self.joints[name], position, physicsClientId=self.client)

    def origin(self, link: str) -> FloatArray:
        found = pybullet.getLinkState(*self.links[link], computeForwardKinematics=True, physicsClientId=self.client)
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(pybullet.getMatrixFromQuaternion(found[5]), (3, 3))
        matrix[:3, 3] = found[4]
        return matrix


@pytest.fixture(scope="module", params=SHAPED)
def profile(request: pytest.FixtureRequest) -> Profile:
    return load_profile(str(request.param))


@pytest.fixture
def twin(profile: Profile, tmp_path: Path) -> Iterator[Twin]:
    made = Twin(profile, tmp_path)
    yield made
    pybullet.disconnect(physicsClientId=made.client)


def test_there_are_robots_and_each_has_a_set() -> None:
    assert set(SETS) == set(SHAPED)


def test_every_link_is_where_pybullet_puts_it(profile: Profile, twin: Twin) -> None:
    rng = np.random.default_rng(0)
    low, high = ([getattr(joint, end) for joint in profile.joints] for end in ("lower", "upper"))
    positions = rng.uniform(low, high, (20, len(low)))
    model = UrdfRobot(profile, Cell("empty", Pose(), (), ()))
    compared = [link for link in model.links if link in twin.links]
    for locked in profile.locked:
        twin.pose(locked.joint, locked.position)

    poses = model.forward(positions)

    assert len(compared) >= len(profile.joints)
    for row, values in enumerate(positions):
        for joint, value in zip(profile.joint_names, values.tolist(), strict=True):
            twin.pose(joint, value)
        for link in compared:
            np.testing.assert_allclose(poses[row, model.links.index(link)], twin.origin(link), atol=1e-6)


def test_every_allowed_pair_is_of_the_robot_and_no_pair_is_named_twice(profile: Profile) -> None:
    pairs = [frozenset((pair.a, pair.b)) for pair in profile.allowed_collisions]
    names = {link.name for link in assembled(profile).links}

    assert pairs
    assert len(set(pairs)) == len(pairs)
    assert all(pair <= names and len(pair) == 2 for pair in pairs)


@pytest.mark.parametrize("robot", SHAPED)
def test_its_set_lets_it_stand_in_its_first_pose(robot: str) -> None:
    rules = load(SETS[robot])
    physics = BulletPhysics(rules.profile, rules.cell)
    state, chunk, scene = standing_still(rules, 5_000_000_000)

    decision = decide(Case(5_000_000_000, chunk, state, scene, Memory(), rules), physics)

    assert decision.reaction == "permit"


@pytest.mark.parametrize("robot", [robot for robot in SHAPED if robot != "franka_panda"])
def test_the_cases_of_its_set_come_out_as_they_should(robot: str) -> None:
    loaded = load_report(SETS[robot])

    report = run_cases(loaded, BulletPhysics(loaded.rules.profile, loaded.rules.cell))

    assert [result.name for result in report.results if not result.passed] == []
    assert report.passed


@pytest.mark.parametrize("robot", SHAPED)
def test_of_its_set_there_is_nothing_but_notes(robot: str) -> None:
    assert {remark.severity for remark in lint(SETS[robot])} <= {"note"}


def test_F37_two_arms_that_cross_between_two_rows_are_apart_at_every_row() -> None:
    loaded = load_report("pandas-facing")
    physics = BulletPhysics(loaded.rules.profile, loaded.rules.cell)
    (crossing,) = (case for case in loaded.form.tests if "crossing between two rows" in case.name)
    assert crossing.chunk.rows is not None
    here = [replace(crossing, start=row, chunk=replace(crossing.chunk, rows=(row,))) for row in crossing.chunk.rows]

    still = [walk(loaded.rules, route_of(case, loaded.rules, physics.model), physics) for case in here]
    moving = walk(loaded.rules, route_of(crossing, loaded.rules, physics.model), physics)

    assert [decision.reaction for decision in still] == ["permit"] * len(crossing.chunk.rows)
    assert [finding.rule for finding in moving.verdict.violated] == ["ARMS-APART"]
    assert moving.reaction == "veto"


def test_F37_what_one_arm_of_two_is_told_wrong_moves_neither() -> None:
    loaded = load_report("pandas-facing")
    physics = BulletPhysics(loaded.rules.profile, loaded.rules.cell)
    (broken,) = (case for case in loaded.form.tests if case.chunk.nan is not None)
    mended = replace(broken, chunk=replace(broken.chunk, nan=None))

    found = [walk(loaded.rules, route_of(case, loaded.rules, physics.model), physics) for case in (broken, mended)]

    assert [decision.reaction for decision in found] == ["veto", "permit"]
    assert found[0].permitted is False
