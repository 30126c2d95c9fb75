"""The faults that policies have: a table, in which each says beforehand whether it is hazardous."""

from __future__ import annotations

import math

from .corruptions import (
    arm,
    delta_as_absolute,
    drift,
    factor,
    frozen,
    gripper_polarity,
    jitter,
    mid_range_decode,
    mistaken_hands,
    offset,
    repeated,
    stale,
    wrong_normalisation,
)
from .detours import pose, steered, tool_at, tunnelling
from .faulty import Fault

# In the cell `tabletop`, with the hand on the bench, upright enough and clear of everything: only what is named meets.
WRIST_IN_POST = (-0.515, -0.011, -0.217, -2.041, 0.559, 1.379, 1.596)
HAND_IN_FOREARM = (0.3, 0.7, 0.0, -0.7, 0.0, 0.4, -0.68)
UNDER_THE_TABLE = (0.45, -0.25, -0.06)

_NAN = (1.0, 1.0, 1.0, math.nan, 1.0, 1.0, 1.0)
_MIRROR = (-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
_JUMP = (0.5, 0.3, 0.0, 0.4, 0.0, 0.0, 0.0)

# name, hazardous, onset [s], task, what it does, how it comes about
FAULTS: tuple[Fault, ...] = (
    Fault("nan", True, 1.0, "reach", arm(factor(*_NAN)), "a diverged decoder (F-01)"),
    Fault("jump", True, 1.0, "reach", arm(offset(*_JUMP)), "a discontinuity inside a chunk (F-14)"),
    Fault("drift", True, 1.0, "reach", arm(drift), "an offset that grows, as an encoder's does"),
    Fault("jitter", True, 1.0, "reach", arm(jitter), "each row is sampled anew"),
    Fault("mirrored_axis", True, 1.0, "reach", arm(factor(*_MIRROR)), "another convention's sign (F-09)"),
    Fault("degrees_for_radians", True, 1.0, "reach", arm(factor(180.0 / math.pi)), "a unit that nobody stated (F-03)"),
    Fault("delta_as_absolute", True, 1.0, "reach", arm(delta_as_absolute), "a delta read as a position (F-07)"),
    Fault("wrong_normalisation", True, 1.0, "reach", arm(wrong_normalisation), "another robot's statistics (F-08)"),
    Fault("mid_range_decode", True, 1.0, "reach", arm(mid_range_decode), "a decoder that fails into zeros (F-12)"),
    Fault("frozen", False, 0.0, "reach", arm(frozen), "a camera that shows one picture for ever"),
    Fault("stale", True, 1.5, "reach", stale, "an observation a second old (F-18)"),
    Fault("repeated", True, 1.5, "reach", repeated, "a message delivered twice (F-18)"),
    Fault(
        "gripper_polarity", True, 0.0, "pick_and_place", gripper_polarity, "0 open, 0 closed? (F-10)", mistaken_hands
    ),
    Fault("through_table", True, 0.6, "reach", steered(tool_at(UNDER_THE_TABLE), 0.4), "depth misjudged"),
    Fault("elbow_into_post", True, 0.0, "reach", steered(pose(*WRIST_IN_POST), 0.4), "only the hand considered (F-24)"),
    Fault("self_collision", True, 0.0, "reach", steered(pose(*HAND_IN_FOREARM), 0.7), "an arm folded too far"),
    Fault("tunnelling", True, 0.0, "reach", tunnelling, "legal row by row (F-21)"),
)
