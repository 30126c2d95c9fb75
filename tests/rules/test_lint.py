from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from interlock_rules.files import SHIPPED, shipped
from interlock_rules.lint import CHECKS, lint
from tests.rules.golden import GOLDEN, SMALL

# One change to the small set (or its robot or cell) that each remark is about, and where the remark then stands.
TRIGGERS: dict[str, tuple[str, str, str, str]] = {
    "no-must-stop": ("set", "name: small", "name: small", "POSITION"),
    "no-must-pass": ("set", "name: small", "name: small", "SPEED"),
    "unknown-rule": ("set", "expect: permitted", "expect: {veto: HANDS}", 'no rule "HANDS"'),
    "unused-mode": ("set", "    when: {mode: manual}\n", "", 'no rule names mode "manual"'),
    "unknown-hazard": ("set", "hazard: H-01", "hazard: H-10", 'no hazard "H-10"'),
    "no-hazard": ("set", "name: small", "name: small", "SPEED names no hazard"),
    "unused-hazard": ("set", "    hazard: H-01\n", "", "H-01: It strikes something."),
    "unused-zone": ("set", "name: small", "name: small", 'zone "ring"'),
    "fast-in-manual": ("set", "name: small", "name: small", "250 mm/s"),
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


def test_every_check_has_a_trigger() -> None:
    assert {*TRIGGERS, "urdf-tighter", "urdf-looser"} == set(CHECKS)


def test_a_share_of_the_profile_is_never_above_it() -> None:
    assert "above-profile" not in {remark.id for remark in lint(SMALL)}


@pytest.mark.parametrize("name", [name for name in shipped("sets") if name.startswith("panda-")])
def test_F27_of_the_shipped_panda_sets_there_is_only_to_note_that_the_urdf_is_looser(name: str) -> None:
    found = lint(name)

    assert {remark.severity for remark in found} == {"note"}
    (looser,) = [remark for remark in found if remark.id == "urdf-looser"]
    assert looser.problem.place.source == "robots/franka_panda.yaml"
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


def test_what_does_not_load_is_a_remark_too(tmp_path: Path) -> None:
    path = changed(tmp_path, "set", "serial: 3", "serial: three\nserail: 3")

    assert [(remark.id, remark.severity) for remark in lint(path)] == [("unreadable", "error")] * 2
    assert [remark.problem.place.line for remark in lint("no-such-set")] == [1]
