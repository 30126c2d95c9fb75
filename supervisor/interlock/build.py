"""Building a motion: the measured pose, the rest of the committed plan, the rows and their brake, in joint space and
the world.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, IntArray, frozen
from .braking import Brake, brake
from .case import Case
from .lower import JointPath, joint_limits, reference_at
from .motion import Motion, Phase, Plan, Reference, RobotModel
from .physics import Physics
from .profile import Profile
from .scene import Held
from .stopping import LEAD, Stops, late_of, rates_of, slowing_limits, stops_of

LENGTHENINGS = 4  # how often a brake is made longer because it would need more torque or jerk than there is
NS = 1e9
AHEAD = np.array([Phase.COMMITTED, Phase.ROW, Phase.BRAKE], dtype=np.int64)  # from the reference to rest
SHORTEST_NS = 1000  # between two nodes that are closer a speed would be rounding error, and nothing else


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A path with its brake, as one motion for the judge and one plan for the robot; and the longest time to rest [s]
    from any moment on.
    """

    path: JointPath
    motion: Motion
    plan: Plan
    brake_fits: bool
    longest_stop_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """Commanded nodes from the reference on: seconds since the take-over, joint space, phase and row of each."""

    seconds: FloatArray
    positions: FloatArray
    velocities: FloatArray
    accelerations: FloatArray
    jerks: FloatArray | None
    grippers: FloatArray
    phase: IntArray
    row: IntArray


def propose(case: Case, path: JointPath, physics: Physics) -> Proposal:
    """The motion and plan of a path: its rows to be permitted, and the shortest brake within 100 % of the profile."""
    found, nodes = _stop(path, case.rules.profile, case.state.held, physics)
    joined = _joined(_lead(case, path.start_ns), nodes, (path.start_ns - case.now_ns) / NS)
    torques = physics.torques(joined.positions, joined.velocities, joined.accelerations, case.state.held)
    stops = stops_of(joined, torques, case.state.held, case.rules.profile, physics, path.period_ns / NS)
    motion = _assembled(case, physics, joined, torques, stops.late_s)
    return Proposal(path, motion, _plan(case, path, nodes, joined.seconds, stops), found.fits, stops.longest_s)


def periods_to_rest(path: JointPath, profile: Profile, held: Held | None, physics: Physics) -> int | None:
    """How many periods behind the last row that is to be permitted its brake takes, as `propose` would put it there;
    None where no brake fits. For whoever must choose `commit` so that the robot is at rest in time.
    """
    found, _ = _stop(path, profile, held, physics)
    return len(found.positions) if found.fits else None


