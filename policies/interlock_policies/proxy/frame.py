"""One client's session: an observation and an upstream's rows in; rows that were judged, or that hold, and what was
decided out.

No network, no clock and no threads of its own: whoever listens hands in what was observed, and then what the upstream
said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np

from interlock.arrays import FloatArray, floats
from interlock.case import Case
from interlock.chunk import ActionChunk, Malformed, Model, Normalisation, Stamps, all_commanded
from interlock.errors import InterlockError, PermitRefused, UnusableInput
from interlock.lower import joint_limits
from interlock.measured import astray
from interlock.physics import Physics
from interlock.robots import Clock
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene
from interlock.supervisor import Review, Supervisor
from interlock.verdict import Decision

from .observing import Observed, Observing, Unreadable
from .playing import Playing
from .room import rows_with_room

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Failure: TypeAlias = Literal[
    "upstream cannot be reached", "upstream did not answer in time", "upstream reported an error",
    "upstream closed the connection", "upstream's answer cannot be read",
    "upstream's answer has no rows of the right shape",
]  # fmt: skip
Told: TypeAlias = Literal["permit", "slow", "truncate", "veto", "stop"]

HELD: Final = "the observation cannot be used, so nobody knows where to hold"
ELSEWHERE: Final = "the robot is not where it was told to rest; nobody knows where to hold until that is seen twice"
LATCHED: Final = "stopped, until a named person resets; see the record"
HAND: Final = 0.05  # of a gripper's travel, by which it may be measured beyond its ends
LONGEST: Final = 300  # characters of a reason that a client is told
LONGEST_NOTED: Final = 1000  # characters of a reason on record


class NoAnswer(InterlockError):
    """The upstream gave no rows. `failure` is all that a client is told; `detail` goes on record."""

    def __init__(self, failure: Failure, detail: str = "", raw_digest: str = "") -> None:
        super().__init__(f"{failure}: {detail}" if detail else failure)
        self.failure: Failure = failure
        self.raw_digest = raw_digest


class HoldUnknown(InterlockError):
    """Where the robot is cannot be read from what was observed: there are no rows to send. `why` is for the record."""

    def __init__(self, said: str, why: str) -> None:
        super().__init__(said)
        self.why = f"the observation cannot be used: {why}"


@dataclass(frozen=True, slots=True, eq=False)
class Proposed:
    """What the upstream said: rows as they came, shape (T, C), and the digest of its message. `beside`: what goes with
    them to the client; `dropped`: names of what does not.
    """

    values: Rows
    raw_digest: str
    beside: Mapping[str, object] = field(default_factory=dict[str, object])
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the client is sent: rows (T, C) that end at rest, `about` what was decided, and what goes beside them."""

    rows: Rows
    about: Mapping[str, object]
    beside: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Timing:
    """How long before its first row is due a chunk is reviewed [ns]: the review and the reply's way to the robot; and
    how many rows a reply has where the upstream gave none.
    """

    lead_ns: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Where the robot was last told to rest."""

    positions: FloatArray
    grippers: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A request: when it came, the robot's state and the scene then, the instruction and images, and where to hold."""

    arrived_ns: int
    observed: Observed
    state: RobotState
    scene: Scene
    hold: _Told


