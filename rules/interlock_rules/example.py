"""A first chunk to try a rule set with: the robot rests in its first named pose and is told to stay there."""

from __future__ import annotations

import numpy as np

from interlock.chunk import ActionChunk, Stamps, all_commanded
from interlock.errors import UnusableInput
from interlock.rules import RuleSet
from interlock.scene import RobotState, Scene

NOTICE_S = 0.3  # a review takes time, the first one most


def standing_still(rules: RuleSet, now_ns: int) -> tuple[RobotState, ActionChunk, Scene]:
    """A state at rest, seen now; a chunk that holds it, due NOTICE_S from now; a scene without objects.

    Raises UnusableInput for a profile without a named pose, or a set that accepts no layout of absolute positions.
    """
    profile, accepts = rules.profile, rules.accepts
    absolute = [item for item in accepts.layouts if all(channel.reference == "absolute" for channel in item.channels)]
    said = {"joint_position", "gripper"}
    layouts = [item for item in absolute if all(channel.quantity in said for channel in item.channels)]
    if not profile.poses or not layouts:
        raise UnusableInput(f"{rules.name}: an example needs a named pose, and a layout of absolute joint positions")
    layout, pose = layouts[0], np.array(profile.poses[0].positions)
    home = dict(zip(profile.joint_names, pose.tolist(), strict=True))
    wide = {gripper.name: gripper.open for gripper in profile.grippers}
    row = [home[item.name] if item.name in home else _open(item.unit, wide[item.name]) for item in layout.channels]
    values = np.tile(np.array(row), (accepts.rows_max, 1))
    period_ns = round(accepts.period_s * 1e9)
    first_row_ns = now_ns + round(NOTICE_S / accepts.period_s) * period_ns
    chunk = ActionChunk(
        id="example",
        session="example",
        sequence=0,
        layout=layout.digest,
        profile=rules.profile_digest,
        values=values,
        mask=all_commanded(values),
        period_s=accepts.period_s,
        horizon=accepts.execute,
        stamps=Stamps(now_ns, now_ns, now_ns, first_row_ns, first_row_ns + accepts.rows_max * period_ns),
        normalisation=accepts.undone,
    )
    state = RobotState(now_ns, profile.joint_names, pose, np.zeros_like(pose), np.array(list(wide.values())))
    people = () if rules.people == "tracker" else None
    return state, chunk, Scene(mode=rules.modes[0] if rules.modes else None, objects=(), people=people)


def _open(unit: str, width: float) -> float:
    return 1.0 if unit == "ratio" else width