def _stop(path: JointPath, profile: Profile, held: Held | None, physics: Physics) -> tuple[Brake, _Nodes]:
    rows = path.positions[: path.commit]
    before = np.concatenate([path.reference.positions[None], rows])[-2:]
    speed, torque, jerk = (joint_limits(profile, name) for name in ("velocity", "torque", "jerk"))
    least, lengthened = 0, 0
    while True:
        found = brake(before, path.positions[path.commit :], speed, slowing_limits(profile), path.period_ns / NS, least)
        nodes = _nodes(path, rows, found.positions, profile)
        braking = nodes.phase == Phase.BRAKE
        torques = physics.torques(
            nodes.positions[braking], nodes.velocities[braking], nodes.accelerations[braking], held
        )
        strong = torques is None or bool((np.abs(torques) <= torque).all())
        soft = nodes.jerks is None or not bool((np.abs(nodes.jerks[braking]) > jerk).any())
        if not found.fits or lengthened == LENGTHENINGS or (strong and soft):
            return found, nodes
        least = len(found.positions) - 1 + max(1, len(found.positions) // 3)
        lengthened += 1


def _nodes(path: JointPath, rows: FloatArray, stop: FloatArray, profile: Profile) -> _Nodes:
    period_s = path.period_ns / NS
    positions = np.concatenate([path.reference.positions[None], rows, stop])
    last = path.grippers[path.commit - 1 : path.commit]
    grippers = np.concatenate(
        [path.reference.grippers[None], path.grippers[: path.commit], np.repeat(last, len(stop), axis=0)]
    )
    phase = np.repeat(AHEAD, [1, len(rows), len(stop)])
    row = np.full(len(positions), -1, dtype=np.int64)
    row[1 : len(rows) + 1] = np.arange(path.start_row, path.start_row + len(rows))
    seconds = frozen(np.arange(len(positions), dtype=np.float64) * period_s)
    if profile.interpolation == "cubic":
        return _cubic(path.reference, seconds, positions, grippers, phase, row, profile.control_rate_hz)
    velocities = np.concatenate([path.reference.velocities[None], (positions[1:] - positions[:-1]) / period_s])
    accelerations = np.concatenate([path.reference.accelerations[None], (velocities[1:] - velocities[:-1]) / period_s])
    return _Nodes(seconds, positions, velocities, accelerations, None, grippers, phase, row)


def _cubic(
    reference: Reference,
    seconds: FloatArray,
    positions: FloatArray,
    grippers: FloatArray,
    phase: IntArray,
    row: IntArray,
    rate_hz: float,
) -> _Nodes:
    """Cubic Hermite pieces through the nodes, sampled at the control rate; node velocities are central differences."""
    period_s = float(seconds[1])
    slopes = np.concatenate([
        reference.velocities[None],
        (positions[2:] - positions[:-2]) / (2.0 * period_s), np.zeros((1, positions.shape[1]))
    ])  # fmt: skip
    pieces = max(1, round(period_s * rate_hz))
    share = np.tile(np.arange(1, pieces + 1) / pieces, len(positions) - 1)[:, None]
    piece = np.repeat(np.arange(len(positions) - 1), pieces)
    p, q, u, v = positions[piece], positions[piece + 1], slopes[piece] * period_s, slopes[piece + 1] * period_s
    a, b = 2.0 * (p - q) + u + v, 3.0 * (q - p) - 2.0 * u - v
    fine = ((a * share + b) * share + u) * share + p
    velocity = ((3.0 * a * share + 2.0 * b) * share + u) / period_s
    acceleration = (6.0 * a * share + 2.0 * b) / period_s**2
    start = np.concatenate([[0.0], (piece + share[:, 0]) * period_s])
    return _Nodes(
        seconds=start,
        positions=np.concatenate([positions[:1], fine]),
        velocities=np.concatenate([reference.velocities[None], velocity]),
        accelerations=np.concatenate([reference.accelerations[None], acceleration]),
        jerks=np.concatenate([np.zeros((1, positions.shape[1])), 6.0 * a / period_s**3]),
        grippers=np.concatenate([grippers[:1], grippers[piece + 1]]),
        phase=np.concatenate([phase[:1], phase[piece + 1]]),
        row=np.concatenate([row[:1], row[piece + 1]]),
    )


def _plan(case: Case, path: JointPath, nodes: _Nodes, seconds: FloatArray, stops: Stops) -> Plan:
    """The nodes behind what is left of the committed plan, which the robot follows until they take over; with the stops
    that were worked out at so many seconds (N,) from now.
    """
    times = path.start_ns + np.rint(nodes.seconds * NS).astype(np.int64)
    positions, grippers = nodes.positions, nodes.grippers
    before = case.memory.plan
    if before is not None and case.now_ns < before.end_ns:
        # Two nodes from before now: the velocity and acceleration of the command of now come from them.
        seen_ns = case.now_ns - round(case.rules.freshness.state_s * NS)  # a state so old is still compared with it
        first = max(int(np.searchsorted(before.times_ns, seen_ns)) - 2, 0)
        last = int(np.searchsorted(before.times_ns, path.start_ns - SHORTEST_NS))
        times = np.concatenate([before.times_ns[first:last], times])
        positions = np.concatenate([before.positions[first:last], positions])
        grippers = np.concatenate([before.grippers[first:last], grippers])
    rates = rates_of(times, case.now_ns + np.rint(seconds * NS).astype(np.int64), stops.rates)
    return Plan(times, positions, grippers, path.rows_end_ns, path.start_ns, rates, stops.jerk)


def _joined(lead: _Nodes, nodes: _Nodes, offset_s: float) -> _Nodes:
    jerks = None if nodes.jerks is None else np.concatenate([np.zeros_like(lead.positions), nodes.jerks])
    return _Nodes(
        seconds=np.concatenate([lead.seconds, nodes.seconds + offset_s]),
        positions=np.concatenate([lead.positions, nodes.positions]),
        velocities=np.concatenate([lead.velocities, nodes.velocities]),
        accelerations=np.concatenate([lead.accelerations, nodes.accelerations]),
        jerks=jerks,
        grippers=np.concatenate([lead.grippers, nodes.grippers]),
        phase=np.concatenate([lead.phase, nodes.phase]),
        row=np.concatenate([lead.row, nodes.row]),
    )


def _lead(case: Case, until_ns: int) -> _Nodes:
    """The measured pose, the command of now, and the committed plan's nodes before `until_ns`."""
    plan, state, now = case.memory.plan, case.state, case.now_ns
    command = reference_at(case.memory, state, now, now)
    positions, times = [state.positions, command.positions], [now, now]
    velocities, grippers = [command.velocities, command.velocities], [state.grippers, command.grippers]
    accelerations = [command.accelerations, command.accelerations]
    if plan is not None and now < plan.end_ns:
        for when in plan.times_ns[(plan.times_ns > now) & (plan.times_ns < until_ns)].tolist():
            node = plan.at(when)
            positions.append(node.positions)
            velocities.append(node.velocities)
            accelerations.append(node.accelerations)
            grippers.append(node.grippers)
            times.append(when)
    return _Nodes(
        seconds=(np.array(times) - now) / NS,
        positions=np.array(positions),
        velocities=np.array(velocities),
        accelerations=np.array(accelerations),
        jerks=None,
        grippers=np.array(grippers),
        phase=np.array([Phase.MEASURED] * LEAD + [Phase.COMMITTED] * (len(positions) - LEAD), dtype=np.int64),
        row=np.full(len(positions), -1, dtype=np.int64),
    )


def rest_of_plan(case: Case, plan: Plan, physics: Physics) -> Motion:
    """What is left of a committed plan as a motion, to be judged again: rows and brake, from the command of now."""
    times = plan.times_ns[plan.times_ns > case.now_ns]
    nodes = [plan.at(when) for when in times.tolist()]
    lead = _lead(case, case.now_ns)
    phase = np.where(times <= plan.rows_end_ns, Phase.ROW, Phase.BRAKE).astype(np.int64)
    phase[times <= plan.rows_start_ns] = Phase.COMMITTED
    width = len(case.state.positions)
    # The jerk of a plan was judged when it was permitted, and does not change with what is known since.
    smooth = case.rules.profile.interpolation == "cubic"
    rest = _Nodes(
        seconds=(times - case.now_ns) / NS,
        positions=np.array([node.positions for node in nodes]).reshape(-1, width),
        velocities=np.array([node.velocities for node in nodes]).reshape(-1, width),
        accelerations=np.array([node.accelerations for node in nodes]).reshape(-1, width),
        jerks=np.zeros((len(nodes), width)) if smooth else None,
        grippers=np.array([node.grippers for node in nodes]).reshape(-1, len(case.state.grippers)),
        phase=phase,
        row=np.full(len(nodes), -1, dtype=np.int64),
    )
    joined = _joined(lead, rest, 0.0)
    torques = physics.torques(joined.positions, joined.velocities, joined.accelerations, case.state.held)
    return _assembled(case, physics, joined, torques, late_of(plan, case.now_ns, joined.seconds))


def _assembled(case: Case, physics: Physics, nodes: _Nodes, torques: FloatArray | None, late_s: FloatArray) -> Motion:
    """The motion with its poses and tool points."""
    model, positions, state = physics.model, frozen(nodes.positions), case.state
    empty = np.empty((len(nodes.seconds), 0, 4, 4))
    poses = frozen(empty) if model is None else model.forward(positions)
    return Motion(
        now_ns=case.now_ns,
        times_s=frozen(nodes.seconds),
        phase=nodes.phase,
        row=nodes.row,
        positions=positions,
        velocities=frozen(nodes.velocities),
        accelerations=frozen(nodes.accelerations),
        jerks=nodes.jerks,
        grippers=frozen(nodes.grippers),
        torques=torques,
        poses=poses,
        tool_points={} if model is None else _tool_points(model, poses),
        held=state.held,
        measured_grippers=state.grippers,
        model=model,
        late_s=late_s,
    )


def _tool_points(model: RobotModel, poses: FloatArray) -> Mapping[str, FloatArray]:
    return {
        name: frozen(poses[:, model.links.index(link)] @ offset) for name, (link, offset) in model.tool_offsets.items()
    }
