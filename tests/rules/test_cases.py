from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.bullet_physics import BulletPhysics
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.geometry import Box, Pose
from interlock.physics import Physics
from interlock.scene import Held, RobotState, SceneObject
from interlock_rules import load_report
from interlock_rules.cases import Report, Result, run_cases
from interlock_rules.files import shipped
from interlock_rules.loading import Loaded
from interlock_rules.proposals import Asked, Start, chunk_of, state_of
from interlock_rules.reading import adapter
from interlock_rules.set_form import SetForm
from tests.rules.golden import GOLDEN, SMALL


@pytest.fixture(scope="module")
def small() -> Loaded:
    return load_report(SMALL)


@pytest.fixture(scope="module")
def physics(small: Loaded) -> Physics:
    return physics_of(small)


def physics_of(loaded: Loaded) -> Physics:
    found: Physics = BulletPhysics(loaded.rules.profile, loaded.rules.cell)
    return found


def with_cases(loaded: Loaded, *cases: dict[str, Any]) -> Loaded:
    tree = loaded.document.root.tree
    assert isinstance(tree, dict)
    named = [{"name": f"case {number}", "from": "home", **case} for number, case in enumerate(cases)]
    form: SetForm = adapter(SetForm).validate_python({**tree, "tests": named})
    return replace(loaded, form=form)


def go(*joints: str, within: str = "1 s", **more: str) -> dict[str, Any]:
    return {"go_to": {"joints": list(joints)}, "in": within, **more}


STAND = go("0 rad", "0 rad")
TOO_FAR = go("1.55 rad", "0 rad", within="3 s")
TOO_FAST = go("1 rad", "0 rad", within="1 s")
ALL: tuple[dict[str, Any], ...] = (
    {"chunk": STAND, "expect": "permitted"},
    {"chunk": STAND, "expect": "permitted", "mode": "manual"},
    {"chunk": TOO_FAR, "expect": {"veto": "POSITION"}},
    {"chunk": TOO_FAST, "expect": {"slowed": "SPEED"}, "mode": "manual"},
    {"chunk": {**STAND, "gripper": "90 mm"}, "expect": {"veto": "HAND"}},
)


def test_all_cases_as_expected_and_both_kinds_for_every_rule_pass(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, *ALL), physics)

    assert [(result.got, result.expected) for result in report.results if not result.passed] == []
    assert (report.never_stop, report.never_pass) == ((), ())
    assert report.passed


def test_a_case_that_comes_out_otherwise_fails_and_says_what_came(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, {"chunk": TOO_FAR, "expect": "permitted"}), physics)

    (result,) = report.results
    assert (result.passed, result.expected, result.got) == (False, "permitted", "veto: POSITION")
    assert not report.passed


def test_a_veto_by_another_rule_is_not_the_one_expected(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, {"chunk": TOO_FAR, "expect": {"veto": "HAND"}}), physics)

    assert [(result.passed, result.expected) for result in report.results] == [(False, "veto: HAND")]


def test_no_case_is_a_failure(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small), physics)

    assert report.results == ()
    assert not report.passed
    assert report.never_stop == report.never_pass == ("POSITION", "SPEED", "HAND")


def test_a_rule_that_is_never_stopped_or_never_lets_pass_fails(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, *ALL[:1]), physics)

    assert [result.passed for result in report.results] == [True]
    assert report.never_stop == ("POSITION", "SPEED", "HAND")
    assert report.never_pass == ("SPEED",)
    assert not report.passed


def test_what_describes_no_case_fails_and_is_never_skipped(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, {"chunk": {}, "expect": "permitted"}), physics)

    assert [(result.passed, result.got) for result in report.results] == [
        (False, 'no case: a chunk has either "rows" or "go_to"')
    ]


def test_an_expectation_of_two_outcomes_is_none(small: Loaded, physics: Physics) -> None:
    report = run_cases(with_cases(small, {"chunk": STAND, "expect": {"veto": "HAND", "slowed": "SPEED"}}), physics)

    assert [(result.passed, result.expected) for result in report.results] == [
        (False, "exactly one of veto, stop, slowed, cut")
    ]


def test_a_report_needs_all_of_it() -> None:
    result = Result("a", load_report(SMALL).document.place(()), passed=True, expected="permitted", got="permitted")

    assert Report((result,), (), ()).passed
    assert not Report((result,), ("A",), ()).passed
    assert not Report((result,), (), ("A",)).passed
    assert not Report((replace(result, passed=False),), (), ()).passed
    assert not Report((), (), ()).passed


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in shipped("sets") if name.startswith("panda-")])
def test_F39_every_rule_of_a_shipped_set_stops_a_case_and_lets_one_pass(name: str) -> None:
    loaded = load_report(name)

    report = run_cases(loaded, physics_of(loaded))

    assert [(result.name, result.expected, result.got) for result in report.results if not result.passed] == []
    assert report.passed


PANDA = load_report("panda-tabletop").rules
PANDA_PHYSICS = BulletPhysics(PANDA.profile, PANDA.cell)
READY = np.array(next(pose.positions for pose in PANDA.profile.poses if pose.name == "ready"))
START = Start(
    positions=READY,
    grippers=np.array([0.08]),
    mode="automatic",
    objects=(SceneObject("cube", Box((0.05, 0.05, 0.05)), Pose((0.5, -0.2, 0.025)), 0, 0.004, 0.0),),
    held=Held("bottle", Box((0.05, 0.05, 0.1)), Pose((0.0, 0.0, 0.12)), 0.2),
)


