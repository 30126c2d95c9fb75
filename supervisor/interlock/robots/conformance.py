"""What every robot behind the port must do, as checks that any test runner can call: each takes a fresh trial, returns
where the robot does it, and raises NotConforming with what was found where it does not.

    @pytest.mark.parametrize("name", ROBOT_CHECKS)
    def test_my_robot_conforms(name: str) -> None:
        ROBOT_CHECKS[name](my_trial())

They move the robot: let nobody be near it. A robot is watched for WATCHED row periods after each check, and no longer;
of another robot's permit they say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Malformed, Stamps
from interlock.errors import InterlockError, PermitRefused, UnusableInput
from interlock.measured import unusable
from interlock.motion import Plan
from interlock.permit import Permit
from interlock.rules import RuleSet
from interlock.scene import RobotState
from interlock.stopping import Stop
from interlock.supervisor import Supervisor

from .bad_policies import BAD_POLICIES, Answer, PolicyBroke
from .loop import LEAD_NS, run
from .port import Asked, Clock, Policy, Robot

WATCHED: Final = 10  # row periods for which a robot that must not move is watched
STILL: Final = 0.1  # of a gripper's travel, by which a hand that nobody told anything may be measured elsewhere
BEHIND: Final = 4  # row periods by which a robot may come to rest later than its plan or its stop says
SEEN_PER_PERIOD: Final = 8  # places of a plan between two rows, to say whether a robot is on its path


class NotConforming(InterlockError):
    """A robot or a policy does not do what its port demands; the message says what was found and expected."""


class TrialUnusable(InterlockError):
    """What was handed in does not allow a check: the chunk is refused, or does not move."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A robot at rest, its supervisor and its clock. `answer` makes a chunk for a question, from the reference on: one
    that the rules permit, also a second one in a row, and that moves the robot, at some row, by more than three times
    its tracking error.
    """

    robot: Robot
    supervisor: Supervisor
    clock: Clock
    answer: Answer

    @property
    def period_ns(self) -> int:
        """One row period [ns]."""
        return round(self.supervisor.rules.accepts.period_s * 1e9)

    @property
    def tracking(self) -> FloatArray:
        """How far [rad] each joint may be from where it was told to be (n,)."""
        return np.array([joint.tracking for joint in self.supervisor.rules.profile.joints])

    def asked(self, sequence: int = 0) -> Asked:
        """A question for now; raises NotConforming where the robot cannot be read."""
        state, scene = self.robot.read()
        _usable(state, self)
        now = self.clock.now_ns()
        first = now + LEAD_NS
        return Asked(now, state, scene, first, self.supervisor.reference(state, first), sequence)

    def permitted(self, sequence: int = 0) -> tuple[Permit, Plan, RobotState]:
        """A permit for what `answer` makes, its plan, and where the robot was. Raises TrialUnusable."""
        asked = self.asked(sequence)
        review = self.supervisor.review(self.answer(asked), asked.state, asked.scene)
        plan = self.supervisor.memory.plan
        if review.permit is None or plan is None:
            said = "; ".join(str(finding) for finding in review.decision.verdict.violated)
            raise TrialUnusable(f"the chunk that was handed in is refused: {said}")
        start = plan.at(plan.rows_start_ns).positions
        if not bool((np.abs(plan.positions[plan.times_ns >= plan.rows_start_ns] - start) > 3.0 * self.tracking).any()):
            raise TrialUnusable(
                "the chunk moves no joint by more than three times its tracking error: a robot that rests would pass"
            )
        return review.permit, plan, asked.state


def turning(rules: RuleSet, joint: str, *, speed: float, acceleration: float) -> Answer:
    """Answers that turn one joint from where it is, at rest: up to `speed` [rad/s] by `acceleration` [rad/s^2], then
    evenly, in all rows; hands are told nothing. Raises UnusableInput for a joint that the robot has not, or a rule set
    that accepts no layout of absolute joint positions.
    """
    accepts, names = rules.accepts, rules.profile.joint_names
    hands = {gripper.name for gripper in rules.profile.grippers}
    for layout in accepts.layouts:
        columns = [channel.name for channel in layout.channels if channel.name not in hands]
        kinds = {(channel.quantity, channel.reference) for channel in layout.channels if channel.name not in hands}
        if sorted(columns) == sorted(names) and kinds == {("joint_position", "absolute")}:
            break
    else:
        raise UnusableInput(f"{rules.name} accepts no layout of absolute joint positions; make the chunks yourself")
    if joint not in names:
        raise UnusableInput(f"joint {joint!r} is not on this robot; it has: {', '.join(names)}")

    def answer(asked: Asked) -> ActionChunk:
        since_s = np.arange(1, accepts.rows_max + 1) * accepts.period_s
        quicker_s = np.minimum(since_s, speed / acceleration)
        values = np.zeros((accepts.rows_max, len(layout.channels)))
        for column, channel in enumerate(layout.channels):
            if channel.name in names:
                values[:, column] = asked.reference.positions[names.index(channel.name)]
            if channel.name == joint:
                values[:, column] += acceleration * quicker_s * (since_s - quicker_s / 2.0)
        commanded = np.array([channel.name in names for channel in layout.channels])
        lasts_ns = round(accepts.rows_max * accepts.period_s * 1e9)
        return ActionChunk(
            id=f"turning-{asked.request_ns}",
            session="turning",
            sequence=asked.sequence,
            layout=layout.digest,
            profile=rules.profile_digest,
            values=values,
            mask=np.tile(commanded, (accepts.rows_max, 1)),
            period_s=accepts.period_s,
            horizon=accepts.execute,
            stamps=Stamps(
                asked.state.seen_ns, asked.request_ns, asked.request_ns, asked.first_row_ns,
                asked.first_row_ns + lasts_ns,
            ),
            normalisation=accepts.undone,
        )  # fmt: skip

    return answer


def reads_what_it_measured(trial: Trial) -> None:
    """Each state is whole, finite, of this robot, and stamped with when it was measured; objects too."""
    before = trial.clock.now_ns()
    state, scene = trial.robot.read()
    after = trial.clock.now_ns()
    _usable(state, trial)
    oldest = before - round(trial.supervisor.rules.freshness.state_s * 1e9)
    if not oldest <= state.seen_ns <= after:
        raise NotConforming(f"a state is stamped {(after - state.seen_ns) / 1e6:.3f} ms ago on the supervisor's clock")
    for item in scene.objects or ():
        if not item.seen_ns <= after:
            raise NotConforming(f"object {item.name!r} was seen {(item.seen_ns - after) / 1e6:.3f} ms from now")
    trial.clock.sleep_until(after + trial.period_ns)
    later = trial.robot.read()[0]
    if not later.seen_ns > state.seen_ns:
        raise NotConforming(f"a row period later a state is stamped {later.seen_ns}, not later than {state.seen_ns}")


def rests_without_a_permit(trial: Trial) -> None:
    """A robot that was permitted nothing stays where it is, whatever was refused."""
    asked = trial.asked()
    trial.supervisor.review(Malformed("nothing", "0"), asked.state, asked.scene)
    _stays(trial, asked.state, "was permitted nothing")


def follows_its_permit(trial: Trial) -> None:
    """A permit is used, and its plan driven at the plan's own times, to its end."""
    permit, plan, _ = trial.permitted()
    _follows(trial, permit, plan)


