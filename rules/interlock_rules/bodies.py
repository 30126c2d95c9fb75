"""The one vocabulary of bodies: what `gripper`, `held`, `robot`, `cell`, `objects` and `target` mean here and now.

The robot's own words are `tcp`, `gripper`, `held`, `robot` and the names of its links. Words for what is around it are
`cell`, the names of its bodies, `objects`, `object:<name>` and `target`. What the hand holds is `held`, and no longer
an object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from interlock.case import Case
from interlock.kept import kept
from interlock.motion import Motion, RobotModel
from interlock.profile import AllowedCollision, Profile

from .kind import Fault, Setup
from .problems import nearest

TCP: Final = "tcp"
HELD: Final = "held"
GRIPPER: Final = "gripper"
ROBOT: Final = "robot"
CELL: Final = "cell"
OBJECTS: Final = "objects"
TARGET: Final = "target"
OBJECT: Final = "object:"


@dataclass(frozen=True, slots=True)
class Bodies:
    """Every name that the words of a case can stand for.

    links: of the robot; shaped: those that have a hull; fixed: those that no joint moves. hand: the profile's hand
    links. in_hand: whether the motion carries something; held: the name of what was measured in the hand (None:
    nothing). cell: its bodies. objects: those that were seen (None: nobody looked). target: which the task is about.
    allowed: the profile's collisions, and what the hand holds with the hand, each pair in alphabetical order.
    """

    links: tuple[str, ...]
    shaped: tuple[str, ...]
    fixed: frozenset[str]
    hand: tuple[str, ...]
    in_hand: bool
    held: str | None
    cell: tuple[str, ...]
    objects: tuple[str, ...] | None
    target: str | None
    allowed: frozenset[tuple[str, str]]


def bodies_of(case: Case, motion: Motion, model: RobotModel) -> Bodies:
    """The names of a case and its motion."""
    return motion.once("bodies", lambda: _bodies(case, motion, model))


def _bodies(case: Case, motion: Motion, model: RobotModel) -> Bodies:
    profile, objects = case.rules.profile, case.scene.objects
    return Bodies(
        links=tuple(model.links),
        shaped=motion.once("shaped", lambda: shaped(model)),
        fixed=frozenset(model.fixed),
        hand=tuple(profile.hand_links),
        in_hand=motion.held is not None,
        held=None if case.state.held is None else case.state.held.name,
        cell=tuple(body.name for body in case.rules.cell.bodies),
        objects=None if objects is None else tuple(item.name for item in objects),
        target=case.scene.target,
        allowed=_allowed(profile),
    )


@kept
def _allowed(profile: Profile) -> frozenset[tuple[str, str]]:
    return allowed_collisions(profile.allowed_collisions, profile.hand_links)


def allowed_collisions(allowed: Iterable[AllowedCollision], hand_links: Iterable[str]) -> frozenset[tuple[str, str]]:
    """The profile's, in alphabetical order, and what the hand holds with the hand."""
    named = ((pair.a, pair.b) for pair in allowed)
    hand = ((HELD, link) for link in hand_links)
    return frozenset((min(a, b), max(a, b)) for pairs in (named, hand) for a, b in pairs)


def shaped(model: RobotModel) -> tuple[str, ...]:
    """The links that have a hull, in the model's order."""
    return tuple(link for link in model.links if len(model.vertices.get(link, ())) > 0)


def parts(word: str, motion: Motion, profile: Profile) -> tuple[str, ...]:
    """The links, `held` or `tcp` that a word for the robot stands for; none for what is not there, as in an
    empty hand.
    """
    model = motion.model
    links = () if model is None else motion.once("shaped", lambda: shaped(model))
    return robot_parts(word, links, profile.hand_links, in_hand=motion.held is not None)


def robot_parts(word: str, links: tuple[str, ...], hand: tuple[str, ...], *, in_hand: bool) -> tuple[str, ...]:
    """The same, of a robot with these links that have a hull."""
    held = (HELD,) if in_hand else ()
    if word == ROBOT:
        return (*links, *held)
    if word == GRIPPER:
        return tuple(link for link in links if link in hand)
    return held if word == HELD else (word,)


def around(word: str, bodies: Bodies) -> tuple[str, ...] | None:
    """The names of cell bodies or objects that a word stands for; None where nobody looked, or what is named was not
    seen.
    """
    if word == CELL:
        return bodies.cell
    if word not in (OBJECTS, TARGET) and not word.startswith(OBJECT):
        return (word,)
    if bodies.objects is None:
        return None
    if word == OBJECTS:
        return tuple(name for name in bodies.objects if name != bodies.held)
    name = bodies.target if word == TARGET else word.removeprefix(OBJECT)
    if name is None or name not in bodies.objects:
        return None
    return () if name == bodies.held else (name,)


def ambiguous(case: Case, model: RobotModel) -> bool:
    """Whether an object has the name of another, of a cell body or zone, or of a part of the robot."""
    names = [item.name for item in case.scene.objects or ()]
    cell = case.rules.cell
    taken = {body.name for body in cell.bodies} | {zone.name for zone in cell.zones} | {*model.links, HELD, TCP}
    return len(set(names)) != len(names) or not taken.isdisjoint(names)


def is_robot(word: str, links: tuple[str, ...]) -> bool:
    """Whether a word names the robot with these links, or a part of it."""
    return word in (TCP, HELD, GRIPPER, ROBOT) or word in links


def is_around(word: str, setup: Setup) -> bool:
    """Whether a word names something around the robot."""
    bodies = [body.name for body in setup.cell.bodies]
    return word in (CELL, OBJECTS, TARGET, *bodies) or (word.startswith(OBJECT) and len(word) > len(OBJECT))


def robot_words(setup: Setup, model: RobotModel, *, tcp: bool) -> list[str]:
    """Every word for a part of the robot that has a shape (or is the tool point)."""
    point = [TCP] if tcp and model.tool_offsets else []
    hand = [GRIPPER] if any(link in setup.profile.hand_links for link in shaped(model)) else []
    return [*point, *hand, HELD, ROBOT, *shaped(model)]


def body_faults(setup: Setup, body: tuple[str, ...]) -> tuple[Fault, ...]:
    """What is wrong with a list of bodies of the robot: no shape, none named, unknown words, links that never move."""
    model = setup.model
    if model is None:
        return (shapeless(setup),)
    if not body:
        return (Fault("body", "name at least one body, as in [tcp, gripper, held]"),)
    known = robot_words(setup, model, tcp=True)
    wrong = [
        Fault(f"body[{i}]", f'no body "{word}"{nearest(word, known)}')
        for i, word in enumerate(body)
        if word not in known
    ]
    still = [Fault(f"body[{i}]", f'link "{word}" never moves') for i, word in enumerate(body) if word in model.fixed]
    return (*wrong, *still)


def shapeless(setup: Setup) -> Fault:
    """What to say where a profile has no URDF."""
    return Fault("kind", f"the profile {setup.profile.name!r} has no URDF, so this rule can never be measured")


def moving_parts(body: tuple[str, ...], motion: Motion, profile: Profile) -> tuple[str, ...]:
    """The parts of all words, each once; without links that no joint moves, for which nothing in the cell
    can change.
    """
    fixed = frozenset[str]() if motion.model is None else motion.model.fixed
    found = dict.fromkeys(part for word in body for part in parts(word, motion, profile))
    return tuple(part for part in found if part not in fixed)
