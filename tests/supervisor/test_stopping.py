"""A stop along a plan stays on its path, keeps the limits of joints and drives from whatever moment it begins, and is
where the judge took it to be in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruckig import Result, Ruckig

from interlock import stopping
from interlock.arrays import FloatArray
from interlock.braking import LONGEST_S
from interlock.bullet_physics import BulletPhysics
from interlock.checks import stopping as stopping_check
from interlock.decide import decide
from interlock.geometry import Pose, Sphere
from interlock.judge import judge, judge_plan
from interlock.motion import Motion, Plan
from interlock.profile import Profile, Stopping
from interlock.robot_model import UrdfRobot
from interlock.scene import Held
from interlock.stopping import MOST_JERK, Stop, rates_of, slowing_limits, stops_of
from interlock.torques import Torques
from tests.supervisor import panda
from tests.supervisor.bullet_torques import BulletTorques
from tests.supervisor.interpreting import interpreted
from tests.supervisor.test_build import cubic, proposal
from tests.supervisor.toy import (
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    Physics,
    case,
    chunk,
    joint,
    profile,
    ramp,
    rules,
    stamps,
    state,
)

WEIGHT = Held("weight", Sphere(0.05), Pose((0.0, 0.0, 0.1)), 2.5)
MEASURED = Stopping(0.4, (0.25, 0.1), "made up")
SPEED, ACCELERATION = 1.0, 10.0  # of a toy joint


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    seconds: FloatArray
    positions: FloatArray
    velocities: FloatArray
    accelerations: FloatArray
    jerks: FloatArray | None = None


def failing(_asked: object, _given: object, _found: object) -> Result:
    return Result.Error


def moved(accelerations: FloatArray, start: float = 0.0) -> Moving:
    """Nodes that begin measured and told at rest, and change their speed by accelerations (N, n) a period each."""
    changes = np.vstack([np.zeros((2, accelerations.shape[1])), accelerations])
    velocities = np.cumsum(changes, axis=0) * PERIOD_S
    positions = start + np.cumsum(velocities, axis=0) * PERIOD_S
    seconds = np.maximum(np.arange(len(changes)) - 1, 0) * PERIOD_S
    return Moving(seconds=seconds, positions=positions, velocities=velocities, accelerations=changes)


def planned(nodes: Moving, stops: stopping.Stops, now_ns: int = NOW) -> Plan:
    times = now_ns + np.rint(nodes.seconds[1:] * 1e9).astype(np.int64)
    grippers = np.linspace(0.0, OPEN, len(times))[:, None]
    return Plan(times, nodes.positions[1:], grippers, int(times[-1]), now_ns, stops.rates[1:], stops.jerk)


def law(rate: float, jerk: float, at_s: float) -> tuple[float, float, float]:
    """How far time has gone, how fast it goes and how quickly that falls, so long into a stop; worked out by hand: the
    fall grows, stays, and fades.
    """
    rise = rate / jerk if rate * rate <= jerk else 1.0 / math.sqrt(jerk)
    top = rise * jerk
    level = max(1.0 / top - rise, 0.0)
    total = 2.0 * rise + level
    at = min(max(at_s, 0.0), total)
    if at <= rise:
        return at - jerk * at**3 / 6.0, 1.0 - jerk * at**2 / 2.0, jerk * at
    if at <= rise + level:
        gone = at - rise
        speed = 1.0 - jerk * rise**2 / 2.0
        return rise - jerk * rise**3 / 6.0 + speed * gone - top * gone**2 / 2.0, speed - top * gone, top
    left = total - at
    return total / 2.0 - jerk * left**3 / 6.0, jerk * left**2 / 2.0, jerk * left


accelerations = st.lists(
    st.tuples(st.floats(-ACCELERATION, ACCELERATION), st.floats(-ACCELERATION, ACCELERATION)), min_size=2, max_size=12
)


def node_at(nodes: Moving, seconds: float) -> int:
    """The end of the interval in which a moment of the plan lies."""
    return int(min((nodes.seconds[1:] < seconds).sum() + 1, len(nodes.seconds) - 1))


def moments(rate: float, count: int) -> list[float]:
    """So many moments of the longest stop [s]; none where there is no stop."""
    found: list[float] = np.linspace(0.0, LONGEST_S, count).tolist()
    return found if rate > 0.0 else []


def at_rest_again(steps: list[tuple[float, float]]) -> FloatArray:
    """Steps of velocity that end at rest: there and, as far as it takes, back again."""
    there = np.array(steps)
    return np.vstack([there, -there[::-1], np.zeros((1, 2))])


@given(rate=st.floats(0.5, 50.0), jerk=st.floats(1.0, MOST_JERK), share=st.floats(0.0, 1.2))
def test_a_stop_slows_time_evenly_and_softly(rate: float, jerk: float, share: float) -> None:
    times, places = np.array([0, 10**8, 10**11]), np.array([[0.0], [0.001], [1.0]])
    plan = Plan(times, places, np.zeros((3, 0)), 0, 0, np.array([0.0, 0.0, rate]), jerk)
    stop = Stop(plan, 10**9)

    total_s = (stop.end_ns - stop.began_ns) / 1e9
    along, speed, fall = law(rate, jerk, share * total_s)
    told = stop.at(stop.began_ns + round(share * total_s * 1e9))

    length_s = 1.0 / rate + rate / jerk if rate * rate <= jerk else 2.0 / math.sqrt(jerk)
    assert total_s == pytest.approx(length_s, abs=2e-9)
    assert stop.place(stop.began_ns + round(share * total_s * 1e9)) == pytest.approx(10**9 + along * 1e9, abs=5)
    assert told.velocities[0] == pytest.approx(speed * 1e-2, abs=1e-7)
    assert told.accelerations[0] == pytest.approx(-fall * 1e-2, abs=1e-6 * rate)


@settings(max_examples=60)
@given(steps=accelerations, begun=st.floats(0.0, 1.0), measured=st.booleans())
def test_F32_from_any_moment_a_stop_keeps_what_the_joints_may(
    steps: list[tuple[float, float]], begun: float, *, measured: bool
) -> None:
    robot = profile(stopping=MEASURED if measured else None)
    nodes = moved(at_rest_again(steps))
    stops = stops_of(nodes, None, None, robot, Physics(), PERIOD_S)
    plan = planned(nodes, stops)
    began_s = begun * float(nodes.seconds[-1])
    stop = Stop(plan, NOW + round(began_s * 1e9))
    most = slowing_limits(robot)

    rate = plan.stop_rates[max(int(np.searchsorted(plan.times_ns, stop.began_ns)), 0)] if began_s > 0.0 else 0.0
    for at_s in moments(rate, 160):
        along, speed, fall = law(rate, plan.stop_jerk, at_s)
        node = max(node_at(nodes, began_s + along), 2)
        v, a = nodes.velocities[node], nodes.accelerations[node]
        if speed > 1e-9:
            assert (np.abs(fall * v) <= most * (1.0 + 1e-6)).all()
            assert (np.abs(speed**2 * a - fall * v) <= np.maximum(ACCELERATION, np.abs(a)) * (1.0 + 1e-6)).all()
            late = at_s - along
            assert late <= stops.late_s[node] + 1e-6
    assert stop.end_ns <= max(plan.end_ns, stop.began_ns) + PERIOD
    assert (stop.end_ns - stop.began_ns) / 1e9 <= stops.longest_s + 1e-6


@settings(max_examples=40, deadline=None)
@given(
    start=st.tuples(*[st.floats(-0.5, 0.5)] * 7),
    steps=st.lists(st.tuples(*[st.floats(-2.0, 2.0)] * 7), min_size=4, max_size=12),
    begun=st.floats(0.05, 0.95), heavy=st.booleans(),
)  # fmt: skip
def test_F33_a_stop_asks_no_more_of_the_drives_than_they_have(
    start: tuple[float, ...], steps: list[tuple[float, ...]], begun: float, *, heavy: bool
) -> None:
    held = WEIGHT if heavy else None
    torques, referee, robot = arm(heavy=heavy)
    nodes = moved(np.vstack([np.array(steps), -np.array(steps)[::-1], np.zeros((1, 7))]))
    bent = np.array([0.0, -0.4, 0.0, -2.0, 0.0, 1.8, 0.0]) + 0.3 * np.array(start)
    nodes = replace(nodes, positions=nodes.positions + bent)
    physics: Any = SimpleNamespace(torques=torques.of)
    as_planned = torques.of(nodes.positions, nodes.velocities, nodes.accelerations, held)
    at_rest = torques.of(nodes.positions, 0.0 * nodes.velocities, 0.0 * nodes.velocities, held)
    limit = 1.05 * np.maximum(np.abs(as_planned), np.abs(at_rest)).max(axis=0) + 0.5  # there is little to spare
    joints = tuple(replace(one, torque=most) for one, most in zip(robot.joints, limit.tolist(), strict=True))
    stops = stops_of(nodes, as_planned, held, replace(robot, joints=joints), physics, PERIOD_S)
    first = max(2, round(begun * (len(nodes.seconds) - 1)))

    rate, began_s = float(stops.rates[first]), float(nodes.seconds[first])
    for at_s in moments(rate, 60):
        along, speed, fall = law(rate, stops.jerk, at_s)
        node = node_at(nodes, began_s + along)
        v, a = nodes.velocities[node], nodes.accelerations[node]
        told = referee.of(nodes.positions[node, None], speed * v[None], (speed**2 * a - fall * v)[None])[0]
        assert (np.abs(told) <= np.maximum(limit, np.abs(as_planned[node])) * (1.0 + 1e-6) + 1e-4).all()


@cache
def arm(*, heavy: bool) -> tuple[Torques, BulletTorques, Profile]:
    robot = panda.profile()
    model = UrdfRobot(robot, panda.cell())
    return Torques(model), BulletTorques(model, WEIGHT if heavy else None), robot


def test_a_drive_that_is_used_up_is_not_asked_for_more() -> None:
    weak = profile(joints=(joint("a", torque=11.0), joint("b", torque=11.0)))
    nodes = moved(np.array([[5.0, 0.0]] * 4 + [[0.0, 0.0]] * 8 + [[-5.0, 0.0]] * 4))
    strong = stops_of(nodes, None, None, profile(), Physics(), PERIOD_S)

    light, heavy = (
        stops_of(nodes, load * nodes.accelerations, None, weak, Physics(torque=lambda a: load * a), PERIOD_S)  # noqa: B023
        for load in (1.0, 4.0)
    )

    assert light.rates[8] == pytest.approx(strong.rates[8])
    assert 4.0 * heavy.rates[8] * 0.4 <= 11.0 < 4.0 * light.rates[8] * 0.4
    nobody = stops_of(
        nodes, np.full_like(nodes.accelerations, math.nan), None, weak, Physics(torque=lambda a: a * math.nan), PERIOD_S
    )
    assert not nobody.rates.any()


def test_F39_what_was_measured_of_stopping_lengthens_brake_and_stop() -> None:
    assert slowing_limits(profile()).tolist() == [10.0, 10.0]
    assert slowing_limits(profile(stopping=MEASURED)).tolist() == pytest.approx([1.0 / 0.5, 1.0 / 0.4])

    quick, slow = (
        proposal(replace(case(chunk(ramp(20, (0.4, 0.0)), horizon=10)), rules=rules(profile=profile(stopping=found))))
        for found in (None, MEASURED)
    )

    assert len(slow.motion) > len(quick.motion)
    assert slow.longest_stop_s == pytest.approx(0.2, abs=0.06)  # 0.4 rad/s at 2 rad/s^2
    assert quick.longest_stop_s < 0.1


def test_F32_a_plan_that_nothing_stops_in_time_is_refused() -> None:
    given = case(chunk(horizon=6))
    found = proposal(given)

    for longest_s, ok in ((LONGEST_S, True), (math.nextafter(LONGEST_S, 3.0), False), (math.nan, False)):
        told = list(stopping_check(given, replace(found, longest_stop_s=longest_s)))
        assert all(finding.ok for finding in told) is ok


def test_a_plan_that_has_not_begun_is_not_begun_by_a_stop() -> None:
    found = proposal(case(chunk(horizon=6))).plan

    stop = Stop(found, int(found.times_ns[0]) - MS)

    assert stop.end_ns == stop.began_ns
    assert stop.at(stop.began_ns + 10**10).positions.tolist() == found.positions[0].tolist()
    assert not stop.at(stop.began_ns).velocities.any()


def test_a_stop_at_rest_stays_there() -> None:
    found = proposal(case(chunk(horizon=6))).plan

    stop = Stop(found, found.end_ns + MS)

    assert stop.end_ns == stop.began_ns
    assert stop.at(stop.end_ns + 10**9).positions.tolist() == found.positions[-1].tolist()


def test_where_there_is_no_stop_on_the_way_the_plan_goes_on_to_its_own_end() -> None:
    found = replace(proposal(case(chunk(horizon=6))).plan, stop_rates=np.empty(0))
    when = found.rows_start_ns + 2 * PERIOD + 7 * MS

    stop = Stop(found, when)

    assert stop.end_ns == found.end_ns
    for later in range(when, found.end_ns + PERIOD, 3 * MS):
        assert stop.at(later).positions.tolist() == found.at(later).positions.tolist()


def test_a_stop_that_nobody_can_work_out_is_the_plans_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = proposal(case(chunk(horizon=6))).plan
    monkeypatch.setattr(Ruckig, "calculate", failing)

    stop = Stop(found, found.rows_start_ns + PERIOD)

    assert stop.end_ns == found.end_ns


@given(begun=st.floats(0.0, 1.2), after=st.floats(0.0, 1.0))
def test_F28_a_stop_stays_on_the_path_and_lets_the_hand_as_it_was(begun: float, after: float) -> None:
    values = ramp(20, (0.4, -0.2))
    values[:, 2] = np.linspace(OPEN, 0.0, 20)
    found = proposal(case(chunk(values, horizon=12))).plan
    when = found.rows_start_ns + round(begun * (found.end_ns - found.rows_start_ns))

    stop = Stop(found, when)
    now = when + round(after * 3e8)
    told = stop.at(now)

    assert told.positions.tolist() == found.at(stop.place(now)).positions.tolist()
    assert when <= stop.place(now) <= now
    assert told.grippers.tolist() == found.at(when).grippers.tolist()
    assert stop.later(MS).at(now + MS).positions == pytest.approx(told.positions, abs=1e-9)


def test_a_stop_can_be_told_as_a_plan_of_its_own() -> None:
    found = proposal(case(chunk(ramp(20, (0.4, -0.2)), horizon=12))).plan
    stop = Stop(found, found.rows_start_ns + 5 * PERIOD + 3 * MS)

    told = stop.commands(MS)

    assert int(told.times_ns[0]) == stop.began_ns
    assert 0 <= told.end_ns - stop.end_ns < MS
    assert told.positions[-1].tolist() == stop.at(stop.end_ns).positions.tolist()
    assert all(told.at(when).positions == pytest.approx(stop.at(when).positions) for when in told.times_ns.tolist())


def test_F19_the_stops_of_what_is_left_of_an_earlier_plan_are_those_of_the_new_one() -> None:
    first = proposal(case(chunk(ramp(30, (0.4, 0.0)), horizon=25))).plan
    now = NOW + 6 * PERIOD + 5 * MS
    place = first.at(NOW + 15 * PERIOD).positions
    later = chunk(
        ramp(20, (0.4, 0.0), tuple(place.tolist())), horizon=10, sequence=2,
        stamps=stamps(now, first_row_ns=NOW + 15 * PERIOD),
    )  # fmt: skip
    memory = replace(case().memory, plan=first)
    seen = state(tuple(first.at(now).positions.tolist()), seen_ns=now)

    found = proposal(replace(case(later), now_ns=now, memory=memory, state=seen)).plan

    past = found.times_ns <= now
    assert past.sum() >= 2
    assert not found.stop_rates[past].any()
    ahead = ~past & (found.times_ns < found.rows_end_ns)
    assert (found.stop_rates[ahead] > 0.0).all()


def test_F29_an_obstacle_comes_nearer_while_the_robot_stops_on_the_way() -> None:
    physics = BulletPhysics(panda.profile(), panda.cell())
    soon = panda.motion(physics.model, panda.sweep(panda.READY, panda.READY + 0.05, 12))
    ball = panda.thing("ball", Sphere(0.05), Pose((0.5, 0.6, 0.5)), speed=0.4)
    asked = (panda.demand(("ball",), 0.8, 12),)

    (at_once,), (late,) = (
        physics.forecast(one, panda.scene(ball), asked) for one in (soon, replace(soon, late_s=np.full(12, 0.3)))
    )

    assert late.at_least_m.min() == pytest.approx(at_once.at_least_m.min() - 0.4 * 0.3, abs=2e-4)


def test_what_is_left_of_a_plan_is_as_late_as_the_plan_was_permitted_for() -> None:
    found = judge(case(chunk(ramp(20, (0.4, 0.0)), horizon=12)), Physics())
    assert found.proposal is not None
    plan = found.proposal.plan
    now = NOW + 4 * PERIOD + 9 * MS
    memory = replace(case().memory, plan=plan)
    seen = state(tuple(plan.at(now).positions.tolist()), seen_ns=now)

    left = judge_plan(replace(case(), now_ns=now, memory=memory, state=seen), plan, Physics())

    assert left.motion is not None
    assert found.motion is not None
    assert left.motion.late_s.max() == pytest.approx(found.motion.late_s.max())
    assert left.motion.late_s[-1] == pytest.approx(found.motion.late_s[-1])


def test_a_smooth_robot_stops_within_its_jerk() -> None:
    values = ramp(12, (0.3, 0.1))
    found = proposal(replace(case(chunk(values, horizon=8)), rules=cubic()))

    joined = found.motion
    stops = stops_of(joined_nodes(joined), None, None, cubic().profile, Physics(), PERIOD_S)
    assert stops.jerk <= 0.5 * 5000.0 / np.abs(joined.velocities).max() + 1e-6
    soft = replace(
        cubic(), profile=profile(interpolation="cubic", joints=(joint("a", jerk=200.0), joint("b", jerk=200.0)))
    )
    softer = stops_of(joined_nodes(joined), None, None, soft.profile, Physics(), PERIOD_S)
    assert softer.jerk < stops.jerk
    assert (softer.rates <= stops.rates + 1e-12).all()


@settings(max_examples=40)
@given(speed=st.floats(0.1, 0.8), bend=st.floats(0.0, 0.06), begun=st.floats(0.0, 1.0))
def test_a_smooth_robot_jerks_no_more_while_it_stops(speed: float, bend: float, begun: float) -> None:
    values = ramp(14, (speed, 0.1))
    values[:, 1] += bend * np.sin(np.arange(14) / 2.0)
    robot = profile(interpolation="cubic", joints=(joint("a", jerk=1500.0), joint("b", jerk=1500.0)))
    motion = proposal(replace(case(chunk(values, horizon=9)), rules=rules(profile=robot))).motion
    nodes = joined_nodes(motion)
    assert nodes.jerks is not None
    stops = stops_of(nodes, None, None, robot, Physics(), PERIOD_S)
    first = max(2, round(begun * (len(nodes.seconds) - 1)))

    rate, began_s = float(stops.rates[first]), float(nodes.seconds[first])
    for at_s in moments(rate, 400):
        along, u, c = law(rate, stops.jerk, at_s)
        change = (law(rate, stops.jerk, at_s + 1e-7)[2] - law(rate, stops.jerk, at_s - 1e-7)[2]) / 2e-7
        node = node_at(nodes, began_s + along)
        v, a, j = nodes.velocities[node], nodes.accelerations[node], nodes.jerks[node]
        if 0.0 < u < 1.0:
            assert (np.abs(u**3 * j - 3.0 * u * c * a - change * v) <= np.maximum(1500.0, np.abs(j)) * 1.001).all()


def test_the_brake_of_a_smooth_robot_is_lengthened_until_it_jerks_no_more_than_it_may() -> None:
    given = [
        replace(case(chunk(ramp(12, (0.4, 0.0)), horizon=6)), rules=cubic(joints=(joint("a", jerk=most), joint("b"))))
        for most in (5000.0, 800.0, 1.0)
    ]

    hard, soft, none = (proposal(one) for one in given)

    assert len(soft.motion) > len(hard.motion)
    for one, found, most, ok in zip(given, (hard, soft, none), (5000.0, 800.0, 1.0), (True, True, False), strict=True):
        assert found.motion.jerks is not None
        assert bool(np.abs(found.motion.jerks[found.motion.braking()]).max() <= most) is ok
        assert all(finding.ok for finding in stopping_check(one, found)) is ok


def test_an_interval_of_a_plan_may_be_stopped_as_quickly_as_every_part_of_it() -> None:
    known = np.array([100, 100, 120, 125, 140, 160])

    found = rates_of(np.array([60, 90, 120, 140, 160]), known, np.array([0.0, 0.0, 9.0, 5.0, 7.0, 3.0]))

    assert found.tolist() == [0.0, 0.0, 9.0, 5.0, 3.0]


def joined_nodes(motion: Motion) -> Moving:
    return Moving(
        seconds=motion.times_s, positions=motion.positions, velocities=motion.velocities,
        accelerations=motion.accelerations, jerks=motion.jerks,
    )  # fmt: skip


def test_the_record_of_a_decision_says_how_its_plan_may_be_stopped() -> None:
    found = decide(case(chunk(horizon=6)), Physics())

    assert found.plan is not None
    assert found.plan.stop_rates.any()
    assert 0.0 < found.plan.stop_jerk <= MOST_JERK


def test_stops_are_the_same_compiled_and_as_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = moved(np.array([[5.0, 0.0]] * 4 + [[0.0, 6.0]] * 3 + [[0.0, 0.0]] * 5 + [[-5.0, -4.5]] * 4))
    loads = [(None, Physics()), (4.0 * nodes.accelerations, Physics(torque=lambda a: 4.0 * a))]
    robots = [profile(joints=(joint("a", torque=most, jerk=jerk), joint("b", torque=11.0, jerk=jerk))) for most, jerk in
              ((11.0, 50.0), (25.0, 5000.0))]  # fmt: skip
    smooth = profile(interpolation="cubic", joints=(joint("a", jerk=90.0), joint("b", jerk=90.0)))
    robots += [profile(stopping=MEASURED), smooth]
    asked = [(torques, robot, physics) for torques, physics in loads for robot in robots]

    compiled = [stops_of(nodes, torques, None, robot, physics, PERIOD_S) for torques, robot, physics in asked]
    interpreted(monkeypatch)
    plain = [stops_of(nodes, torques, None, robot, physics, PERIOD_S) for torques, robot, physics in asked]

    for one, other in zip(compiled, plain, strict=True):
        assert one.rates == pytest.approx(other.rates, rel=1e-12)
        assert one.late_s == pytest.approx(other.late_s, rel=1e-12)
    assert len({float(one.rates.sum()) for one in compiled}) > 3
