"""A search for positions in which a rule is violated: samples of the joints' travel, then ever smaller steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.geometry import Pose, Sphere
from interlock.lower import joint_limits
from interlock.motion import RobotModel
from interlock.scene import Held

from .bodies import GRIPPER, HELD, ROBOT, TCP, shaped
from .kind import NoProvocation, Setup

SAMPLES: Final = 96
ROUNDS: Final = 12
SEED: Final = 1  # any; the same each time, so that a rule set always has the same provocations


def lowest(setup: Setup, slack: Callable[[FloatArray], FloatArray], enough: float, what: str) -> FloatArray:
    """Positions (n,) [rad] within the joints' travel where slack, a function of (M, n) to (M,), is at most `enough`.

    Raises NoProvocation, with `what` was looked for, where the search finds none.
    """
    lower, upper = (joint_limits(setup.profile, name) for name in ("lower", "upper"))
    inset = 0.05 * (upper - lower)
    chance = np.random.default_rng(SEED)
    best, found = setup.home, float(slack(setup.home[None])[0])
    samples = chance.uniform(lower + inset, upper - inset, (SAMPLES, len(lower)))
    for number in range(ROUNDS):
        if found <= enough:
            return np.array(best)
        values = slack(samples)
        if values.min() < found:
            best, found = samples[int(values.argmin())], float(values.min())
        steps = chance.normal(0.0, 0.3 * 0.7**number, samples.shape) * (upper - lower) / 2.0
        samples = np.clip(best + steps, lower + inset, upper - inset)
    raise NoProvocation(f"no pose within the joints' travel {what}; the nearest is {found:.3g} from it")


def the_model(setup: Setup) -> RobotModel:
    """The robot's shape; raises NoProvocation without one."""
    if setup.model is None:
        raise NoProvocation("the robot has no shape")
    return setup.model


def _links(setup: Setup, model: RobotModel, word: str) -> tuple[str, ...]:
    """The links with a hull that a word of the robot stands for; of `robot`, those that joints move."""
    links = shaped(model)
    if word == ROBOT:
        return tuple(link for link in links if link not in model.fixed)
    if word == GRIPPER:
        return tuple(link for link in links if link in setup.profile.hand_links)
    return tuple(link for link in links if link == word)


def in_hand(body: tuple[str, ...]) -> Held | None:
    """Something small in the hand, for a rule that is about nothing else."""
    return Held("held", Sphere(0.01), Pose(), 0.01) if set(body) == {HELD} else None


def corners_of(setup: Setup, body: tuple[str, ...], positions: FloatArray) -> FloatArray:
    """Corners (M, V, 3) [m, world] of the bodies named, for positions (M, n); of `held`, where the hand holds it."""
    model = the_model(setup)
    poses = model.forward(positions)
    found: list[FloatArray] = []
    for word in body:
        if word == TCP:
            link, offset = model.tool_offsets[TCP]
            found.append((poses[:, model.links.index(link)] @ offset)[:, None, :3, 3])
        if word == HELD:
            found.append(poses[:, model.links.index(setup.profile.flange), None, :3, 3])
        for link in _links(setup, model, word):
            place = poses[:, model.links.index(link)]
            found.append(np.einsum("nij,vj->nvi", place[:, :3, :3], model.vertices[link]) + place[:, None, :3, 3])
    return np.concatenate(found, axis=1)
