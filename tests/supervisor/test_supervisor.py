"""The supervisor: on record before in motion, a stop waits for nothing, and nothing moves on a broken promise."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from interlock.case import Case, Memory
from interlock.chunk import ActionChunk, Malformed
from interlock.errors import LogDegraded, PermitRefused, SelfTestFailed
from interlock.geometry import Box, Pose, Sphere
from interlock.motion import Motion
from interlock.rules import RECHECK_NS, Clearance, Demand, Provocation, RuleSet
from interlock.scene import Held, RobotState, Scene, SceneObject
from interlock.self_test import SelfTest
from interlock.supervisor import Supervisor
from tests.supervisor.toy import (
    MS,
    NOW,
    OPEN,
    PERIOD,
    Apart,
    Log,
    Physics,
    Reach,
    Speed,
    case,
    chunk,
    ramp,
    rule,
    rules,
    stamps,
    state,
)

POST = ("arm", "post")
NOTHING = Scene("automatic", ())
BAD = Malformed("noise", "0")


def provoked(*limits: Any) -> RuleSet:
    """A rule set with a proposal that each rule must refuse."""
    found = rules(*limits)
    fast = case(chunk(ramp(speed=(0.9, 0.9))))
    beyond = case(chunk(ramp(start=(1.6, 0.0))), state=state((1.6, 0.0)))
    at = {"SPEED": fast, "REACH": beyond, "APART": beyond}
    return replace(found, provocations=tuple(Provocation(item.id, at[item.id]) for item in found.rules))


BRICK = Held("brick", Box((0.1, 0.1, 0.1)), Pose(), 5.0)


class Desk:
    """A supervisor with a clock that the test moves and a log that the test breaks."""

    def __init__(self, found: RuleSet | None = None, physics: Physics | None = None, elapsed_ns: int = 0) -> None:
        self.now_ns = NOW
        self.log = Log()
        self.physics = physics or Physics()
        ticks = iter(range(0, 10**15, elapsed_ns or 1))
        self.supervisor = Supervisor(
            found or provoked(rule(Speed(), "slow"), rule(Reach())),
            self.log,
            self.physics,
            now_ns=lambda: self.now_ns,
            elapsed_ns=(lambda: next(ticks)) if elapsed_ns else lambda: 0,
        )
        self.sequence = 0

    def chunk(self, first_ns: int | None = None, **changes: Any) -> ActionChunk:
        self.sequence += 1
        first = self.now_ns + 2 * PERIOD if first_ns is None else first_ns
        found = stamps(self.now_ns, first_row_ns=first, observation_ns=self.now_ns - 50 * MS + self.sequence)
        return chunk(sequence=self.sequence, stamps=found, **changes)

    def state(self) -> RobotState:
        plan = self.supervisor.memory.plan
        here = state(seen_ns=self.now_ns)
        return here if plan is None else replace(here, positions=plan.at(self.now_ns).positions)

    def review(self, proposal: ActionChunk | Malformed | None = None) -> Any:
        return self.supervisor.review(proposal or self.chunk(), self.state(), NOTHING)

    def tick(self, scene: Scene = NOTHING, **changes: Any) -> bool:
        return self.supervisor.tick(replace(self.state(), **changes), scene)


def test_a_permit_names_its_record_its_robot_and_when_it_ends() -> None:
    desk = Desk()

    review = desk.review()

    assert desk.log.kinds == ["self_test", "review"]
    assert review.permit.entry == review.entry
    assert review.entry.index == 1
    assert review.permit.robot == desk.supervisor.rules.profile_digest
    assert (review.permit.start_row, review.permit.rows) == (0, 10)
    assert review.permit.valid_until_ns == NOW + 2 * PERIOD
    assert desk.supervisor.memory.state == "running"


def test_F19_a_permit_for_a_moving_robot_is_valid_until_its_own_first_row() -> None:
    desk = Desk()
    first = desk.review().decision.plan
    desk.now_ns += 6 * PERIOD

    at = first.at(desk.now_ns + 3 * PERIOD)
    review = desk.review(desk.chunk(desk.now_ns + 3 * PERIOD, values=ramp(start=tuple(at.positions))))

    assert review.permit.valid_until_ns == desk.now_ns + 3 * PERIOD
    assert review.permit.use(desk.supervisor.rules.profile_digest, desk.now_ns).times_ns[0] < desk.now_ns
    for _ in range(20):
        assert desk.tick()
        desk.now_ns += PERIOD


def test_a_veto_has_a_record_and_no_permit_and_keeps_the_plan() -> None:
    desk = Desk()
    plan = desk.review().decision.plan

    review = desk.review(BAD)

    assert (review.decision.reaction, review.permit, review.entry.index) == ("veto", None, 2)
    assert desk.supervisor.memory.plan is plan
    assert desk.tick()


def test_F40_vetoes_in_a_row_stop_and_a_stop_waits_for_no_ticket() -> None:
    desk = Desk()
    for _ in range(4):
        desk.review(BAD)
    desk.log.late = True

    review = desk.review(BAD)

    assert (review.decision.reaction, review.entry, review.permit) == ("stop", None, None)
    assert review.ticket is not None
    assert desk.supervisor.memory.state == "stopped"
    assert desk.log.kinds[-1] == "review"


@pytest.mark.parametrize("attempt", [BAD, None])
def test_F40_a_stop_is_ended_by_a_named_person_with_a_reason_and_by_nothing_else(attempt: Malformed | None) -> None:
    desk = Desk()
    desk.supervisor.stop("a person came in")
    for _ in range(3):
        assert desk.review(attempt).decision.reaction == "stop"
    latch = desk.supervisor.memory.latch

    for name, why in (("", "checked"), ("  ", "checked"), ("Ada", " ")):
        with pytest.raises(ValueError, match="name of the person"):
            desk.supervisor.reset(name, why)
    desk.supervisor.reset("Ada", "the cell is empty")

    assert latch == "a person came in"
    assert desk.log.records[-1][:2] == ("reset", {"name": "Ada", "why": "the cell is empty"})
    assert desk.supervisor.memory.state == "ready"
    assert desk.review().permit is not None


def test_F40_without_a_stop_there_is_nothing_to_reset() -> None:
    desk = Desk()
    plan = desk.review().decision.plan

    with pytest.raises(ValueError, match="no stop to reset"):
        desk.supervisor.reset("Ada", "to be sure")

    assert desk.supervisor.memory.plan is plan


def test_F42_a_reset_that_is_not_on_record_resets_nothing() -> None:
    desk = Desk()
    desk.supervisor.stop("a person came in")
    desk.log.syncs = False

    with pytest.raises(LogDegraded):
        desk.supervisor.reset("Ada", "the cell is empty")

    assert desk.supervisor.memory.state == "stopped"


def _late(log: Log) -> None:
    log.late = True


def _full(log: Log) -> None:
    log.degraded = "disk full"


@pytest.mark.parametrize("trouble", [_late, _full])
@pytest.mark.parametrize("proposal", [BAD, None])
def test_F42_what_is_not_on_record_in_time_is_a_stop(
    trouble: Callable[[Log], None], proposal: Malformed | None
) -> None:
    desk = Desk()
    trouble(desk.log)

    review = desk.review(proposal)

    assert (review.decision.reaction, review.entry, review.permit, review.ticket) == ("stop", None, None, None)
    assert "no record, no motion" in desk.supervisor.memory.latch
    assert (desk.log.kinds[-1] == "supervisor_stop") is (desk.log.degraded is None)
    assert desk.review().decision.reaction == "stop"


def test_F42_nothing_is_permitted_until_the_last_refusal_is_durable() -> None:
    desk = Desk()
    desk.review(BAD)
    assert 1 not in desk.log.durable
    desk.log.syncs = False

    held = desk.review()
    desk.log.syncs = True
    desk.supervisor.reset("Ada", "the disk is back")
    after = desk.review()

    assert held.decision.reaction == "stop"
    assert after.permit is not None
    assert desk.log.kinds[desk.log.durable[-1]] == "supervisor_stop"


def test_F42_a_refusal_that_became_durable_is_waited_for_once() -> None:
    desk = Desk()
    desk.review(BAD)

    assert desk.review().permit is not None
    assert desk.log.durable == [0, 1]


def test_F20_a_late_judgement_is_a_veto_on_record() -> None:
    desk = Desk(elapsed_ns=41 * MS)

    review = desk.review(desk.chunk(NOW + 2 * PERIOD))

    assert review.decision.verdict.violated[0].rule == "check:late"
    assert review.permit is None
    assert desk.log.records[-1][1]["timing"] == {"elapsed_ns": "41000000", "allowed_ns": "40000000"}
    assert Desk(elapsed_ns=40 * MS).review().permit is not None


def test_F20_an_exception_leaves_what_was_committed_and_permits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Physics):
        @override
        def torques(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

    desk = Desk()
    plan = desk.review().decision.plan
    monkeypatch.setattr(desk.supervisor, "_physics", Broken())

    with pytest.raises(ZeroDivisionError):
        desk.review()

    assert desk.supervisor.memory.plan is plan
    assert desk.log.kinds == ["self_test", "review", "review_failed"]


CUBE = SceneObject("cube", Sphere(0.1), Pose(), NOW, 0.01, 0.0)


def test_a_tick_at_rest_watches_nothing_and_one_in_motion_tracking_and_freshness() -> None:
    desk = Desk()
    assert desk.tick()
    desk.review()
    desk.now_ns += 4 * PERIOD

    assert desk.tick()
    assert not desk.tick(positions=np.array([0.5, 0.2]))
    assert desk.log.kinds[-1] == "recheck"
    assert (desk.supervisor.memory.state, desk.supervisor.memory.plan) == ("holding", None)
    assert desk.tick()


@pytest.mark.parametrize(
    "changes",
    [
        {"seen_ns": NOW - 51 * MS},
        {"seen_ns": NOW + 1},
        {"positions": np.array([np.nan, 0.2])},
        {"positions": np.array([0.1])},
        {"joints": ("b", "a")},
        {"velocities": np.array([np.inf, 0.0])},
    ],
    ids=["stale", "future", "NaN", "size", "order", "inf"],
)
def test_F18_a_state_that_cannot_be_trusted_brakes(changes: dict[str, Any]) -> None:
    desk = Desk()
    desk.review()

    assert not desk.tick(**changes)


def test_F20_a_brake_does_not_wait_for_a_log_that_takes_no_more() -> None:
    desk = Desk()
    desk.review()
    desk.log.degraded = "disk full"

    assert not desk.tick(positions=np.array([0.5, 0.2]))
    assert desk.supervisor.memory.state == "stopped"
    assert desk.supervisor.memory.plan is None


NOT_FINITE = st.sampled_from([np.nan, np.inf, -np.inf])


@st.composite
def unreadable(draw: st.DrawFn) -> SceneObject:
    """The cube with a number that is none in one place."""
    wrong = draw(NOT_FINITE)
    name = draw(st.sampled_from(["xyz", "quat_xyzw", "uncertainty_m", "speed_m_s"]))
    if name in ("uncertainty_m", "speed_m_s"):
        return replace(CUBE, **cast(Any, {name: wrong}))
    numbers = list(getattr(CUBE.pose, name))
    numbers[draw(st.integers(0, len(numbers) - 1))] = wrong
    return replace(CUBE, pose=replace(CUBE.pose, **cast(Any, {name: tuple(numbers)})))


@given(unreadable(), st.sampled_from([0, RECHECK_NS - 1, RECHECK_NS]), st.booleans())
@settings(max_examples=40)
def test_F01_a_scene_with_a_number_that_is_none_brakes_at_once(thing: SceneObject, after_ns: int, first: bool) -> None:  # noqa: FBT001 - a case
    desk = Desk()
    desk.review()
    desk.now_ns += after_ns
    seen, other = (replace(item, seen_ns=desk.now_ns) for item in (thing, replace(CUBE, name="other")))
    scene = Scene("automatic", (seen, other) if first else (other, seen))

    assert desk.tick(Scene("automatic", (other,)))
    assert not desk.tick(scene)
    assert (desk.supervisor.memory.state, desk.supervisor.memory.plan) == ("holding", None)
    assert desk.log.kinds[-1] == "recheck"
    assert desk.supervisor.review(desk.chunk(), desk.state(), scene).permit is None


class Crowded(Physics):
    """Waits at its gate, a little, for a second thread: `met` if one came."""

    gate: threading.Barrier | None = None
    met = False

    @override
    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        if self.gate is not None:
            with contextlib.suppress(threading.BrokenBarrierError):
                self.gate.wait(0.2)
                self.met = True
        return Physics.forecast(self, motion, scene, demands)


def test_F18_two_threads_get_no_two_permits_for_one_sequence_number() -> None:
    physics = Crowded()
    desk = Desk(physics=physics)
    proposal, here = desk.chunk(), desk.state()
    physics.gate = threading.Barrier(2)

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(desk.supervisor.review, proposal, here, NOTHING) for _ in range(2)]

    permitted, refused = sorted((call.result() for call in calls), key=lambda review: review.permit is None)
    assert not physics.met
    assert permitted.permit is not None
    assert refused.permit is None
    assert "check:sequence" in {finding.rule for finding in refused.decision.verdict.violated}
    assert desk.supervisor.memory.plan is permitted.decision.plan


def test_a_tick_and_a_review_in_two_threads_wait_for_each_other() -> None:
    physics = Crowded()
    desk = Desk(physics=physics)
    plan = desk.review().decision.plan
    desk.now_ns += RECHECK_NS
    first = desk.now_ns + 2 * PERIOD
    follow_up = desk.chunk(first, values=ramp(start=tuple(plan.at(first).positions)))
    here, scene = desk.state(), Scene("automatic", (replace(CUBE, seen_ns=desk.now_ns),))
    asked = physics.asked
    physics.gate = threading.Barrier(2)

    with ThreadPoolExecutor(2) as pool:
        review = pool.submit(desk.supervisor.review, follow_up, here, scene)
        tick = pool.submit(desk.supervisor.tick, here, scene)

    assert not physics.met
    assert review.result().permit is not None
    assert tick.result()
    assert physics.asked > asked


@pytest.mark.parametrize("end", ["stop", "braked"])
def test_F43_a_brake_takes_back_a_permit_that_was_not_used(end: str) -> None:
    desk = Desk()
    before = desk.review().permit
    call: Any = getattr(desk.supervisor, end)
    call(*(("a person came in",) if end == "stop" else ()))

    assert before is not None
    with pytest.raises(PermitRefused, match="since"):
        before.use(desk.supervisor.rules.profile_digest, desk.now_ns)


class Slow(Physics):
    """Says when it is asked, and answers only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_now, self.go_on = threading.Event(), threading.Event()
        self.slow = False

    @override
    def forecast(self, motion: Motion, scene: Scene, demands: tuple[Demand, ...]) -> tuple[Clearance, ...]:
        if self.slow:
            self.asked_now.set()
            assert self.go_on.wait(10.0)
        return Physics.forecast(self, motion, scene, demands)


