"""What reaches an environment under a supervisor is what was permitted, or a brake, or a hold; whatever is asked."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Layout
from interlock.errors import UnusableInput
from interlock.motion import Reference
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene
from interlock.supervisor import Supervisor
from interlock_policies.gym_env import StoppedEnvironment, SupervisedEnv
from interlock_policies.step_by_step import NothingToExecute, SteppedClock
from tests.supervisor.test_supervisor import provoked
from tests.supervisor.toy import (
    ABSOLUTE,
    OPEN,
    PERIOD,
    PERIOD_S,
    SINCE_SEEN,
    START,
    Log,
    Physics,
    Reach,
    Speed,
    rule,
    state,
)

STEP = 0.02  # rad that an action of 1 moves a joint in one step: twice what the rules allow


class Arm(gymnasium.Env[Any, Any]):
    """Two joints that go at once where they are told; some actions break it."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 - as gymnasium has it
    observation_space = spaces.Box(-10.0, 10.0, (2,), np.float64)
    action_space: Any = spaces.Box(-1.0, 1.0, (2,), np.float64)

    def __init__(self) -> None:
        self.render_mode = "rgb_array"
        self.positions = np.array(START)
        self.executed: list[FloatArray] = []
        self.broken = False
        self.ends_after = 10**9

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed, options=options)
        self.positions = np.array(START) + self.np_random.uniform(-0.05, 0.05, 2)
        return self.positions.copy(), {}

    def step(self, action: FloatArray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.broken:
            raise RuntimeError("a gear")
        self.executed.append(np.array(action))
        self.positions = self.positions + STEP * np.asarray(action)
        return self.positions.copy(), 1.0, len(self.executed) == self.ends_after, False, {"mine": 1}

    def render(self) -> Any:
        return np.zeros((4, 4, 3), dtype=np.uint8)


@dataclass
class Wired:
    """Rows are places: where the joints are, and STEP for each 1 of an action."""

    arm: Arm
    layout: Layout = ABSOLUTE
    period_s: float = PERIOD_S
    hand: float = OPEN
    broken: bool = False
    blind: bool = False
    relative: bool = True

    def see(self, now_ns: int) -> tuple[RobotState, Scene]:
        if self.broken:
            raise RuntimeError("no encoder")
        seen = (np.nan, np.nan) if self.blind else tuple(self.arm.positions)
        return state(seen, seen_ns=now_ns), Scene("automatic", ())

    def row(self, action: Any, state: RobotState) -> FloatArray:
        found = np.asarray(action, dtype=np.float64)
        if found.shape != (2,):
            raise ValueError(f"shape {found.shape}")
        return np.append(state.positions + STEP * found, self.hand)

    def action(self, told: Reference, state: RobotState) -> FloatArray:
        measured = state.positions if self.relative else self.arm.positions  # the arm's own controller knows
        return np.asarray((told.positions - measured) / STEP)


@dataclass
class Bench:
    """An arm under a supervisor; it may go 0.5 rad/s, 0.5 of an action."""

    arm: Arm = field(default_factory=Arm)
    log: Log = field(default_factory=Log)
    clock: SteppedClock = field(default_factory=SteppedClock)
    reset_by: str = ""
    rows: int = 1
    rules: RuleSet = field(default_factory=lambda: provoked(rule(Speed(), "slow"), rule(Reach())))

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(
            self.rules, self.log, Physics(), now_ns=self.clock.now_ns, elapsed_ns=self.clock.still
        )
        self.wired = Wired(self.arm)
        self.env = SupervisedEnv(
            self.arm, self.supervisor, self.wired, self.clock, reset_by=self.reset_by, rows=self.rows
        )
        self.env.reset(seed=1)

    def step(self, *action: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.env.step(np.array(action))[4]["interlock"]
        return found

    @property
    def last(self) -> FloatArray:
        return self.arm.executed[-1]


def test_what_is_permitted_is_executed_to_the_bit() -> None:
    bench = Bench()

    told = bench.step(0.1, -0.03)

    assert told["reaction"] == "permit"
    assert (bench.last == [0.1, -0.03]).all()
    assert (told["executed"] == told["raw"]).all()
    assert bench.log.kinds.count("review") == 1


def test_what_is_too_fast_is_executed_slower_and_both_are_told() -> None:
    bench = Bench()
    bench.step(0.2, 0.2)

    told = bench.step(0.8, 0.8)

    assert told["reaction"] == "slow"
    assert (told["raw"] == [0.8, 0.8]).all()
    assert (told["executed"] == bench.last).all()
    assert (bench.last > 0.2).all()
    assert (bench.last <= 0.5).all()


@pytest.mark.parametrize(
    "action",
    [[np.nan, 0.0], [np.inf, 0.0], [0.1], [0.1, 0.1, 0.1], [["a", "b"]], [1e300, 0.0], []],
    ids=["nan", "infinite", "narrow", "wide", "text", "huge", "empty"],
)
def test_F05_an_action_that_is_no_row_is_a_brake_and_on_record(action: list[Any]) -> None:
    bench = Bench()
    bench.step(0.2, 0.2)

    told = bench.step(*action)

    assert told["reaction"] == "veto"
    assert told["violated"]
    assert bench.log.kinds.count("review") == 2
    assert np.isfinite(bench.last).all()
    assert (np.abs(bench.last) <= 0.2 + 1e-9).all()


def test_refused_in_motion_the_robot_brakes_within_its_acceleration_and_rests() -> None:
    bench = Bench()
    for share in (0.1, 0.2, 0.3, 0.4):
        bench.step(share, share)
    seen = [bench.arm.positions.copy()]

    for _ in range(4):
        assert bench.step(np.nan, np.nan)["reaction"] == "veto"
        seen.append(bench.arm.positions.copy())

    speeds = np.diff([seen[0] - 0.4 * STEP, *seen], axis=0)[:, 0] / PERIOD_S
    assert speeds[0] == pytest.approx(0.4 * STEP / PERIOD_S)
    assert (np.diff(speeds) <= 1e-9).all()
    assert np.abs(np.diff(speeds)).max() <= 10.0 * PERIOD_S * (1 + 1e-9)
    assert speeds[-1] == pytest.approx(0.0, abs=1e-9)


def test_F40_vetoes_in_a_row_end_the_episode_and_nobody_resets_them_unasked() -> None:
    bench = Bench()
    for _ in range(4):
        assert not bench.env.step(np.array([np.nan, 0.0]))[3]

    *_, truncated, info = bench.env.step(np.array([np.nan, 0.0]))

    assert truncated
    assert info["interlock"]["reaction"] == "stop"
    assert "vetoes" in info["interlock"]["stopped"]
    with pytest.raises(StoppedEnvironment, match="reset_by"):
        bench.env.reset()


def test_a_stop_is_reset_in_somebodys_name_where_one_is_given() -> None:
    bench = Bench(reset_by="Ada")
    for _ in range(5):
        bench.step(np.nan, 0.0)

    bench.env.reset(seed=2)

    assert bench.step(0.1, 0.1)["reaction"] == "permit"
    assert next(body for kind, body, _ in bench.log.records if kind == "reset")["name"] == "Ada"


def test_F43_a_reset_moves_the_robot_and_what_was_known_of_its_motion_is_forgotten() -> None:
    bench = Bench()
    bench.step(0.4, 0.4)

    bench.env.reset(seed=9)

    assert bench.supervisor.memory.plan is None
    assert bench.step(np.nan, 0.0)["reaction"] == "veto"
    assert (bench.last == 0.0).all()


def test_F43_a_reset_says_that_it_moved_the_robot_past_the_supervisor_and_so_does_the_record() -> None:
    bench = Bench()

    info = bench.env.reset(seed=9)[1]

    said = "the environment was reset: it moved the robot past the supervisor"
    assert info["interlock"] == {"reaction": "reset", "why": said}
    assert [body for kind, body, _ in bench.log.records if kind == "departed"] == [{"why": said}] * 2


def test_each_step_says_where_its_review_is_on_record() -> None:
    bench = Bench()

    told = [bench.step(0.1, 0.1), bench.step(np.nan, 0.1)]

    assert [bench.log.kinds[one["record"].index] for one in told] == ["review", "review"]
    assert told[0]["record"].index < told[1]["record"].index


def test_F16_a_robot_that_is_refused_at_rest_stays_where_it_was_and_does_not_sink() -> None:
    bench = Bench()
    rest = bench.arm.positions.copy()

    for _ in range(3):
        bench.step(np.nan, 0.0)
        bench.arm.positions = bench.arm.positions - 0.001  # gravity

    bench.step(np.nan, 0.0)
    assert bench.arm.positions == pytest.approx(rest)


def test_F20_what_the_environment_raises_comes_out_and_nothing_goes_on_from_there() -> None:
    bench = Bench()
    bench.step(0.3, 0.3)
    bench.arm.broken = True

    with pytest.raises(RuntimeError, match="a gear"):
        bench.step(0.3, 0.3)

    assert bench.supervisor.memory.plan is None


def test_F20_after_a_step_that_failed_the_arm_brakes_along_its_plan_and_is_asked_again_at_rest() -> None:
    bench = Bench()
    for share in (0.15, 0.3, 0.4):
        bench.step(share, share)
    bench.arm.broken = True
    with pytest.raises(RuntimeError, match="a gear"):
        bench.step(0.4, 0.4)
    bench.arm.broken = False

    told = [bench.step(0.4, 0.4) for _ in range(6)]

    reactions = [one["reaction"] for one in told]
    speeds = [0.4, *(float(one["executed"][0]) for one in told[: reactions.count("brake")])]
    assert reactions[0] == "brake"
    assert (np.diff(speeds) < 0.0).all()
    assert np.abs(np.diff(speeds)).max() * STEP <= 10.0 * PERIOD_S**2 * (1 + 1e-9)
    assert reactions[reactions.count("brake") :] == ["permit"] * (6 - reactions.count("brake"))
    assert "departed" in bench.log.kinds


def test_F20_what_the_wiring_raises_comes_out_and_the_environment_does_not_step() -> None:
    bench = Bench()
    bench.step(0.3, 0.3)
    bench.wired.broken = True

    with pytest.raises(RuntimeError, match="no encoder"):
        bench.step(0.3, 0.3)

    assert len(bench.arm.executed) == 1
    assert bench.supervisor.memory.plan is None
    assert "RuntimeError: no encoder" in str(bench.log.records[-1][1]["why"])


@pytest.mark.parametrize("moving", [False, True])
def test_F01_a_robot_that_cannot_be_read_is_told_nothing_that_is_no_number(moving: bool) -> None:  # noqa: FBT001
    bench = Bench()
    for _ in range(2 * moving):
        bench.step(0.2, 0.2)
    bench.wired.blind = True

    with pytest.raises(NothingToExecute):
        bench.step(0.2, 0.2)

    assert len(bench.arm.executed) == 2 * moving
    assert bench.supervisor.memory.plan is None


@pytest.mark.parametrize(
    "changes",
    [{"grippers": np.array([np.nan])}, {"grippers": np.zeros(2)}, {"positions": np.zeros(1)}, {"joints": ("b", "a")}],
    ids=["no hand", "two hands", "one joint", "another order"],
)
def test_F01_a_reading_that_is_none_is_not_where_the_arm_is_held_from_then_on(
    changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    see = bench.wired.see

    def wrong(now_ns: int) -> tuple[RobotState, Scene]:
        found, scene = see(now_ns)
        return replace(found, **changes), scene

    with monkeypatch.context() as patch:
        patch.setattr(bench.wired, "see", wrong)
        with pytest.raises(NothingToExecute, match="nobody knows where the robot is"):
            bench.step(0.1, 0.1)

    told = bench.step(np.nan, 0.1)

    assert told["reaction"] == "veto"
    assert (bench.last == 0.0).all()


def test_F01_a_robot_that_cannot_be_read_brakes_where_that_needs_no_reading() -> None:
    bench = Bench()
    bench.wired.relative = False
    for share in (0.2, 0.4):
        bench.step(share, share)
    bench.wired.blind = True

    told = [bench.step(0.4, 0.4) for _ in range(4)]

    assert {one["reaction"] for one in told} <= {"brake", "veto"}
    assert [float(one["executed"][0]) for one in told] == pytest.approx([0.2, 0.0, 0.0, 0.0], abs=1e-9)


def test_F20_a_review_that_raises_stops_and_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.step(0.3, 0.3)

    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.supervisor, "review", fails)
    *_, truncated, info = bench.env.step(np.array([0.3, 0.3]))

    assert truncated
    assert info["interlock"]["stopped"] == "a review failed: RuntimeError"
    assert (bench.last < 0.3 + 1e-9).all()


def test_F16_a_robot_that_is_elsewhere_than_it_was_told_is_braked_before_it_is_asked_again() -> None:
    bench = Bench()
    for share in (0.2, 0.4, 0.4):
        bench.step(share, share)
    bench.arm.positions = bench.arm.positions + 0.06  # somebody pushed it

    told = [bench.step(0.4, 0.4) for _ in range(2)]

    assert [one["reaction"] for one in told] == ["brake", "brake"]
    assert told[0]["why"] == "the robot is braking"
    assert "recheck" in bench.log.kinds


def test_a_robot_that_somebody_moved_is_not_led_back_the_way_that_nobody_judged() -> None:
    bench = Bench()
    for _ in range(3):
        bench.step(0.2, 0.2)
    for _ in range(3):
        bench.step(0.0, 0.0)
    bench.arm.positions = bench.arm.positions + 0.8
    moved = bench.arm.positions.copy()

    told = [bench.step(np.nan, 0.0) for _ in range(3)]

    assert {one["reaction"] for one in told} <= {"veto", "brake"}
    assert bench.arm.positions == pytest.approx(moved, abs=1e-9)


def test_F05_a_wiring_that_changes_the_action_while_it_reads_it_is_refused() -> None:
    bench = Bench()
    honest = bench.wired.row

    def changes(action: Any, state: RobotState) -> FloatArray:
        row = honest(action, state)
        action[0] = 1.0
        return row

    bench.wired.row = changes  # type: ignore[method-assign]
    told = bench.step(0.1, 0.0)

    assert told["reaction"] == "veto"
    assert (bench.last == 0.0).all()


def test_what_is_told_does_not_change_with_the_callers_array() -> None:
    bench = Bench()
    action = np.array([0.1, 0.1])

    told = bench.env.step(action)[4]["interlock"]
    action[0] = 9.0

    assert told["raw"].tolist() == told["executed"].tolist() == [0.1, 0.1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accepts": {"rows_min": 10}}, "takes 10 to 64 rows and executes 25; a step has 1"),
        ({"accepts": {"period_s": 0.04}}, "a step of the environment takes 0.02 s"),
        ({"wired": {"layout": replace(ABSOLUTE, name="other")}}, "takes no rows of the layout 'other'"),
        ({"wired": {"period_s": float("nan")}}, "takes nan s"),
        ({"accepts": {"normalisation": "z_score", "statistics": "ab"}}, "takes normalised policies"),
    ],
)
def test_F13_what_cannot_fit_is_refused_before_it_runs(changes: dict[str, dict[str, Any]], said: str) -> None:
    bench = Bench()
    found = bench.rules
    rules = replace(found, accepts=replace(found.accepts, **changes.get("accepts", {})))
    supervisor = Supervisor(found, Log(), Physics(), now_ns=bench.clock.now_ns)
    supervisor._rules = rules  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(UnusableInput, match=said):
        SupervisedEnv(bench.arm, supervisor, replace(bench.wired, **changes.get("wired", {})), bench.clock)


def test_it_is_an_environment_as_gymnasium_defines_one() -> None:
    bench = Bench(reset_by="the checker")

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")  # it is a wrapper
        warnings.filterwarnings("ignore", message=".*not having a spec.*")  # nobody makes the robot once more
        check_env(bench.env)


def test_of_several_rows_it_is_one_too() -> None:
    bench = Bench(reset_by="the checker", rows=3)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is different from the unwrapped version.*")
        warnings.filterwarnings("ignore", message=".*not having a spec.*")
        check_env(bench.env)

    assert bench.env.action_space.shape == (3, 2)


def test_F19_several_rows_are_one_chunk_and_each_is_executed_in_a_step_of_its_own() -> None:
    bench = Bench(rows=4)
    asked = np.array([[0.1, 0.0], [0.2, 0.1], [0.3, 0.1], [0.2, 0.0]])
    before = bench.arm.positions

    _, reward, *_, info = bench.env.step(asked)

    told = info["interlock"]
    assert told["reaction"] == "permit"
    assert (told["executed"][0] == asked[0]).all()
    assert told["executed"] == pytest.approx(asked, abs=1e-9)
    assert bench.arm.positions == pytest.approx(before + STEP * asked.sum(axis=0))
    assert (len(bench.arm.executed), reward, bench.log.kinds.count("review")) == (4, 4.0, 1)


def test_F19_rows_of_which_one_is_refused_are_none_of_them_executed() -> None:
    bench = Bench(rows=3)
    bench.env.step(np.full((3, 2), 0.2))

    told = bench.env.step(np.array([[0.2, 0.2], [0.2, 0.2], [np.nan, 0.2]]))[4]["interlock"]

    assert told["reaction"] == "veto"
    assert told["executed"][:, 0] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_F16_an_arm_that_is_held_up_between_two_rows_is_not_driven_through_the_rest_of_them() -> None:
    bench = Bench(rows=8)
    went = bench.arm.step

    def stuck(action: FloatArray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        found = went(action)
        if len(bench.arm.executed) == 3:
            bench.arm.positions = bench.arm.positions - 0.06
        return found

    bench.arm.step = stuck  # type: ignore[method-assign]
    told = bench.env.step(np.full((8, 2), 0.2))[4]["interlock"]

    assert "recheck" in bench.log.kinds
    assert told["executed"][:3, 0] == pytest.approx(0.2)
    assert told["executed"][3:, 0] == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=15)
@given(st.integers(1, 7), st.floats(0.2, 0.45), st.floats(0.005, 0.018))
def test_F20_told_to_stop_between_two_rows_the_arm_brakes_at_once_within_its_acceleration(
    after: int, share: float, gain: float
) -> None:
    bench = Bench(rows=8)
    ramp = np.minimum(np.arange(1, 9) * 10.0 * gain, share)
    went = bench.arm.step
    seen = [bench.arm.positions.copy()]

    def stopped(action: FloatArray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        found = went(action)
        seen.append(bench.arm.positions.copy())
        if len(bench.arm.executed) == after:
            bench.supervisor.stop("somebody pressed it")
        return found

    bench.arm.step = stopped  # type: ignore[method-assign]
    *_, truncated, info = bench.env.step(np.tile(ramp[:, None], (1, 2)))

    speeds = np.diff(np.array(seen), axis=0)[:, 0] / PERIOD_S
    steps = np.ceil(round(speeds[after - 1] / (10.0 * PERIOD_S), 6))
    assert truncated
    assert info["interlock"]["stopped"] == "somebody pressed it"
    assert np.abs(np.diff([0.0, *speeds])).max() <= 10.0 * PERIOD_S * (1 + 1e-6)
    assert speeds[int(after + steps) :] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("raises", [False, True])
def test_F20_a_stop_while_rows_are_left_brakes_in_that_very_step(
    raises: bool,  # noqa: FBT001 - or else the review stops
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(rows=4)
    bench.arm.ends_after = 2
    bench.env.step(np.full((4, 2), 0.2))  # the episode ends half way, and nobody resets it
    assert bench.env.plan is not None
    assert bench.env.plan.rows_end_ns > bench.clock.now_ns() + PERIOD
    speed = float(bench.last[0])

    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    if raises:
        monkeypatch.setattr(bench.supervisor, "review", fails)
    bench.supervisor._memory = replace(bench.supervisor.memory, vetoes=4)  # pyright: ignore[reportPrivateUsage]
    told = bench.env.step(np.full((4, 2), np.nan))[4]["interlock"]

    assert told["stopped"]
    assert float(told["executed"][0, 0]) < speed
    assert told["executed"][2:] == pytest.approx(0.0, abs=1e-9)


def test_an_episode_that_ends_between_two_rows_ends_the_step() -> None:
    bench = Bench(rows=5)
    bench.arm.ends_after = 2

    _, reward, terminated, _, info = bench.env.step(np.full((5, 2), 0.1))

    assert terminated
    assert reward == 2.0
    assert info["interlock"]["executed"].shape == (2, 2)


@pytest.mark.parametrize(
    "action", [np.zeros((2, 2)), np.zeros((4, 2)), np.zeros(2), np.zeros((3, 3)), 7, None], ids=str
)
def test_F05_what_is_not_so_many_rows_is_held(action: Any) -> None:
    bench = Bench(rows=3)

    told = bench.env.step(action)[4]["interlock"]

    assert told["reaction"] == "veto"
    assert (told["executed"] == np.zeros((3, 2))).all()


def test_F07_each_row_is_read_from_where_the_one_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(rows=3)
    chunks = list[ActionChunk]()
    review = bench.supervisor.review

    def keeping(chunk: Any, *seen: Any) -> Any:
        chunks.append(chunk)
        return review(chunk, *seen)

    monkeypatch.setattr(bench.supervisor, "review", keeping)
    start = bench.arm.positions.copy()
    bench.env.step(np.array([[0.1, 0.0], [0.2, 0.0], [0.2, 0.1]]))

    assert chunks[0].values[:, :2] == pytest.approx(start + STEP * np.array([[0.1, 0.0], [0.3, 0.0], [0.5, 0.1]]))
    assert (chunks[0].values[:, 2] == OPEN).all()


@pytest.mark.parametrize(
    ("layout", "space", "said"),
    [
        (SINCE_SEEN, Arm.action_space, "must be absolute joint positions"),
        (ABSOLUTE, spaces.Discrete(3), "several rows in a step need actions of numbers"),
    ],
)
def test_F07_several_rows_that_would_count_from_nobody_knows_where_are_refused(
    layout: Layout, space: Any, said: str
) -> None:
    bench = Bench()
    accepts = replace(bench.rules.accepts, layouts=(layout,))
    bench.supervisor._rules = replace(bench.rules, accepts=accepts)  # pyright: ignore[reportPrivateUsage]
    bench.arm.action_space = space

    with pytest.raises(UnusableInput, match=said):
        SupervisedEnv(bench.arm, bench.supervisor, replace(bench.wired, layout=layout), bench.clock, rows=3)


def test_the_environments_own_info_and_time_pass_through() -> None:
    bench = Bench()
    before = bench.clock.now_ns()

    info = bench.env.step(np.array([0.1, 0.1]))[4]

    assert info["mine"] == 1
    assert bench.clock.now_ns() - before == PERIOD


@settings(max_examples=60)
@given(
    st.sampled_from([1, 3]),
    st.lists(st.tuples(*6 * [st.floats(-3.0, 3.0) | st.floats(-0.2, 0.2) | st.just(float("nan"))]), max_size=12),
)
def test_F15_whatever_is_asked_the_arm_keeps_its_limits_and_comes_to_rest(
    rows: int, actions: list[tuple[float, ...]]
) -> None:
    bench = Bench(reset_by="the test", rows=rows)
    speeds = [0.0]
    for action in [*actions, *4 * [6 * (float("nan"),)]]:
        begun = len(bench.arm.executed)
        asked = np.array(action)[:2] if rows == 1 else np.array(action).reshape(3, 2)
        truncated = bench.env.step(asked)[3]
        speeds += [float(np.abs(one).max()) * STEP / PERIOD_S for one in bench.arm.executed[begun:]]
        if truncated:
            bench.env.reset()

    assert max(speeds) <= 0.5 + 1e-9
    assert speeds[-1] == pytest.approx(0.0, abs=1e-9)
