"""The verdict: every rule measured, the worst first, closed on NaN, absence and surprise; and the way out (F-31)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from interlock.arrays import FloatArray
from interlock.case import Case, Memory
from interlock.chunk import Malformed
from interlock.judge import judge, judge_plan, judge_standing, ordered
from interlock.motion import Motion
from interlock.rules import Clearance, Demand, Rule, RuleSet, Trace, When
from interlock.scene import Scene
from interlock.verdict import Finding, Verdict
from tests.supervisor.toy import (
    MS,
    NOW,
    OPEN,
    PERIOD,
    Apart,
    Arm,
    Physics,
    Reach,
    Scripted,
    Speed,
    case,
    chunk,
    plan,
    ramp,
    rule,
    rules,
    state,
)

POST, WALL = ("arm", "post"), ("arm", "wall")


def trace(motion: Motion, margin: Any, **changes: Any) -> Trace:
    margins = np.broadcast_to(np.asarray(margin, dtype=np.float64), len(motion)).copy()
    which = np.zeros(len(motion), dtype=np.int64)
    return replace(Trace(margins, margins, np.ones(len(motion)), "m", (("x",),), which), **changes)


def scripted(script: Callable[[Motion], tuple[Trace, ...]], reaction: Any = "veto") -> RuleSet:
    return rules(rule(Scripted(script), reaction))


def violated(verdict: Verdict) -> list[str]:
    return [finding.rule for finding in verdict.violated]


def test_F41_every_violated_rule_is_reported_worst_first_with_numbers() -> None:
    fast = case(
        chunk(ramp(speed=(0.9, 0.9))), rules=rules(rule(Speed(), "slow"), rule(Reach(0.15)), rule(Apart(), "stop"))
    )

    verdict = judge(fast, Physics({POST: lambda q: np.full(len(q), 0.015)})).verdict

    assert violated(verdict) == ["APART", "REACH", "REACH", "SPEED", "SPEED"]
    first = verdict.violated[0]
    assert (first.value, first.limit, first.unit, first.links, first.point) == (0.015, 0.02, "m", POST, (0.0, 0.0, 0.0))
    assert first.margin == pytest.approx(-0.005)
    assert verdict.violated[3].row >= 0
    assert verdict.reaction == "stop"


UNMEASURED: dict[str, Callable[[Motion], tuple[Trace, ...]]] = {
    "no trace": lambda _: (),
    "NaN": lambda motion: (trace(motion, math.nan),),
    "NaN in one place": lambda motion: (trace(motion, np.where(motion.row == 3, math.nan, 1.0)),),
    "-inf in the second": lambda motion: (trace(motion, 1.0), trace(motion, -math.inf)),
    "too short": lambda motion: (replace(trace(motion, 1.0), margin=np.ones(1)),),
    "none": lambda motion: (replace(trace(motion, 1.0), margin=np.ones(0)),),
    "too wide": lambda motion: (replace(trace(motion, 1.0), margin=np.ones((len(motion), 1))),),
    "a hair outside": lambda motion: (trace(motion, -1e-300),),
}


@pytest.mark.parametrize("what", UNMEASURED)
def test_F38_what_a_rule_does_not_measure_is_a_violation(what: str) -> None:
    verdict = judge(case(rules=scripted(UNMEASURED[what])), Physics()).verdict

    assert violated(verdict) == ["SCRIPTED"]
    assert not verdict.allowed


def test_a_margin_of_nothing_is_inside() -> None:
    assert judge(case(rules=scripted(lambda motion: (trace(motion, 0.0),))), Physics()).verdict.allowed
    nameless = scripted(lambda motion: (trace(motion, math.inf, names=()),))
    assert judge(case(rules=nameless), Physics()).verdict.findings[-1].links == ()


def test_F38_a_mode_in_which_no_rule_is_enforced_is_refused() -> None:
    manual = replace(rule(Speed(), "slow"), when=When(("manual",)))
    advice = rule(Reach(), "warn")

    modes = {mode: judge(case(scene=Scene(mode, ()), rules=rules(manual, advice)), Physics()).verdict for mode in
             ("automatic", "manual", None)}  # fmt: skip

    assert violated(modes["automatic"]) == ["check:rules"]
    assert modes["manual"].allowed
    assert modes[None].allowed  # an unknown mode is any: every rule applies


def test_advice_does_not_stop_anything() -> None:
    verdict = judge(case(rules=rules(rule(Reach(0.0), "warn"), rule(Speed()))), Physics()).verdict

    assert violated(verdict) == ["REACH", "REACH"]
    assert verdict.allowed
    assert not verdict.escape


@pytest.mark.parametrize("physics", [Physics(exhausted=True), Physics(answers_missing=1)], ids=["exhausted", "silent"])
def test_F41_a_forecast_that_does_not_answer_hides_no_other_violation(physics: Physics) -> None:
    fast = case(chunk(ramp(speed=(0.9, 0.0))), rules=rules(rule(Speed(), "stop"), rule(Apart())))

    verdict = judge(fast, physics).verdict

    assert violated(verdict) == ["SPEED", "check:forecast", "APART"]
    assert verdict.reaction == "stop"


@pytest.mark.parametrize("nothing", [None, Malformed("a text frame", "0")])
def test_what_could_not_be_built_is_refused_with_its_reason(nothing: Malformed | None) -> None:
    verdict = judge(replace(case(), chunk=nothing), Physics()).verdict

    assert violated(verdict) == ["check:malformed"]
    assert ("a text frame" in verdict.violated[0].message) is (nothing is not None)


def test_a_chunk_that_fails_a_check_never_meets_a_rule() -> None:
    physics = Physics()

    for found in (case(chunk(layout="?")), case(chunk(decode="failed")), case(chunk(ramp(start=(1.0, 1.0))))):
        judgement = judge(found, physics)
        assert judgement.proposal is None
        assert not judgement.verdict.allowed
    assert physics.asked == 0


def test_a_committed_plan_is_judged_again_with_what_is_known_now() -> None:
    moving = plan(ramp(20)[:, :2], NOW - 5 * PERIOD)
    there = case(state=state(tuple(moving.at(NOW).positions)), memory=Memory(plan=moving))

    clear = judge_plan(there, moving, Physics())
    blocked = judge_plan(there, moving, Physics({POST: lambda q: 0.14 - q[:, 0]}))
    lost = judge_plan(replace(there, state=state((1.0, 1.0))), moving, Physics())

    assert clear.verdict.allowed
    assert violated(blocked.verdict) == ["APART"]
    assert violated(lost.verdict) == ["check:tracking"]
    assert lost.motion is None


def test_a_state_of_the_wrong_size_is_refused_at_a_tick_and_not_broadcast() -> None:
    moving = plan(ramp(20)[:, :2], NOW - 5 * PERIOD)

    verdict = judge_standing(case(state=state((0.14,)), memory=Memory(plan=moving)))

    assert violated(verdict) == ["check:state"]


def test_findings_are_ordered_by_severity_then_by_how_far_beyond_the_limit() -> None:
    def finding(name: str, reaction: Any, margin: float, limit: float) -> Finding:
        return Finding(name, "k", reaction, margin, 0.0, limit, "", "")

    shuffled = (
        finding("fine", "stop", 1.0, 1.0),
        finding("a little", "veto", -0.1, 10.0),
        finding("half", "veto", -0.5, 1.0),
        finding("unknown", "veto", math.nan, 1.0),
        finding("advice", "warn", -9.0, 1.0),
        finding("no limit", "veto", -0.1, 0.0),
        finding("stop", "stop", -0.001, 1.0),
    )

    names = [found.rule for found in ordered(shuffled)]

    assert names == ["stop", "half", "no limit", "a little", "unknown", "advice", "fine"]


# Escape: the arm starts 5 mm from a post that it must keep 20 mm from.


def away(speed: float = 0.05, rows: int = 20) -> FloatArray:
    """Rows that turn the first joint back at a speed below a tenth of the profile's."""
    return ramp(rows, speed=(-speed, 0.0))