def test_F43_a_stop_during_a_review_is_not_lost_and_its_permit_is_good_for_nothing() -> None:
    physics = Slow()
    desk = Desk(physics=physics)
    proposal, here = desk.chunk(), desk.state()
    physics.slow = True

    with ThreadPoolExecutor(2) as pool:
        review = pool.submit(desk.supervisor.review, proposal, here, NOTHING)
        assert physics.asked_now.wait(10.0)
        stop = pool.submit(desk.supervisor.stop, "a person came in")
        physics.go_on.set()
        stop.result()
        permit = review.result().permit

    assert desk.supervisor.memory.state == "stopped"
    assert desk.supervisor.memory.plan is None
    assert permit is not None
    with pytest.raises(PermitRefused, match="taken back"):
        permit.use(desk.supervisor.rules.profile_digest, desk.now_ns)


def by_a_post(*limits: Any) -> Desk:
    """A desk that keeps the arm apart from a post, which is near beyond 1 rad; one plan is committed."""
    desk = Desk(provoked(*limits), Physics({POST: lambda q: np.where(q[:, 0] > 1.0, 0.0, 1.0)}))
    desk.review()
    return desk


def test_F29_a_changed_scene_has_the_rest_of_the_plan_judged_again() -> None:
    desk = by_a_post(rule(Speed(), "slow"), rule(Reach()), rule(Apart()))
    asked = desk.physics.asked

    assert desk.tick()
    assert desk.tick(Scene("automatic", (CUBE,)))  # too soon to judge again
    assert desk.physics.asked == asked
    desk.now_ns += RECHECK_NS
    here = replace(CUBE, seen_ns=desk.now_ns)
    assert desk.tick(Scene("automatic", (here,)))
    assert desk.physics.asked == asked + 1
    desk.now_ns += RECHECK_NS
    assert desk.tick(Scene("automatic", (replace(here, seen_ns=desk.now_ns),)))  # seen again, where it was
    assert desk.physics.asked == asked + 1
    desk.physics.gaps = {POST: lambda q: np.full(len(q), 0.01)}
    assert not desk.tick(Scene("automatic", (replace(here, seen_ns=desk.now_ns, pose=Pose((1.0, 0.0, 0.0))),)))
    assert desk.log.kinds[-1] == "recheck"