def proposed(layout: int) -> Case:
    """A small motion that is permitted, in one of the accepted layouts, beside a cube and with a bottle in the hand."""
    accepts = replace(PANDA.accepts, layouts=PANDA.accepts.layouts[layout : layout + 1])
    rules, state = replace(PANDA, accepts=accepts), state_of(PANDA, START, 0)
    rows = np.asarray(READY + 1e-3 * np.arange(1, 11)[:, None], dtype=np.float64)
    chunk = chunk_of(rules, Asked(state, READY, 20_000_000), rows, np.full((10, 1), 0.08))
    return Case(0, chunk, state, START.scene(0), Memory(), rules)


def turned(state: RobotState, name: str, value: float) -> RobotState:
    found = getattr(state, name).copy()
    found[0] = value
    return replace(state, **{name: found})


def seen(case: Case, **changes: Any) -> Case:
    return replace(case, scene=replace(case.scene, objects=(replace(START.objects[0], **changes),)))


def held(case: Case, **changes: Any) -> Case:
    assert START.held is not None
    return replace(case, state=replace(case.state, held=replace(START.held, **changes)))


def told(case: Case, cells: tuple[slice, slice], value: float) -> Case:
    values: FloatArray = case.chunk.values.copy()  # type: ignore[union-attr]
    values[cells] = value
    return replace(case, chunk=replace(case.chunk, values=values))  # type: ignore[type-var]


ABSURD: dict[str, Callable[[Case, float], Case]] = {
    "an object's place": lambda case, x: seen(case, pose=Pose((0.5, x, 0.1))),
    "an object's turn": lambda case, x: seen(case, pose=Pose((0.5, 0.0, 0.1), (x, 0.0, 0.0, 1.0))),
    "an object's uncertainty": lambda case, x: seen(case, uncertainty_m=abs(x)),
    "an object's speed": lambda case, x: seen(case, speed_m_s=abs(x)),
    "where the held object is": lambda case, x: held(case, pose=Pose((0.0, x, 0.12))),
    "what the held object weighs": lambda case, x: held(case, mass_kg=abs(x)),
    "a measured position": lambda case, x: replace(case, state=turned(case.state, "positions", x)),
    "a measured speed": lambda case, x: replace(case, state=turned(case.state, "velocities", x)),
    "a measured width": lambda case, x: replace(case, state=turned(case.state, "grippers", x)),
    "a row": lambda case, x: told(case, (slice(5, 6), slice(0, 7)), x),
    "all rows but the first": lambda case, x: told(case, (slice(1, None), slice(0, 7)), x),
    "the width in a row": lambda case, x: told(case, (slice(5, 6), slice(7, 8)), x),
}


@pytest.mark.parametrize("layout", range(len(PANDA.accepts.layouts)))
def test_what_is_made_absurd_below_was_permitted(layout: int) -> None:
    assert decide(proposed(layout), PANDA_PHYSICS).reaction == "permit"


@given(
    layout=st.integers(0, len(PANDA.accepts.layouts) - 1),
    what=st.sampled_from(sorted(ABSURD)),
    value=st.sampled_from([1e4, -1e6, 1e7, 1e20, -1e154, 1e200, 1e300]) | st.floats(10.1) | st.floats(None, -10.1),
)
def test_F01_no_absurd_number_reaches_arithmetic_that_warns_or_raises(layout: int, what: str, value: float) -> None:
    reaction = decide(ABSURD[what](proposed(layout), value), PANDA_PHYSICS).reaction

    far = what == "an object's place" and abs(value) <= 1e6
    assert reaction == "permit" if far else reaction in {"veto", "stop"}


@pytest.mark.parametrize("value", [-1e6, -100.0, 100.0, 1e6])
@pytest.mark.parametrize("layout", range(len(PANDA.accepts.layouts)))
def test_F31_there_is_no_way_out_of_where_no_joint_can_be(layout: int, value: float) -> None:
    decision = decide(ABSURD["a measured position"](proposed(layout), value), PANDA_PHYSICS)

    assert decision.reaction == "veto"
    assert "check:state" in {finding.rule for finding in decision.verdict.violated}


@pytest.mark.parametrize("what", sorted(ABSURD))
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_F01_what_is_no_number_is_refused_wherever_it_stands(what: str, value: float) -> None:
    assert decide(ABSURD[what](proposed(0), value), PANDA_PHYSICS).reaction in {"veto", "stop"}


@pytest.mark.parametrize("name", ["people", "contact"])
def test_a_case_says_who_is_there_and_without_anybody_the_tracker_sees_nobody(name: str) -> None:
    loaded = load_report(GOLDEN / "valid" / f"set-{name}.yaml")

    report = run_cases(loaded, BulletPhysics(loaded.rules.profile, loaded.rules.cell))

    assert report.passed
    assert [result.got.partition(":")[0] for result in report.results] == ["slowed", "permitted"]


def test_F38_people_in_a_case_of_a_set_that_says_that_nobody_is_there_are_refused(
    small: Loaded, physics: Physics
) -> None:
    head = {"region": "head", "from": ["1 m"] * 3, "to": ["1 m"] * 3, "radius": "0.1 m"}
    beside = {"chunk": STAND, "expect": "permitted", "people": [{"name": "anna", "parts": [head]}]}

    (result,) = run_cases(with_cases(small, beside), physics).results

    assert result.got == "veto: check:people"
