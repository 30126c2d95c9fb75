from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interlock_rules import load
from interlock_rules.files import SHIPPED, shipped
from interlock_rules.lint import CHECKS, lint
from tests.rules.golden import GOLDEN, SMALL

# One change to the small set (or its robot or cell) that each remark is about, and where the remark then stands.
TRIGGERS: dict[str, tuple[str, str, str, str]] = {
    "no-must-stop": ("set", "name: small", "name: small", "POSITION"),
    "no-must-pass": ("set", "name: small", "name: small", "SPEED"),
    "unknown-rule": ("set", "expect: permitted", "expect: {veto: HANDS}", 'no rule "HANDS"'),
    "unused-mode": ("set", "    when: {mode: manual}\n", "", 'no rule names mode "manual"'),
    "no-hazard": ("set", "name: small", "name: small", "SPEED names no hazard"),
    "unused-hazard": ("set", "    hazard: H-01\n", "", "H-01: It strikes something."),
    "unused-zone": ("set", "name: small", "name: small", 'zone "ring"'),
    "fast-in-manual": ("set", "name: small", "name: small", "250 mm/s"),
    "missing-limit": ("set", "on_violation: slow", "on_violation: warn", "no joint_velocity rule is enforced in mode"),
    "above-profile": ("robot", "1 rad, velocity: 2", "1 rad, velocity: 1", "velocity of b"),
    "short-chunks": ("set", "rows: 10 to 64", "rows: 5 to 64", "5 rows, fewer than the 10"),
}  # fmt: skip


def changed(folder: Path, what: str, old: str, new: str) -> Path:
    for name in ("robots", "cells"):
        shutil.copytree(GOLDEN / name, folder / name)
    path = folder / "set.yaml"
    path.write_text(SMALL.read_text().replace("max: 90 % of profile", "max: 1.9 rad/s"))
    target = path if what == "set" else folder / "robots" / "two-joints.yaml"
    assert old in target.read_text()
    target.write_text(target.read_text().replace(old, new))
    return path


@pytest.mark.parametrize("name", TRIGGERS)
def test_every_remark_is_made_where_there_is_reason(tmp_path: Path, name: str) -> None:
    what, old, new, said = TRIGGERS[name]

    found = [remark for remark in lint(changed(tmp_path, what, old, new)) if remark.id == name]

    assert any(said in remark.problem.message for remark in found)
    assert all(remark.severity == CHECKS[name][0] for remark in found)
    assert all(remark.problem.line for remark in found)


def without(folder: Path, name: str, kind: str) -> Path:
    """A shipped set in which every rule of a kind only logs."""
    path = folder / f"{name}.yaml"
    lines = [line for line in (SHIPPED / "sets" / f"{name}.yaml").read_text().splitlines() if line]
    kept = [line for i, line in enumerate(lines) if not ("on_violation" in line and kind in _rule_of(lines, i))]
    path.write_text("\n".join(kept).replace(f"kind: {kind}", f"kind: {kind}\n    on_violation: log") + "\n")
    return path


def _rule_of(lines: list[str], index: int) -> str:
    """The line that names the kind of the rule that a line stands in."""
    return next((line for line in reversed(lines[:index]) if "kind: " in line), "")


@pytest.mark.parametrize("kind", ["joint_position", "joint_velocity", "joint_acceleration", "joint_torque"])
def test_each_limit_of_the_robot_that_no_rule_enforces_is_one_warning_with_a_remedy(tmp_path: Path, kind: str) -> None:
    found = [one for one in lint(without(tmp_path, "panda-tabletop", kind)) if one.id == "missing-limit"]

    assert [one.severity for one in found] == ["warning"]
    said = f"no {kind} rule is enforced in mode automatic, manual, though franka_panda has such limits; add one, as in:"
    assert found[0].problem.message.startswith(f"{said} kind: {kind}, ")
    assert found[0].problem.line.strip() == "- id: JOINT-POSITION"


def test_only_the_modes_in_which_a_limit_is_missing_are_named(tmp_path: Path) -> None:
    found = [one for one in lint(changed(tmp_path, "set", "name: small", "name: small")) if one.id == "missing-limit"]

    assert [one.problem.message.partition(",")[0] for one in found] == [
        "no joint_velocity rule is enforced in mode automatic",
        "no joint_acceleration rule is enforced in mode automatic",
    ]


@pytest.mark.parametrize("name", shipped("sets"))
def test_no_shipped_set_leaves_out_a_limit(name: str) -> None:
    assert not [one for one in lint(name) if one.id == "missing-limit"]