@pytest.mark.parametrize("change", [{"held": BRICK}, {"grippers": np.array([OPEN / 2.0])}], ids=["held", "hand"])
def test_F28_a_changed_hand_has_the_rest_of_the_plan_judged_again(change: dict[str, Any]) -> None:
    desk = by_a_post(rule(Speed(), "slow"), rule(Reach()), rule(Apart()))
    asked = desk.physics.asked
    desk.now_ns += RECHECK_NS

    assert desk.tick()
    assert desk.physics.asked == asked
    assert desk.tick(**change)
    assert desk.physics.asked == asked + 1


def test_a_rule_that_says_stop_stops_at_a_recheck_too() -> None:
    desk = by_a_post(rule(Speed(), "slow"), rule(Apart(), "stop"))
    desk.now_ns += RECHECK_NS
    desk.physics.gaps = {POST: lambda q: np.full(len(q), 0.01)}

    assert not desk.tick(Scene("manual", ()))
    assert desk.supervisor.memory.state == "stopped"
    assert "gap" in desk.supervisor.memory.latch
    assert desk.review().decision.reaction == "stop"


def test_a_stopped_robot_that_still_has_a_plan_is_told_to_brake_once() -> None:
    desk = Desk()
    desk.review()
    for _ in range(5):
        desk.review(BAD)

    assert desk.supervisor.memory.state == "stopped"
    assert not desk.tick()
    assert desk.supervisor.memory.latch.startswith("check:vetoes")
    assert desk.tick()


