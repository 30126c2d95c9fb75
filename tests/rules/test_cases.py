from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from interlock.bullet_physics import BulletPhysics
from interlock.physics import Physics
from interlock_rules import load_report
from interlock_rules.cases import Report, Result, run_cases
from interlock_rules.files import shipped
from interlock_rules.loading import Loaded
from interlock_rules.reading import adapter
from interlock_rules.set_form import SetForm
from tests.rules.golden import SMALL


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
