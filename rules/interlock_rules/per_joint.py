"""What the limits on single joints share: the limit of each joint along a motion, and one trace a joint."""

from __future__ import annotations

import numpy as np

from interlock.arrays import BoolArray, FloatArray
from interlock.lower import joint_limits
from interlock.motion import Motion, Phase
from interlock.profile import Profile
from interlock.rules import Trace

from .amounts import OfProfile
from .kind import Fault
from .traces import trace, unknown


def bound(profile: Profile, name: str, most: float | OfProfile) -> FloatArray:
    """The limit of each joint (n,): a share of the profile's value, or the tighter of both; NaN where it gives none."""
    full = joint_limits(profile, name)
    return most.share * full if isinstance(most, OfProfile) else np.minimum(most, full)


def limits(motion: Motion, profile: Profile, name: str, most: float | OfProfile) -> FloatArray:
    """The limit of each joint along a motion (N, n): in the brake it is 100 % of the profile."""
    braking = (motion.phase == Phase.BRAKE)[:, None]
    return np.where(braking, joint_limits(profile, name), bound(profile, name, most))


def at_most(
    profile: Profile,
    motion: Motion,
    values: FloatArray | None,
    most: FloatArray,
    judged: BoolArray,
    unit: str,
    what: str,
) -> tuple[Trace, ...]:
    """One trace a joint of most - |values|, each (N, n), on the nodes judged (N,); one of NaN where values
    are missing.
    """
    if values is None or values.shape != most.shape:
        return (unknown(motion, unit, what),)
    size = np.abs(values)
    left = most - size
    margins = np.where(judged[:, None] | np.isnan(left), left, np.inf)
    return per_joint(profile, motion, margins, size, most, unit, what)


def per_joint(
    profile: Profile, motion: Motion, margins: FloatArray, values: FloatArray, limit: FloatArray, unit: str, what: str
) -> tuple[Trace, ...]:
    """One trace a joint, from columns of (N, n)."""
    return tuple(
        trace(motion, margins[:, joint], values[:, joint], limit[:, joint], unit, (name,), f"{what} of {name}")
        for joint, name in enumerate(profile.joint_names)
    )


def idle(profile: Profile, field: str, name: str, most: float | OfProfile) -> tuple[Fault, ...]:
    """Why a limit can never do anything: the profile gives a joint no such value, or a lower one to every joint."""
    full = joint_limits(profile, name)
    without = [joint for joint, value in zip(profile.joint_names, full, strict=True) if np.isnan(value)]
    if without:
        return (
            Fault(
                field, f"the profile {profile.name!r} gives no {name} of {', '.join(without)}; add it with its source"
            ),
        )
    if isinstance(most, float) and bool((most > full).all()):
        return (
            Fault(field, f"{most:g} is above the profile's {name} of every joint, at most {full.max():g}; lower it"),
        )
    return ()