def test_a_braked_robot_starts_again_from_where_it_is() -> None:
    desk = Desk()
    desk.review()
    desk.supervisor.braked()

    found = desk.supervisor.reference(state((0.11, 0.21)), NOW + PERIOD)

    assert found.positions.tolist() == [0.11, 0.21]
    assert desk.supervisor.memory.state == "holding"


def blind(found: RuleSet, provocations: tuple[Provocation, ...]) -> RuleSet:
    return replace(found, provocations=provocations)


def test_F44_a_supervisor_that_does_not_refuse_its_own_provocation_does_not_start() -> None:
    found = provoked(rule(Speed(), "slow"), rule(Reach()))
    harmless = Provocation("REACH", case())
    unreadable = Provocation("REACH", case(chunk(decode="failed")))
    log = Log()

    for wrong in (harmless, unreadable):
        with pytest.raises(SelfTestFailed, match="provocation: REACH; nothing may move"):
            Supervisor(blind(found, (found.provocations[0], wrong)), log, Physics())
    with pytest.raises(SelfTestFailed, match="REACH, SPEED"):
        Supervisor(blind(found, ()), log, Physics())

    assert log.kinds == ["self_test"] * 3
    assert log.records[-1][1] == {"rules": found.digest, "results": [], "missing": ["REACH", "SPEED"]}


