"""How long one step of the gate takes, as a share of a controller's period of 1 ms: permitted plans of a Panda, a
millisecond at a time.

`make bench` writes bench/gating.json: {"steps", "median_us", "p99_us", "median_share", "p99_share"}; the last line
printed is the same.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, TypedDict

import numpy as np

from bench.courses import courses, world_of
from interlock import BulletPhysics, Supervisor
from interlock.case import Case
from interlock.chunk import Malformed
from interlock.log import Log
from interlock.robots import Gate
from interlock.rules import RuleSet
from interlock.scene import RobotState
from interlock.self_test import SelfTest
from interlock_audit_logs import open_log
from interlock_rules import load

RESULTS: Final = Path(__file__).with_name("gating.json")
RULES: Final = "panda-tabletop"
PLANS: Final = 10
PERIOD_NS: Final = 1_000_000


class Gating(TypedDict):
    """What is written: times of a step [us], and what share of the controller's period they are."""

    steps: int
    median_us: float
    p99_us: float
    median_share: float
    p99_share: float


def timed(rules: RuleSet, case: Case, log: Log, proof: tuple[BulletPhysics, SelfTest]) -> list[int]:
    """Nanoseconds of each step along the plan that a case comes to. Raises ValueError where that is refused, and where
    a step is.
    """
    now = case.now_ns
    supervisor = Supervisor(rules, log, proof[0], now_ns=lambda: now, elapsed_ns=lambda: 0, self_test=proof[1])
    gate = Gate(supervisor, case.state, now_ns=lambda: now)
    review = supervisor.review(case.chunk or Malformed("no chunk", ""), case.state, case.scene)
    plan = supervisor.memory.plan
    if review.permit is None or plan is None:
        raise ValueError(f"a free course is refused: {review.decision.verdict.violated}")
    gate.follow(review.permit)
    joints, still = case.state.joints, np.zeros(len(case.state.joints))
    found = list[int]()
    while now < plan.end_ns:
        told = plan.at(now)
        state = RobotState(now, joints, told.positions, still, told.grippers)
        now += PERIOD_NS
        wanted = plan.at(now)
        row = np.concatenate([wanted.positions, wanted.grippers])
        began = time.perf_counter_ns()
        sent = gate.step(row, state)
        found.append(time.perf_counter_ns() - began)
        if not sent.passed:
            raise ValueError(f"a step is refused: {sent.why}")
    return found


def measured(plans: int) -> Gating:
    """The figures of so many plans."""
    rules = load(RULES)
    physics = BulletPhysics(rules.profile, rules.cell)
    proof = physics, SelfTest(rules, physics)
    cases = [course.case for course in courses(rules, world_of(rules), plans, 1)["free"]]
    found = list[int]()
    with tempfile.TemporaryDirectory() as folder, open_log(folder) as log:
        gc.collect()
        for case in cases:
            found += timed(rules, case, log, proof)
    median, slow = (float(value) for value in np.quantile(np.array(found) / 1e3, [0.5, 0.99]))
    return {
        "steps": len(found),
        "median_us": round(median, 1),
        "p99_us": round(slow, 1),
        "median_share": round(median * 1e3 / PERIOD_NS, 3),
        "p99_share": round(slow * 1e3 / PERIOD_NS, 3),
    }


def main(plans: int = PLANS, write: Path = RESULTS) -> int:
    """The command; its exit code."""
    figures = measured(plans)
    write.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