class Session:
    """One client, one upstream, one supervisor, which nobody else asks meanwhile. `physics` is the supervisor's own. A
    request is `seen`, then the upstream is asked, then the request is `answered`; no two of these at the same time.

    scene: the scene as of a moment [ns]. Raises UnusableInput for what can never work: rows that the rule set does not
    accept, velocities that are neither measured nor told, a lead that outlives the state.
    """

    def __init__(
        self, name: str, supervisor: Supervisor, physics: Physics, playing: Playing, observing: Observing,
        scene: Callable[[int], Scene], clock: Clock, timing: Timing,
    ) -> None:  # fmt: skip
        check(supervisor.rules, playing, observing, timing)
        self._name, self._supervisor, self._physics = name, supervisor, physics
        self._playing, self._observing, self._scene = playing, observing, scene
        self._clock, self._timing = clock, timing
        self._period_ns = round(playing.period_s * 1e9)
        self._profile = supervisor.rules.profile
        a_row = joint_limits(self._profile, "velocity") * playing.period_s
        # How far [rad] each joint may be from where it was told to rest (n,): its tracking error, and no less than it
        # may go in one row.
        self._step = np.maximum(a_row, joint_limits(self._profile, "tracking"))
        self._told: _Told | None = None
        self._doubted: FloatArray | None = None  # where the robot was seen once, far from where it was told to rest
        self.hand: FloatArray | None = None
        """What the grippers were last told (g,), also by the session before; None: nothing yet."""
        self._hand_before: FloatArray | None = None  # the reply before the last
        self._sequence = 0
        self._dtype: np.dtype[np.floating[Any]] = np.dtype(np.float32)

    def seen(self, observation: Mapping[str, object]) -> Seen:
        """What a request says, before the upstream is asked. Waits for nothing. Raises HoldUnknown: whoever listens
        puts that on record as `unreadable`, and does not ask the upstream.
        """
        arrived = self._clock.now_ns()
        try:
            found = self._observing.read(observation)
        except Unreadable as error:
            raise HoldUnknown(HELD, str(error)) from error
        self._forget_unplayed(arrived)
        self._doubt(found)
        state = found.state(self._profile, arrived, self._velocities(found))
        return Seen(arrived, found, state, self._scene(arrived), self._hold(found))

    def answered(self, seen: Seen, images: tuple[str, ...], said: Proposed | NoAnswer) -> Answer:
        """The answer to a request. `images`: the digests of what was seen; `said`: what came of asking the upstream.

        1. Wait until what was permitted before has come to rest.
        2. Review the rows, with as many to be executed as leave room for their brake.
        3. Permitted: those rows, then the brake, then hold. Everything else: hold.
        """
        if isinstance(said, NoAnswer):
            return self._without_rows(seen, said)
        try:
            values = self._values(said)
        except NoAnswer as error:
            return self._without_rows(seen, error)
        self._dtype = values.dtype
        received_ns = self._clock.now_ns()
        self._wait()
        now = self._clock.now_ns()
        chunk = self._chunk(seen, images, values, said.raw_digest, received_ns, now)
        review = self._reviewed(chunk, seen)
        answer = self._answer(review, chunk, values, seen)
        about = {**answer.about, "dropped": list(said.dropped)} if said.dropped else answer.about
        return replace(answer, about=about, beside=said.beside)

    def unreadable(self, why: str, raw_digest: str = "") -> None:
        """Puts a request on record that could not be read at all."""
        profile, now = self._profile, self._clock.now_ns()
        nothing = np.full(len(profile.joints), np.nan)
        hands = np.full(len(profile.grippers), np.nan)
        state = RobotState(now, profile.joint_names, nothing, nothing, hands)
        self._note(Malformed(why[:LONGEST_NOTED], raw_digest, self._name, now), state, self._scene(now))

    def unsent(self) -> None:
        """A reply did not reach the client: what was permitted is taken back, on record."""
        self._told, self.hand = None, self._hand_before
        self._supervisor.departed("a reply did not reach the client")

    def close(self) -> None:
        """The client is gone, wherever in its rows it was: what comes next starts from where the robot is measured."""
        self._supervisor.braked()

    def _forget_unplayed(self, arrived_ns: int) -> None:
        """Where rows that were permitted cannot have been played yet, forgets their plan, and where the robot was told
        to rest.
        """
        plan = self._supervisor.memory.plan
        spare_ns = self._timing.lead_ns + 2 * self._period_ns - self._playing.settle * self._period_ns
        if plan is not None and plan.end_ns - arrived_ns > spare_ns:
            self._supervisor.braked()
            self._told = None

    def _doubt(self, found: Observed) -> None:
        """Raises HoldUnknown for a place that the robot cannot be in, and for one that is not where it was told to rest
        until that is seen again: rows that hold at what one observation says would lead there in one step.
        """
        # Less slack than `checks.state` gives: that decides what may be judged, this where an arm is told to stay.
        for what in astray(self._profile, found.positions, found.grippers, self._step.tolist(), HAND):
            said = f"{what.name} cannot be at {what.value:g} {what.unit}; it moves from {what.low:g} to {what.high:g}"
            raise HoldUnknown(HELD, said)
        told, doubted = self._told, self._doubted
        self._doubted = None
        if told is None or self._near(found, told.positions) or (doubted is not None and self._near(found, doubted)):
            return
        self._doubted = found.positions
        raise HoldUnknown(ELSEWHERE, f"joints at {found.positions.round(4)}, told to rest at {told.positions.round(4)}")

    def _near(self, found: Observed, place: FloatArray) -> bool:
        return bool((np.abs(found.positions - place) <= self._step).all())

    def _velocities(self, found: Observed) -> FloatArray:
        """What stands for velocities that were not measured: how far the robot is from where it was told to rest, over
        one period; NaN where it was told nothing, for it may be moving.
        """
        if self._told is None:
            return np.full_like(found.positions, np.nan)
        return (found.positions - self._told.positions) / self._playing.period_s

    def _hold(self, found: Observed) -> _Told:
        """Where to hold: where the robot was told to rest, as long as it is within one row of there, or a robot that
        sags would sag further with every reply; else where it is measured.
        """
        if self._told is None:
            return _Told(found.positions, found.grippers if self.hand is None else self.hand)
        near = self._near(found, self._told.positions)
        return replace(self._told, positions=self._told.positions if near else found.positions)

    def _values(self, proposed: Proposed) -> Rows:
        """The rows, if they have the shape and type of rows; what is in them is for the review."""
        found: Any = proposed.values
        horizon, columns, most = self._playing.horizon, self._playing.columns, self._supervisor.rules.accepts.rows_max
        if type(found) is not np.ndarray or found.dtype.str not in {"<f4", "<f8"}:  # a masked array is another one
            what = getattr(found, "dtype", "no numbers")
            raise _misshapen(f"{type(found).__name__} of {what}, expected an array of float32 or float64", proposed)
        if found.ndim != 2 or found.shape[1] != columns or not horizon <= found.shape[0] <= most:
            said = f"rows of shape {found.shape}, expected {horizon} to {most} rows of {columns} columns"
            raise _misshapen(said, proposed)
        return cast("Rows", found)

    def _wait(self) -> None:
        """Until what was permitted before has come to rest: a client asks as soon as it has played its rows, which may
        be earlier than they were due by the lead.
        """
        plan = self._supervisor.memory.plan
        if plan is not None and self._clock.now_ns() < plan.end_ns:
            self._clock.sleep_until(plan.end_ns)

    def _chunk(
        self, seen: Seen, images: tuple[str, ...], values: Rows, raw_digest: str, received_ns: int, now_ns: int
    ) -> ActionChunk:
        rules, first_row_ns = self._supervisor.rules, now_ns + self._timing.lead_ns
        judged = floats("values", cast("FloatArray", values), 2)
        stamps = Stamps(
            observation_ns=seen.arrived_ns,
            request_ns=seen.arrived_ns,
            received_ns=received_ns,
            first_row_ns=first_row_ns,
            expiry_ns=self._playing.due_ns(first_row_ns, len(values)),
            estimated=True,
        )
        chunk = ActionChunk(
            id=f"{self._name}-{self._sequence}",
            session=self._name,
            sequence=self._sequence,
            layout=self._playing.layout.digest,
            profile=rules.profile_digest,
            values=judged,
            mask=all_commanded(judged),
            period_s=self._playing.period_s,
            horizon=1,
            stamps=stamps,
            anchor=seen.state.positions,
            normalisation=Normalisation("none", "", ""),
            instruction=seen.observed.instruction,
            images=images,
            model=Model("upstream"),
            raw_digest=raw_digest,
        )
        self._sequence += 1
        case = Case(now_ns, chunk, seen.state, seen.scene, self._supervisor.memory, rules)
        room = rows_with_room(case, chunk, self._playing.layout, self._playing.moving, self._physics)
        return replace(chunk, horizon=room)

    def _reviewed(self, proposal: ActionChunk | Malformed, seen: Seen) -> Review | None:
        return self._note(proposal, seen.state, seen.scene)

    def _note(self, proposal: ActionChunk | Malformed, state: RobotState, scene: Scene) -> Review | None:
        """The review; None where it failed, which stops the robot until somebody looks: the supervisor has put on
        record what failed.
        """
        try:
            return self._supervisor.review(proposal, state, scene)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told to hold
            self._supervisor.stop(f"a review failed: {type(error).__name__}")
            return None

    def _without_rows(self, seen: Seen, error: NoAnswer) -> Answer:
        noted = Malformed(str(error)[:LONGEST_NOTED], error.raw_digest, self._name, self._clock.now_ns())
        return self._held(seen, self._timing.rows, _about(self._reviewed(noted, seen), error.failure))

    def _answer(self, review: Review | None, chunk: ActionChunk, values: Rows, seen: Seen) -> Answer:
        if review is None or review.permit is None:
            return self._held(seen, len(values), _about(review))
        first_row_ns = cast("int", chunk.stamps.first_row_ns)
        if review.permit.start_row != 0 or review.permit.valid_until_ns != first_row_ns:
            return self._taken_back("row 0 was past before it was judged", review, seen, len(values))
        rest_ns = self._playing.due_ns(first_row_ns, self._playing.moving)
        try:
            plan = review.permit.use(self._supervisor.rules.profile_digest, self._clock.now_ns())
        except PermitRefused as error:
            return self._taken_back(str(error), review, seen, len(values))
        if plan.end_ns > rest_ns:
            late_ms = (plan.end_ns - rest_ns) / 1e6
            said = f"the robot would be at rest {late_ms:g} ms later than in row {self._playing.moving}"
            return self._taken_back(said, review, seen, len(values))
        rows = self._playing.rows_of(plan, first_row_ns, len(values), seen.state.positions).astype(values.dtype)
        if review.decision.reaction == "permit":  # as the policy sent them, to the bit
            rows[: review.decision.rows] = values[: review.decision.rows]
        self._tell(_Told(plan.positions[-1], plan.grippers[-1]))
        return Answer(rows, _about(review))

    def _taken_back(self, why: str, review: Review, seen: Seen, count: int) -> Answer:
        self._supervisor.departed(why)
        about = {**_about(review), "reaction": "veto", "permitted_rows": 0, "rule": "proxy:room", "message": why}
        return self._held(seen, count, about)

    def _held(self, seen: Seen, count: int, about: Mapping[str, object]) -> Answer:
        self._tell(seen.hold)
        rows = self._playing.hold(seen.hold.positions, seen.hold.grippers, count, seen.state.positions)
        return Answer(rows.astype(self._dtype), about)

    def _tell(self, told: _Told) -> None:
        self._told, self._hand_before, self.hand = told, self.hand, told.grippers


