from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import interlock_rules
from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.jsonform import to_json
from interlock.motion import RobotModel
from interlock.robot_model import UrdfRobot
from interlock.rules import RuleSet
from interlock_rules import from_meaning, load, load_cell, load_profile, load_report
from interlock_rules.files import shipped
from interlock_rules.loading import load_regions
from interlock_rules.problems import BadFile
from interlock_rules.reading import Reading
from interlock_rules.set_file import note_layouts
from tests.rules.golden import GOLDEN, INVALID, SMALL, VALID, expected

LOADERS: dict[str, Callable[[Path], object]] = {
    "set": load, "cell": load_cell, "robot": load_profile, "regions": load_regions,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the golden robots and cells, for sets that are made up."""
    made = tmp_path_factory.mktemp("golden")
    for name in ("robots", "cells"):
        shutil.copytree(GOLDEN / name, made / name)
    return made


def problems(path: Path) -> list[str]:
    with pytest.raises(BadFile) as refused:
        LOADERS[path.name.partition("-")[0]](path)
    return [f"{one.place.line}:{one.place.column}: {one.message}" for one in refused.value.problems]


def test_golden_folders_are_not_empty() -> None:
    assert len(VALID) >= 1
    assert len(INVALID) >= 60


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_golden_valid_files_load(path: Path) -> None:
    assert LOADERS[path.name.partition("-")[0]](path)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_F03_F04_F38_golden_invalid_files_say_where_and_what(path: Path) -> None:
    assert problems(path) == expected(path) != []


@pytest.mark.parametrize("name", shipped("sets"))
def test_shipped_sets_load_and_every_rule_brings_its_provocation(name: str) -> None:
    rules = load(name)

    assert rules.name == name
    assert [item.rule for item in rules.provocations] == [rule.id for rule in rules.rules]


def test_places_say_where_each_rule_stands() -> None:
    rules = load(SMALL)

    assert rules.places["SPEED"] == f"{SMALL.as_posix()}:18:5"
    assert load("panda-tabletop").places["JOINT-POSITION"].startswith("sets/panda-tabletop.yaml:")


def without_places(rules: RuleSet) -> object:
    return {
        name: getattr(rules, name) for name in ("name", "serial", "modes", "accepts", "freshness", "rules", "digest")
    }


@pytest.mark.parametrize("name", shipped("sets"))
def test_a_meaning_read_back_is_the_same_rule_set(name: str) -> None:
    rules = load(name)

    again = from_meaning(rules.meaning)

    assert without_places(again) == without_places(rules)
    assert to_json(again.profile) == to_json(rules.profile)
    assert again.cell.digest == rules.cell.digest


def test_comments_order_and_units_do_not_change_the_meaning(folder: Path) -> None:
    text = SMALL.read_text().replace("20 ms", "0.02 s").replace("0 mm to 80 mm", "0 m to 0.08 m").replace("# ", "#  ")
    other = folder / "other.yaml"
    other.write_text(text.replace("name: small\nserial: 3\n", "serial: 3\nname: small\n"))

    assert load(other).digest == load(SMALL).digest


def test_a_limit_that_changes_changes_the_meaning(folder: Path) -> None:
    other = folder / "other.yaml"
    other.write_text(SMALL.read_text().replace("2 deg", "2.1 deg"))

    assert load(other).digest != load(SMALL).digest


@pytest.mark.parametrize("name", ["panda-tabeltop", "../sets/panda-tabletop", "nothing.yaml"])
def test_a_set_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(UnusableInput, match=r"panda-tabletop|cannot be read"):
        load(name)


def test_a_directory_is_no_rule_set(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot be read"):
        load(tmp_path)


def test_robots_and_cells_beside_the_set_go_first(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    own = (GOLDEN / "robots" / "two-joints.yaml").read_text().replace("velocity: 2 rad/s", "velocity: 1 rad/s")
    shutil.copytree(GOLDEN / "cells", tmp_path / "cells")
    (tmp_path / "robots").mkdir()
    (tmp_path / "robots" / "two-joints.yaml").write_text(own)
    path = tmp_path / "sets" / "small.yaml"
    path.write_text(SMALL.read_text())

    assert load(path).profile.joints[0].velocity == 1.0


def test_shipped_robots_and_cells_have_names_of_their_own() -> None:
    assert load_profile("franka_panda").name == "franka_panda"
    assert load_cell("tabletop").name == "tabletop"


def test_F27_the_report_says_where_profile_and_urdf_differ() -> None:
    differences = load_report("panda-tabletop").robot.differences

    assert {one.joint for one in differences} == {f"panda_joint{number}" for number in range(1, 8)}
    assert {one.limit for one in differences} == {"lower", "upper"}
    assert all(one.tighter == one.profile for one in differences)


def test_a_rule_that_nothing_can_provoke_is_refused_with_its_place(folder: Path) -> None:
    path = folder / "unprovoked.yaml"
    path.write_text(SMALL.read_text().replace("rows: 10 to 64", "rows: 1 to 1").replace("execute: 10", "execute: 1"))

    with pytest.raises(BadFile, match="nothing was found that this rule refuses"):
        load(path)


KEYS = ["serial", "robot", "modes", "accepts", "period", "observation", "margin", "on_violation", "width", "tests"]


@given(key=st.sampled_from(KEYS), typed=st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12))
def test_F38_any_misspelt_key_is_an_error_at_its_line(folder: Path, key: str, typed: str) -> None:
    lines = SMALL.read_text().splitlines()
    number = next(index for index, line in enumerate(lines) if f"{key}: " in line or f"{key}:" in line.split())
    wrong = f"{key}{typed}"
    lines[number] = lines[number].replace(f"{key}:", f"{wrong}:", 1)
    path = folder / "typo.yaml"
    path.write_text("\n".join(lines))

    with pytest.raises(BadFile) as refused:
        load(path)

    found = [one.place.line for one in refused.value.problems if f'unknown key "{wrong}"' in one.message]
    assert found == [number + 1]


TOOL = """
      - {of: tcp, group: arm, quantity: ee_position, reference: absolute, unit: m, frame: base}
      - {of: tcp, group: arm, quantity: ee_rotation, reference: absolute, unit: rad, frame: base, rotation: rotvec}
      - {of: hand, group: hand, quantity: gripper, reference: absolute, unit: m, polarity: zero_closed}"""
ONE_JOINT = """
      - {of: panda_joint4, group: arm, quantity: joint_position, reference: absolute, unit: rad}"""
SPEED_OF_TOOL = """
      - {of: joints, group: arm, quantity: ee_linear_velocity, reference: absolute, unit: m/s, frame: base}
      - {of: hand, group: hand, quantity: gripper, reference: absolute, unit: m, polarity: zero_closed}"""


def accepting(folder: Path, channels: str, spoil: Callable[[str], str] = str) -> Path:
    """A set of panda-tcp that accepts one more layout, `odd`, which the robot's file says."""
    sets, robots, cells = (Path(interlock_rules.__file__).with_name(name) for name in ("sets", "robots", "cells"))
    for name in ("robots", "cells"):
        (folder / name).mkdir()
    robot = (robots / "franka_panda.yaml").read_text(encoding="utf-8")
    odd = f"layouts:\n  - name: odd\n    channels:{channels}\n"
    (folder / "robots/franka_panda.yaml").write_text(spoil(robot.replace("layouts:\n", odd)), encoding="utf-8")
    shutil.copy(cells / "tabletop.yaml", folder / "cells")
    made = folder / "set-odd.yaml"
    text = (sets / "panda-tcp.yaml").read_text(encoding="utf-8")
    made.write_text(text.replace("layout: [panda-tcp-absolute,", "layout: [panda-tcp-absolute, odd,"), encoding="utf-8")
    return made


def test_a_layout_that_the_robot_can_follow_is_accepted(tmp_path: Path) -> None:
    assert "odd" in {layout.name for layout in load(accepting(tmp_path, TOOL)).accepts.layouts}


def test_F11_a_set_that_accepts_a_tool_and_a_joint_of_its_arm_is_refused_with_the_place(tmp_path: Path) -> None:
    said = 'layout "odd" cannot be honoured: panda_joint4 would be commanded twice: by tcp, and by a column'

    (found,) = problems(accepting(tmp_path, TOOL + ONE_JOINT))

    assert found.startswith(f"11:32: {said}")
    assert "leave it out, or mend it in the profile" in found


def test_a_set_that_accepts_columns_that_nothing_understands_is_refused_with_the_place(tmp_path: Path) -> None:
    found = problems(accepting(tmp_path, SPEED_OF_TOOL))

    assert len(found) == 7
    assert all(one.startswith('11:32: layout "odd" cannot be honoured: ') for one in found)
    assert all(f"panda_joint{number}" in found[number - 1] for number in range(1, 8))


def test_F09_a_tool_of_a_robot_that_drives_cubics_is_refused_at_its_layout(tmp_path: Path) -> None:
    def cubic(text: str) -> str:
        return text.replace("interpolation: linear", "interpolation: cubic")

    with pytest.raises(BadFile) as refused:
        load(accepting(tmp_path, TOOL, cubic))

    assert "not cubic ones" in str(refused.value)
    assert "franka_panda.yaml:" in str(refused.value)


def test_F34_a_tool_whose_joints_cannot_be_judged_is_noted_at_the_layout() -> None:
    loaded = load_report("panda-tcp")

    class Mimicking(UrdfRobot):
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:  # noqa: ARG002 - none will do
            raise UnusableInput(f"joints before {name} mimic others")

    class Short(UrdfRobot):
        def tool(self, positions: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
            poses, jacobians = super().tool(positions, name)
            return poses, jacobians * (np.arange(7) < 5)

    for kind, message in ((Mimicking, "joints before tcp mimic others"), (Short, "5 joints move tcp")):
        reading = Reading(loaded.document)
        model = cast(RobotModel, kind(loaded.rules.profile, loaded.rules.cell))
        note_layouts(reading, replace(loaded.setup, model=model), loaded.rules.accepts.layouts)
        at = [(one.place.line, one.place.column) for one in reading.problems if message in one.message]
        assert at == [(11, 12), (11, 32), (11, 49)]  # the layout of joints is none of them
