"""The arithmetic of inverse dynamics, compiled: torques by the recursion of Newton and Euler.

As in `kernels.py`: plain loops, nothing raises, and NaN stays NaN.
"""

from __future__ import annotations

import numpy as np

from .arrays import FloatArray, IntArray
from .compiled import compiled


@compiled
def cross(one: FloatArray, other: FloatArray, found: FloatArray) -> None:
    """Adds the cross product of two vectors (3,) to found (3,)."""
    found[0] += one[1] * other[2] - one[2] * other[1]
    found[1] += one[2] * other[0] - one[0] * other[2]
    found[2] += one[0] * other[1] - one[1] * other[0]


@compiled
def dot(one: FloatArray, other: FloatArray) -> float:
    """The scalar product of two vectors (3,)."""
    return float(one[0] * other[0] + one[1] * other[1] + one[2] * other[2])


@compiled
def swing(spin: FloatArray, turning: FloatArray, arm: FloatArray, found: FloatArray) -> None:
    """Adds the acceleration of the end of an arm (3,) relative to its start, at a spin (3,) [rad/s] and its change (3,)
    [rad/s^2], to found (3,).
    """
    cross(turning, arm, found)
    along, square = dot(spin, arm), dot(spin, spin)
    for i in range(3):
        found[i] += spin[i] * along - arm[i] * square


@compiled
def momentum(pose: FloatArray, tensor: FloatArray, spin: FloatArray, found: FloatArray) -> None:
    """A tensor (3, 3) of the frame `pose` (4, 4) times a vector (3,) of the world; into found (3,), in its axes."""
    x = pose[0, 0] * spin[0] + pose[1, 0] * spin[1] + pose[2, 0] * spin[2]
    y = pose[0, 1] * spin[0] + pose[1, 1] * spin[1] + pose[2, 1] * spin[2]
    z = pose[0, 2] * spin[0] + pose[1, 2] * spin[1] + pose[2, 2] * spin[2]
    a = tensor[0, 0] * x + tensor[0, 1] * y + tensor[0, 2] * z
    b = tensor[1, 0] * x + tensor[1, 1] * y + tensor[1, 2] * z
    c = tensor[2, 0] * x + tensor[2, 1] * y + tensor[2, 2] * z
    for i in range(3):
        found[i] = pose[i, 0] * a + pose[i, 1] * b + pose[i, 2] * c


@compiled
def turn_into(pose: FloatArray, vector: FloatArray, found: FloatArray) -> None:
    """A vector (3,) of the frame `pose` (4, 4), in the axes of the world; into found (3,)."""
    for i in range(3):
        found[i] = pose[i, 0] * vector[0] + pose[i, 1] * vector[1] + pose[i, 2] * vector[2]


@compiled
def inverse_dynamics(
    frames: FloatArray,
    rates: FloatArray,
    changes: FloatArray,
    parents: IntArray,
    axes: FloatArray,
    column: IntArray,
    gain: FloatArray,
    gravity: FloatArray,
    carriers: IntArray,
    masses: FloatArray,
    middles: FloatArray,
    tensors: FloatArray,
) -> FloatArray:
    """Joint torques (N, n) [N m] by the recursion of Newton and Euler (Featherstone, Rigid Body Dynamics Algorithms,
    2008, ch. 5): motion outwards, forces inwards, all in the axes of the world.

    frames (N, L + 1, 4, 4); rates [rad/s] and changes of rate [rad/s^2] (N, n); parents, axes, column and gain as in
    `Kinematics`, gain 0 where a link does not turn; gravity (3,) [m/s^2, world]. Of each of B bodies: the link that
    carries it (B,), its mass (B,), and in that link's frame its centre (B, 3) and its tensor about that (B, 3, 3).
    """
    links = len(parents)
    found = np.zeros(rates.shape)
    axis, spin, turning, speeding = (
        np.zeros((links, 3)), np.zeros((links, 3)), np.zeros((links, 3)), np.zeros((links, 3)),
    )  # fmt: skip
    force, moment = np.empty((links, 3)), np.empty((links, 3))
    arm, push, spun = np.empty(3), np.empty(3), np.empty(3)
    for n in range(len(frames)):
        force[:], moment[:], speeding[0] = 0.0, 0.0, -gravity
        for link in range(1, links):
            up = parents[link]
            rate, change = gain[link] * rates[n, column[link]], gain[link] * changes[n, column[link]]
            turn_into(frames[n, link], axes[link], axis[link])
            turning[link] = 0.0
            cross(spin[up], axis[link], turning[link])
            for i in range(3):
                arm[i] = frames[n, link, i, 3] - frames[n, up, i, 3]
                spin[link, i] = spin[up, i] + rate * axis[link, i]
                turning[link, i] = turning[up, i] + change * axis[link, i] + rate * turning[link, i]
                speeding[link, i] = speeding[up, i]
            swing(spin[up], turning[up], arm, speeding[link])
        for body in range(len(carriers)):
            link = carriers[body]
            turn_into(frames[n, link], middles[body], arm)
            push[:] = speeding[link]
            swing(spin[link], turning[link], arm, push)
            for i in range(3):
                push[i] *= masses[body]
                force[link, i] += push[i]
            cross(arm, push, moment[link])
            momentum(frames[n, link], tensors[body], spin[link], spun)
            cross(spin[link], spun, moment[link])
            momentum(frames[n, link], tensors[body], turning[link], spun)
            for i in range(3):
                moment[link, i] += spun[i]
        for link in range(links - 1, 0, -1):
            up = parents[link]
            found[n, column[link]] += gain[link] * dot(axis[link], moment[link])
            for i in range(3):
                arm[i] = frames[n, link, i, 3] - frames[n, up, i, 3]
                force[up, i] += force[link, i]
                moment[up, i] += moment[link, i]
            cross(arm, force[link], moment[up])
    return found
