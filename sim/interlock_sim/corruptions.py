"""Faults that spoil what a policy said: its numbers, their meaning, or the moment that they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk
from interlock.profile import Profile
from interlock.robots import Asked

from .faulty import Corruption, Moment


def _rewritten(chunk: ActionChunk, moment: Moment, values: FloatArray) -> ActionChunk:
    """The chunk with other values in the rows after the onset."""
    return replace(chunk, values=np.where(moment.since_s[:, None] > 0.0, values, chunk.values))


def arm(change: Callable[[FloatArray, Moment], FloatArray]) -> Corruption:
    """Changes the joint positions (T, n) [rad] of the rows after the onset, and leaves the hand alone."""

    def corrupt(chunk: ActionChunk, moment: Moment) -> ActionChunk:
        count = len(moment.profile.joints)
        changed = change(chunk.values[:, :count], moment)
        return _rewritten(chunk, moment, np.concatenate([changed, chunk.values[:, count:]], axis=1))

    return corrupt


def offset(*by: float) -> Callable[[FloatArray, Moment], FloatArray]:
    """All joints are off by an angle [rad] from one row to the next."""
    return lambda rows, _: rows + np.array(by)


def factor(*by: float) -> Callable[[FloatArray, Moment], FloatArray]:
    """All joints are multiplied: a sign or a unit is wrong, or a number is none."""
    return lambda rows, _: rows * np.array(by)


def drift(rows: FloatArray, moment: Moment) -> FloatArray:
    """The arm leans forward, ever faster: joint 2 is off by 0.12 rad/s^2 times the time squared."""
    lean = 0.12 * np.maximum(moment.since_s, 0.0) ** 2
    return np.asarray(rows + lean[:, None] * np.eye(rows.shape[1])[1])


def jitter(rows: FloatArray, moment: Moment) -> FloatArray:
    """Each number is off by up to 50 mrad, each time anew."""
    return rows + moment.rng.uniform(-0.05, 0.05, rows.shape)


def delta_as_absolute(rows: FloatArray, moment: Moment) -> FloatArray:
    """The rows are deltas from the observation, and are read as positions."""
    return rows - moment.asked.state.positions


def wrong_normalisation(rows: FloatArray, moment: Moment) -> FloatArray:
    """Normalised by this robot's range, un-normalised by that of a robot whose joints go from -pi to pi."""
    lower, upper = _range(moment)
    return np.asarray(np.pi * (2.0 * (rows - lower) / (upper - lower) - 1.0))


def mid_range_decode(rows: FloatArray, moment: Moment) -> FloatArray:
    """The decoder fails into zeros, which un-normalise into the middle of every joint's range."""
    lower, upper = _range(moment)
    return np.tile((lower + upper) / 2.0, (len(rows), 1))


def frozen(rows: FloatArray, moment: Moment) -> FloatArray:
    """The camera's picture stands still, so nothing seems to be left to do."""
    return np.tile(moment.asked.reference.positions, (len(rows), 1))


def _range(moment: Moment) -> tuple[FloatArray, FloatArray]:
    joints = moment.profile.joints
    return np.array([joint.lower for joint in joints]), np.array([joint.upper for joint in joints])


def stale(chunk: ActionChunk, moment: Moment) -> ActionChunk:
    """What was thought two chunks ago, about a second, with that observation's true stamp."""
    if len(moment.earlier) < 2:
        return chunk
    old = moment.earlier[-2]
    stamps = replace(chunk.stamps, observation_ns=old.stamps.observation_ns)
    return replace(chunk, values=old.values, anchor=old.anchor, stamps=stamps)


def repeated(chunk: ActionChunk, moment: Moment) -> ActionChunk:
    """The chunk before, once more, to the last bit."""
    return moment.earlier[-1] if moment.earlier else chunk


def gripper_polarity(chunk: ActionChunk, moment: Moment) -> ActionChunk:
    """Open is sent for closed."""
    count = len(moment.profile.joints)
    hands = _turned(chunk.values[:, count:], moment.profile)
    return _rewritten(chunk, moment, np.concatenate([chunk.values[:, :count], hands], axis=1))


def mistaken_hands(asked: Asked, profile: Profile) -> Asked:
    """Open is seen as closed, by the same mistake."""
    state = replace(asked.state, grippers=_turned(asked.state.grippers, profile))
    reference = replace(asked.reference, grippers=_turned(asked.reference.grippers, profile))
    return replace(asked, state=state, reference=reference)


def _turned(hands: FloatArray, profile: Profile) -> FloatArray:
    """Values (..., g) of the grippers in the opposite sense."""
    return np.asarray(np.array([gripper.open + gripper.closed for gripper in profile.grippers]) - hands)