def check(rules: RuleSet, playing: Playing, observing: Observing, timing: Timing) -> None:
    """Raises UnusableInput for what can never work, whatever is asked."""
    accepts, freshness = rules.accepts, rules.freshness
    if rules.people != "none":
        raise UnusableInput(
            f"{rules.name} has a tracker of people, and while a reply is played nobody judges again where they are: "
            "take a rule set with people: none, or run the policy beside a supervisor that ticks"
        )
    if playing.layout not in accepts.layouts:
        known = ", ".join(layout.name for layout in accepts.layouts)
        raise UnusableInput(f"layout {playing.layout.name!r} is not accepted; the rule set accepts {known}")
    if not accepts.rows_min <= timing.rows <= accepts.rows_max or timing.rows < playing.horizon:
        raise UnusableInput(
            f"{timing.rows} rows of a reply, of which {playing.horizon} are played; the rule set accepts "
            f"{accepts.rows_min} to {accepts.rows_max} rows"
        )
    if playing.speaks_velocity and observing.velocities is None:
        raise UnusableInput("rows of velocities need measured velocities: say in the mapping where they are")
    if not 0 <= timing.lead_ns < freshness.state_s * 1e9:
        raise UnusableInput(
            f"a lead of {timing.lead_ns / 1e6:g} ms: it must be shorter than a state may be old, which the rule set "
            f"says is {freshness.state_s * 1e3:g} ms"
        )