def test_a_case_may_name_a_built_in_check(tmp_path: Path) -> None:
    path = changed(tmp_path, "set", "expect: permitted", "expect: {veto: check:finite}")

    assert "unknown-rule" not in {one.id for one in lint(path)}


def test_every_check_has_a_trigger() -> None:
    assert {*TRIGGERS, "urdf-tighter", "urdf-looser", "no-singularity", "bottomless", "slow-people"} == set(CHECKS)


def test_a_share_of_the_profile_is_never_above_it() -> None:
    assert "above-profile" not in {remark.id for remark in lint(SMALL)}


@pytest.mark.parametrize("name", [name for name in shipped("sets") if name.startswith("panda-")])
def test_F27_of_the_shipped_panda_sets_there_is_only_to_note_that_the_urdf_is_looser(name: str) -> None:
    found = lint(name)

    assert {remark.severity for remark in found} == {"note"}
    (looser,) = [remark for remark in found if remark.id == "urdf-looser"]
    assert looser.problem.place.source == f"robots/{load(name).profile.name}.yaml"
    joints = ", ".join(f"panda_joint{number}" for number in range(1, 8))
    assert looser.problem.message.endswith(f"which holds: lower, upper of {joints}")


def test_F27_a_urdf_that_is_tighter_than_the_profile_is_a_warning(tmp_path: Path) -> None:
    for folder in ("sets", "robots"):
        (tmp_path / folder).mkdir()
    shutil.copy(SHIPPED / "sets" / "panda-tabletop.yaml", tmp_path / "sets")
    robot = (SHIPPED / "robots" / "franka_panda.yaml").read_text()
    (tmp_path / "robots" / "franka_panda.yaml").write_text(
        robot.replace("velocity: 2.175 rad/s", "velocity: 2.5 rad/s", 1)
    )

    found = [remark for remark in lint(tmp_path / "sets" / "panda-tabletop.yaml") if remark.id == "urdf-tighter"]

    assert [remark.problem.message for remark in found] == [
        "velocity of panda_joint1 is 2.5 here, 2.175 in the URDF: the URDF's holds"
    ]


def test_F34_a_set_that_takes_rows_of_the_tool_wants_a_singularity_rule(tmp_path: Path) -> None:
    text = (SHIPPED / "sets" / "panda-tcp.yaml").read_text()
    rule = text[text.index("  - id: SINGULARITY") : text.index("  - id: KEEP-IN")]
    (tmp_path / "set.yaml").write_text(text.replace(rule, ""))

    found = [remark for remark in lint(tmp_path / "set.yaml") if remark.id == "no-singularity"]

    assert [remark.problem.message.partition(" ")[0] for remark in found] == [
        "panda-tcp-absolute", "panda-tcp-delta", "panda-tcp-delta-tool",
    ]  # fmt: skip
    assert {remark.severity for remark in found} == {"warning"}


def test_what_does_not_load_is_a_remark_too(tmp_path: Path) -> None:
    path = changed(tmp_path, "set", "serial: 3", "serial: three\nserail: 3")

    assert [(remark.id, remark.severity) for remark in lint(path)] == [("unreadable", "error")] * 2
    assert [remark.problem.place.line for remark in lint("no-such-set")] == [1]


def test_contact_that_may_be_pressed_without_limit_is_remarked_upon(tmp_path: Path) -> None:
    whole = (SHIPPED / "sets" / "panda-tabletop.yaml").read_text()
    path = tmp_path / "set.yaml"
    path.write_text(whole.replace("min: contact, depth: 10 mm", "min: contact"))

    found = [remark for remark in lint(path) if remark.id == "bottomless"]

    assert [remark.problem.message.split(" lets ")[1].split(" be ")[0] for remark in found] == [
        "held and table",
        "gripper and target",
    ]
    assert all(remark.problem.line for remark in found)
    assert not [remark for remark in lint("panda-tabletop") if remark.id == "bottomless"]


@pytest.mark.parametrize(("speed", "found"), [("1.59 m/s", ["18:21"]), ("1.6 m/s", [])])
def test_people_who_are_taken_for_slow_are_pointed_out(tmp_path: Path, speed: str, found: list[str]) -> None:
    path = tmp_path / "set.yaml"
    text = (GOLDEN / "valid" / "set-people.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("person_speed: 1.6 m/s", f"person_speed: {speed}"), encoding="utf-8")

    remarks = [remark for remark in lint(path) if remark.id == "slow-people"]

    assert [f"{one.problem.place.line}:{one.problem.place.column}" for one in remarks] == found
