"""What holds for every kind of rule, run over the table of kinds: a new kind is tested by being in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, cast

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from interlock.geometry import Pose, Sphere
from interlock.motion import Motion, RobotModel
from interlock.scene import Held, Scene
from interlock_rules.approach import Approach
from interlock_rules.kind import Kind, NoProvocation, Setup
from interlock_rules.kinds import KINDS
from interlock_rules.loading import load_regions
from interlock_rules.regions import Contact, Most, Region, Regions
from tests.rules.arm import (
    LINKS,
    PERIOD,
    SETUP,
    Arm,
    case_of,
    cubic,
    forecast,
    judge,
    motion_of,
    moving,
    ok,
    provoked_motion,
    still,
    walker,
    with_people,
    worst,
)

APPROACH: dict[str, Any] = {
    "person_speed": "1.6 m/s",
    "reaction": "300 ms",
    "robot_uncertainty": "10 mm",
    "intrusion": "100 mm",
    "stopping": {"deceleration": "3.333 m/s^2", "source": "test"},
}

MADE_UP = load_regions("made-up")

# One rule of each kind, as an author writes it, that a still arm at home keeps.
EXAMPLES: dict[str, dict[str, Any]] = {
    "joint_position": {"margin": "2 deg"},
    "joint_velocity": {"max": "90 % of profile", "towards_stop": "50 % of profile"},
    "joint_acceleration": {"max": "80 % of profile"},
    "joint_jerk": {"max": "300 rad/s^3"},
    "joint_torque": {
        "max": "80 % of profile",
        "payload": {"max_mass": "0.5 kg", "at": ["0 mm", "0 mm", "50 mm"], "frame": "flange"},
    },
    "tcp_speed": {"max": "1 m/s"},
    "link_speed": {"max": "1 m/s", "body": ["robot"]},
    "tcp_orientation": {"axis": ["1", "0", "0"], "towards": ["0.36", "0.93", "0"], "max": "20 deg"},
    "singularity": {"max": "40 rad/m", "length": "200 mm"},
    "keep_in": {"zone": "hall", "body": ["tcp", "robot"]},
    "keep_out": {"zone": "screen", "body": ["tcp", "robot"]},
    "clearance": {
        "between": ["robot", "cell"],
        "min": "20 mm",
        "except": [{"pair": ["gripper", "post"], "min": "contact", "zone": ["bench"], "max_speed": "100 mm/s"}],
    },
    "gripper": {"width": "0 mm to 80 mm", "max_speed": "100 mm/s", "max_force": "30 N"},
    "separation": {"body": ["robot"], "approach": APPROACH},
    "contact_energy": {
        "body": ["robot"],
        "approach": APPROACH,
        "regions": MADE_UP,
        "contact_area": "1 cm^2",
        "clamped_by": ["post"],
    },
}
OF_PEOPLE = ("separation", "contact_energy")
NEEDS_SHAPE = (
    "tcp_speed", "link_speed", "tcp_orientation", "singularity", "keep_in", "keep_out", "clearance", *OF_PEOPLE,
)  # fmt: skip

# The arrays of a motion that a kind reads: NaN in any of them, anywhere, is a violation.
READS: dict[str, tuple[str, ...]] = {
    "joint_position": ("positions",),
    "joint_velocity": ("velocities", "positions"),
    "joint_acceleration": ("accelerations",),
    "joint_jerk": ("jerks",),
    "joint_torque": ("torques",),
    "tcp_speed": ("poses", "times_s", "positions"),
    "link_speed": ("poses", "times_s", "positions"),
    "tcp_orientation": ("tool_points", "positions"),
    "singularity": ("positions",),
    "keep_in": ("poses", "positions"),
    "keep_out": ("poses", "positions"),
    "clearance": ("poses",),
    "gripper": ("grippers", "times_s"),
    "separation": ("poses", "times_s", "positions"),
    "contact_energy": ("poses", "times_s", "positions"),
}

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def read(kind: str, **changes: Any) -> Kind:
    return cast(Kind, TypeAdapter[Any](KINDS[kind]).validate_python({**EXAMPLES[kind], **changes}))


def setup_for(kind: str) -> Setup:
    return cubic(SETUP) if kind == "joint_jerk" else SETUP


def case_for(kind: str, limit: Kind, **more: Any) -> Any:
    """A case of a kind; for one about people, with somebody near."""
    around: dict[str, Any] = {"scene": with_people(walker(1.97, 0.43, speed_m_s=1.0))} if kind in OF_PEOPLE else {}
    return case_of(limit, setup=setup_for(kind), **{**around, **more})


def test_every_kind_has_an_example_and_says_what_it_reads() -> None:
    assert EXAMPLES.keys() == KINDS.keys() == READS.keys()


@every_kind
def test_a_kind_is_named_in_the_table_as_it_names_itself(kind: str) -> None:
    assert KINDS[kind].kind == kind


@every_kind
def test_what_is_read_from_text_comes_back_from_json(kind: str) -> None:
    adapter = TypeAdapter[Any](KINDS[kind])
    limit = read(kind)

    again = adapter.validate_json(adapter.dump_json(limit, by_alias=True))

    assert again == limit


@every_kind
def test_an_unknown_key_is_an_error(kind: str) -> None:
    with pytest.raises(ValidationError, match="Unexpected keyword argument"):
        read(kind, surprise="1 m")


@every_kind
def test_every_field_is_described_in_the_schema(kind: str) -> None:
    schema = TypeAdapter[Any](KINDS[kind]).json_schema()

    assert all("description" in field or "$ref" in field for field in schema["properties"].values())


@every_kind
def test_the_example_has_no_faults(kind: str) -> None:
    assert read(kind).faults(setup_for(kind)) == ()


@every_kind
def test_a_still_arm_at_home_is_permitted(kind: str) -> None:
    limit = read(kind)

    assert ok(judge(limit, motion_of(still()), case_for(kind, limit)))


@every_kind
def test_F44_a_kind_refuses_its_own_provocation(kind: str) -> None:
    limit, setup = read(kind), setup_for(kind)
    provoked = limit.provoke(setup)
    scene = Scene("automatic", provoked.objects, provoked.target, provoked.people)

    traces = judge(limit, provoked_motion(provoked, setup), case_for(kind, limit, scene=scene, held=provoked.held))

    assert worst(traces) < 0.0


@every_kind
def test_a_provocation_is_the_same_each_time(kind: str) -> None:
    one, other = (read(kind).provoke(setup_for(kind)) for _ in range(2))

    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.start.tobytes() == other.start.tobytes()


@every_kind
def test_a_provocation_passes_the_check_of_the_first_row(kind: str) -> None:
    provoked = read(kind).provoke(setup_for(kind))

    assert (np.abs(provoked.rows[0] - provoked.start) <= 2.0 * PERIOD + 1e-12).all()


@every_kind
def test_traces_have_one_value_a_node(kind: str) -> None:
    limit, motion = read(kind), motion_of(moving(0.01))

    traces = judge(limit, motion, case_for(kind, limit))

    assert traces
    for trace in traces:
        assert trace.margin.shape == trace.value.shape == trace.limit.shape == trace.which.shape == (len(motion),)
        assert trace.points is None or trace.points.shape == (len(motion), 3)
        assert trace.quantity


def spoiled(motion: Motion, name: str, node: int) -> Motion:
    if name == "tool_points":
        found = {key: np.array(value) for key, value in motion.tool_points.items()}
        for value in found.values():
            value[node, 0, 0] = np.nan
        return replace(motion, tool_points=found)
    values = np.array(getattr(motion, name))
    if values.ndim == 4:
        values[node, LINKS.index("hand"), :3, 3] = values[node, LINKS.index("flange"), :3, 3] = np.nan
    else:
        values[(node, *(0,) * (values.ndim - 1))] = np.nan
    return replace(motion, **cast(Any, {name: values}))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in READS.items() for name in names])
@pytest.mark.parametrize("node", range(7))
def test_F01_nan_anywhere_is_a_violation(kind: str, name: str, node: int) -> None:
    limit = read(kind)
    if node == 0 and name in ("grippers", "times_s"):
        node = 3

    traces = judge(limit, spoiled(motion_of(moving(0.001)), name, node), case_for(kind, limit))

    assert not ok(traces)


@pytest.mark.parametrize("kind", NEEDS_SHAPE)
def test_F38_a_robot_without_a_shape_violates_what_needs_one(kind: str) -> None:
    limit, blind = read(kind), replace(SETUP, model=None)

    traces = judge(limit, motion_of(still(), setup=blind), case_of(limit, setup=blind))

    assert np.isnan(worst(traces))
    assert [fault.field for fault in limit.faults(blind)][-1] == "kind"


@pytest.mark.parametrize("kind", ["tcp_speed", "link_speed", "keep_in"])  # the forecast reads the poses of the others
def test_F38_poses_of_another_shape_are_a_violation(kind: str) -> None:
    limit, motion = read(kind), motion_of(still())
    short = replace(motion, poses=motion.poses[:, :2])

    assert not ok(judge(limit, short, case_of(limit)))


@pytest.mark.parametrize("kind", ["keep_out", "clearance", *OF_PEOPLE])  # those that ask the forecast
def test_F38_an_answer_that_is_missing_is_an_error_and_no_silence(kind: str) -> None:
    limit, motion = read(kind), motion_of(still())
    case = case_for(kind, limit)
    answers = tuple(forecast(demand, motion, case) for demand in limit.demands(case, motion))

    for wrong in ((), (*answers, *answers)):
        with pytest.raises(ValueError, match="zip"):
            limit.measure(case, motion, wrong)
    assert ok(limit.measure(case, motion, answers))


HELD = Held("cup", Sphere(0.02), Pose((0.0, 0.0, 0.03)), 0.4)
Build = Callable[[], Motion]


def quick() -> Motion:
    return motion_of(moving(0.0358))


def opening(step: float) -> Motion:
    values = np.minimum(0.08, 0.02 + step * np.arange(6))[:, None]
    return motion_of(still(6), values)


def near_post(step: float = 0.0) -> Motion:
    """The hand is on the post; the TCP is where the zone of the exception is put."""
    return motion_of(still(5, np.array([math.radians(135.0), 0.0, 0.0])) + step * np.arange(5)[:, None])


def up_to_stop() -> Motion:
    found = still(6)
    found[:, 0] = 2.2 + 0.03 * np.arange(6)
    return motion_of(found)


def exception(**changes: Any) -> dict[str, Any]:
    known = {"pair": ["robot", "cell"], "min": "contact", "zone": ["hall"], "max_speed": "100 mm/s"}
    return {"except": [{**known, **changes}]}


def load_at(**changes: Any) -> dict[str, Any]:
    known = {"max_mass": "0.5 kg", "at": ["0 mm", "0 mm", "50 mm"], "frame": "flange"}
    return {"payload": {**known, **changes}}


def brisk() -> Motion:
    return motion_of(moving(0.0125))


def hasty() -> Motion:
    return motion_of(moving(0.015))


def towards_post() -> Motion:
    """So fast that a trunk 2.5 m away counts, and a head behind it does not yet."""
    rows = still(6, np.array([math.radians(133.0), 0.0, 0.0]))
    rows[:, 0] += 0.04 * np.arange(6)
    return motion_of(rows)


def yielding(quasi_static: float) -> Regions:
    """A table in which a trunk takes anything, but only so much force [N] where it is clamped."""
    trunk = Contact(3e4, 40.0, Most(5000.0, 1e9), Most(quasi_static, 1e9))
    return Regions("test", "test", (Region("trunk", trunk),))


def approach(without: str = "", **changes: Any) -> dict[str, Any]:
    return {"approach": {key: value for key, value in APPROACH.items() if key != without} | changes}


def stopping(**changes: Any) -> dict[str, Any]:
    return approach(stopping={"source": "test", **changes})


MEASURED = approach(speed="measured", least_speed="0.5 m/s", intrusion="300 mm")
APPROACHES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("person_speed", {}, approach(person_speed="1.8 m/s")),
    ("reaction", {}, approach(reaction="350 ms")),
    ("robot_uncertainty", {}, approach(robot_uncertainty="80 mm")),
    ("speed", MEASURED, approach(intrusion="300 mm")),
    ("least_speed", MEASURED, approach(speed="measured", least_speed="1.6 m/s", intrusion="300 mm")),
    ("intrusion", {}, approach(intrusion="170 mm")),
    ("detection", approach("intrusion", detection="26 mm"), approach("intrusion", detection="41 mm")),
    ("stopping", {}, stopping(deceleration="2 m/s^2")),
    ("stopping.deceleration", {}, stopping(deceleration="2 m/s^2")),
    ("stopping.time", stopping(time="100 ms"), stopping(time="200 ms")),
]

# Each parameter, and two values of it of which one permits a motion that the other refuses.
CHANGES: list[tuple[str, str, dict[str, Any], dict[str, Any], Build]] = [
    ("joint_position", "margin", {}, {"margin": "121 deg"}, lambda: motion_of(still())),
    ("joint_velocity", "max", {}, {"max": "89 % of profile"}, quick),
    ("joint_velocity", "max", {"max": "1.9 rad/s"}, {"max": "1.7 rad/s"}, quick),
    ("joint_velocity", "towards_stop", {"towards_stop": "100 % of profile"}, {"towards_stop": "5 rad/s^2"}, up_to_stop),
    ("joint_acceleration", "max", {}, {"max": "1 rad/s^2"}, lambda: motion_of(moving(0.003), brake=0)),
    ("joint_jerk", "max", {"max": "500 rad/s^3"}, {"max": "2 rad/s^3"}, lambda: motion_of(moving(0.0001), brake=0)),
    ("joint_torque", "max", {}, {"max": "1 N m"}, lambda: motion_of(moving(0.002), brake=0)),
    ("joint_torque", "payload.max_mass", {}, load_at(max_mass="0.3 kg"), lambda: motion_of(still(), held=HELD)),
    ("joint_torque", "payload.at", {}, load_at(at=["0 mm", "0 mm", "20 mm"]), lambda: motion_of(still(), held=HELD)),
    ("joint_torque", "payload.frame", load_at(max_mass="0.45 kg"), load_at(frame="tip", max_mass="0.45 kg"),
     lambda: motion_of(still(), held=HELD)),
    ("tcp_speed", "max", {"max": "2 m/s"}, {"max": "1 m/s"}, quick),
    ("link_speed", "max", {"max": "2 m/s"}, {"max": "1 m/s"}, quick),
    ("link_speed", "body", {"body": ["upper"]}, {"body": ["upper", "hand"]}, quick),
    ("tcp_orientation", "axis", {}, {"axis": ["0", "1", "0"]}, lambda: motion_of(still())),
    ("tcp_orientation", "towards", {}, {"towards": ["1", "0", "0"]}, lambda: motion_of(still())),
    ("tcp_orientation", "max", {"towards": ["1", "1", "0"], "max": "30 deg"}, {"towards": ["1", "1", "0"]},
     lambda: motion_of(still())),
    ("singularity", "max", {}, {"max": "10 rad/m"}, lambda: motion_of(still())),
    ("singularity", "length", {}, {"length": "1 mm"}, lambda: motion_of(still())),
    ("keep_in", "zone", {}, {"zone": "bench"}, lambda: motion_of(still())),
    ("keep_in", "body", {"zone": "bench", "body": ["tcp"]}, {"zone": "bench"}, lambda: motion_of(still())),
    ("keep_out", "zone", {}, {"zone": "bench"}, lambda: motion_of(still())),
    ("keep_out", "body", {"zone": "bench", "body": ["upper"]}, {"zone": "bench", "body": ["tcp"]},
     lambda: motion_of(still())),
    ("clearance", "between", {"between": ["upper", "cell"]}, {"between": ["robot", "cell"]}, near_post),
    ("clearance", "min", {"min": "20 mm"}, {"min": "900 mm"}, lambda: motion_of(still())),
    ("clearance", "tracking", {"tracking": "none"}, {"tracking": "profile"},
     lambda: motion_of(still(), setup=replace(SETUP, model=cast(RobotModel, Arm(tracking=0.5))))),
    ("clearance", "exceptions", exception(), {"except": []}, near_post),
    ("clearance", "exceptions.pair", exception(), exception(pair=["upper", "cell"]), near_post),
    ("clearance", "exceptions.min", exception(), exception(min="2 mm"), near_post),
    ("clearance", "exceptions.zone", exception(), exception(zone=["bench"]), near_post),
    ("clearance", "exceptions.max_speed", exception(), exception(max_speed="10 mm/s"), lambda: near_post(0.0005)),
    ("gripper", "width", {}, {"width": "0 mm to 70 mm"}, lambda: motion_of(still())),
    ("gripper", "max_speed", {}, {"max_speed": "50 mm/s"}, lambda: opening(0.0015)),
    ("gripper", "max_force", {}, {"max_force": "19 N"}, lambda: motion_of(still())),
    ("separation", "body", {"body": ["upper"]}, {"body": ["upper", "hand"]}, hasty),
    ("contact_energy", "body", {"body": ["upper"]}, {"body": ["upper", "hand"]}, hasty),
    *(
        (kind, f"approach.{name}", looser, tighter, brisk)
        for kind in OF_PEOPLE
        for name, looser, tighter in APPROACHES
    ),
    ("contact_energy", "contact_area", {"contact_area": "4 cm^2"}, {}, hasty),
    ("contact_energy", "regions", {"regions": yielding(5000.0)}, {}, hasty),
    ("contact_energy", "clamped_by", {"regions": yielding(10.0), "clamped_by": []}, {"regions": yielding(10.0)},
     towards_post),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "looser", "tighter", "motion"),
    [(kind, looser, tighter, motion) for kind, _, looser, tighter, motion in CHANGES],
    ids=[f"{kind}-{name}-{index}" for index, (kind, name, *_) in enumerate(CHANGES)],
)
def test_F39_each_parameter_changes_a_verdict(
    kind: str, looser: dict[str, Any], tighter: dict[str, Any], motion: Build
) -> None:
    built = motion()
    loose, tight = read(kind, **looser), read(kind, **tighter)

    verdicts = [ok(judge(limit, built, case_for(kind, limit, held=built.held))) for limit in (loose, tight)]

    assert verdicts == [True, False]


def parameters() -> Iterator[tuple[str, str]]:
    for kind, form in KINDS.items():
        for field in fields(form):
            yield kind, field.name
    yield from (("joint_torque", f"payload.{name}") for name in ("max_mass", "at", "frame"))
    for kind in OF_PEOPLE:
        yield from ((kind, f"approach.{field.name}") for field in fields(Approach))
        yield from ((kind, f"approach.stopping.{name}") for name in ("time", "deceleration"))
    yield from (("clearance", f"exceptions.{name}") for name in ("pair", "min", "zone", "max_speed"))


def test_F39_no_parameter_is_left_out() -> None:
    tested = {(kind, name.split(".")[0]) for kind, name, *_ in CHANGES} | {(kind, name) for kind, name, *_ in CHANGES}

    assert set(parameters()) <= tested


# A limit that is exactly what was measured is kept; the next smaller number is not.
EDGES: list[tuple[str, Callable[[float], dict[str, Any]], float, Build]] = [
    ("joint_velocity", lambda x: {"max": x}, 2.0, quick),
    ("joint_acceleration", lambda x: {"max": x}, 10.0, lambda: motion_of(moving(0.003), brake=0)),
    ("joint_jerk", lambda x: {"max": x}, 500.0, lambda: motion_of(moving(0.0001), brake=0)),
    ("tcp_speed", lambda x: {"max": x}, 9.0, quick),
    ("link_speed", lambda x: {"max": x, "body": ("robot",)}, 9.0, quick),
    ("tcp_orientation", lambda x: {"axis": (1.0, 0.0, 0.0), "towards": (1.0, 0.0, 0.0), "max": x}, 1.5,
     lambda: motion_of(still())),
    ("singularity", lambda x: {"max": x, "length": 0.2}, 999.0, lambda: motion_of(moving(0.01, joint=1))),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "made", "start", "motion"), EDGES, ids=[edge[0] for edge in EDGES])
def test_exactly_at_the_limit_is_inside_and_a_hair_beyond_is_not(
    kind: str, made: Callable[[float], dict[str, Any]], start: float, motion: Build
) -> None:
    built = motion()
    loose = cast(Kind, KINDS[kind](**made(start)))
    traces = judge(loose, built, case_for(kind, loose))
    measured = max(float(trace.value[np.isfinite(trace.margin)].max()) for trace in traces)

    at, beyond = (cast(Kind, KINDS[kind](**made(x))) for x in (measured, math.nextafter(measured, 0.0)))

    assert ok(judge(at, built, case_for(kind, at)))
    assert worst(judge(at, built, case_for(kind, at))) == 0.0
    assert not ok(judge(beyond, built, case_for(kind, beyond)))


@pytest.mark.parametrize(
    "kind", ["joint_velocity", "joint_acceleration", "joint_jerk", "tcp_speed", "link_speed", *OF_PEOPLE]
)
def test_one_row_is_too_few_to_provoke_what_is_about_speed(kind: str) -> None:
    with pytest.raises(NoProvocation, match="too few"):
        read(kind).provoke(replace(setup_for(kind), rows=1))


@pytest.mark.parametrize(
    "kind", ["joint_position", "joint_torque", "tcp_orientation", "singularity", "keep_in", "clearance", "gripper"]
)
def test_one_row_is_enough_to_provoke_what_is_about_a_place(kind: str) -> None:
    assert read(kind).provoke(replace(setup_for(kind), rows=1)).rows.shape == (1, 3)
