"""The gate: what goes to the controller is the permitted plan or a brake along it, whatever rows and states come in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.braking import LONGEST_S
from interlock.errors import PermitRefused, UnusableInput
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.robots import Gate, Sent
from interlock.scene import RobotState
from tests.supervisor.test_supervisor import BAD, NOTHING, Desk
from tests.supervisor.toy import MS, NOW, OPEN, PERIOD, PERIOD_S, START, ramp, state

ACCELERATION = 10.0
REST = np.array([*START, OPEN])


def command(plan: Plan, now_ns: int) -> FloatArray:
    at = plan.at(now_ns)
    return np.concatenate([at.positions, at.grippers])


class Bench:
    """A desk with a gate, a robot that is where it was told to be, and a caller that sends what was permitted."""

    def __init__(self, **changes: Any) -> None:
        self.desk = Desk()
        self.gate = Gate(self.desk.supervisor, state(seen_ns=NOW), now_ns=lambda: self.desk.now_ns, **changes)
        self.sent = [REST]
        self.plan: Plan | None = None

    def permit(self, values: FloatArray | None = None) -> Permit:
        found = self.desk.review(self.desk.chunk() if values is None else self.desk.chunk(values=values)).permit
        assert isinstance(found, Permit)
        return found

    def begin(self, values: FloatArray | None = None) -> Plan:
        self.gate.follow(self.permit(values))
        self.plan = self.desk.supervisor.memory.plan
        assert self.plan is not None
        return self.plan

    def seen(self, **changes: Any) -> RobotState:
        return replace(state(tuple(self.sent[-1][:2]), seen_ns=self.desk.now_ns), **changes)

    def step(self, row: Any = None, measured: Any = None, after_ns: int = MS) -> Sent:
        measured = self.seen() if measured is None else measured
        self.desk.now_ns += after_ns
        permitted = self.sent[-1] if self.plan is None else command(self.plan, self.desk.now_ns)
        found = self.gate.step(permitted if row is None else row, measured)
        self.sent.append(found.row)
        return found

    def steps(self, count: int) -> list[Sent]:
        return [self.step() for _ in range(count)]

    def rests(self, before: int = 0) -> None:
        """The robot comes to rest within the longest brake, and keeps still; from so many steps of a millisecond before
        now on it keeps to the accelerations.
        """
        first = len(self.sent) - before
        self.steps(400)
        path = np.array(self.sent)[first::20, :2]
        assert (np.abs(np.diff(path, n=2, axis=0)) <= ACCELERATION * PERIOD_S**2 + 1e-9).all()
        for _ in range(round(LONGEST_S / PERIOD_S)):
            self.step(after_ns=PERIOD)
        rest = self.sent[-1]
        self.steps(3)
        assert np.array_equal(self.sent[-1], rest)


def on_plan(plan: Plan, row: FloatArray) -> bool:
    """Whether a row's joints are somewhere on the plan's straight pieces, by projection."""
    starts, ends = plan.positions[:-1], plan.positions[1:]
    along = ends - starts
    length = (along**2).sum(axis=1)
    share = np.clip(((row[:2] - starts) * along).sum(axis=1) / np.where(length > 0.0, length, 1.0), 0.0, 1.0)
    return bool((np.linalg.norm(starts + share[:, None] * along - row[:2], axis=1) <= 1e-9).any())


def test_rows_as_permitted_pass_to_the_end_and_what_is_sent_is_the_plan() -> None:
    bench = Bench()
    plan = bench.begin()
    count = (plan.end_ns - NOW) // MS + 50

    found = bench.steps(count)

    assert all(one.passed and not one.why for one in found)
    expected = np.array([command(plan, NOW + (step + 1) * MS) for step in range(count)])
    assert np.array_equal(np.array([one.row for one in found]), expected)
    assert bench.desk.log.kinds == ["self_test", "review"]


def test_rows_that_are_held_between_two_rows_pass_and_do_not_hold_the_robot_up() -> None:
    bench = Bench()
    plan = bench.begin()
    nodes = np.hstack([plan.positions, plan.grippers])
    for _ in range(200):
        due = int(np.searchsorted(plan.times_ns, bench.desk.now_ns + MS))  # the row that is under way
        assert bench.step(nodes[min(due, len(nodes) - 1)]).passed
        assert np.array_equal(bench.sent[-1], command(plan, bench.desk.now_ns))


def test_F15_the_mean_of_two_permitted_chunks_is_not_what_was_permitted() -> None:
    bench = Bench()
    up, down = ramp(speed=(0.2, 0.0)), ramp(speed=(-0.2, 0.0))
    assert Bench().begin(down).positions[-1, 0] < START[0]  # each on its own is permitted
    plan = bench.begin(up)
    assert all(one.passed for one in bench.steps(140))
    row = (bench.desk.now_ns + MS - plan.rows_start_ns) / PERIOD

    found = bench.step((up[int(row)] + down[int(row)]) / 2.0)

    assert not found.passed
    assert found.why.startswith("a would be sent to 0.1; permitted: 0.1")
    assert on_plan(plan, found.row)
    assert bench.desk.log.records[-1][:2] == ("departed", {"why": found.why})
    assert bench.desk.supervisor.memory.plan is None
    bench.rests(before=41)
    assert bench.desk.log.kinds == ["self_test", "review", "departed"]
    assert bench.sent[-1][0] < plan.positions[-1, 0]


class Hostile:
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise KeyError("no")


NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([NAN, 0.2, OPEN], "a would be sent to nan"),
        ([0.1, float("inf"), OPEN], "b would be sent to inf"),
        ([0.1, 0.2, NAN], "hand would be sent to nan"),
        ([0.1, 0.2, OPEN / 2.0], "hand would be sent to 0.04"),
        ([0.1 - 0.0011, 0.2, OPEN], "a would be sent to 0.0989"),
        ([0.1, 0.2], "shape (2,), expected (3,)"),
        ([[0.1, 0.2, OPEN]], "1 axes, got shape (1, 3)"),
        ([], "shape (0,)"),
        (["0.1", "0.2", "0.08"], "must hold float32"),
        (np.array([0.1, 0.2, OPEN], dtype=object), "must hold float32"),
        (None, "must hold float32"),
        (Hostile(), "KeyError: 'no'"),
    ],
    ids=["nan", "inf", "hand-nan", "hand", "off", "short", "deep", "empty", "text", "object", "none", "hostile"],
)
def test_a_row_that_is_not_permitted_or_no_row_is_answered_with_a_brake(row: Any, why: str) -> None:
    bench = Bench()
    bench.begin()
    bench.step()
    measured = bench.seen()
    bench.desk.now_ns += MS

    found = bench.gate.step(row, measured)

    assert not found.passed
    assert why in found.why
    assert np.isfinite(found.row).all()


def test_the_tolerance_is_what_the_caller_says_and_zero_is_exact() -> None:
    for off, tolerance, passes in ((0.0019, 0.002, True), (0.0021, 0.002, False), (0.0, 0.0, True), (1e-9, 0.0, False)):
        assert Bench(tolerance=tolerance).step(REST - [off, 0.0, 0.0]).passed is passes
    for wrong in (NAN, -1.0, float("inf")):
        with pytest.raises(ValueError, match="tolerance must be finite"):
            Bench(tolerance=wrong)


def test_the_hand_may_be_off_by_a_share_of_its_travel() -> None:
    assert Bench().step(REST - [0.0, 0.0, 0.0009 * OPEN]).passed
    assert not Bench().step(REST - [0.0, 0.0, 0.0011 * OPEN]).passed


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seen_ns": NOW + 60 * MS - 51 * MS}, "the state is 0.051 s old; at most 0.05 s"),
        ({"seen_ns": NOW + 61 * MS}, "the state is -0.001 s old"),
        ({"positions": np.array([NAN, 0.2])}, "2 finite numbers"),
        ({"positions": np.array([0.1])}, "2 finite numbers"),
        ({"grippers": np.array([NAN])}, "measured grippers must be 1 finite numbers"),
        ({"grippers": np.array([])}, "measured grippers must be 1 finite numbers, got []"),
        ({"joints": ("b", "a")}, "['b', 'a']"),
        ({"positions": np.array([0.1, 0.26])}, "joint b is 0.0581 rad from where it was told to be"),
    ],
    ids=["stale", "future", "nan", "short", "grip", "gripless", "other", "off"],
)
def test_F16_F18_a_state_that_is_stale_unknown_or_elsewhere_is_answered_with_a_brake(
    changes: dict[str, Any], why: str
) -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(59)

    found = bench.step(measured=bench.seen(**changes))

    assert not found.passed
    assert why in found.why
    assert on_plan(plan, found.row)
    bench.rests()


def test_what_is_no_state_is_answered_with_a_brake() -> None:
    found = Bench().step(measured="nothing")
    assert (found.passed, found.why) == (False, "expected a RobotState, got str")


def test_a_gate_begins_where_a_robot_rests() -> None:
    with pytest.raises(UnusableInput, match="begins where the robot rests: measured positions"):
        Gate(Desk().supervisor, state((NAN, 0.2)))


def test_F31_a_step_that_is_late_finds_the_robot_where_it_was_left_and_brakes() -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(60)
    left, late_ns = bench.desk.now_ns, PERIOD + MS

    found = bench.step(after_ns=late_ns)

    assert found.why == "the last step was 21.0 ms ago; at most one row period, 20.0 ms"
    assert np.abs(found.row - command(plan, left))[0] <= 0.2 * PERIOD_S
    bench.rests()


def test_a_step_a_whole_period_after_the_last_is_in_time() -> None:
    bench = Bench()
    bench.begin()
    bench.steps(60)
    assert bench.step(after_ns=PERIOD).passed


def test_F17_a_clock_that_goes_back_is_answered_with_a_brake() -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(60)

    found = bench.step(after_ns=-MS)

    assert found.why.startswith("the last step was -1.0 ms ago")
    assert np.array_equal(found.row, command(plan, bench.desk.now_ns + MS))


def test_at_rest_nobody_has_to_step() -> None:
    bench = Bench()
    bench.desk.now_ns += 10_000 * MS
    assert bench.step().passed
    plan = bench.begin()
    bench.steps((plan.end_ns - bench.desk.now_ns) // MS)
    bench.desk.now_ns += 10_000 * MS
    assert bench.step().passed


def test_a_gap_in_a_brake_only_makes_it_longer() -> None:
    bench = Bench()
    bench.begin()
    bench.steps(80)
    bench.gate.brake()
    moved = [bench.step(after_ns=after * MS).row[0] for after in (1, 500, 20, 1)]

    assert np.diff(np.array(moved)).max() <= 0.2 * PERIOD_S + 1e-12
    bench.rests()


def _stop(bench: Bench) -> None:
    bench.desk.supervisor.stop("a person came in")


def _braked(bench: Bench) -> None:
    bench.desk.supervisor.braked()


def _later(bench: Bench) -> None:
    plan = bench.plan
    assert plan is not None
    first = bench.desk.now_ns
    start = tuple(plan.at(first).positions)
    review = bench.desk.review(bench.desk.chunk(first, values=ramp(start=start)))
    assert review.permit is not None
    bench.desk.now_ns += MS


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (_stop, "the supervisor is stopped: a person came in"),
        (_braked, "the supervisor has forgotten the plan"),
        (_later, "a later plan was permitted and is due"),
    ],
)
def test_F43_what_the_supervisor_takes_back_the_gate_brakes_without_being_told(
    happens: Callable[[Bench], None], why: str
) -> None:
    bench = Bench()
    bench.begin()
    bench.steps(60)
    happens(bench)

    found = bench.step()

    assert not found.passed
    assert found.why.startswith(why)
    bench.rests()


def test_a_plan_that_is_permitted_for_later_does_not_brake_the_one_that_runs() -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(60)
    first = plan.rows_end_ns
    review = bench.desk.review(bench.desk.chunk(first, values=ramp(start=tuple(plan.at(first).positions))))

    assert bench.step().passed
    assert review.permit is not None
    bench.gate.follow(review.permit)
    bench.plan = review.decision.plan
    assert all(one.passed for one in bench.steps(300))


def test_a_veto_lets_the_plan_run_to_its_own_brake() -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(60)
    assert bench.desk.review(BAD).permit is None
    assert all(one.passed for one in bench.steps((plan.end_ns - bench.desk.now_ns) // MS + 10))


def test_F43_a_permit_is_followed_once_and_ends_a_brake_from_where_the_robot_came_to_rest() -> None:
    bench = Bench()
    permit = bench.permit()
    bench.gate.follow(permit)
    bench.plan = bench.desk.supervisor.memory.plan
    bench.steps(60)
    with pytest.raises(PermitRefused, match="was used before"):
        bench.gate.follow(permit)
    assert bench.step().passed
    assert not bench.step(REST + 1.0).passed
    bench.plan = None
    bench.rests()

    rest = tuple(bench.sent[-1][:2])
    review = bench.desk.supervisor.review(
        bench.desk.chunk(values=ramp(start=rest)), state(rest, seen_ns=bench.desk.now_ns), NOTHING
    )
    assert review.permit is not None
    bench.gate.follow(review.permit)
    bench.plan = bench.desk.supervisor.memory.plan

    assert all(one.passed for one in bench.steps(100))


def test_a_plan_that_begins_elsewhere_is_not_followed() -> None:
    bench = Bench()
    elsewhere = (START[0] + 0.2, START[1])
    review = bench.desk.supervisor.review(
        bench.desk.chunk(values=ramp(start=elsewhere)), state(elsewhere, seen_ns=bench.desk.now_ns), NOTHING
    )
    assert review.permit is not None

    with pytest.raises(PermitRefused, match=r"a plan begins 0\.2000 rad from where joint a was told to be"):
        bench.gate.follow(review.permit)

    assert not bench.step().passed
    assert np.array_equal(bench.sent[-1], REST)
    assert bench.desk.supervisor.memory.plan is None


def test_a_plan_that_is_refused_while_the_robot_brakes_does_not_begin_the_brake_anew() -> None:
    bench = Bench()
    bench.begin()
    bench.steps(100)
    bench.gate.brake()
    bench.steps(15)
    elsewhere = (START[0] + 0.3, START[1])
    review = bench.desk.supervisor.review(
        bench.desk.chunk(values=ramp(start=elsewhere)), state(elsewhere, seen_ns=bench.desk.now_ns), NOTHING
    )
    assert review.permit is not None

    with pytest.raises(PermitRefused, match="a plan begins"):
        bench.gate.follow(review.permit)

    assert bench.step().why.startswith("a plan begins")
    bench.rests(before=17)


def test_a_brake_is_the_shortest_that_the_accelerations_allow_and_holds_the_hand() -> None:
    bench = Bench()
    values = ramp(rows=20, speed=(0.4, 0.0))
    values[:, 2] = np.linspace(OPEN, 0.07, 20)
    plan = bench.begin(values)
    bench.steps(140)
    bench.gate.brake()
    hand = bench.step().row[2]
    began = len(bench.sent)
    bench.rests()

    rest = np.flatnonzero(np.diff(np.array(bench.sent)[began:, 0]) > 0.0)[-1] * 1e-3
    assert 0.4 / ACCELERATION <= rest <= 1.25 * (0.4 / ACCELERATION + PERIOD_S)
    assert {row[2] for row in bench.sent[began:]} == {hand}
    assert all(on_plan(plan, row) for row in bench.sent)
    assert bench.step().why == "the robot was told to brake"
    bench.gate.brake()
    assert bench.desk.log.kinds.count("departed") == 1


def test_where_nothing_stops_it_on_the_way_the_plan_goes_on_to_its_own_end(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    plan = bench.begin()
    bench.steps(60)
    monkeypatch.setattr(bench.gate, "_plan", replace(plan, stop_rates=np.empty(0)))

    assert not bench.step(REST + 1.0).passed
    found = bench.steps((plan.end_ns - bench.desk.now_ns) // MS + 10)

    assert np.allclose(found[-1].row[:2], plan.positions[-1], rtol=0.0, atol=1e-12)
    assert not any(one.passed for one in found)


def test_F28_a_departure_waits_for_no_review_and_takes_back_its_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.begin()
    bench.steps(60)
    inside, leave = threading.Event(), threading.Event()
    permits: list[Permit | None] = []
    append = bench.desk.log.append

    def slow(kind: str, *args: Any, **kwargs: Any) -> Any:
        if kind == "review":
            inside.set()
            assert leave.wait(10.0)
        return append(kind, *args, **kwargs)

    monkeypatch.setattr(bench.desk.log, "append", slow)

    def review() -> None:
        plan = bench.plan
        assert plan is not None
        first = plan.rows_end_ns
        rows = ramp(start=tuple(plan.at(first).positions))
        permits.append(bench.desk.review(bench.desk.chunk(first, values=rows)).permit)

    other = threading.Thread(target=review)
    other.start()
    assert inside.wait(10.0)

    found = bench.step(REST + 1.0)  # returns although the review still has the turn

    assert not found.passed
    leave.set()
    other.join(10.0)
    for thread in threading.enumerate():
        if thread.name == "interlock-departed":
            thread.join(10.0)
    assert permits[0] is not None
    with pytest.raises(PermitRefused, match="taken back"):
        bench.gate.follow(permits[0])
    assert bench.desk.supervisor.memory.plan is None
    assert bench.desk.log.kinds[-1] == "departed"


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 1, 1, 5, 19, 20, 21, 40]),
            st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.002, NAN, 1.0]),
            st.sampled_from([0.0, 0.0, 0.0, 0.049, 0.2, NAN]),
        ),
        max_size=80,
    )
)
def test_whatever_comes_in_what_goes_out_is_on_the_plan_never_jumps_and_comes_to_rest(
    told: list[tuple[int, float, float]],
) -> None:
    bench = Bench()
    plan = bench.begin()
    refused = False
    for after, off, lag in told:
        measured = bench.seen()
        measured = replace(measured, positions=measured.positions - lag)
        row = command(plan, bench.desk.now_ns + after * MS) + off
        found = bench.step(row, measured, after * MS)
        refused = refused or not found.passed
        assert found.passed is not refused  # until the next permit nothing else passes
        assert on_plan(plan, found.row)
        assert np.abs(bench.sent[-1] - bench.sent[-2])[:2].max() <= 0.2 * PERIOD_S + 1e-9
    bench.rests()
