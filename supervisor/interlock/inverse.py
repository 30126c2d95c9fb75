"""Continuous inverse kinematics: joint rows that bring a tool point along given poses, or why there are none.

Each row is solved from the row before it, so that the arm stays on the branch it is on: damped least squares with the
joints' limits, in as many steps along the way as keep each step small. Nothing is approximated. A row is refused if the
tool does not get there, if the arm is near a singularity, or if a joint would have to jump; and so is a row to which
the straight joint path, which is what the robot drives, leaves the tool's own path.

An arm with more joints than a pose needs has motions to spare, and the least motion alone lets its posture drift: a
circle that is repeated turns the elbow until something stops it. So spare motion goes towards the middle of the joints'
travel. It is a share of what the joints move for the tool, and nothing else: no time, no memory, no chance. A tool that
stands still has joints that stand still, and a motion that starts smoothly is smooth in every joint.

How far that path can leave, between rows. Let T be the sum of what all joints turn, l the longest lever, which is the
largest velocity of the tool point for one joint at 1 rad/s. Turning joint i moves the lever of joint j by at most the
larger of the two, so that l grows at most as exp(T), and the second derivative of the tool point is at most T^2 l
exp(T): it leaves its chord by at most an eighth of that. The joint path is cut into PIECES, and each piece bounded so.
The turn of the tool away from its own path, E, grows at most at g = |w - Q w'|, w being its angular velocity, w' that
of its path and Q the turn so far; g itself grows at most at T^2 / 2 + g |w'|.

A slowed path has its nodes on the followed path, but drives straight from one to the next, and so cuts the corners at
the rows that it passes in between. Its straight pieces are therefore measured once more, against the tool's own way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation as Turn

from . import kernels_motion
from .arrays import FloatArray, IntArray, frozen
from .motion import RobotModel
from .rotations import rotvecs
from .rules import Reaction

LENGTH_M: Final = 0.2  # a turn of the tool counts as the travel of a point this far from it
CLOSE: Final = 1e-6  # m, and rad times LENGTH_M: what is left at a row
DAMPING: Final = 1e-4
ROUNDS: Final = 12
PULL: Final = 0.5  # of what the joints move for the tool: at most so much more, towards the middle of their travel
OUTERMOST: Final = 0.9  # of half a joint's travel: a pull that grew on would overshoot within one step
STEP_RAD: Final = 0.1  # of a joint, in one step on the way; branches that are nearer than this are near-singular
SMALLEST: Final = 1.0 / 32.0  # of the way to the next row, for one step
ROW_STEP_RAD: Final = 0.5  # of a joint, from row to row
AMPLIFICATION: Final = 100.0  # rad/m: where 1 mm of the tool needs 0.1 rad, the arm is at a singularity
STRAY_M: Final = 1e-3  # between rows
STRAY_RAD: Final = 1e-2
PIECES: Final = 8
FEWEST_JOINTS: Final = 6


@dataclass(frozen=True, slots=True)
class Followed:
    """The largest of one quantity along a path, with its limit and unit; `row` counts from the path's first row, and
    `check` names the check that it belongs to.

    NaN is what could not be worked out, and a violation like what is beyond the limit. `reaction`: whether a slower
    path can help.
    """

    what: str
    value: float
    limit: float
    unit: str
    row: int
    tool: str
    check: str = "follow"
    reaction: Reaction = "veto"

    @property
    def ok(self) -> bool:
        """Inside, the limit itself included; NaN never is."""
        return self.value <= self.limit


class Stand(NamedTuple):
    """Positions (n,) [rad], and with them the tool's pose (4, 4) in the world and its Jacobian (6, k)."""

    positions: FloatArray
    pose: FloatArray
    jacobian: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """One tool point, the joints that move it (k,), as indices, and the limits of all joints (n,) [rad]."""

    model: RobotModel
    tool: str
    joints: IntArray
    lower: FloatArray
    upper: FloatArray

    def at(self, positions: FloatArray) -> Stand:
        """The arm at positions (n,); turns in the Jacobian are times LENGTH_M."""
        poses, jacobians = self.model.tool(positions[None], self.tool)
        jacobian = jacobians[0][:, self.joints]
        jacobian[3:] *= LENGTH_M
        return Stand(positions, poses[0], jacobian)


def moved_by(model: RobotModel, positions: FloatArray, tool: str) -> IntArray:
    """The joints, as indices, that move a tool point; a joint that turns it has a column that is not zero anywhere."""
    return np.flatnonzero(model.tool(positions[None], tool)[1][0].any(axis=0)).astype(np.int64)


def amplification(jacobian: FloatArray) -> float:
    """Joint speed [rad/s, Euclidean] for 1 m/s of the tool point, or 1 / LENGTH_M rad/s of it, in the worst direction.

    jacobian (6, k): turns times LENGTH_M.
    """
    least = float(np.linalg.svd(jacobian, compute_uv=False)[-1])
    return 1.0 / least if least > 0.0 else math.inf