def near(q: FloatArray) -> FloatArray:
    """The gap to the post [m]: grows as the first joint turns back from 0.1 rad."""
    return np.asarray(0.005 + 0.5 * (0.1 - q[:, 0]))


def escaping(found: Case | None = None, physics: Physics | None = None, chosen: Rule | None = None) -> Verdict:
    made = found or case(chunk(away()))
    return judge(replace(made, rules=rules(chosen or rule(Apart()))), physics or Physics({POST: near})).verdict


def test_F31_a_slow_motion_out_of_a_violated_start_is_let_through() -> None:
    verdict = escaping()

    assert verdict.allowed
    assert verdict.escape
    assert any(finding.message.startswith("escape: gap grows from -0.015") for finding in verdict.findings)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_F01_a_trace_without_a_number_is_not_hidden_by_one_that_holds(order: tuple[int, int]) -> None:
    def measured(motion: Motion) -> tuple[Trace, ...]:
        unknown = np.full(len(motion), 1.0)
        unknown[-1] = np.nan
        both = trace(motion, np.full(len(motion), 0.5)), trace(motion, unknown)
        return both[order[0]], both[order[1]]

    verdict = judge(case(rules=rules(rule(Scripted(measured)))), Physics()).verdict

    assert not verdict.allowed
    assert math.isnan(verdict.violated[0].margin)


