"""The supervisor: reviews chunks, watches the committed plan, keeps the record, and is the only maker of permits.

Fail closed: whatever raises here ends in a brake by whoever drives the robot, never in a permit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from .bullet_physics import BulletPhysics
from .case import Case, Memory
from .chunk import ActionChunk, Malformed
from .decide import decide, late, unrecorded
from .errors import LogDegraded
from .jsonform import digest, to_json
from .judge import judge_plan, judge_standing
from .log import Entry, Log, Ticket
from .lower import reference_at
from .motion import Plan, Reference
from .permit import SUPERVISOR_KEY, Brakes, Permit
from .physics import Physics
from .record import Body, recheck_body, review_body
from .rules import RECHECK_NS, RuleSet
from .scene import RobotState, Scene
from .self_test import SelfTest
from .verdict import Decision, Verdict

WRITTEN_S: Final = 0.1  # how long motion waits for its record; later means a degraded log, and no motion
DURABLE_S: Final = 5.0  # how long the next permit waits for the last refusal to be durable

NowNs: TypeAlias = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Review:
    """What became of one chunk: the decision, the entry of its record (None for a stop, which waits for nothing; its
    record follows, see `ticket`), and a permit if the robot may move. Without a permit the committed plan runs to its
    brake, or the decision says stop: brake now.
    """

    decision: Decision
    entry: Entry | None
    permit: Permit | None
    ticket: Ticket | None


class Supervisor:
    """One robot, one rule set, one log. Calls from several threads wait for each other; a brake or a stop takes back
    every permit that was not used yet, also that of a review that is under way.

    physics: PyBullet, for the robot and cell of the rules, unless another is handed in. now_ns: the monotonic clock of
    all stamps. elapsed_ns: measures how long a decision took; a simulation hands in one that stands still. Raises
    SelfTestFailed when a provocation is not refused (F-44); who makes several supervisors of one rule set and one
    physics can hand them the self-test of these.
    """

    def __init__(
        self,
        rules: RuleSet,
        log: Log,
        physics: Physics | None = None,
        *,
        now_ns: NowNs = time.monotonic_ns,
        elapsed_ns: NowNs = time.monotonic_ns,
        self_test: SelfTest | None = None,
    ) -> None:
        self._rules, self._log = rules, log
        self._physics = BulletPhysics(rules.profile, rules.cell) if physics is None else physics
        self._now_ns, self._elapsed_ns = now_ns, elapsed_ns
        self._memory = Memory()
        self._turn = threading.RLock()
        self._brakes = Brakes()
        self._refusal: Ticket | None = None
        self._judged: tuple[str, int] | None = None  # the situation, and when the committed plan was last judged
        proof = SelfTest(rules, self._physics) if self_test is None else self_test
        log.append("self_test", proof.body(), blobs={}, urgent=True).durable(DURABLE_S)
        proof.require(rules, self._physics)

    @property
    def memory(self) -> Memory:
        """What is remembered between reviews."""
        return self._memory

    @property
    def rules(self) -> RuleSet:
        """The rule set in force."""
        return self._rules

    def review(self, chunk: ActionChunk | Malformed, state: RobotState, scene: Scene) -> Review:
        """Decides on a chunk. On return the decision is on record; only then is there a permit, and only if it allows
        one.
        """
        with self._turn:
            return self._review(chunk, state, scene)

    def _review(self, chunk: ActionChunk | Malformed, state: RobotState, scene: Scene) -> Review:
        now = self._now_ns()
        began = self._elapsed_ns()
        case = Case(now, chunk, state, scene, self._memory, self._rules)
        try:
            decision = decide(case, self._physics)
        except Exception as error:
            why = f"a review failed: {type(error).__name__}: {error}"
            self._note("review_failed", Body({"why": why.encode("utf-8", "replace").decode("utf-8")}))
            raise
        allowed = _time_left(decision, now)
        elapsed = self._elapsed_ns() - began
        decision = late(case, decision, elapsed, allowed)
        try:
            ticket, entry = self._record(review_body(case, decision, elapsed, allowed), decision)
        except LogDegraded as error:
            decision = unrecorded(decision, str(error))
            self._memory = self._memory.after(case, decision)
            self._note("supervisor_stop", Body({"why": self._memory.latch}))
            return Review(decision, None, None, None)
        self._memory = self._memory.after(case, decision)
        if decision.permitted:
            self._judged = (_situation(case), now)
        return Review(decision, entry, self._permit(decision, entry), ticket)

    def tick(self, state: RobotState, scene: Scene) -> bool:
        """Whether the robot may go on with its committed plan; False means: brake now. Called once a row period."""
        with self._turn:
            return self._tick(state, scene)

    def _tick(self, state: RobotState, scene: Scene) -> bool:
        plan = self._memory.plan
        now = self._now_ns()
        if plan is None or now >= plan.end_ns:
            return True
        case = Case(now, None, state, scene, self._memory, self._rules)
        verdict = self._standing(case, plan)
        if verdict is None or verdict.allowed:
            return True
        if verdict.reaction == "stop" and self._memory.state != "stopped":
            self._memory = replace(self._memory, state="stopped", latch=verdict.violated[0].message)
        self.braked()
        self._note("recheck", recheck_body(case, verdict))
        return False

    def braked(self) -> None:
        """Forgets the committed plan: the robot is braking, and what comes next starts from where it comes to rest."""
        with self._brakes.one(), self._turn:
            state = self._memory.state if self._memory.state == "stopped" else "holding"
            self._memory = replace(self._memory, state=state, plan=None)

    def departed(self, why: str) -> None:
        """What was to be sent to the robot, or came from it, is not as permitted: forgets the plan like `braked`, and
        puts it on record. Never waits: where a review is under way, that follows it, and its permit is taken back.
        """
        brake = ExitStack()
        brake.enter_context(self._brakes.one())

        def forget() -> None:
            with brake, self._turn:
                state = self._memory.state if self._memory.state == "stopped" else "holding"
                self._memory = replace(self._memory, state=state, plan=None)
                self._note("departed", Body({"why": why}))

        if self._turn.acquire(blocking=False):
            try:
                forget()
            finally:
                self._turn.release()
        else:
            threading.Thread(target=forget, name="interlock-departed").start()

    def stop(self, why: str) -> None:
        """Latches a supervisor stop, and puts it on record; the caller brakes the robot first."""
        with self._brakes.one(), self._turn:
            self._memory = replace(self._memory, state="stopped", latch=why, plan=None)
            self._note("supervisor_stop", Body({"why": why}))

    def reset(self, name: str, why: str) -> None:
        """Ends a latched stop on a named person's word; raises ValueError without a name, a reason, or a stop."""
        with self._turn:
            if self._memory.state != "stopped":
                raise ValueError("there is no stop to reset; a robot that moves keeps its committed plan")
            if not name.strip() or not why.strip():
                raise ValueError("a reset needs the name of the person who takes it on, and a reason")
            self._log.append("reset", {"name": name, "why": why}, blobs={}, urgent=True).durable(DURABLE_S)
            self._memory = replace(
                self._memory, state="ready", latch="", vetoes=0, comfortable=0, plan=None, escape_since_ns=None
            )

    def reference(self, state: RobotState, when_ns: int) -> Reference:
        """The commanded position and velocity at a moment, from which the next chunk must start."""
        return reference_at(self._memory, state, when_ns, self._now_ns())

    def _standing(self, case: Case, plan: Plan) -> Verdict | None:
        """None while the earlier verdict stands: same situation, tracking and freshness within their limits."""
        quick = judge_standing(case)
        if not quick.allowed:
            return quick
        situation = _situation(case)
        due = self._judged is None or case.now_ns - self._judged[1] >= RECHECK_NS
        same = self._judged is not None and self._judged[0] == situation
        if same or not due:
            return None
        self._judged = (situation, case.now_ns)
        return judge_plan(case, plan, self._physics).verdict

    def _record(self, body: Body, decision: Decision) -> tuple[Ticket, Entry | None]:
        """Appends a review. A permit waits until its record is written and the last refusal is durable; a stop waits
        for nothing.

        Raises LogDegraded.
        """
        ticket = self._log.append("review", body.body, blobs=body.blobs, urgent=not decision.permitted)
        if decision.reaction == "stop":
            self._refusal = ticket
            return ticket, None
        if decision.permitted and self._refusal is not None:
            self._refusal.durable(DURABLE_S)
        self._refusal = None if decision.permitted else ticket
        return ticket, ticket.written(WRITTEN_S)

    def _note(self, kind: str, body: Body) -> None:
        """Records why the robot brakes. That waits for nothing, not even a log that can take no more: without one there
        is no permit either.
        """
        try:
            self._refusal = self._log.append(kind, body.body, blobs=body.blobs, urgent=True)
        except LogDegraded as error:
            if self._memory.state != "stopped":
                self._memory = replace(self._memory, state="stopped", latch=f"no record, no motion: {error}")

    def _permit(self, decision: Decision, entry: Entry | None) -> Permit | None:
        if decision.plan is None or entry is None:
            return None
        return Permit(
            SUPERVISOR_KEY, decision.plan, brakes=self._brakes, entry=entry, robot=self._rules.profile_digest,
            start_row=decision.start_row, rows=decision.rows, valid_until_ns=decision.plan.rows_start_ns,
        )  # fmt: skip


def _situation(case: Case) -> str:
    """What the committed plan was judged in: the same as long as nothing around the robot or in its hand has changed,
    and no gripper has moved by a twentieth of its travel.
    """
    travels = [gripper.open - gripper.closed for gripper in case.rules.profile.grippers]
    shares = [round(20.0 * value / travel) for value, travel in zip(case.state.grippers.tolist(), travels, strict=True)]
    return digest([case.scene.things, to_json(case.state.held), shares])


def _time_left(decision: Decision, now_ns: int) -> int:
    """Nanoseconds until the first permitted row is due; 0 for a refusal, which is never late."""
    return max(0, decision.plan.rows_start_ns - now_ns) if decision.plan is not None else 0
