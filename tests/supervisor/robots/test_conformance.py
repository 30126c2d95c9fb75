"""Each check passes for a robot that does what it must, and names what each bad robot does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.chunk import ActionChunk, Layout
from interlock.errors import PermitRefused, UnusableInput
from interlock.geometry import Pose, Sphere
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.robots import Asked
from interlock.robots.bad_policies import BAD_POLICIES, PolicyBroke
from interlock.robots.conformance import ROBOT_CHECKS, NotConforming, Trial, TrialUnusable, turning
from interlock.scene import RobotState, Scene, SceneObject
from tests.supervisor.robots.test_loop import Bench, Clock, Robot, steady
from tests.supervisor.toy import MS, PERIOD, PERIOD_S, SINCE_LAST, SPEEDS

QUICK = 0.45  # rad/s: moves by more than three times the tracking error, within the rules


def trial(kind: Callable[..., Robot] = Robot, answer: Callable[[Asked], ActionChunk] | None = None) -> Trial:
    bench = Bench()
    robot = kind(bench.clock, bench.supervisor.rules.profile_digest)
    bench.clock.robot = robot
    return Trial(robot, bench.supervisor, bench.clock, answer or (lambda asked: steady(asked, QUICK)))


@pytest.mark.parametrize("name", ROBOT_CHECKS)
def test_a_robot_that_does_what_it_must_conforms(name: str) -> None:
    ROBOT_CHECKS[name](trial())


class Deaf(Robot):
    def follow(self, permit: Permit) -> None:
        """Drops it."""


class Idle(Robot):
    def follow(self, permit: Permit) -> None:
        permit.use(self.digest, self.clock.now)


class Forgiving(Robot):
    """Takes PermitRefused for a word of advice."""

    def follow(self, permit: Permit) -> None:
        try:
            super().follow(permit)
        except PermitRefused:
            return


class Timeless(Robot):
    def follow(self, permit: Permit) -> None:
        self.plan = permit.use(self.digest, permit.valid_until_ns)


@dataclass
class Replaying(Robot):
    """Runs the last plan again for whatever permit comes."""

    last: Plan | None = None

    def follow(self, permit: Permit) -> None:
        try:
            super().follow(permit)
            self.last = self.plan
        except PermitRefused:
            assert self.last is not None
            shift = self.clock.now - int(self.last.times_ns[0])
            self.plan = replace(
                self.last, times_ns=self.last.times_ns + shift, rows_end_ns=self.last.rows_end_ns + shift
            )


class Late(Robot):
    """Drives its plan 300 ms after its time."""

    def follow(self, permit: Permit) -> None:
        super().follow(permit)
        assert self.plan is not None
        self.plan = replace(
            self.plan, times_ns=self.plan.times_ns + 300 * MS, rows_end_ns=self.plan.rows_end_ns + 300 * MS
        )


@dataclass
class Busy(Robot):
    """Uses a second permit, and goes on with the first: it has enough to do."""

    def follow(self, permit: Permit) -> None:
        plan = permit.use(self.digest, self.clock.now)
        self.plan = plan if self.plan is None else self.plan


@dataclass
class DeafToMore(Robot):
    """Drops every permit but the first."""

    def follow(self, permit: Permit) -> None:
        if self.plan is None:
            super().follow(permit)


@dataclass
class Hasty(Robot):
    """Stands where the next rows begin until they do."""

    def follow(self, permit: Permit) -> None:
        plan = permit.use(self.digest, self.clock.now)
        rows = plan.times_ns >= plan.rows_start_ns
        self.plan = plan if self.plan is None else replace(
            plan, times_ns=plan.times_ns[rows], positions=plan.positions[rows], grippers=plan.grippers[rows],
            stop_rates=plan.stop_rates[rows],
        )  # fmt: skip


class Unbraked(Robot):
    def brake(self) -> None:
        """Goes on."""


class Leaping(Robot):
    """Brakes back to where it came from."""

    def brake(self) -> None:
        self.rest, self.plan = self.rest.copy(), None


class Creeping(Robot):
    def brake(self) -> None:
        super().brake()
        self.rest = self.rest + 0.03


class Dropping(Robot):
    """Opens its hand when it brakes."""

    dropped = False

    def brake(self) -> None:
        super().brake()
        self.dropped = True

    def read(self) -> tuple[RobotState, Scene]:
        state, scene = super().read()
        return (replace(state, grippers=state.grippers / 2.0) if self.dropped else state), scene


@dataclass
class Wandering(Robot):
    """Moves of its own accord."""

    def where(self) -> Any:
        return super().where() + 1e-9 * (self.clock.now - 10_000 * MS)


@dataclass
class Reading(Robot):
    """Says something else of what it measured."""

    said: Callable[[RobotState, Scene], tuple[RobotState, Scene]] = lambda state, scene: (state, scene)
    seen: list[int] = field(default_factory=list[int])

    def read(self) -> tuple[RobotState, Scene]:
        return self.said(*super().read())


def saying(**changes: Any) -> Callable[..., Robot]:
    def make(clock: Clock, digest: str) -> Robot:
        return Reading(clock, digest, said=lambda state, scene: (replace(state, **changes), scene))

    return make


def stamped(shift_ns: int) -> Callable[..., Robot]:
    def make(clock: Clock, digest: str) -> Robot:
        return Reading(clock, digest, said=lambda state, scene: (replace(state, seen_ns=clock.now + shift_ns), scene))

    return make


def delayed(clock: Clock, digest: str) -> Robot:
    """Says truly where it was 60 ms ago: too old to go on with."""
    robot = Reading(clock, digest)

    def before(state: RobotState, scene: Scene) -> tuple[RobotState, Scene]:
        then = clock.now - 60 * MS
        positions = state.positions if robot.plan is None else robot.plan.at(then).positions
        return replace(state, seen_ns=then if robot.plan is not None else clock.now, positions=positions), scene

    robot.said = before
    return robot


def foreseeing(clock: Clock, digest: str) -> Robot:
    def said(state: RobotState, scene: Scene) -> tuple[RobotState, Scene]:
        item = SceneObject("cup", Sphere(0.05), Pose(), clock.now + MS, 0.0, 0.0)
        return state, replace(scene, objects=(item,))

    return Reading(clock, digest, said=said)


def seeing(clock: Clock, digest: str) -> Robot:
    def said(state: RobotState, scene: Scene) -> tuple[RobotState, Scene]:
        cups = tuple(SceneObject(name, Sphere(0.05), Pose(), clock.now, 0.0, 0.0) for name in ("cup", "mug"))
        return state, replace(scene, objects=cups)

    return Reading(clock, digest, said=said)


def test_a_robot_that_sees_what_is_there_conforms() -> None:
    ROBOT_CHECKS["reads_what_it_measured"](trial(seeing))


NAN = np.array([np.nan, 0.2])
BAD: list[tuple[str, Callable[..., Robot], str]] = [
    ("reads_what_it_measured", saying(seen_ns=10_000 * MS), "is stamped"),
    ("reads_what_it_measured", stamped(MS), "is stamped"),
    ("reads_what_it_measured", stamped(-51 * MS), "is stamped"),
    ("reads_what_it_measured", saying(positions=NAN), "measured positions"),
    ("reads_what_it_measured", saying(velocities=NAN), "measured velocities"),
    ("reads_what_it_measured", saying(grippers=np.zeros(2)), "measured grippers"),
    ("reads_what_it_measured", saying(joints=("b", "a")), "the state is of joints"),
    ("reads_what_it_measured", foreseeing, "object 'cup' was seen"),
    ("rests_without_a_permit", Wandering, "was permitted nothing moved: a is"),
    ("follows_its_permit", Deaf, "the permit was not used"),
    ("follows_its_permit", Idle, "into its plan a is"),
    ("follows_its_permit", Late, "into its plan a is"),
    ("follows_its_permit", delayed, "does not let the robot go on"),
    ("takes_over_in_time", Busy, "into its plan a is"),
    ("takes_over_in_time", DeafToMore, "the permit was not used"),
    ("takes_over_in_time", Hasty, "into its plan a is"),
    ("refuses_a_used_permit", Forgiving, "took a permit that was used before"),
    ("refuses_its_permit_again", Replaying, "took a permit that it follows"),
    ("refuses_a_stale_permit", Timeless, "took a permit that has ended"),
    ("refuses_a_permit_that_was_taken_back", Forgiving, "took a permit that was taken back"),
    ("brakes_at_once", Unbraked, "told to brake .* moved: a is"),
    ("brakes_at_once", Leaping, "is off its path"),
    ("brakes_at_rest", Creeping, "at rest moved: a is"),
    ("brakes_at_rest", Dropping, "at rest moved its hands"),
    ("rests_under_bad_policies", Creeping, "had a policy that is bad"),
]


@pytest.mark.parametrize(
    ("name", "kind", "said"), BAD, ids=[f"{name}-{index}" for index, (name, _, _) in enumerate(BAD)]
)
def test_F43_a_bad_robot_is_caught_by_name(name: str, kind: Callable[..., Robot], said: str) -> None:
    with pytest.raises(NotConforming, match=said):
        ROBOT_CHECKS[name](trial(kind))


def test_every_check_catches_some_robot() -> None:
    assert {name for name, _, _ in BAD} == set(ROBOT_CHECKS)


def test_a_frozen_stamp_is_not_measured_anew() -> None:
    found = trial()
    seen = found.clock.now_ns()
    found = replace(found, robot=saying(seen_ns=seen)(found.clock, found.supervisor.rules.profile_digest))

    with pytest.raises(NotConforming, match="not later than"):
        ROBOT_CHECKS["reads_what_it_measured"](found)


def test_a_chunk_that_is_refused_proves_nothing() -> None:
    with pytest.raises(TrialUnusable, match=r"is refused: SPEED|is refused: REACH|is refused: check"):
        trial(answer=lambda asked: steady(asked, 40.0)).permitted()


def test_a_chunk_that_does_not_move_proves_nothing() -> None:
    with pytest.raises(TrialUnusable, match="a robot that rests would pass"):
        trial(answer=lambda asked: steady(asked, 0.0)).permitted()


def test_a_latched_stop_says_why_the_robot_may_not_go_on() -> None:
    found = trial()
    follow = found.robot.follow

    def stopped(permit: Permit) -> None:
        follow(permit)
        plan = found.supervisor.memory.plan
        found.supervisor.stop("somebody pressed it")
        object.__setattr__(found.supervisor, "_memory", replace(found.supervisor.memory, plan=plan))

    found.robot.follow = stopped  # type: ignore[method-assign]

    with pytest.raises(NotConforming, match="somebody pressed it"):
        ROBOT_CHECKS["follows_its_permit"](found)


def test_a_turn_of_one_joint_is_made_for_whoever_has_none() -> None:
    found = trial()
    found = replace(found, answer=turning(found.supervisor.rules, "b", speed=0.45, acceleration=5.0))

    _, plan, state = found.permitted()

    moved = np.abs(plan.positions - state.positions).max(axis=0)
    assert moved[0] == 0.0
    assert moved[1] >= 0.45 * (0.5 - 0.45 / 5.0 / 2.0)
    assert np.abs(np.diff(plan.positions, axis=0)).max() == pytest.approx(0.45 * PERIOD_S)
    assert (plan.grippers == state.grippers).all()


def test_a_turn_of_an_unknown_joint_is_an_error() -> None:
    with pytest.raises(UnusableInput, match="'c' is not on this robot; it has: a, b"):
        turning(trial().supervisor.rules, "c", speed=0.3, acceleration=1.0)


@pytest.mark.parametrize("layout", [SPEEDS, SINCE_LAST])
def test_without_absolute_rows_the_chunks_are_the_integrators_own(layout: Layout) -> None:
    rules = trial().supervisor.rules
    rules = replace(rules, accepts=replace(rules.accepts, layouts=(layout,)))

    with pytest.raises(UnusableInput, match="no layout of absolute joint positions"):
        turning(rules, "a", speed=0.3, acceleration=1.0)


@pytest.mark.parametrize("name", BAD_POLICIES)
def test_F20_nothing_of_a_bad_policy_is_permitted(name: str) -> None:
    bench = Bench(seconds=2.0)
    bench.policy = BAD_POLICIES[name](lambda asked: steady(asked, QUICK), 1_700 * MS)  # type: ignore[assignment]

    if name == "raises":
        with pytest.raises(PolicyBroke):
            bench.run()
    else:
        bench.run()

    assert bench.robot.permits == []
    assert bench.robot.brakes
    assert all(review.permit is None for review in bench.reviews)


@given(st.integers(0, 40), st.floats(0.36, 0.48))
def test_whenever_and_however_fast_a_good_robot_conforms(periods: int, speed: float) -> None:
    found = trial(answer=lambda asked: steady(asked, speed))
    found.clock.sleep_until(found.clock.now_ns() + periods * PERIOD)

    ROBOT_CHECKS["brakes_at_once"](found)
