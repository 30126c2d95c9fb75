"""What a review puts on record is enough to decide again, fits its line, and is read back or refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock.case import Case, Memory
from interlock.chunk import Malformed
from interlock.decide import decide
from interlock.errors import UnusableInput
from interlock.jsonform import Json, canonical, parse
from interlock.judge import judge_standing
from interlock.profile import Profile
from interlock.record import LONGEST_INLINE, Body, ReadBlob, decision_json, read_case, recheck_body, review_body
from interlock.rules import RuleSet
from interlock.scene import Scene
from tests.supervisor.toy import (
    NOW,
    OPEN,
    PERIOD,
    Physics,
    Scripted,
    Speed,
    case,
    chunk,
    joint,
    plan,
    profile,
    ramp,
    rule,
    rules,
)

MOVING = plan(ramp(200, (0.01, 0.0))[:, :2], NOW - 5 * PERIOD)
LINE = 65_535  # bytes of one record, of which the log keeps some for itself

CASES: dict[str, Case] = {
    "a permit": case(),
    "a slowed one": case(chunk(ramp(64, speed=(0.9, 0.1)))),
    "malformed": case(Malformed("noise", "0", "s", 5)),
    "nothing": replace(case(), chunk=None),
    "a long plan in memory": case(
        memory=Memory(plan=MOVING), state=replace(case().state, positions=MOVING.at(NOW).positions)
    ),
    "NaN": case(chunk(np.full((3, 3), np.nan))),
    "minus zero": case(chunk(np.full((3, 3), -0.0), period_s=-0.0)),
    "a long instruction": case(chunk(instruction="pick " * 30_000)),
    "a long reason": case(Malformed("x" * 100_000, "0")),
    "many images": case(chunk(images=tuple(f"sha256:{index:064}" for index in range(900)))),
}


def reader(body: Body) -> ReadBlob:
    def read(name: str) -> Json:
        return parse(body.blobs[name], name)

    return read


@pytest.mark.parametrize("what", CASES)
def test_F42_a_recorded_case_is_decided_again_to_the_same_bytes(what: str) -> None:
    decision = decide(CASES[what], Physics())
    body = review_body(CASES[what], decision, 5, 7)
    line = parse(canonical(body.body), "line")
    assert isinstance(line, dict)

    back = read_case(line["case"], reader(body), _loaded)

    assert canonical(decision_json(decide(back, Physics()))) == canonical(line["decision"])
    assert line["timing"] == {"elapsed_ns": "5", "allowed_ns": "7"}


def _loaded(meaning: Json) -> RuleSet:
    assert meaning == {"name": "toy"}
    return rules()


@pytest.mark.parametrize("what", CASES)
def test_F42_a_review_fits_its_line_whatever_it_holds(what: str) -> None:
    body = review_body(CASES[what], decide(CASES[what], Physics()), 5, 7)

    assert len(canonical(body.body)) < LINE - 2048


def test_F42_a_review_of_many_joints_many_findings_and_every_attempt_fits_its_line() -> None:
    names = [f"a_joint_with_a_long_name_{index}" for index in range(30)]
    many = Scripted(lambda motion: Speed(0.1).measure(_named(names), replace(motion, velocities=_fast(motion, 30)), ()))
    found = case(rules=rules(rule(many, "slow")))

    decision = decide(found, Physics())
    body = review_body(found, decision, 0, 0)

    assert len(decision.attempts) == 4
    assert len(canonical(body.body)) < LINE - 2048
    assert len(body.blobs) >= 3  # rules, and verdicts of which three are alike


def _fast(motion: Any, joints: int) -> Any:
    return np.full((len(motion), joints), 0.11)


def _named(names: list[str]) -> Case:
    robot: Profile = profile(joints=tuple(joint(name) for name in names))
    return case(rules=rules(profile=robot))


def test_long_arrays_become_blobs_that_are_named_by_their_bytes() -> None:
    rows = np.full((600, 3), OPEN)
    body = review_body(case(chunk(rows)), decide(case(chunk(rows)), Physics()), 0, 0)

    assert all(len(name) == 64 for name in body.blobs)
    assert any(len(raw) > LONGEST_INLINE for raw in body.blobs.values())
    assert b"f64" not in canonical(body.body["decision"])


def test_a_recheck_names_its_case_and_its_verdict() -> None:
    found = replace(case(memory=Memory(plan=MOVING)), chunk=None)

    body = recheck_body(found, judge_standing(found))
    back = read_case(body.body["case"], reader(body), lambda _: rules())

    assert back.chunk is None
    assert back.memory.plan is not None
    assert back.memory.plan.times_ns.tolist() == MOVING.times_ns.tolist()
    assert set(body.body) == {"case", "verdict"}


def _changed(**changes: Json) -> tuple[Json, Body]:
    body = review_body(case(), decide(case(), Physics()), 0, 0)
    found = body.body["case"]
    assert isinstance(found, dict)
    return {**found, **changes}, body


@pytest.mark.parametrize(
    "changes",
    [
        {"now_ns": "soon"},
        {"now_ns": None},
        {"proposal": "chunky"},
        {"proposal": None},
        {"proposal": "malformed"},
        {"proposal": []},
        {"chunk": None},
        {"state": {}},
        {"scene": None},
        {"memory": []},
        {"more": 1},
    ],
    ids=str,
)
def test_a_case_that_is_none_is_unusable(changes: dict[str, Json]) -> None:
    value, body = _changed(**changes)

    with pytest.raises(UnusableInput):
        read_case(value, reader(body), lambda _: rules())


@pytest.mark.parametrize("value", [None, [], {}, "case"])
def test_what_is_no_case_at_all_is_unusable(value: Json) -> None:
    with pytest.raises(UnusableInput, match="a case needs"):
        read_case(value, lambda name: name, lambda _: rules())


def test_the_scene_comes_back_with_nobody_having_looked() -> None:
    found = case(scene=Scene(None, None))
    body = review_body(found, decide(found, Physics()), 0, 0)

    assert read_case(body.body["case"], reader(body), lambda _: rules()).scene == Scene(None, None)


def test_F42_a_rule_set_that_is_not_what_its_digest_says_is_not_put_on_record() -> None:
    found = case(rules=replace(rules(), digest="0" * 64))

    with pytest.raises(UnusableInput, match="is not what its digest 000000000000 says"):
        review_body(found, decide(found, Physics()), 0, 0)
