"""What the limits on single joints share: the limit of each joint along a motion, and one trace a joint."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from interlock.arrays import BoolArray, FloatArray
from interlock.lower import joint_limits
from interlock.motion import Motion
from interlock.profile import Profile
from interlock.rules import Trace

from .amounts import OfProfile
from .kind import Fault
from .traces import unknown


def bound(profile: Profile, name: str, most: float | OfProfile) -> FloatArray:
    """The limit of each joint (n,): a share of the profile's value, or the tighter of both; NaN where it gives none."""
    full = joint_limits(profile, name)
    return most.share * full if isinstance(most, OfProfile) else np.minimum(most, full)


def limits(motion: Motion, profile: Profile, name: str, most: float | OfProfile) -> FloatArray:
    """The limit of each joint along a motion (N, n): in the brake it is 100 % of the profile."""
    return np.where(motion.braking()[:, None], joint_limits(profile, name), bound(profile, name, most))


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
    one = np.zeros(len(motion), dtype=np.int64)
    columns = zip(margins.T, values.T, limit.T, _said(profile.joint_names, what), strict=True)
    return tuple(
        Trace(margin, value, most, unit, names, one, None, quantity)
        for margin, value, most, (names, quantity) in columns
    )


@lru_cache(maxsize=64)
def _said(joints: tuple[str, ...], what: str) -> tuple[tuple[tuple[tuple[str, ...]], str], ...]:
    """The names and the quantity of the trace of each joint."""
    return tuple((((joint,),), f"{what} of {joint}") for joint in joints)


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