def takes_over_in_time(trial: Trial) -> None:
    """A permit that comes while a plan runs replaces it at its own time; until then what is left of that is driven."""
    permit, plan, _ = trial.permitted()
    trial.robot.follow(permit)
    trial.clock.sleep_until(plan.end_ns - LEAD_NS)  # so that the next rows are due where the robot comes to rest
    later, longer, _ = trial.permitted(sequence=1)
    _follows(trial, later, longer)


def refuses_a_used_permit(trial: Trial) -> None:
    """A permit that somebody used is good for nothing, also where the robot itself used it."""
    permit, plan, state = trial.permitted()
    permit.use(trial.supervisor.rules.profile_digest, trial.clock.now_ns())
    _refused(trial, permit, "that was used before")
    _stays(trial, state, "was handed a used permit", until_ns=plan.end_ns)


def refuses_its_permit_again(trial: Trial) -> None:
    """A permit that was followed is not followed again: the plan runs once."""
    permit, plan, _ = trial.permitted()
    trial.robot.follow(permit)
    _refused(trial, permit, "that it follows")
    trial.clock.sleep_until(plan.end_ns + BEHIND * trial.period_ns)
    _refused(trial, permit, "that it has followed")
    _stays(trial, _read(trial), "has followed its permit")


def refuses_a_stale_permit(trial: Trial) -> None:
    """A permit whose rows have begun without it is not followed."""
    permit, _, state = trial.permitted()
    trial.clock.sleep_until(permit.valid_until_ns + trial.period_ns)
    _refused(trial, permit, "that has ended")
    _stays(trial, state, "was handed a stale permit")


