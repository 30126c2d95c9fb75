"""Proposals that a rule must refuse, put together from a pose: standing in it, going there, or one nudge of a joint."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from interlock.arrays import FloatArray, frozen
from interlock.lower import joint_limits
from interlock.scene import Held, SceneObject

from .kind import NoProvocation, Provoked, Setup


def _made(
    setup: Setup,
    start: FloatArray,
    rows: FloatArray,
    objects: tuple[SceneObject, ...] = (),
    target: str | None = None,
    held: Held | None = None,
) -> Provoked:
    open_hand = np.array([gripper.open for gripper in setup.profile.grippers])
    grippers = np.tile(open_hand, (len(rows), 1))
    return Provoked(frozen(np.array(start)), frozen(np.array(rows)), frozen(grippers), objects, target, held)


def hold_still(
    setup: Setup,
    positions: FloatArray,
    objects: tuple[SceneObject, ...] = (),
    target: str | None = None,
    held: Held | None = None,
) -> Provoked:
    """The arm stands at positions (n,), with things around it or in the hand."""
    return _made(setup, positions, np.tile(positions, (setup.rows, 1)), objects, target, held)


def approach(setup: Setup, positions: FloatArray) -> Provoked:
    """The arm goes to positions (n,) from home, or from as near as the rows need, no joint above a quarter of its
    speed.
    """
    way = positions - setup.home
    step = 0.25 * joint_limits(setup.profile, "velocity") * setup.period_s
    steps = max(1, int(np.ceil(np.max(np.abs(way) / step))))
    first = max(0, steps - setup.rows)
    reached = np.minimum(first + np.arange(setup.rows + 1), steps) / steps
    path = setup.home + reached[:, None] * way
    return _made(setup, path[0], path[1:])


def nudge(setup: Setup, step: float) -> Provoked:
    """The first joint moves by half a step [rad] in the first row, by whole steps in the next two, and stays there.

    It moves towards the middle of its travel. Raises NoProvocation without three rows, or where it is not that fast.
    """
    joint = setup.profile.joints[0]
    towards = 1.0 if setup.home[0] < (joint.lower + joint.upper) / 2.0 else -1.0
    steps = np.zeros_like(setup.home)
    steps[0] = towards * step
    return _three_steps(setup, setup.home, steps)


def sprint(setup: Setup, quick: tuple[FloatArray, FloatArray], held: Held | None = None) -> Provoked:
    """The arm passes a pose (n,) [rad] with velocities (n,) [rad/s], after a first row at half of them, and stops."""
    pose, velocities = quick
    steps = velocities * setup.period_s
    return _three_steps(setup, pose - steps, steps, held)


def _three_steps(setup: Setup, start: FloatArray, steps: FloatArray, held: Held | None = None) -> Provoked:
    if setup.rows < 3 or bool((np.abs(steps) / 2.0 > joint_limits(setup.profile, "velocity") * setup.period_s).any()):
        raise NoProvocation(f"{setup.rows} rows of {setup.period_s:g} s are too few or too short for a step this wide")
    taken = np.minimum(np.arange(setup.rows) + 0.5, 2.5)
    return _made(setup, start, start + taken[:, None] * steps, held=held)


def hand(provoked: Provoked, value: float) -> Provoked:
    """The same with every gripper told one value, in its unit."""
    return replace(provoked, grippers=frozen(np.full(provoked.grippers.shape, value)))
