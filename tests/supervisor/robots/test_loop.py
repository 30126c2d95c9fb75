"""The closed loop: nominal chunks run without a seam, and whatever else happens ends in a brake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Malformed
from interlock.errors import PermitRefused
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.robots import Asked, run
from interlock.scene import RobotState, Scene
from interlock.supervisor import Review, Supervisor
from tests.supervisor.test_supervisor import provoked
from tests.supervisor.toy import (
    MS,
    NOW,
    PERIOD_S,
    START,
    Log,
    Physics,
    Reach,
    Speed,
    chunk,
    ramp,
    rule,
    stamps,
    state,
)

ROWS, EXECUTE = 50, 25


@dataclass
class Robot:
    """A robot that is exactly where it was told to be; a brake holds it where it is."""

    clock: Clock
    digest: str
    plan: Plan | None = None
    rest: FloatArray = field(default_factory=lambda: np.array(START))
    brakes: list[int] = field(default_factory=list[int])
    permits: list[Permit] = field(default_factory=list[Permit])
    lag: float = 0.0
    broken: Callable[[], None] = lambda: None
    reads: list[int] = field(default_factory=list[int])
    reading_ns: int = 0

    def where(self) -> FloatArray:
        return self.rest if self.plan is None else self.plan.at(self.clock.now).positions

    def read(self) -> tuple[RobotState, Scene]:
        self.broken()
        self.reads.append(self.clock.now)
        self.clock.sleep_until(self.clock.now + self.reading_ns)
        return state(tuple(self.where() - self.lag), seen_ns=self.clock.now), Scene("automatic", ())

    def follow(self, permit: Permit) -> None:
        self.plan = permit.use(self.digest, self.clock.now)
        self.permits.append(permit)

    def brake(self) -> None:
        self.rest, self.plan = self.where(), None
        self.brakes.append(self.clock.now)


@dataclass
class Clock:
    now: int = NOW
    path: list[FloatArray] = field(default_factory=list[FloatArray])
    robot: Robot | None = None

    def now_ns(self) -> int:
        return self.now

    def sleep_until(self, when_ns: int) -> None:
        assert self.robot is not None
        while self.now < when_ns:
            self.now += MS
            self.path.append(self.robot.where())


Answer = Callable[[Asked], ActionChunk | Malformed]


def steady(asked: Asked, speed: float = 0.2, **changes: Any) -> ActionChunk:
    """Rows that go on from the reference as they should."""
    first = asked.first_row_ns
    found = stamps(
        asked.request_ns, first_row_ns=first, received_ns=asked.request_ns, observation_ns=asked.state.seen_ns
    )
    rows = ramp(ROWS, (speed, 0.0), tuple(asked.reference.positions))
    made = chunk(rows, sequence=asked.sequence, horizon=EXECUTE, stamps=replace(found, request_ns=asked.request_ns))
    return replace(made, **changes)


def noise(_asked: Asked) -> Malformed:
    return Malformed("noise", "0")


@dataclass
class Policy:
    """Answers each question after `latency_ns` with what `make` says."""

    make: Answer = steady
    latency_ns: int = 200 * MS
    asked: list[Asked] = field(default_factory=list[Asked])
    waiting: Asked | None = None
    silent_after: int = 10**9

    def ask(self, asked: Asked) -> None:
        assert self.waiting is None, "one question at a time"
        self.asked.append(asked)
        self.waiting = asked

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        if self.waiting is None or now_ns < self.waiting.request_ns + self.latency_ns:
            return None
        if len(self.asked) > self.silent_after:
            return None
        asked, self.waiting = self.waiting, None
        return self.make(asked)


@dataclass
class Bench:
    """All of it together, for so many seconds of simulated time."""

    policy: Policy = field(default_factory=Policy)
    log: Log = field(default_factory=Log)
    reviews: list[Review] = field(default_factory=list[Review])
    seconds: float = 3.0

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.supervisor = Supervisor(
            provoked(rule(Speed(), "slow"), rule(Reach())), self.log, Physics(),
            now_ns=self.clock.now_ns, elapsed_ns=lambda: 0,
        )  # fmt: skip
        self.robot = Robot(self.clock, self.supervisor.rules.profile_digest)
        self.clock.robot = self.robot

    def run(self, on_review: Callable[[Review], None] | None = None) -> Bench:
        end = NOW + round(self.seconds * 1e9)
        heard = self.reviews.append if on_review is None else on_review
        run(
            self.supervisor,
            self.policy,
            self.robot,
            self.clock,
            done=lambda: self.clock.now >= end,
            on_review=heard,
        )
        return self

    @property
    def speeds(self) -> FloatArray:
        return np.diff(np.array(self.clock.path), axis=0) / 1e-3


def test_nominal_chunks_run_one_into_the_other_without_a_seam() -> None:
    bench = Bench().run()

    moving = bench.speeds[400:-1, 0]
    assert [review.decision.reaction for review in bench.reviews] == ["permit"] * len(bench.reviews)
    assert len(bench.reviews) >= 5
    assert moving == pytest.approx(0.2, abs=1e-6)
    assert bench.robot.brakes == [bench.clock.now]
    assert bench.supervisor.memory.plan is None


def test_F18_a_robot_that_takes_time_to_read_is_asked_about_no_later_than_it_was_seen() -> None:
    bench = Bench()
    bench.robot.reading_ns = 3 * MS

    bench.run()

    assert len(bench.reviews) >= 4
    assert {review.decision.reaction for review in bench.reviews} == {"permit"}
    assert set(np.diff(bench.robot.reads).tolist()) == {round(PERIOD_S * 1e9)}


@pytest.mark.parametrize("latency_ms", [0, 20, 100, 300])
def test_F19_an_answer_that_comes_early_does_not_end_what_is_moving(latency_ms: int) -> None:
    bench = Bench(Policy(latency_ns=latency_ms * MS)).run()

    assert all(review.permit is not None for review in bench.reviews)
    assert bench.speeds[400:-1, 0] == pytest.approx(0.2, abs=1e-6)
    assert len(bench.robot.brakes) == 1


def test_F20_a_silent_policy_leaves_the_robot_to_brake_where_its_rows_end() -> None:
    bench = Bench(Policy(silent_after=2)).run()

    assert len(bench.reviews) == 2
    assert bench.speeds[-500:].max(initial=0.0) == 0.0
    assert np.abs(np.diff(bench.speeds, axis=0)).max() / PERIOD_S <= 10.0 * (1 + 1e-6)
    assert bench.supervisor.memory.state != "stopped"


def test_F20_an_answer_that_comes_too_late_is_vetoed_and_the_next_starts_from_rest() -> None:
    late = iter([0, 0, 700 * MS])

    def make(asked: Asked) -> ActionChunk:
        policy.latency_ns = next(late, 0)
        return steady(asked)

    policy = Policy(make, latency_ns=0)
    bench = Bench(policy, seconds=4.0).run()

    reactions = [review.decision.reaction for review in bench.reviews]
    assert "veto" in reactions
    after = policy.asked[reactions.index("veto") + 1]
    assert not after.reference.velocities.any()
    assert reactions[-1] == "permit"


def test_a_veto_holds_and_the_policy_is_asked_again_from_rest() -> None:
    def make(asked: Asked) -> ActionChunk | Malformed:
        return Malformed("noise", "0") if asked.sequence == 1 else steady(asked)

    bench = Bench(Policy(make)).run()

    again = bench.policy.asked[2]
    assert [review.decision.reaction for review in bench.reviews][:3] == ["permit", "veto", "permit"]
    assert not again.reference.velocities.any()
    assert bench.robot.brakes == [bench.clock.now]
    assert np.abs(bench.speeds).max() <= 0.2 + 1e-6


def test_F40_vetoes_in_a_row_stop_the_loop_with_a_brake() -> None:
    bench = Bench(Policy(noise), seconds=60.0).run()

    assert [review.decision.reaction for review in bench.reviews] == ["veto"] * 4 + ["stop"]
    assert bench.supervisor.memory.state == "stopped"
    assert bench.clock.now < NOW + 5 * 10**9
    assert len(bench.robot.brakes) == 2
    assert len(bench.policy.asked) == 5


def test_F16_an_arm_that_does_not_follow_is_braked_and_asked_for_again() -> None:
    bench = Bench()

    def stuck(review: Review) -> None:
        bench.reviews.append(review)
        bench.robot.lag = 0.06 if len(bench.reviews) == 2 else 0.0

    bench.run(on_review=stuck)

    assert len(bench.robot.brakes) == 2
    assert "recheck" in bench.log.kinds
    assert bench.supervisor.memory.state == "holding"


def _policy(bench: Bench) -> None:
    def fail(_asked: Asked) -> ActionChunk:
        return chunk(sequence="one")

    bench.policy.make = fail


def _ask(bench: Bench) -> None:
    bench.policy.waiting = Asked(NOW + 10**12, *bench.robot.read(), NOW, bench.supervisor.reference(state(), NOW), 0)


def _robot(bench: Bench) -> None:
    def fail() -> None:
        if bench.clock.now > NOW + 500 * MS:
            raise OSError("the bus is gone")

    bench.robot.broken = fail


def _log(bench: Bench) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError("disk gone")

    bench.log.append = fail  # type: ignore[method-assign]


def _other_robot(bench: Bench) -> None:
    bench.robot.digest = "other"


@pytest.mark.parametrize(
    ("trouble", "error"),
    [(_policy, TypeError), (_ask, AssertionError), (_robot, OSError), (_log, OSError), (_other_robot, PermitRefused)],
)
def test_F20_an_exception_anywhere_brakes_and_is_raised_again(
    trouble: Callable[[Bench], None], error: type[Exception]
) -> None:
    bench = Bench()
    trouble(bench)

    with pytest.raises(error):
        bench.run()

    assert bench.robot.brakes == [bench.clock.now]
    assert bench.supervisor.memory.plan is None


def test_F42_a_log_that_fails_stops_the_robot() -> None:
    bench = Bench()

    def fill(review: Review) -> None:
        bench.reviews.append(review)
        bench.log.degraded = "disk full"

    bench.run(on_review=fill)

    assert [review.decision.reaction for review in bench.reviews] == ["permit", "stop"]
    assert len(bench.robot.brakes) == 2


def test_a_plan_too_short_for_the_policys_latency_is_followed_from_rest() -> None:
    bench = Bench(Policy(lambda asked: steady(asked, horizon=5))).run()

    assert all(review.permit is not None for review in bench.reviews)
    assert all(not asked.reference.velocities.any() for asked in bench.policy.asked)


def test_without_a_listener_the_loop_runs_all_the_same() -> None:
    bench = Bench(seconds=1.0)

    run(bench.supervisor, bench.policy, bench.robot, bench.clock, done=lambda: bench.clock.now > NOW + 10**9)

    assert len(bench.robot.permits) >= 1