def refuses_a_permit_that_was_taken_back(trial: Trial) -> None:
    """What was permitted before a brake is not followed after it."""
    permit, plan, state = trial.permitted()
    trial.supervisor.braked()
    _refused(trial, permit, "that was taken back")
    _stays(trial, state, "was handed a permit that was taken back", until_ns=plan.end_ns)


def brakes_at_once(trial: Trial) -> None:
    """Told to brake, the robot comes to rest on its path, when the stop that was judged does, and stays there."""
    permit, plan, _ = trial.permitted()
    trial.robot.follow(permit)
    trial.clock.sleep_until((plan.rows_start_ns + plan.rows_end_ns) // 2)
    began = trial.clock.now_ns()
    trial.robot.brake()
    trial.supervisor.braked()
    rest_ns = Stop(plan, began).end_ns + BEHIND * trial.period_ns
    path = _places(plan, began - trial.period_ns, trial.period_ns)
    while trial.clock.now_ns() < rest_ns:
        trial.clock.sleep_until(trial.clock.now_ns() + trial.period_ns)
        off = (np.abs(path - _read(trial).positions) - trial.tracking).max(axis=1)
        if not bool((off <= 0.0).any()):
            since_ms = (trial.clock.now_ns() - began) / 1e6
            raise NotConforming(
                f"{since_ms:.0f} ms after it was told to brake the robot is off its path, by {off.min():.4f} rad more "
                "than its tracking error"
            )
    _stays(trial, _read(trial), f"was told to brake {(rest_ns - began) / 1e6:.0f} ms ago", until_ns=plan.end_ns)


def brakes_at_rest(trial: Trial) -> None:
    """A brake at rest, and another one, move nothing and raise nothing."""
    state = _read(trial)
    trial.robot.brake()
    trial.robot.brake()
    _stays(trial, state, "was told to brake at rest")


def rests_under_bad_policies(trial: Trial) -> None:
    """In the loop with each of BAD_POLICIES the robot stays where it is."""
    state = _read(trial)
    past_ns = LEAD_NS + trial.supervisor.rules.accepts.rows_max * trial.period_ns
    for name, bad in BAD_POLICIES.items():
        with suppress(PolicyBroke):
            _run(trial, bad(trial.answer, past_ns), past_ns)
        _stays(trial, state, f"had a policy that is bad: {name}")
        if trial.supervisor.memory.state == "stopped":
            trial.supervisor.reset("the conformance suite", f"the policy was bad on purpose: {name}")


ROBOT_CHECKS: Final[Mapping[str, Callable[[Trial], None]]] = MappingProxyType({
    check.__name__: check
    for check in (
        reads_what_it_measured, rests_without_a_permit, follows_its_permit, takes_over_in_time, refuses_a_used_permit,
        refuses_its_permit_again, refuses_a_stale_permit, refuses_a_permit_that_was_taken_back, brakes_at_once,
        brakes_at_rest, rests_under_bad_policies,
    )
})  # fmt: skip
"""Every check, by name; each needs a fresh trial."""


def _usable(state: RobotState, trial: Trial) -> None:
    """Raises NotConforming unless a state is of this robot, and finite, speeds too: a chunk is refused without them."""
    fault = unusable(state, trial.supervisor.rules.profile, speeds=True)
    if fault:
        raise NotConforming(fault)


def _read(trial: Trial) -> RobotState:
    state = trial.robot.read()[0]
    _usable(state, trial)
    return state


def _follows(trial: Trial, permit: Permit, plan: Plan) -> None:
    """Raises NotConforming unless the robot uses a permit, and is on its plan until it has ended."""
    trial.robot.follow(permit)
    if not _used(permit, trial):
        raise NotConforming("follow returned, and the permit was not used: what the robot does was not permitted")
    while trial.clock.now_ns() < plan.end_ns + trial.period_ns:
        trial.clock.sleep_until(trial.clock.now_ns() + trial.period_ns)
        state, scene = trial.robot.read()
        _usable(state, trial)
        off = np.abs(state.positions - plan.at(state.seen_ns).positions)
        if not bool((off <= trial.tracking).all()):
            since = (state.seen_ns - int(plan.times_ns[0])) / 1e9
            raise NotConforming(f"{since:.3f} s into its plan {_worst(off, trial)}")
        if not trial.supervisor.tick(state, scene):
            raise NotConforming(f"the supervisor does not let the robot go on: {_last_word(trial)}")


def _used(permit: Permit, trial: Trial) -> bool:
    try:
        permit.use(trial.supervisor.rules.profile_digest, trial.clock.now_ns())
    except PermitRefused:
        return True
    return False


def _run(trial: Trial, policy: Policy, past_ns: int) -> None:
    until = trial.clock.now_ns() + past_ns + WATCHED * trial.period_ns

    def done() -> bool:
        return trial.clock.now_ns() >= until

    run(trial.supervisor, policy, trial.robot, trial.clock, done=done)


def _refused(trial: Trial, permit: Permit, which: str) -> None:
    try:
        trial.robot.follow(permit)
    except PermitRefused:
        return
    raise NotConforming(f"the robot took a permit {which}, and did not raise PermitRefused")


def _stays(trial: Trial, state: RobotState, why: str, until_ns: int = 0) -> None:
    """Raises NotConforming where the robot leaves where it was, for WATCHED row periods, and until a moment."""
    until = max(until_ns, trial.clock.now_ns() + WATCHED * trial.period_ns)
    while trial.clock.now_ns() < until:
        trial.clock.sleep_until(trial.clock.now_ns() + trial.period_ns)
        found = _read(trial)
        off = np.abs(found.positions - state.positions)
        if not bool((off <= trial.tracking).all()):
            raise NotConforming(f"a robot that {why} moved: {_worst(off, trial)}")
        travels = [abs(hand.open - hand.closed) for hand in trial.supervisor.rules.profile.grippers]
        if not bool((np.abs(found.grippers - state.grippers) <= STILL * np.array(travels)).all()):
            raise NotConforming(f"a robot that {why} moved its hands: from {state.grippers} to {found.grippers}")


def _worst(off: FloatArray, trial: Trial) -> str:
    joint = int(np.argmax(off - trial.tracking))
    name, most = trial.supervisor.rules.profile.joint_names[joint], trial.tracking[joint]
    return f"{name} is {off[joint]:.4f} rad from where it must be; its tracking error is at most {most:g}"


def _places(plan: Plan, since_ns: int, period_ns: int) -> FloatArray:
    """Where a plan passes from a moment to its end (S, n)."""
    moments = range(since_ns, plan.end_ns + period_ns, max(1, period_ns // SEEN_PER_PERIOD))
    return np.array([plan.at(moment).positions for moment in moments])


def _last_word(trial: Trial) -> str:
    return trial.supervisor.memory.latch or "a recheck of its plan fails; see the record"
