"""Each check refuses what it names, and nothing that is right; none of them lets an exception out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from interlock import checks
from interlock.case import Case, Memory
from interlock.chunk import Channel, Layout, Normalisation
from interlock.decide import decide
from interlock.geometry import Pose, Sphere
from interlock.judge import judge, judge_standing
from interlock.rules import Accepts, Freshness
from interlock.scene import Body, BodyPart, Cell, Held, Person, Scene, SceneObject
from tests.supervisor.toy import (
    ABSOLUTE,
    MS,
    NOW,
    OPEN,
    PERIOD,
    PERIOD_S,
    SINCE_SEEN,
    START,
    Physics,
    Reach,
    case,
    chunk,
    joint,
    plan,
    profile,
    ramp,
    rule,
    rules,
    stamps,
    state,
)


def refused_by(found: Case) -> set[str]:
    return {finding.rule for finding in judge(found, Physics()).verdict.violated}


def masked(*cells: tuple[int, int], rows: int = 10) -> np.ndarray[Any, np.dtype[np.bool_]]:
    mask = np.ones((rows, 3), dtype=np.bool_)
    for cell in cells:
        mask[cell] = False
    return mask


def changed(row: int, column: int, value: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = ramp()
    rows[row, column] = value
    return rows


DEGREES = Layout("degrees", (replace(ABSOLUTE.channels[0], unit="m"), *ABSOLUTE.channels[1:]))

# what is changed in a good chunk, and the check that refuses it
CHUNKS: dict[str, tuple[dict[str, Any], str]] = {
    "F01 NaN in a row": ({"values": changed(9, 0, math.nan)}, "finite"),
    "F01 infinity in the last row": ({"values": changed(9, 1, -math.inf)}, "finite"),
    "F01 NaN for the hand": ({"values": changed(0, 2, math.nan)}, "finite"),
    "F01 a number so large that sums overflow": ({"values": changed(5, 0, 1e308)}, "finite"),
    "F01 NaN in the anchor": ({"anchor": np.array([math.nan, 0.0])}, "finite"),
    "F05 a mask of another shape": ({"mask": np.ones((9, 3), dtype=np.bool_)}, "mask"),
    "F05 a mask that would broadcast": ({"mask": np.ones((1, 1), dtype=np.bool_)}, "finite"),
    "F05 no rows": ({"values": np.zeros((0, 3)), "mask": masked(rows=0)}, "shape"),
    "F05 no columns": ({"values": np.zeros((5, 0)), "mask": np.ones((5, 0), dtype=np.bool_)}, "shape"),
    "F05 too many rows": ({"values": ramp(65, speed=(0.0, 0.0)), "mask": masked(rows=65)}, "shape"),
    "F05 a column too few": ({"values": ramp()[:, :2], "mask": masked()[:, :2]}, "shape"),
    "F06 everything masked": ({"mask": np.zeros((10, 3), dtype=np.bool_)}, "mask"),
    "F06 a joint masked": ({"mask": masked((4, 0))}, "mask"),
    "F06 a row masked in the middle": ({"mask": masked((4, 0), (4, 1), (4, 2))}, "mask"),
    "F06 the hand commanded in padding": ({"mask": masked((9, 0), (9, 1))}, "mask"),
    "F07 another layout": ({"layout": "0" * 64}, "layout"),
    "F07 deltas without an anchor": ({"layout": SINCE_SEEN.digest, "anchor": None}, "layout"),
    "F07 an anchor of another robot": ({"layout": SINCE_SEEN.digest, "anchor": np.zeros(3)}, "layout"),
    "F08 normalised values": ({"space": "normalised"}, "normalisation"),
    "F08 statistics where none are accepted": ({"normalisation": Normalisation("none", "", "0" * 64)}, "normalisation"),
    "F08 statistics of another robot": ({"normalisation": Normalisation("z_score", "droid", "0")}, "normalisation"),
    "F11 another robot": ({"profile": "0" * 64}, "profile"),
    "F12 a fallback decode": ({"decode": "fallback"}, "decode"),
    "F13 another rate": ({"period_s": 0.05}, "period"),
    "F13 a rate off by 0.2 %": ({"period_s": 0.02004}, "period"),
    "F17 a period of zero": ({"period_s": 0.0}, "period"),
    "F17 a negative period": ({"period_s": -0.02}, "period"),
    "F17 a period of NaN": ({"period_s": math.nan}, "period"),
    "F17 an infinite period": ({"period_s": math.inf}, "period"),
    "F17 a period of 1e300": ({"period_s": 1e300}, "period"),
    "F17 a horizon of 0": ({"horizon": 0}, "horizon"),
    "F17 a negative horizon": ({"horizon": -(2**62)}, "horizon"),
    "F17 more rows to execute than there are": ({"horizon": 11}, "horizon"),
    "F17 a wall clock": ({"stamps": stamps(clock="wall")}, "stamps"),
    "F18 no observation stamp": ({"stamps": stamps(observation_ns=None)}, "stamps"),
    "F18 no first row stamp": ({"stamps": stamps(first_row_ns=None)}, "stamps"),
    "F18 no expiry": ({"stamps": stamps(expiry_ns=None)}, "expiry"),
    "F18 an observation from the future": ({"stamps": stamps(observation_ns=NOW + 1)}, "stamps"),
    "F18 received before it was asked for": ({"stamps": stamps(received_ns=NOW - 45 * MS)}, "stamps"),
    "F18 a negative stamp": ({"stamps": stamps(observation_ns=-1)}, "stamps"),
    "F18 row 0 due before it was observed": ({"stamps": stamps(first_row_ns=NOW - 51 * MS)}, "stamps"),
    "F18 all rows past": ({"stamps": stamps(first_row_ns=NOW - 10 * PERIOD)}, "stamps"),
    "F18 all rows long past": ({"stamps": stamps(first_row_ns=-(2**63))}, "stamps"),
    "F18 a first row in the far future": ({"stamps": stamps(first_row_ns=2**63 - 1)}, "freshness"),
    "F18 stale when executed": ({"stamps": stamps(first_row_ns=NOW + 451 * MS)}, "freshness"),
    "F18 expired at its last row": ({"stamps": stamps(expiry_ns=NOW + 10 * PERIOD - 1)}, "expiry"),
    "F18 a sequence number used before": ({"sequence": 0}, "sequence"),
    "F18 no session": ({"session": ""}, "sequence"),
    "F18 an observation used before": ({"stamps": stamps(observation_ns=NOW - 100 * MS)}, "sequence"),
}


@pytest.mark.parametrize("what", CHUNKS)
def test_a_chunk_is_refused_by_the_check_that_says_so(what: str) -> None:
    changes, check = CHUNKS[what]
    memory = Memory(session="s", sequence=0, observation_ns=NOW - 60 * MS)

    found = case(replace(chunk(), **changes), memory=memory)

    assert f"check:{check}" in refused_by(found)


@pytest.mark.parametrize(
    ("undone", "permitted"),
    [
        (Normalisation("z_score", "droid", "a" * 64), True),
        (Normalisation("z_score", "by another name", "a" * 64), True),  # the digest covers the key
        (Normalisation("z_score", "droid", "b" * 64), False),
        (Normalisation("z_score", "droid", ""), False),
        (Normalisation("quantile", "droid", "a" * 64), False),
        (Normalisation("none", "", ""), False),
        (None, False),
    ],
    ids=["the same", "another key", "another digest", "no digest", "another kind", "none", "nothing said"],
)
def test_F08_only_the_statistics_that_are_accepted_may_be_undone(
    undone: Normalisation | None, *, permitted: bool
) -> None:
    accepts = replace(rules().accepts, normalisation="z_score", statistics="a" * 64)

    found = refused_by(case(chunk(normalisation=undone), rules=rules(accepts=accepts)))

    assert found == (set() if permitted else {"check:normalisation"})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"horizon": 10},
        {"period_s": 0.02001},
        {"sequence": 2**63 - 1},
        {"session": "another", "sequence": 0},
        {"stamps": stamps(expiry_ns=NOW + 10 * PERIOD)},
        {"stamps": stamps(first_row_ns=NOW + 450 * MS)},
        {"values": changed(9, 0, math.nan), "mask": masked((9, 0), (9, 1), (9, 2))},
        {"anchor": None},
        {"normalisation": Normalisation("none", "", "")},
    ],
    ids=str,
)
def test_a_right_chunk_passes_every_check(changes: dict[str, Any]) -> None:
    memory = Memory(session="s", sequence=0, observation_ns=NOW - 60 * MS)

    assert refused_by(case(replace(chunk(), **changes), memory=memory)) == set()


def test_F17_an_accepted_period_too_small_for_nanoseconds_is_refused() -> None:
    tiny = rules(accepts=Accepts(profile().layouts, 1e-9, 1, 64, 25, "none"))

    assert "check:freshness" in refused_by(case(chunk(period_s=1e-9), rules=tiny))


@pytest.mark.parametrize(("period_s", "usable"), [(45.0, True), (60.0, True), (60.1, False)])
def test_F17_an_accepted_period_is_a_minute_at_most(period_s: float, *, usable: bool) -> None:
    slow = rules(accepts=Accepts(profile().layouts, period_s, 1, 64, 25, "none"))
    expiry_ns = NOW + round(10 * period_s * 1000) * MS

    refused = refused_by(case(chunk(period_s=period_s, stamps=stamps(expiry_ns=expiry_ns)), rules=slow))

    assert refused == (set() if usable else {"check:expiry", "check:freshness"})


def test_what_no_rule_set_accepts_needs_no_horizon_to_expire() -> None:
    assert "check:expiry" not in refused_by(case(chunk(horizon=3, stamps=stamps(expiry_ns=NOW + 3 * PERIOD))))


STATES: dict[str, tuple[dict[str, Any], str]] = {
    "F01 NaN in a position": ({"positions": np.array([math.nan, 0.2])}, "state"),
    "F01 infinity in a velocity": ({"velocities": np.array([0.0, math.inf])}, "state"),
    "F01 NaN in a hand": ({"grippers": np.array([math.nan])}, "state"),
    "F01 a position that overflows": ({"positions": np.array([1e308, 0.2])}, "state"),
    "F03 a hand in millimetres": ({"grippers": np.array([80.0])}, "state"),
    "F10 a hand wider than it opens": ({"grippers": np.array([OPEN * 1.2])}, "state"),
    "F03 joints in another order": ({"joints": ("b", "a")}, "state"),
    "F03 a missing joint": ({"positions": np.array([0.1])}, "state"),
    "F03 a joint too many": ({"velocities": np.zeros(3)}, "state"),
    "F03 no hand": ({"grippers": np.zeros(0)}, "state"),
    "F18 a stale state": ({"seen_ns": NOW - 51 * MS}, "freshness"),
    "F18 a state from the future": ({"seen_ns": NOW + 1}, "freshness"),
    "F28 a held object of no mass": ({"held": Held("cube", Sphere(0.1), Pose(), math.nan)}, "state"),
    "F28 a held object of more than any mass": ({"held": Held("cube", Sphere(0.1), Pose(), 1.1e6)}, "state"),
    "F28 a held object out of this world": ({"held": Held("cube", Sphere(0.1), Pose((0, 0, 1.1e6)), 1.0)}, "state"),
    "F28 a held object nowhere": ({"held": Held("cube", Sphere(0.1), Pose((math.nan, 0, 0)), 1.0)}, "state"),
    "F16 moving where it should rest": ({"velocities": np.array([2.6, 0.0])}, "tracking"),
}


@pytest.mark.parametrize("what", STATES)
def test_a_state_that_cannot_be_trusted_is_refused_with_and_without_a_chunk(what: str) -> None:
    changes, check = STATES[what]

    found = case(state=replace(state(), **changes))

    assert f"check:{check}" in refused_by(found)
    assert not judge_standing(found).allowed


def test_F38_what_is_held_by_a_robot_of_two_hands_is_held_nobody_knows_where() -> None:
    second = replace(profile().grippers[0], name="other")
    robot = profile(grippers=(*profile().grippers, second))
    both = rules(profile=robot)
    hands = np.array([OPEN, OPEN])

    proposed = chunk(profile=robot.digest)
    assert refused_by(case(proposed, state=state(grippers=hands), rules=both)) == set()
    holding = case(proposed, state=state(grippers=hands, held=Held("cube", Sphere(0.1), Pose(), 0.0)), rules=both)
    assert refused_by(holding) == {"check:hand"}


def test_F28_a_held_object_that_is_known_is_no_fault() -> None:
    assert refused_by(case(state=state(held=Held("cube", Sphere(0.1), Pose(), 0.0)))) == set()


CUBE = SceneObject("cube", Sphere(0.1), Pose(), NOW, 0.01, 0.0)
SCENES: dict[str, tuple[Scene, str]] = {
    "an unknown mode": (Scene("manul", ()), "scene"),
    "one name twice": (Scene("automatic", (CUBE, CUBE)), "scene"),
    "the name of a body": (Scene("automatic", (replace(CUBE, name="post"),)), "scene"),
    "F29 an unknown speed": (Scene("automatic", (replace(CUBE, speed_m_s=None),)), "scene"),
    "F29 a speed of NaN": (Scene("automatic", (replace(CUBE, speed_m_s=math.nan),)), "scene"),
    "F29 an infinite uncertainty": (Scene("automatic", (replace(CUBE, uncertainty_m=math.inf),)), "scene"),
    "F29 faster than anything": (Scene("automatic", (replace(CUBE, speed_m_s=1.1e6),)), "scene"),
    "F29 an uncertainty without end": (Scene("automatic", (replace(CUBE, uncertainty_m=1.1e6),)), "scene"),
    "F02 out of this world": (Scene("automatic", (replace(CUBE, pose=Pose((-1.1e6, 0, 0))),)), "scene"),
    "F02 no pose": (Scene("automatic", (replace(CUBE, pose=Pose(quat_xyzw=(0, 0, 0, 0))),)), "scene"),
    "F29 an object that is called as what is held": (Scene("automatic", (replace(CUBE, name="held"),)), "scene"),
    "F18 an object seen long ago": (Scene("automatic", (replace(CUBE, seen_ns=NOW - 201 * MS),)), "freshness"),
    "F18 an object from the future": (Scene("automatic", (replace(CUBE, seen_ns=NOW + 1),)), "freshness"),
}


@pytest.mark.parametrize("what", SCENES)
def test_a_scene_that_is_not_known_whole_is_refused(what: str) -> None:
    found, check = SCENES[what]
    cell = Cell("cell", Pose(), (Body("post", Sphere(0.1), Pose()),), ())

    assert f"check:{check}" in refused_by(case(scene=found, rules=rules(cell=cell)))


HEAD = BodyPart("head", (0.0, 0.0, 1.6), (0.0, 0.0, 1.7), 0.1)
ANNA = Person("anna", (HEAD,), NOW, 0.05)
FRESH = Freshness(0.5, 0.05, 0.2, 0.1)
TRACKED: dict[str, Any] = {"people": "tracker", "freshness": FRESH}
PEOPLE: dict[str, tuple[tuple[Person, ...] | None, str]] = {
    "F38 nobody looked": (None, "people"),
    "one name twice": ((ANNA, ANNA), "people"),
    "F38 no part of the body": ((replace(ANNA, parts=()),), "people"),
    "F01 a place of NaN": ((replace(ANNA, parts=(HEAD, replace(HEAD, end=(0.0, math.nan, 1.0)))),), "people"),
    "F01 a radius below 0": ((replace(ANNA, parts=(replace(HEAD, radius_m=-0.1),)),), "people"),
    "F29 a speed of NaN": ((replace(ANNA, speed_m_s=math.nan),), "people"),
    "F29 a speed below 0": ((replace(ANNA, speed_m_s=-0.1),), "people"),
    "F29 faster than anything": ((replace(ANNA, speed_m_s=1.1e6),), "people"),
    "F29 an uncertainty of NaN": ((replace(ANNA, uncertainty_m=math.nan),), "people"),
    "F29 an uncertainty without end": ((replace(ANNA, uncertainty_m=math.inf),), "people"),
    "F18 somebody seen long ago": ((ANNA, replace(ANNA, name="bert", seen_ns=NOW - 101 * MS)), "freshness"),
    "F18 somebody seen in the future": ((replace(ANNA, seen_ns=NOW + 1),), "freshness"),
}


@pytest.mark.parametrize("what", PEOPLE)
@pytest.mark.parametrize("lost", ["veto", "stop"])
def test_people_who_are_not_known_whole_are_refused_as_the_set_says(what: str, lost: Any) -> None:
    people, check = PEOPLE[what]
    made = case(scene=Scene("automatic", (), None, people), rules=rules(**TRACKED, people_lost=lost))

    found = judge(made, Physics()).verdict

    assert [finding.rule for finding in found.violated] == [f"check:{check}"]
    assert found.reaction == judge_standing(made).reaction == lost


@pytest.mark.parametrize("people", [(), (ANNA,), (ANNA, replace(ANNA, name="bert", seen_ns=NOW - 100 * MS))])
def test_people_who_are_known_whole_are_for_the_rules_to_judge(people: tuple[Person, ...]) -> None:
    assert refused_by(case(scene=Scene("automatic", (), None, people), rules=rules(**TRACKED))) == set()


@pytest.mark.parametrize(("people", "ok"), [(None, True), ((), True), ((ANNA,), False)])
def test_F38_a_set_that_says_that_nobody_is_there_refuses_a_scene_in_which_somebody_is(
    people: tuple[Person, ...] | None, *, ok: bool
) -> None:
    assert (refused_by(case(scene=Scene("automatic", (), None, people))) == set()) is ok


@pytest.mark.parametrize("found", [Scene(None, (CUBE,)), Scene("manual", None)])
def test_an_unknown_mode_or_an_unseen_scene_is_for_the_rules_to_judge(found: Scene) -> None:
    assert refused_by(case(scene=found)) == set()


@pytest.mark.parametrize(("jump", "ok"), [(0.0199, True), (0.0201, False), (2.0, False), (-1.0, False)])
def test_F14_a_jump_to_the_first_row_counts_as_speed(jump: float, ok: bool) -> None:  # noqa: FBT001 - a case
    rows = np.tile([START[0], START[1] + jump, OPEN], (10, 1))

    found = refused_by(case(chunk(rows), rules=rules(rules().rules[1])))

    assert ("check:seam" not in found) is ok


def test_F14_the_finding_names_the_joint_that_jumps_furthest_beyond_its_speed() -> None:
    robot = profile(joints=(joint("a", velocity=5.0), joint("b")))
    rows = np.tile([START[0] + 0.1, START[1] + 0.08, OPEN], (10, 1))
    made = case(chunk(rows, profile=robot.digest), rules=rules(profile=robot))

    worst = judge(made, Physics()).verdict.violated[0]

    assert (worst.rule, worst.links) == ("check:seam", ("b",))
    assert worst.value == pytest.approx(4.0)
    assert (worst.limit, worst.unit) == (1.0, "rad/s")


def test_F16_a_lagging_arm_moves_the_seam_nowhere_until_tracking_says_stop() -> None:
    committed = plan(ramp(30)[:, :2], NOW - 5 * PERIOD)
    rows = ramp(10, start=tuple(committed.at(NOW).positions))
    memory = Memory(plan=committed)
    here = committed.at(NOW).positions

    lagging = refused_by(case(chunk(rows), memory=memory, state=state(tuple(here - [0.04, 0.0]))))
    lost = refused_by(case(chunk(rows), memory=memory, state=state(tuple(here - [0.06, 0.0]))))

    assert lagging == set()
    assert lost == {"check:tracking"}


def test_F16_tracking_compares_with_the_command_of_when_the_state_was_seen() -> None:
    committed = plan(ramp(30, speed=(0.9, 0.0))[:, :2], NOW - 10 * PERIOD)
    seen = state(tuple(committed.at(NOW - 50 * MS).positions), seen_ns=NOW - 50 * MS)

    verdict = judge_standing(case(state=seen, memory=Memory(plan=committed)))

    assert verdict.allowed


CHANNELS: dict[str, tuple[Layout, str]] = {
    "F11 a joint twice": (Layout("x", (*ABSOLUTE.channels, ABSOLUTE.channels[0])), "commanded twice"),
    "F03 a joint left out": (Layout("x", ABSOLUTE.channels[1:]), "joint 'a' has no column"),
    "F03 metres for a joint": (DEGREES, "must be in rad and frame joint"),
    "F09 a joint in the world": (
        Layout("x", (replace(ABSOLUTE.channels[0], frame="world"), *ABSOLUTE.channels[1:])),
        "frame joint",
    ),
    "torque": (
        Layout("x", (replace(ABSOLUTE.channels[0], quantity="joint_torque", unit="N m"), *ABSOLUTE.channels[1:])),
        "not supported yet",
    ),
    "F07 a velocity that is a delta": (
        Layout(
            "x",
            (
                Channel("a", "arm", "joint_velocity", "delta_from_previous", "rad/s", "joint"),
                *ABSOLUTE.channels[1:],
            ),
        ),
        "must be absolute",
    ),
    "a base that drives": (
        Layout("x", (*ABSOLUTE.channels, Channel("wheels", "base", "base_velocity", "absolute", "m/s", "base"))),
        "not supported yet: no joint or gripper",
    ),
    "F09 a tool point without a URDF": (
        Layout("x", (*ABSOLUTE.channels, Channel("x", "arm", "ee_position", "absolute", "m", "base"))),
        "tool points need the robot's URDF",
    ),
    "F10 a hand that is a delta": (
        Layout("x", (*ABSOLUTE.channels[:2], replace(ABSOLUTE.channels[2], reference="delta_from_previous"))),
        "must be an absolute gripper channel",
    ),
    "F10 a hand in radians": (
        Layout("x", (*ABSOLUTE.channels[:2], replace(ABSOLUTE.channels[2], unit="rad"))),
        "must be in m or ratio",
    ),
    "F10 a hand without polarity": (
        Layout("x", (*ABSOLUTE.channels[:2], replace(ABSOLUTE.channels[2], polarity="none"))),
        "needs a polarity",
    ),
}


@pytest.mark.parametrize("what", CHANNELS)
def test_a_layout_that_cannot_be_judged_is_refused_even_if_it_is_accepted(what: str) -> None:
    layout, problem = CHANNELS[what]
    size = (10, len(layout.channels))
    made = chunk(np.zeros(size), mask=np.ones(size, dtype=np.bool_), layout=layout.digest)
    accepting = rules(accepts=Accepts((layout,), 0.02, 1, 64, 25, "none"))

    verdict = judge(case(made, rules=accepting), Physics()).verdict

    assert "check:layout" in {finding.rule for finding in verdict.violated}
    assert any(problem in finding.message for finding in verdict.violated)


def test_F32_rows_that_no_brake_can_end_are_refused() -> None:
    rows = ramp(10, speed=(0.8, 0.0))
    rows[-1, 0] += 0.5

    found = judge(case(chunk(rows)), Physics()).verdict

    assert "check:brake" in {finding.rule for finding in found.violated}


@pytest.mark.parametrize(("torque", "ok"), [(0.0, True), (60.0, False), (math.nan, False)])
def test_F32_the_brake_stays_within_the_drives_torque(torque: float, ok: bool) -> None:  # noqa: FBT001 - a case
    robot = profile(joints=(joint("a", torque=50.0), joint("b", torque=50.0)))
    made = case(chunk(profile=robot.digest), rules=rules(profile=robot))

    verdict = judge(made, Physics(torque=lambda acceleration: acceleration + torque)).verdict

    assert verdict.allowed is ok
    assert all(finding.unit == "N m" for finding in verdict.violated)


def test_F33_a_torque_without_a_limit_to_compare_it_with_is_refused() -> None:
    assert refused_by(case()) == set()
    verdict = judge(case(), Physics(torque=lambda acceleration: acceleration)).verdict
    assert {finding.rule for finding in verdict.violated} == {"check:brake"}


def test_no_check_is_left_out_of_the_tables() -> None:
    names = {"finite", "shape", "layout", "profile", "normalisation", "decode", "mask", "period", "horizon", "stamps"}

    assert {check.__name__ for check in checks.CHECKS} == names | {"expiry", "sequence", "observation", "rotation"}
    assert [check.__name__ for check in checks.STANDING] == ["latch", "state", "scene", "people", "freshness"]


def test_F39_a_row_faster_than_the_profile_is_never_permitted_whatever_the_rules_leave_out() -> None:
    rows = ramp(10, (0.0, 0.0))
    rows[5:, 0] += 1.5 * profile().joints[0].velocity * PERIOD_S
    found = case(chunk(rows), rules=rules(rule(Reach(10.0))))

    first = judge(found, Physics()).verdict
    decision = decide(found, Physics())

    assert [finding.rule for finding in first.violated if finding.kind == "check"] == ["check:speed"]
    assert first.reaction == "slow"
    assert decision.reaction != "permit"