def test_F44_a_self_test_serves_its_own_rules_on_its_own_physics_and_no_others() -> None:
    found, physics = provoked(rule(Speed(), "slow")), Physics()
    proof, log = SelfTest(found, physics), Log()

    Supervisor(found, log, physics, self_test=proof)

    assert log.kinds == ["self_test"]
    for other in (replace(found, digest="0" * 64), found):
        with pytest.raises(SelfTestFailed, match="another rule set or another physics"):
            Supervisor(other, Log(), physics if other is not found else Physics(), self_test=proof)


def test_F44_a_self_test_that_failed_cannot_be_handed_on() -> None:
    found, physics = blind(provoked(rule(Speed(), "slow")), ()), Physics()
    proof = SelfTest(found, physics)

    with pytest.raises(SelfTestFailed, match="SPEED"):
        Supervisor(found, Log(), physics, self_test=proof)

    assert proof.failed == ("SPEED",)


def test_F44_the_rules_in_force_are_tested_and_not_those_that_a_provocation_brings() -> None:
    strict = case(chunk(ramp(speed=(0.3, 0.0))), rules=rules(rule(Speed(0.1), "slow")))

    with pytest.raises(SelfTestFailed, match="SPEED"):
        Supervisor(blind(rules(rule(Speed(), "slow")), (Provocation("SPEED", strict),)), Log(), Physics())


def test_F44_a_self_test_that_is_not_on_record_is_no_self_test() -> None:
    with pytest.raises(LogDegraded):
        Supervisor(provoked(rule(Speed(), "slow")), Log(syncs=False), Physics())


def test_F43_a_permit_of_a_stopped_supervisor_was_never_made() -> None:
    desk = Desk()
    permit = desk.review().permit
    desk.now_ns = NOW + 2 * PERIOD + 1

    with pytest.raises(PermitRefused, match="ended"):
        permit.use(desk.supervisor.rules.profile_digest, desk.now_ns)
    assert isinstance(case(), Case)
    assert desk.supervisor.memory != Memory()