def test_F31_a_way_out_that_ends_clear_of_everything_is_let_through() -> None:
    far = Physics({POST: lambda q: np.where(q[:, 0] < 0.09, np.inf, near(q))})

    assert escaping(physics=far).escape


@pytest.mark.parametrize(
    "physics",
    [
        Physics({POST: lambda q: 0.005 + 0.5 * (q[:, 0] - 0.1)}),
        Physics({POST: lambda q: np.full(len(q), 0.005)}),
        Physics({POST: lambda q: near(q) - 0.002 * (np.abs(q[:, 0] - 0.095) < 0.002)}),
        Physics({POST: lambda q: near(q) * np.where(q[:, 0] < 0.09, np.nan, 1.0)}),
        Physics({POST: near, WALL: lambda q: 0.03 + 2.0 * (q[:, 0] - 0.1)}),
        Physics({POST: near, WALL: lambda q: 0.0055 + 0.2 * (q[:, 0] - 0.1)}),
    ],
    ids=["worse", "no better", "worse on the way", "unknown on the way", "a new pair", "a hidden pair that gets worse"],
)
def test_F31_a_motion_that_makes_anything_worse_is_refused(physics: Physics) -> None:
    verdict = escaping(physics=physics)

    assert not verdict.allowed
    assert not verdict.escape


def test_F31_many_small_steps_back_do_not_add_up() -> None:
    def creeping(motion: Motion) -> tuple[Trace, ...]:
        size = len(motion)
        back = -0.01 - 0.9e-5 * np.arange(size)
        back[-1] = -0.005
        return (trace(motion, back),)

    assert not escaping(chosen=rule(Scripted(creeping))).allowed


