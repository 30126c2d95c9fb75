"""Fields hold what their annotations say: what does not is refused where it is made, and never inside a review."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.case import Case
from interlock.chunk import Channel, Stamps
from interlock.decide import decide
from interlock.fields import check_fields
from interlock.geometry import Box, Capsule, Cylinder, HalfSpace, Pose, Sphere
from interlock.jsonform import digest_of, from_json, to_json
from interlock.profile import Finger, Gripper, Inertia, NamedPose, Stopping, ToolPoint, Urdf
from interlock.rules import Freshness
from interlock.scene import Body, BodyPart, Cell, Hazard, Held, Person, Scene, SceneObject, Zone
from tests.supervisor.toy import NOW, Apart, Physics, case, chunk, joint, profile, rule, rules, state

POSE = Pose()


@dataclass(frozen=True, slots=True)
class Every:
    """One field of each form."""

    number: float = 0.0
    whole: int = 0
    word: str = ""
    sure: bool = False
    choice: Literal["a", "b"] = "a"
    pair: tuple[float, float] = (0.0, 0.0)
    many: tuple[str, ...] = ()
    maybe: float | None = None
    shape: Box | Sphere | None = None
    where: Pose = POSE

    def __post_init__(self) -> None:
        check_fields(self)


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no number": ({"number": None}, TypeError, "Every.number must be a number, got None"),
    "text for a number": ({"number": "3 mm"}, TypeError, "Every.number must be a number, got str '3 mm'"),
    "a boolean for a number": ({"number": True}, TypeError, "Every.number must be a number, got bool True"),
    "a foreign float": ({"number": np.float32(1)}, TypeError, "Every.number must be a number, got float32"),
    "no float holds it": ({"number": 10**400}, ValueError, "Every.number must be a number that a float can hold"),
    "no whole number": ({"whole": 1.0}, TypeError, "Every.whole must be a whole number, got float"),
    "a boolean for a whole number": ({"whole": True}, TypeError, "Every.whole must be a whole number, got bool"),
    "beyond 64 bits": ({"whole": 2**64}, ValueError, "Every.whole must fit 64 bits"),
    "no text": ({"word": b"a"}, TypeError, "Every.word must be text, got bytes b'a'"),
    "half a character": ({"word": "\ud800"}, ValueError, "Every.word must be Unicode text"),
    "no boolean": ({"sure": 1}, TypeError, "Every.sure must be a bool, got int 1"),
    "no choice": ({"choice": "c"}, TypeError, "Every.choice must be one of 'a', 'b', got str 'c'"),
    "one too few": ({"pair": (0.0,)}, TypeError, "Every.pair must have 2 items, got 1"),
    "text for a tuple": ({"many": "ab"}, TypeError, "Every.many must be a tuple, got str 'ab'"),
    "a wrong item": ({"many": ("a", 1)}, TypeError, r"Every.many\[1\] must be text, got int 1"),
    "text for maybe a number": ({"maybe": "x"}, TypeError, "Every.maybe must be a number, got str 'x'"),
    "no shape": ({"shape": Pose()}, TypeError, r"Every.shape must be one of Box, Sphere, got Pose Pose\(.*\.\.\.$"),
    "nowhere": ({"where": None}, TypeError, "Every.where must be a Pose, got None"),
}


@pytest.mark.parametrize("what", WRONG)
def test_F02_what_is_of_another_type_is_refused_with_what_was_found_and_expected(what: str) -> None:
    changes, error, said = WRONG[what]

    with pytest.raises(error, match=said):
        Every(**changes)


def test_what_means_the_same_is_taken_in_one_form() -> None:
    lists: Any = [0, -0.0]
    made = Every(number=np.float64(2.0), pair=lists, maybe=-0.0, shape=Sphere(1))

    assert made == Every(2.0, pair=(0.0, 0.0), maybe=0.0, shape=Sphere(1.0))
    assert [type(item) for item in (made.number, made.pair, made.pair[0])] == [float, tuple, float]
    assert [math.copysign(1.0, item) for item in (*made.pair, made.maybe or 0.0)] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -1e300, 5e-324])
def test_F01_any_float_is_held_as_it_came(value: float) -> None:
    assert repr(Every(value).number) == repr(value)


def test_what_was_made_of_whole_numbers_has_the_digest_of_what_is_read_back() -> None:
    pose = Pose((2**60, 0, -(2**53)))

    assert digest_of(from_json(Pose, to_json(pose))) == digest_of(pose)


CUBE = SceneObject("cube", Sphere(0.1), Pose(), NOW, 0.01, 0.0)
HELD = Held("cube", Sphere(0.1), Pose(), 0.1)
BODY = Body("post", Sphere(0.1), Pose())
PART = BodyPart("head", (0.0, 0.0, 1.6), (0.0, 0.0, 1.7), 0.1)
ANNA = Person("anna", (PART,), NOW, 0.05, 1.0)
VALUES: dict[str, Any] = {
    "pose": Pose(),
    "box": Box((1.0, 1.0, 1.0)),
    "sphere": Sphere(1.0),
    "cylinder": Cylinder(1.0, 1.0),
    "capsule": Capsule(1.0, 1.0),
    "half-space": HalfSpace((0.0, 0.0, 1.0)),
    "object": CUBE,
    "held": HELD,
    "part": PART,
    "person": ANNA,
    "scene": Scene("automatic", (CUBE,), "cube", (ANNA,)),
    "state": state(held=HELD),
    "body": BODY,
    "zone": Zone("zone", ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), (), 0.0, 1.0),
    "hazard": Hazard("H-01", "what", "measure"),
    "cell": Cell("cell", Pose(), (BODY,), ()),
    "chunk": chunk(),
    "stamps": Stamps(0, 0, 0, 0, 0),
    "channel": Channel("a", "arm", "joint_position", "absolute", "rad", "joint"),
    "joint": joint("a"),
    "gripper": Gripper("hand", 0.0, 1.0, "m", 1.0, "source"),
    "finger": Finger("a", 0.5),
    "inertia": Inertia("a", 1.0, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), "source"),
    "tool": ToolPoint("tcp", "a", Pose()),
    "named pose": NamedPose("home", (0.0, 0.0)),
    "urdf": Urdf("package", "path", "digest"),
    "stopping": Stopping(1.0, (0.1, 0.1), "source"),
    "profile": profile(),
    "freshness": Freshness(1.0, 1.0, 1.0, 1.0),
}


class Foreign:
    """What no field means."""


@pytest.mark.parametrize("what", VALUES)
def test_F02_no_field_of_what_comes_from_outside_holds_something_foreign(what: str) -> None:
    value, foreign = VALUES[what], Foreign()

    for field in dataclasses.fields(value):
        with pytest.raises(TypeError, match=f"{field.name} must"):
            replace(value, **{field.name: foreign})


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.floats(), st.integers(), st.binary(max_size=2),
    st.lists(st.floats() | st.none(), max_size=4), st.just(Pose()), st.just(np.float32(1.0)),
)  # fmt: skip
RULES = rules(rule(Apart()))
MADE: dict[str, Callable[[str, Any], Case]] = {
    "object": lambda name, junk: case(
        scene=Scene("automatic", (replace(CUBE, **{name: junk}),)), rules=RULES
    ),
    "part": lambda name, junk: case(
        scene=Scene("automatic", people=(replace(ANNA, parts=(replace(PART, **{name: junk}),)),)), rules=RULES
    ),
    "person": lambda name, junk: case(scene=Scene("automatic", people=(replace(ANNA, **{name: junk}),)), rules=RULES),
    "held": lambda name, junk: case(state=state(held=replace(HELD, **{name: junk})), rules=RULES),
    "scene": lambda name, junk: case(scene=replace(Scene("automatic", (CUBE,)), **{name: junk}), rules=RULES),
    "state": lambda name, junk: case(state=replace(state(), **{name: junk}), rules=RULES),
    "pose": lambda name, junk: case(
        scene=Scene("automatic", (replace(CUBE, pose=replace(Pose(), **{name: junk})),)), rules=RULES
    ),
    "chunk": lambda name, junk: case(replace(chunk(), **{name: junk}), rules=RULES),
    "stamps": lambda name, junk: case(chunk(stamps=replace(chunk().stamps, **{name: junk})), rules=RULES),
}  # fmt: skip
HOLDERS: dict[str, Any] = {
    "object": CUBE,
    "part": PART,
    "person": ANNA,
    "held": HELD,
    "scene": Scene(None),
    "state": state(),
    "pose": POSE,
    "chunk": chunk(),
    "stamps": chunk().stamps,
}
FIELDS = [(what, field.name) for what, holder in HOLDERS.items() for field in dataclasses.fields(holder)]


@given(where=st.sampled_from(FIELDS), junk=JUNK)
def test_F02_junk_in_any_field_is_refused_where_it_is_made_or_judged(where: tuple[str, str], junk: Any) -> None:
    what, name = where
    try:
        made = MADE[what](name, junk)
    except (TypeError, ValueError):
        return

    assert decide(made, Physics()).reaction in {"permit", "slow", "truncate", "veto", "stop"}


class Text(str):
    """Text that shows itself as another."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another"

    def __format__(self, _spec: str) -> str:
        return "another"


class Count(int):
    """A number that compares as it likes."""

    def __float__(self) -> float:
        return math.nan

    def __lt__(self, _other: object) -> bool:
        return True


class Real(float):
    """A number that calls itself another."""

    __slots__ = ()

    def __float__(self) -> float:
        return math.inf

    def __add__(self, _other: object) -> float:
        return math.inf


def test_F02_a_field_holds_plain_values_whatever_class_they_came_in() -> None:
    made = Every(number=Real(2.0), whole=Count(3), word=Text("word"), many=(Text("one"),), pair=(Count(1), Real(0.5)))

    assert (made.number, made.whole, made.word, made.many, made.pair) == (2.0, 3, "word", ("one",), (1.0, 0.5))
    assert [type(value) for value in (made.number, made.whole, made.word, made.many[0])] == [float, int, str, str]
    assert [type(value) for value in made.pair] == [float, float]
