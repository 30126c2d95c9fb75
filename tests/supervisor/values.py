"""Every value that has a JSON form, drawn at random, with the numbers that break things."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from interlock.case import Memory
from interlock.chunk import ActionChunk, Malformed, Model, Noise, Normalisation, Stamps
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.motion import Plan
from interlock.profile import Finger, Gripper, Inertia, Profile, Stopping, ToolPoint, Urdf
from interlock.rules import SEVERITY
from interlock.scene import Body, BodyPart, Cell, Hazard, Held, Person, RobotState, Scene, SceneObject, Zone
from interlock.verdict import Attempt, Decision, Finding, Outcome, Verdict
from tests.supervisor.toy import LAYOUTS, joint

FLOATS = st.floats(width=64)
POSITIVE = st.floats(1e-3, 1e3)
WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(max_size=8)
POSES = st.builds(Pose, st.tuples(FLOATS, FLOATS, FLOATS), st.tuples(FLOATS, FLOATS, FLOATS, FLOATS))
GOOD_POSES = st.builds(Pose, st.tuples(POSITIVE, POSITIVE, POSITIVE))
CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


def _mesh(scale: float) -> ConvexMesh:
    return ConvexMesh(scale * CORNERS)


SHAPES: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Box, st.tuples(POSITIVE, POSITIVE, POSITIVE)),
    st.builds(Sphere, POSITIVE),
    st.builds(Cylinder, POSITIVE, POSITIVE),
    st.builds(Capsule, POSITIVE, POSITIVE),
    st.builds(_mesh, POSITIVE),
    st.sampled_from([HalfSpace((0.0, 0.0, 1.0)), HalfSpace((-0.0, -1.0, 0.0))]),
)


def floats(*shape: Any) -> st.SearchStrategy[Any]:
    return arrays(np.float64, shape, elements=FLOATS)


@st.composite
def chunks(draw: st.DrawFn, /, values: st.SearchStrategy[Any] = FLOATS, **fixed: Any) -> ActionChunk:
    rows, columns = draw(st.integers(0, 5)), draw(st.integers(0, 4))
    optional = st.none() | WHOLE
    made: dict[str, st.SearchStrategy[Any]] = {
        "id": TEXT,
        "session": TEXT,
        "sequence": WHOLE,
        "layout": TEXT | st.sampled_from([layout.digest for layout in LAYOUTS]),
        "profile": TEXT,
        "values": arrays(np.float64, (rows, columns), elements=values),
        "mask": arrays(np.bool_, st.just((rows, columns)) | st.tuples(st.integers(0, 5), st.integers(0, 4))),
        "period_s": FLOATS,
        "horizon": optional,
        "stamps": st.builds(Stamps, optional, optional, optional, optional, optional, TEXT, st.booleans()),
        "anchor": st.none() | arrays(np.float64, st.integers(0, 3), elements=FLOATS),
        "space": st.sampled_from(["physical", "normalised"]),
        "normalisation": st.none() | st.builds(Normalisation, TEXT, TEXT, TEXT),
        "decode": st.sampled_from(["ok", "fallback", "failed"]),
        "instruction": TEXT,
        "images": st.lists(TEXT, max_size=2).map(tuple),
        "grounding": TEXT,
        "model": st.builds(Model, TEXT, TEXT, TEXT),
        "raw_digest": TEXT,
        "noise": st.none() | st.builds(Noise, WHOLE, TEXT),
    }
    found: dict[str, Any] = {name: fixed[name] if name in fixed else draw(made[name]) for name in made}
    return ActionChunk(**found)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    times = draw(st.lists(WHOLE, min_size=1, max_size=4, unique=True).map(sorted))
    joints, grippers = (arrays(np.float64, (len(times), n), elements=st.floats(-9, 9)) for n in (2, 1))
    return Plan(np.array(times, dtype=np.int64), draw(joints), draw(grippers), draw(WHOLE), draw(WHOLE))


HELD = st.builds(Held, TEXT, SHAPES, POSES, FLOATS)
OBJECTS = st.builds(SceneObject, TEXT, SHAPES, POSES, WHOLE, FLOATS, st.none() | FLOATS)
PLACES = st.tuples(FLOATS, FLOATS, FLOATS)
PARTS = st.lists(st.builds(BodyPart, TEXT, PLACES, PLACES, FLOATS), max_size=2).map(tuple)
PEOPLE = st.builds(Person, TEXT, PARTS, WHOLE, FLOATS, st.none() | FLOATS)
SCENES = st.builds(
    Scene,
    st.none() | TEXT,
    st.none() | st.lists(OBJECTS, max_size=2).map(tuple),
    st.none() | TEXT,
    st.none() | st.lists(PEOPLE, max_size=2).map(tuple),
)


@st.composite
def states(draw: st.DrawFn) -> RobotState:
    n = draw(st.integers(0, 3))
    names = draw(st.lists(TEXT, max_size=3).map(tuple))
    return RobotState(draw(WHOLE), names, draw(floats(n)), draw(floats(n)), draw(floats(1)), draw(st.none() | HELD))


MEMORIES = st.builds(
    Memory,
    st.sampled_from(["ready", "running", "slowed", "holding", "stopped"]),
    st.none() | plans(),
    TEXT, WHOLE, WHOLE, WHOLE, WHOLE, st.none() | WHOLE, TEXT,
)  # fmt: skip
FINDINGS = st.builds(
    Finding, TEXT, TEXT, st.sampled_from(sorted(SEVERITY)), FLOATS, FLOATS, FLOATS, TEXT, TEXT, WHOLE, FLOATS, TEXT,
    st.lists(TEXT, max_size=2).map(tuple), st.none() | st.tuples(FLOATS, FLOATS, FLOATS),
)  # fmt: skip
VERDICTS = st.builds(Verdict, st.lists(FINDINGS, max_size=2).map(tuple), st.booleans())
ALLOWED = Verdict((Finding("R", "k", "veto", 0.0, 1.0, 1.0, "", ""),))


def _refused(reaction: Outcome, verdict: Verdict) -> Decision:
    return Decision(reaction, 0, 0, 0.0, (Attempt("as proposed", 0, verdict),), None)


def _permitted(reaction: Outcome, verdict: Verdict, plan: Plan) -> Decision:
    attempts = (Attempt("as proposed", 3, verdict), Attempt("cut", 3, ALLOWED))
    return Decision(reaction, 2, 3, 0.5, attempts, plan, "digest")


REFUSALS: tuple[Outcome, ...] = ("veto", "stop")
PERMITS: tuple[Outcome, ...] = ("permit", "slow", "truncate")
DECISIONS = st.one_of(
    st.builds(_refused, st.sampled_from(REFUSALS), VERDICTS),
    st.builds(_permitted, st.sampled_from(PERMITS), VERDICTS, plans()),
)
SQUARE = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))
HOLE = ((1.0, 1.0), (2.0, 1.0), (2.0, 2.0))


def _cell(mount: Pose, shape: Shape, text: str) -> Cell:
    bodies, zones = (Body("body", shape, mount, text),), (Zone("zone", SQUARE, (HOLE,), -0.5, 1.0),)
    return Cell(text, mount, bodies, zones, (Hazard("H", text, text),))


def _profile(pose: Pose, number: float, text: str) -> Profile:
    return Profile(
        text,
        (joint("a"), joint("b", jerk=None, torque=number)),
        (Gripper("hand", 0.0, number, "m", number, text, number, (Finger(text, number),)),),
        LAYOUTS,
        number,
        "cubic",
        urdf=Urdf(text, text, text, text),
        tool_points=(ToolPoint("tcp", text, pose),),
        inertias=(Inertia(text, number, (number, number, number), (number, 0.0, 0.0, number, 0.0, number), text),),
        stopping=Stopping(number, (number, number), text),
        stop_category=1,
    )


CELLS = st.builds(_cell, GOOD_POSES, SHAPES, TEXT)
PROFILES = st.builds(_profile, POSES, POSITIVE, TEXT)
MALFORMED = st.builds(Malformed, TEXT, TEXT, TEXT, st.none() | WHOLE)
EVERY: dict[type, st.SearchStrategy[Any]] = {
    ActionChunk: chunks(),
    Malformed: MALFORMED,
    RobotState: states(),
    Scene: SCENES,
    Memory: MEMORIES,
    Decision: DECISIONS,
    Cell: CELLS,
    Profile: PROFILES,
}


def same(a: Any, b: Any) -> bool:
    """Equal in every field, NaN equal to NaN, arrays in shape and type too; minus zero is zero."""
    if hasattr(a, "dtype"):
        return bool(
            a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=bool(a.dtype.kind == "f"))
        )
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if a is None or isinstance(a, str | int | float):
        return bool(type(a) is type(b) and (a == b or (a != a and b != b)))  # noqa: PLR0124 - NaN
    return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
