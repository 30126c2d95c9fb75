"""From a case as written to what the robot is asked to do: where it starts, and every row of its way."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlock.arrays import FloatArray
from interlock.geometry import Box
from interlock.motion import RobotModel
from interlock.rules import RuleSet
from interlock.scene import BodyPart, Held, Person, SceneObject

from .amounts import Opening
from .case_form import CaseForm, GoToForm, PersonForm
from .forms import AT_ORIGIN, pose
from .problems import nearest
from .proposals import Start
from .reaching import quintic, reach, tool_poses

DOWN = np.array([0.0, 0.0, -1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """Where a robot starts, and its way: rows (T, n) [rad] and gripper values (T, g)."""

    start: Start
    rows: FloatArray
    grippers: FloatArray


def route_of(case: CaseForm, rules: RuleSet, model: RobotModel | None) -> Route:
    """The way that a case describes. Raises ValueError if it describes none, OutOfReach if nothing gets there."""
    start = _start(case, rules)
    rows = _rows(case, rules, model, start.positions)
    if case.chunk.nan is not None:
        rows[-1, _joint(case.chunk.nan, rules)] = math.nan
    if case.chunk.gripper is None:
        return Route(start, rows, np.tile(start.grippers, (len(rows), 1)))
    way = quintic(len(rows))[:, None]
    return Route(start, rows, start.grippers + way * (_opened(case.chunk.gripper, rules) - start.grippers))


def _joint(name: str, rules: RuleSet) -> int:
    """The place of a joint; raises ValueError for a name that the robot does not know."""
    known = rules.profile.joint_names
    if name not in known:
        raise ValueError(f'unknown joint "{name}"{nearest(name, known)}')
    return known.index(name)


def _opened(opening: Opening, rules: RuleSet) -> float:
    """The value that every gripper of the robot goes to; raises ValueError where one counts in another unit."""
    for gripper in rules.profile.grippers:
        if gripper.unit != opening.unit:
            raise ValueError(f'gripper "{gripper.name}" is in {gripper.unit}; "gripper" is in {opening.unit}')
    return opening.value


def _start(case: CaseForm, rules: RuleSet) -> Start:
    mode = rules.modes[0] if case.mode is None else case.mode
    if mode not in rules.modes:
        raise ValueError(f'unknown mode "{mode}"{nearest(mode, rules.modes)}')
    held = case.held
    return Start(
        positions=_positions(case.start, rules),
        grippers=np.array([gripper.open for gripper in rules.profile.grippers]),
        mode=mode,
        objects=tuple(
            SceneObject(item.name, Box(item.box), pose(item.at, item.rpy), 0, item.uncertainty, item.speed)
            for item in case.objects
        ),
        target=case.target,
        held=None if held is None else Held(held.name, Box(held.box), pose(held.at, AT_ORIGIN), held.mass),
        people=tuple(map(_person, case.people)) if rules.people == "tracker" or case.people else None,
    )


def _person(form: PersonForm) -> Person:
    parts = tuple(BodyPart(part.region, part.start, part.end, part.radius) for part in form.parts)
    return Person(form.name, parts, 0, form.uncertainty, form.speed)


def _positions(start: str | tuple[float, ...], rules: RuleSet) -> FloatArray:
    known = {named.name: named.positions for named in rules.profile.poses}
    if isinstance(start, str) and start not in known:
        raise ValueError(f'unknown pose "{start}"{nearest(start, known)}')
    found = known[start] if isinstance(start, str) else start
    if len(found) != len(rules.profile.joints):
        raise ValueError(f'"from" needs one position for each of {len(rules.profile.joints)} joints')
    return np.array(found)


def _rows(case: CaseForm, rules: RuleSet, model: RobotModel | None, start: FloatArray) -> FloatArray:
    chunk = case.chunk
    if (chunk.rows is None) == (chunk.go_to is None):
        raise ValueError('a chunk has either "rows" or "go_to"')
    if chunk.rows is not None:
        if not chunk.rows or any(len(row) != len(start) for row in chunk.rows):
            raise ValueError(f"every row needs one position for each of {len(start)} joints")
        return np.array(chunk.rows)
    if chunk.go_to is None or chunk.duration is None:
        raise ValueError('"go_to" needs "in": how long it takes')
    shares = quintic(max(1, round(chunk.duration / rules.accepts.period_s)))
    return _go_to(chunk.go_to, rules, model, start, shares)


def _go_to(
    go_to: GoToForm, rules: RuleSet, model: RobotModel | None, start: FloatArray, shares: FloatArray
) -> FloatArray:
    if (go_to.tcp is None) == (go_to.joints is None):
        raise ValueError('"go_to" has either "tcp" or "joints"')
    if go_to.joints is not None:
        if len(go_to.joints) != len(start):
            raise ValueError(f'"joints" needs one position for each of {len(start)} joints')
        return np.asarray(start + shares[:, None] * (np.array(go_to.joints) - start))
    if model is None:
        raise ValueError(f"{rules.profile.name} has no URDF, so nothing is known of its tool; go to joints")
    first = tool_poses(model, start[None])[0]
    axes = first[:3, :3] if go_to.orientation == "as_is" else np.column_stack([np.full((3, 2), np.nan), DOWN])
    point = (rules.cell.mount.matrix() @ np.array([*(go_to.tcp or AT_ORIGIN), 1.0]))[:3]
    if go_to.path == "joint":
        end = reach(model, rules.profile, start, point, axes)
        return np.asarray(start + shares[:, None] * (end - start))
    rows = [start]
    for share in shares:
        rows.append(reach(model, rules.profile, rows[-1], first[:3, 3] + share * (point - first[:3, 3]), axes))
    return np.array(rows[1:])
