"""What is wrong with the words that a clearance names its bodies with: unknown, the wrong side, or never met."""

from __future__ import annotations

from interlock.motion import RobotModel

from .bodies import (
    CELL,
    GRIPPER,
    HELD,
    OBJECT,
    OBJECTS,
    ROBOT,
    TARGET,
    is_around,
    robot_words,
    shaped,
)
from .kind import Fault, Setup
from .problems import nearest


def pair_faults(setup: Setup, model: RobotModel, field: str, words: tuple[str, str]) -> tuple[Fault, ...]:
    """Unknown words, and pairs without any part of the robot."""
    own = robot_words(setup, model, tcp=False)
    known = [*own, CELL, OBJECTS, TARGET, *(body.name for body in setup.cell.bodies)]
    found = tuple(
        Fault(f"{field}[{index}]", f'no body "{word}"{nearest(word, known)}')
        for index, word in enumerate(words)
        if word not in own and not is_around(word, setup)
    )
    if not found and not any(word in own for word in words):
        found = (Fault(field, "one of the two must be the robot or a part of it"),)
    return found


def except_faults(
    setup: Setup, model: RobotModel, field: str, words: tuple[str, str], between: tuple[str, str]
) -> tuple[Fault, ...]:
    """Those, and a pair that the rule itself is not about."""
    found = pair_faults(setup, model, field, words)
    straight = _within(setup, model, words[0], between[0]) and _within(setup, model, words[1], between[1])
    crossed = _within(setup, model, words[1], between[0]) and _within(setup, model, words[0], between[1])
    if not found and not straight and not crossed:
        found = (Fault(field, f"the rule is about {between[0]} and {between[1]}, so this does nothing"),)
    return found


def _within(setup: Setup, model: RobotModel, word: str, whole: str) -> bool:
    """Whether what a word stands for belongs to what another stands for, at some time."""
    if whole == ROBOT:
        return word in (ROBOT, GRIPPER, HELD) or word in shaped(model)
    if whole == GRIPPER:
        return word == GRIPPER or word in setup.profile.hand_links
    if whole == CELL:
        return word == CELL or word in {body.name for body in setup.cell.bodies}
    if whole == OBJECTS:
        return word in (OBJECTS, TARGET) or word.startswith(OBJECT)
    return word == whole
