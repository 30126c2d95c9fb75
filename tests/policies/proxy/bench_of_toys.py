"""A proxy's session before the toy robot: a clock that the test moves, and a client that plays what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import Layout
from interlock.rules import Provocation, RuleSet
from interlock.scene import Scene
from interlock.supervisor import Supervisor
from interlock_policies.proxy.frame import Answer, HoldUnknown, NoAnswer, Proposed, Rows, Session, Timing
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from interlock_policies.proxy.playing import Playing
from tests.supervisor.toy import (
    ABSOLUTE,
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    START,
    Log,
    Physics,
    Reach,
    Speed,
    case,
    chunk,
    profile,
    ramp,
    rule,
    rules,
    state,
)

HORIZON = 25
ROWS = 40
LEAD_NS = 40 * MS
JOINTS = JointsAt(("joints",), ("a", "b"), "rad")
SPEEDS_AT = JointsAt(("speeds",), ("a", "b"), "rad/s")
HAND = HandAt(("hand",), "hand", 0.0, OPEN)
RAW = "7" * 64


NOTHING = Scene("automatic", ())


def judged(*limits: Any, scene: Scene = NOTHING, **changes: Any) -> RuleSet:
    """A rule set of two toy rules, or of those given, with what each must refuse, in a scene."""
    found = rules(*(limits or (rule(Speed(), "slow"), rule(Reach()))), **changes)
    fast = case(chunk(ramp(speed=(0.9, 0.9))), scene=scene)
    beyond = case(chunk(ramp(start=(1.6, 0.0))), state=state((1.6, 0.0)), scene=scene)
    at = {"SPEED": fast, "REACH": beyond}
    return replace(found, provocations=tuple(Provocation(item.id, at[item.id]) for item in found.rules))


class Time:
    """The clock of supervisor and session; sleeping is quick."""

    def __init__(self) -> None:
        self.ns = NOW

    def now_ns(self) -> int:
        return self.ns

    def sleep_until(self, when_ns: int) -> None:
        self.ns = max(self.ns, when_ns)


class Desk:
    """A session, and where its client has brought the robot."""

    def __init__(
        self, layout: Layout = ABSOLUTE, found: RuleSet | None = None, physics: Physics | None = None,
        velocities: JointsAt | None = SPEEDS_AT, lead_ns: int = LEAD_NS, log: Any = None,
    ) -> None:  # fmt: skip
        self.time, self.log, self.physics = Time(), Log(), physics or Physics()
        self.layout, self.lead_ns, self.velocities = layout, lead_ns, velocities
        self.review_ns = 0  # how long a review takes, as the supervisor measures it
        ticks = count()
        self.supervisor = Supervisor(
            found or judged(), self.log if log is None else log, self.physics, now_ns=self.time.now_ns,
            elapsed_ns=lambda: next(ticks) * self.review_ns,
        )  # fmt: skip
        self.playing = Playing(layout, profile(), PERIOD_S, HORIZON)
        self.joints, self.hand = np.array(START), OPEN
        self.session = self.another()

    def another(self, name: str = "s") -> Session:
        """Another client's session."""
        observing = Observing(profile(), JOINTS, (HAND,), self.velocities, ("prompt",))
        return Session(
            name, self.supervisor, self.physics, self.playing, observing, lambda _: Scene("automatic", ()), self.time,
            Timing(self.lead_ns, ROWS),
        )  # fmt: skip

    def seen(self, **changes: Any) -> dict[str, Any]:
        """What the client observes now."""
        return {
            "joints": self.joints.copy(),
            "speeds": np.zeros(2),
            "hand": np.array([self.hand]),
            "prompt": "go on",
            **changes,
        }

    def reply(self, said: Rows | NoAnswer, after_ns: int = 5 * MS, **changes: Any) -> Answer:
        """The answer to a request for which the upstream says this, so much later."""

        try:
            seen = self.session.seen(self.seen(**changes))
        except HoldUnknown as error:
            self.session.unreadable(error.why)
            raise
        self.time.ns += after_ns
        return self.session.answered(seen, (), said if isinstance(said, NoAnswer) else Proposed(said, RAW))

    def play(self, answer: Answer, rows: int = HORIZON) -> FloatArray:
        """Plays so many rows, as a client does; where the joints were after each, (rows, n)."""
        began, places = self.joints.copy(), list[FloatArray]()
        for row in answer.rows[:rows].astype(np.float64):
            self.joints = STEPS[self.layout.name](self.joints, began, row[:2])
            self.hand = float(row[2])
            self.time.ns += PERIOD
            places.append(self.joints)
        return np.array(places)

    def bodies(self, kind: str = "review") -> list[Mapping[str, Any]]:
        """What was put on record."""
        return [body for name, body, _ in self.log.records if name == kind]


STEPS: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "absolute": lambda _here, _began, row: row,
    "since_seen": lambda _here, began, row: began + row,
    "since_last": lambda here, _began, row: here + row,
    "speeds": lambda here, _began, row: here + row * PERIOD_S,
}


def smooth(desk: Desk, reach: tuple[float, float] = (0.1, -0.05), rows: int = ROWS, dtype: Any = np.float64) -> Rows:
    """Rows in the desk's layout that leave where the robot is gently, and go on: (rows, 3)."""
    share = (np.arange(1, rows + 1) / rows)[:, None] ** 2
    places = np.vstack([desk.joints[None], desk.joints + share * np.array(reach)])
    said = {
        "absolute": places[1:],
        "since_seen": places[1:] - places[0],
        "since_last": np.diff(places, axis=0),
        "speeds": np.diff(places, axis=0) / PERIOD_S,
    }[desk.layout.name]
    found: Rows = np.column_stack([said, np.full(rows, desk.hand)]).astype(dtype)
    return found