def follow(arm: Arm, start: FloatArray, wanted: FloatArray) -> tuple[FloatArray, tuple[Followed, ...]]:
    """Positions (R, n) [rad] from `start` (n,) through world poses (R, 4, 4), and the largest of what is judged.

    Rows from the first that cannot be reached on are NaN; then what stands in its way is not ok.
    """
    rows = np.full((len(wanted), len(start)), np.nan)
    judged = np.zeros((3, len(wanted)))
    here, solved = arm.at(start), 0
    for row, goal in enumerate(wanted):
        end, judged[:, row] = _go(arm, here, goal)
        if end is None:
            break
        here, rows[row], solved = end, end.positions, row + 1
    left, near, steps = judged[:, : solved + 1]
    found: tuple[Followed, ...] = (
        _largest("what is left between the tool and its row", left, CLOSE, "m", arm.tool),
        _largest("joint speed for a speed of the tool: near a singularity", near, AMPLIFICATION, "rad/m", arm.tool),
        _largest("step of a joint: no continuous way to the row", steps, ROW_STEP_RAD, "rad", arm.tool),
    )
    if solved:
        line = np.vstack([start, rows[:solved]])
        found += strayed(arm, line, line, np.arange(solved + 1.0))
    return frozen(rows), found


def strayed(arm: Arm, line: FloatArray, nodes: FloatArray, along: FloatArray) -> tuple[Followed, Followed]:
    """The largest of what is between the tool's way along `line` (R + 1, n) and a path of straight joint motions, by
    `strays`; row i is the motion from node i to node i + 1.

    nodes (N + 1, n): the path, with node 0 at the start of `line`. along (N + 1,): how far along `line` each node is,
    in rows, never falling. Where a node passes a row the motion is measured on both sides of it.
    """
    every = np.union1d(along, np.arange(1.0, along[-1]))
    fine = kernels_motion.on_path(nodes, np.interp(every, along, np.arange(float(len(nodes)))))
    places, turns = strays(arm, line, fine, every)
    rows = np.searchsorted(along[1:], every[1:])
    return (
        _largest("distance between the straight joint path and the tool's path", places, STRAY_M, "m", arm.tool, rows),
        _largest("turn between the straight joint path and the tool's path", turns, STRAY_RAD, "rad", arm.tool, rows),
    )


def _largest(
    what: str, values: FloatArray, limit: float, unit: str, tool: str, rows: IntArray | None = None
) -> Followed:
    worst = int(np.argmax(np.where(np.isnan(values), np.inf, values)))
    return Followed(what, float(values[worst]), limit, unit, worst if rows is None else int(rows[worst]), tool)


def _go(arm: Arm, start: Stand, goal: FloatArray) -> tuple[Stand | None, FloatArray]:
    """The way to one row: its end, and what is left [m], the largest amplification and the largest step of a joint.

    Without a way there is no end, and at least one of the three is beyond its limit.
    """
    here, done, share, left, worst = start, 0.0, 1.0, 0.0, 0.0
    while done < 1.0:
        target = goal if done + share >= 1.0 else _between(start.pose, goal, done + share)
        end = _solve(arm, here, target)
        left = float(np.linalg.norm(_error(end.pose, target)))
        near, step = amplification(end.jacobian), float(np.abs(end.positions - here.positions).max())
        if left <= CLOSE and near <= AMPLIFICATION and step <= STEP_RAD:
            here, done, worst, share = end, done + share, max(worst, near), min(2.0 * share, 1.0 - done - share)
        elif share > SMALLEST:
            share /= 2.0
        else:
            reached = left if left <= CLOSE else float(np.linalg.norm(_error(here.pose, goal)))
            return None, np.array([reached, near, step if step <= STEP_RAD else step / share])
    whole = float(np.abs(here.positions - start.positions).max())
    return (here if whole <= ROW_STEP_RAD else None), np.array([left, worst, whole])


def _between(start: FloatArray, goal: FloatArray, share: float) -> FloatArray:
    found = np.eye(4)
    found[:3, :3] = Turn.from_rotvec(share / LENGTH_M * _error(start, goal)[3:]).as_matrix() @ start[:3, :3]
    found[:3, 3] = start[:3, 3] + share * (goal[:3, 3] - start[:3, 3])
    return found


def _solve(arm: Arm, here: Stand, goal: FloatArray) -> Stand:
    """Near where the arm stands, the tool at a pose, or where it was when the rounds were over."""
    for _ in range(ROUNDS):
        error = _error(here.pose, goal)
        if float(np.linalg.norm(error)) <= CLOSE:
            break
        here = arm.at(_step(arm, here.positions, here.jacobian, error))
    return here


def _error(pose: FloatArray, goal: FloatArray) -> FloatArray:
    """What is missing (6,) [m]: the way, and the turn times LENGTH_M."""
    off = goal[:3, :3] @ pose[:3, :3].T
    across = 0.5 * np.array([off[2, 1] - off[1, 2], off[0, 2] - off[2, 0], off[1, 0] - off[0, 1]])
    sine, cosine = float(np.linalg.norm(across)), 0.5 * (float(np.trace(off)) - 1.0)
    angle = math.atan2(sine, cosine)
    turn = across * (angle / sine) if sine > 0.0 else np.array([angle, 0.0, 0.0])
    return np.concatenate([goal[:3, 3] - pose[:3, 3], LENGTH_M * turn])