@pytest.mark.parametrize(("back", "allowed"), [(0.0, True), (1e-5, True), (1.001e-5, False)])
def test_F31_a_margin_may_seem_to_shrink_by_the_error_of_the_query_and_no_more(back: float, *, allowed: bool) -> None:
    def dipping(motion: Motion) -> tuple[Trace, ...]:
        margins = np.full(len(motion), -0.01)
        margins[len(motion) // 2] = -0.01 - back
        margins[-1] = -0.005
        return (trace(motion, margins),)

    assert escaping(chosen=rule(Scripted(dipping))).allowed is allowed


def test_F31_a_second_pair_that_violates_behind_the_first_is_found_by_asking_again() -> None:
    hidden = Physics({POST: near, WALL: lambda q: np.full(len(q), 0.019) + 0.0 * q[:, 0]})

    verdict = escaping(physics=hidden)

    assert hidden.asked == 2
    assert violated(verdict) == ["APART"]


def test_F31_a_second_joint_cannot_hide_in_a_trace_of_the_worst() -> None:
    both = case(chunk(np.column_stack([ramp(10, (-0.05, 0.05))[:, :2], np.full(10, OPEN)])))

    apart = judge(replace(both, rules=rules(rule(Reach(0.05)))), Physics()).verdict
    together = judge(replace(both, rules=rules(rule(Reach(0.05, together=True)))), Physics()).verdict
    out = judge(case(chunk(ramp(10, (-0.05, -0.05))), rules=rules(rule(Reach(0.05)))), Physics()).verdict

    assert not apart.allowed
    assert not together.allowed
    assert out.allowed
    assert out.escape


def test_F31_a_second_pair_on_the_way_is_refused_even_where_the_second_answer_is_silent_about_it() -> None:
    class Turning(Apart):
        @override
        def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
            (found,) = Apart.measure(self, case, motion, clearances)
            which = np.where((motion.positions[:, 0] < 0.09) & (found.margin < 0.0), 1, 0)
            return (replace(found, names=(POST, WALL), which=which),)

    steady = escaping(chosen=rule(Apart()))
    turning = escaping(chosen=rule(Turning()))

    assert steady.escape
    assert violated(turning) == ["APART"]


@pytest.mark.parametrize("names", [(), (("x", "y", "z"),)])
def test_F31_a_pair_that_cannot_be_named_cannot_be_left_out(names: Any) -> None:
    class Nameless(Apart):
        @override
        def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
            (found,) = Apart.measure(self, case, motion, clearances)
            return (replace(found, names=names, which=np.full(len(found.which), -1 if not names else 0)),)

    assert not escaping(chosen=rule(Nameless())).allowed


@pytest.mark.parametrize("trouble", ["exhausted", "unmeasured"])
def test_F31_what_the_second_question_does_not_answer_is_no_way_out(trouble: str) -> None:
    class Once(Physics):
        @override
        def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
            self.exhausted = trouble == "exhausted" and self.asked == 1
            return Physics.forecast(self, motion, scene, demands)

    class Mute(Apart):
        @override
        def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
            return () if not clearances[0].pairs else Apart.measure(self, case, motion, clearances)

    chosen = rule(Mute() if trouble == "unmeasured" else Apart())

    assert not escaping(physics=Once({POST: near}), chosen=chosen).allowed


@pytest.mark.parametrize(("speed", "ok"), [(0.09, True), (0.11, False)])
def test_F31_the_way_out_is_slow(speed: float, ok: bool) -> None:  # noqa: FBT001 - a case
    bare = escaping(case(chunk(away(speed))))
    with_tool = escaping(case(chunk(away(speed / 2.0))), Physics({POST: near}, model=Arm()))

    assert bare.allowed is ok
    assert with_tool.allowed is ok


@pytest.mark.parametrize("tracking_gap", [0.0, 0.02])
def test_F31_a_start_that_is_inside_at_the_command_or_the_measured_pose_is_no_escape(tracking_gap: float) -> None:
    resting = plan(np.tile([0.1 - tracking_gap, 0.2], (30, 1)), NOW - 5 * PERIOD)
    rows = ramp(10, (-0.05, 0.0), start=(0.1 - tracking_gap, 0.2))
    physics = Physics({POST: lambda q: 0.02 - 0.005 * (q[:, 0] > 0.09) + 0.001 * (0.1 - q[:, 0])})

    verdict = escaping(case(chunk(rows), memory=Memory(plan=resting)), physics)

    assert verdict.escape is (tracking_gap == 0.0)


@pytest.mark.parametrize(("since_s", "allowed"), [(None, True), (4.999, True), (5.0, True), (5.001, False)])
def test_F31_the_way_out_is_open_for_a_limited_time_and_then_a_stop(since_s: float | None, allowed: bool) -> None:  # noqa: FBT001 - a case
    since = None if since_s is None else NOW - round(since_s * 1000) * MS

    verdict = escaping(case(chunk(away()), memory=Memory(escape_since_ns=since)))

    assert verdict.allowed is allowed
    assert verdict.reaction == ("log" if allowed else "stop")


def test_F31_advice_that_is_not_followed_starts_no_escape() -> None:
    verdict = judge(
        case(chunk(away()), rules=rules(rule(Apart(), "warn"), rule(Speed()))), Physics({POST: near})
    ).verdict

    assert verdict.allowed
    assert not verdict.escape
