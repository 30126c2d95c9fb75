"""The closed loop between a policy and a robot: read, ask, review, follow or brake, once a row period."""

from __future__ import annotations

from collections.abc import Callable

from interlock.scene import RobotState, Scene
from interlock.supervisor import Review, Supervisor

from .port import Asked, Clock, Policy, Robot

LEAD_NS = 340_000_000  # how long before it is needed a chunk is asked for: 300 ms of latency, and two periods


def _ignore(_review: Review) -> None:
    """What is called with each review where the caller asks for nothing."""


def run(
    supervisor: Supervisor, policy: Policy, robot: Robot, clock: Clock, *, done: Callable[[], bool],
    on_review: Callable[[Review], None] = _ignore, lead_ns: int = LEAD_NS,
) -> None:  # fmt: skip
    """Runs until `done()` or a latched stop; then, and on any exception, the robot brakes.

    Each period: what the policy answered is reviewed, the committed plan is watched, and the next chunk is asked for
    early enough for the policy's latency. Exceptions are raised again after the brake.
    """
    period_ns = round(supervisor.rules.accepts.period_s * 1e9)
    waiting = False
    asked = 0
    try:
        while not done() and supervisor.memory.state != "stopped":
            began_ns = clock.now_ns()
            state, scene = robot.read()
            now = clock.now_ns()  # nothing was seen after it
            answer = policy.answer(now)
            if answer is not None:
                waiting = False
                review = supervisor.review(answer, state, scene)
                if review.decision.reaction == "stop":
                    robot.brake()
                elif review.permit is not None:
                    robot.follow(review.permit)
                on_review(review)
                if review.decision.reaction == "stop":
                    break
            if not supervisor.tick(state, scene):
                robot.brake()
            first_row = None if waiting else next_first_row(supervisor, now, lead_ns)
            if first_row is not None:
                policy.ask(_question(supervisor, state, scene, now, first_row, asked))
                waiting, asked = True, asked + 1
            clock.sleep_until(began_ns + period_ns)
    finally:
        robot.brake()
        supervisor.braked()


def next_first_row(supervisor: Supervisor, now_ns: int, lead_ns: int) -> int | None:
    """When row 0 of the next chunk is due [ns], if it is time to ask for it: where the rows of the committed plan end,
    or at rest behind its brake where that is too soon.
    """
    plan = supervisor.memory.plan
    if plan is None or now_ns >= plan.end_ns:
        return now_ns + lead_ns
    if now_ns + lead_ns < plan.rows_end_ns:
        return None
    fits = supervisor.memory.vetoes == 0 and now_ns + lead_ns - plan.rows_end_ns < lead_ns // 8
    return plan.rows_end_ns if fits else max(now_ns + lead_ns, plan.end_ns)


def _question(
    supervisor: Supervisor, state: RobotState, scene: Scene, now_ns: int, first_row_ns: int, sequence: int
) -> Asked:
    return Asked(now_ns, state, scene, first_row_ns, supervisor.reference(state, first_row_ns), sequence)