def _step(arm: Arm, here: FloatArray, jacobian: FloatArray, error: FloatArray) -> FloatArray:
    """One step of damped least squares; a joint at a limit that it would cross stands still, and the others go on."""
    lower, upper, start = arm.lower[arm.joints], arm.upper[arm.joints], here[arm.joints]
    free = np.full(len(start), True)
    while True:
        step = np.zeros(len(start))
        able = jacobian[:, free]
        square = able @ able.T + DAMPING**2 * np.eye(6)
        step[free] = able.T @ np.linalg.solve(square, error)
        pull = np.zeros(len(start))
        pull[free] = _pull(start, lower, upper)[free]
        pull[free] -= able.T @ np.linalg.solve(square, able @ pull[free])
        step += pull * (PULL * float(np.linalg.norm(step)) / max(1.0, float(np.linalg.norm(pull))))
        stuck = ((start <= lower) & (step < 0.0)) | ((start >= upper) & (step > 0.0))
        if not stuck.any():
            break
        free &= ~stuck
    step *= min(1.0, 2.0 * STEP_RAD / max(float(np.abs(step).max()), 1e-12))
    found = here.copy()
    found[arm.joints] = np.clip(start + step, lower, upper)
    return found


def _pull(positions: FloatArray, lower: FloatArray, upper: FloatArray) -> FloatArray:
    """Which way and how strongly each joint (k,) is pulled: not at all in the middle of its travel, most at a limit."""
    off = np.clip((2.0 * positions - lower - upper) / (upper - lower), -OUTERMOST, OUTERMOST)
    return np.asarray(-off / (1.0 - off**2))


def strays(arm: Arm, line: FloatArray, nodes: FloatArray, along: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far the tool point is from its way [m], and its turn [rad], anywhere on the straight joint path between each
    two of the nodes (N + 1, n); (N,) each, rigorous.

    The way is straight and even between the tool's poses at line (R + 1, n). along (N + 1,): where on it, in rows, each
    node is to be; no row is between two of them.
    """
    steps, parts = np.diff(nodes, axis=0), np.diff(along)
    share = np.linspace(0.0, 1.0, PIECES + 1)
    fine = nodes[:-1, None] + share[:, None] * steps[:, None]
    poses, jacobians = arm.model.tool(fine.reshape(-1, nodes.shape[1]), arm.tool)
    poses, jacobians = (found.reshape(len(steps), PIECES + 1, *found.shape[1:]) for found in (poses, jacobians))
    turned = np.abs(steps[:, arm.joints]).sum(axis=1)
    rows = np.minimum(along[:-1].astype(np.int64), len(line) - 2)
    done = (along[:-1] - rows)[:, None] + share * parts[:, None]
    ends = arm.model.tool(line, arm.tool)[0]
    first, last = ends[rows], ends[rows + 1]
    way = first[:, None, :3, 3] + done[:, :, None] * (last - first)[:, None, :3, 3]
    off = np.linalg.norm(poses[:, :, :3, 3] - way, axis=2).max(axis=1)
    lever = np.linalg.norm(jacobians[:, :, :3], axis=2).max(axis=(1, 2))
    piece = turned / PIECES
    whole = rotvecs(last[:, :3, :3] @ np.swapaxes(first[:, :3, :3], 1, 2))
    even = _turns(done[:, :, None] * whole[:, None]) @ first[:, None, :3, :3]
    rates = np.einsum("rpij,rj->rpi", jacobians[:, :, 3:], steps)
    turns = _turned_off(poses[:, :, :3, :3], even, rates, parts[:, None] * whole, turned)
    return off + piece**2 * lever * np.exp(piece) / 8.0, turns


def _turns(vectors: FloatArray) -> FloatArray:
    """Rotation matrices (..., 3, 3) of rotation vectors (..., 3)."""
    return np.asarray(Turn.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(*vectors.shape, 3))


def _turned_off(
    turns: FloatArray, even: FloatArray, rates: FloatArray, pace: FloatArray, turned: FloatArray
) -> FloatArray:
    """What is between the turns and the even ones (N, P, 3, 3), at most, their angular velocities being rates (N, P, 3)
    and pace (N, 3), and the joints turning by `turned` (N,) in all.
    """
    off = turns @ np.swapaxes(even, 2, 3)
    angle = np.linalg.norm(rotvecs(off.reshape(-1, 3, 3)).reshape(rates.shape), axis=2).max(axis=1)
    apart = np.linalg.norm(rates - np.einsum("rpij,rj->rpi", off, pace), axis=2).max(axis=1)
    half = 0.5 / PIECES
    return np.asarray(angle + half * (apart + half * turned**2 / 2.0) * np.exp(half * np.linalg.norm(pace, axis=1)))