def _misshapen(detail: str, proposed: Proposed) -> NoAnswer:
    return NoAnswer("upstream's answer has no rows of the right shape", detail, proposed.raw_digest)


def _about(review: Review | None, failure: Failure | None = None) -> dict[str, object]:
    """What a client is told of a decision: scalars, text and lists alone, which its broker does not slice."""
    if review is None:
        said = "the review failed; see the record"
        return {"reaction": "stop", "permitted_rows": 0, "record": -1, "rule": "review", "message": said}
    decision = review.decision
    rule, message = _worst(decision) if failure is None else ("check:malformed", failure)
    return {
        "reaction": decision.reaction,
        "permitted_rows": decision.rows,
        "record": -1 if review.entry is None else review.entry.index,
        "digest": "" if review.entry is None else review.entry.digest,
        "rule": rule,
        "message": message,
        "violated": sorted({finding.rule for finding in decision.verdict.violated}),
        "attempts": [attempt.amendment for attempt in decision.attempts],
    }


def _worst(decision: Decision) -> tuple[str, str]:
    """The rule and the words of what is worst: of a permit, what was amended for, if anything was. A latch may hold
    words of the upstream, which stay on record.
    """
    for finding in decision.attempts[0].verdict.violated:
        return finding.rule, LATCHED if finding.rule == "check:latch" else finding.message[:LONGEST]
    return "", ""
