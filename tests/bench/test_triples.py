"""Triples are what the referee's report says of them: within the robot's limits, clear at first, many of them thin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import Delaunay

from bench.engines import coal_hull
from bench.referee import examined, planned
from bench.solids import MADE, solid
from bench.sweeps import Way
from bench.triples import APART_M, BLOCK, RATES_HZ, ROBOTS, THIN_M, Stage, Triple, chosen, stage
from interlock.chunk import ActionChunk
from interlock.decide import decide
from interlock.geometry import Box, Capsule, ConvexParts, Cylinder, Sphere
from interlock.lower import joint_limits

pytest.importorskip("coal", reason="needs coal, of the extra `referee`")
pytest.importorskip("pinocchio", reason="needs pin, of the extra `referee`")

pytestmark = pytest.mark.slow
EACH = 40  # of each block
BLOCKS = (0, 1, 2, 6, 4)  # among them a UR10, an xArm 7, a Panda, an SO-101


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Stage, Triple]]:
    return chosen([block * BLOCK + place for block in BLOCKS for place in range(EACH)], 1)


def rows_of(one: Triple) -> ActionChunk:
    assert isinstance(one.case.chunk, ActionChunk)
    return one.case.chunk


def test_a_case_is_the_same_again_whatever_is_drawn_before_it(drawn: list[tuple[Stage, Triple]]) -> None:
    index = BLOCK + 3
    again = chosen([index], 1)[0][1]
    other = chosen([index], 2)[0][1]

    first = next(one for _, one in drawn if one.index == index)
    assert again.index == index
    assert rows_of(again).values.tobytes() == rows_of(first).values.tobytes()
    assert again.case.scene.things == first.case.scene.things
    assert again.case.rules.cell.digest == first.case.rules.cell.digest
    assert rows_of(other).values.tobytes() != rows_of(first).values.tobytes()


def test_every_case_reaches_the_rules(drawn: list[tuple[Stage, Triple]]) -> None:
    for on, one in drawn:
        verdict = decide(one.case, on.physics).attempts[0].verdict
        assert {"CELL", "OBJECTS", "SELF"} <= {finding.rule for finding in verdict.findings}


def test_rows_keep_the_limits_and_some_are_as_fast_as_they_may_be(drawn: list[tuple[Stage, Triple]]) -> None:
    shares: list[float] = []
    for on, one in drawn:
        chunk = rows_of(one)
        rows = chunk.values[:, : len(on.profile.joints)]
        lower, upper, speed = (joint_limits(on.profile, name) for name in ("lower", "upper", "velocity"))
        assert ((rows >= lower) & (rows <= upper)).all()
        shares.append(float((np.abs(np.diff(rows, axis=0)) / (speed * chunk.period_s)).max(initial=0.0)))

    assert max(shares) == pytest.approx(1.0, abs=1e-6)
    assert max(shares) <= 1.0 + 1e-9


def test_every_case_starts_clear(drawn: list[tuple[Stage, Triple]]) -> None:
    for on, one in drawn:
        if "relay" not in one.kind:
            state = one.case.state
            wide = state.grippers[:1] if len(state.grippers) else np.zeros(1)
            assert on.referee.start(Way(np.zeros(1), state.positions[None], wide, wide), one.things) > APART_M


def test_all_rates_and_kinds_of_motion_occur(drawn: list[tuple[Stage, Triple]]) -> None:
    kinds = {word for _, one in drawn for word in one.kind.split("-")}

    assert {round(1.0 / rows_of(one).period_s) for _, one in drawn} == set(RATES_HZ)
    assert kinds == {"full", "even", "smooth", "wave", "slot", "crate", "fold", "grip", "relay"}
    assert any(rows_of(one).horizon for _, one in drawn)


def in_its_hull(on: Stage, one: Triple) -> bool:
    """Whether the hand ends where the crate would be if it were convex."""
    crate = next(body for body in on.cell.bodies if body.name == "crate")
    assert isinstance(crate.shape, ConvexParts)
    hull = coal_hull(np.concatenate([part.vertices for part in crate.shape.parts]))
    arm, gauge = on.referee.arm, on.referee.gauge
    rows = rows_of(one).values[-1:, : len(on.profile.joints)]
    return any(
        gauge.distance(arm.parts[part].shape, gauge.placed(pose), hull, gauge.placed(crate.pose.matrix())) < 0.0
        for part in arm.hand
        for pose in arm.poses(arm.frames(rows), part, np.zeros(1))
    )


def test_F26_hands_go_into_crates_and_some_of_them_stay_clear(drawn: list[tuple[Stage, Triple]]) -> None:
    more = chosen([9 * BLOCK + place for place in range(EACH)], 1)
    crates = [(on, one, examined(on, one)) for on, one in [*drawn, *more] if one.kind == "crate"]
    inside = [out for on, one, out in crates if in_its_hull(on, one)]

    assert sum(out.clear and out.reaction == "permit" for out in inside) >= 1
    assert sum(out.proposed_gap < 0.0 and "crate" in out.pair for out in inside) >= 1
    assert not any(out.missed or out.false_refusal for out in inside)


def test_concave_things_are_judged_as_parts_that_contain_what_the_referee_sees(
    drawn: list[tuple[Stage, Triple]], seed: int
) -> None:
    chance = np.random.default_rng(seed)
    stages = {id(on): on for on, _ in drawn}.values()
    for name in MADE:
        made = solid(name, chance.uniform(0.3, 1.2, 3))
        points = (
            chance.dirichlet(np.ones(3), 500)[:, None] @ made.triangles[chance.integers(len(made.triangles), size=500)]
        )
        simplices = [Delaunay(part.vertices).find_simplex(points[:, 0], tol=1e-6) for part in made.parts.parts]
        assert (np.array(simplices) >= 0).any(axis=0).all()
    for on in stages:
        concave = {body.name for body in on.cell.bodies if isinstance(body.shape, ConvexParts)}
        assert {thing.name for thing in on.fixed if thing.excess > 0.0} == concave


def test_some_robots_have_a_tracking_error_that_could_hide_a_miss_and_most_have_none() -> None:
    errors = [stage(1, block).profile.joints[0].tracking for block in range(5)]

    assert errors.count(1e-6) in range(1, 5)


def test_things_are_thin_and_near(drawn: list[tuple[Stage, Triple]]) -> None:
    thin: list[float] = []
    for _, one in drawn:
        bodies = [body.shape for body in one.case.rules.cell.bodies]
        for shape in (*bodies, *(item.shape for item in one.case.scene.objects or ())):
            match shape:
                case Box(size=size):
                    thin.append(min(size))
                case Cylinder(radius=radius, length=length):
                    thin.append(min(2.0 * radius, length))
                case Sphere(radius=radius) | Capsule(radius=radius):
                    thin.append(2.0 * radius)
                case _:
                    continue

    assert THIN_M <= min(thin) < 2.0 * THIN_M
    assert len(thin) > EACH


def test_a_relay_takes_over_a_plan_that_is_under_way(drawn: list[tuple[Stage, Triple]]) -> None:
    relays = [one for _, one in drawn if "relay" in one.kind]

    assert relays
    for one in relays:
        plan = one.case.memory.plan
        assert plan is not None
        assert one.case.now_ns < plan.end_ns
        errors = [joint.tracking for joint in one.case.rules.profile.joints]
        ahead = planned(one.case, plan)
        assert (np.abs(ahead.positions[1] - one.case.state.positions) <= errors).all()


def test_all_that_is_hard_is_drawn_often_enough(drawn: list[tuple[Stage, Triple]]) -> None:
    found = [(on, one, examined(on, one)) for on, one in drawn]
    shapes = [
        shape
        for _, one, _ in found
        for shape in (
            *(body.shape for body in one.case.rules.cell.bodies),
            *(item.shape for item in one.case.scene.objects or ()),
        )
    ]
    parts = {on.profile.name: {part.name for part in on.referee.arm.parts} for on, _, _ in found}
    counts = {
        "thin rods": sum(rod(shape) for shape in shapes),
        "thin plates": sum(isinstance(one, Box) and min(one.size) < 0.005 < sorted(one.size)[1] for one in shapes),
        "slots": sum("slot" in one.kind and len(one.case.scene.objects or ()) == 2 for _, one, _ in found),
        "grazing": sum(abs(out.proposed_gap) < 2e-3 for _, _, out in found),
        "of itself": sum(out.proposed_gap < 5e-3 and set(out.pair) <= parts[on.profile.name] for on, _, out in found),
        "full speed": sum(fastest(on, one) > 1.0 - 1e-6 for on, one, _ in found),
        "cut by its horizon": sum(rows_of(one).horizon is not None for _, one, _ in found),
        "cut by the judge": sum(out.reaction == "truncate" for _, _, out in found),
        "relays": sum("relay" in one.kind for _, one, _ in found),
        **{f"{rate} Hz": sum(round(1.0 / rows_of(one).period_s) == rate for _, one, _ in found) for rate in RATES_HZ},
    }
    rare = {name: count for name, count in counts.items() if count < len(found) // 50}

    assert len(found) == EACH * len(BLOCKS)
    assert not rare, counts
    assert {"ur10", "xarm7", "franka_panda", "so101"} <= set(parts)


def rod(shape: object) -> bool:
    match shape:
        case Box(size=size):
            return sorted(size)[1] < 0.02 < sorted(size)[2]
        case Cylinder(radius=radius, length=length) | Capsule(radius=radius, length=length):
            return radius <= 0.01 < length / 5.0
        case _:
            return False


def fastest(on: Stage, one: Triple) -> float:
    """The largest step of a joint, as a share of what its speed allows."""
    rows, speed = rows_of(one).values[:, : len(on.profile.joints)], joint_limits(on.profile, "velocity")
    return float((np.abs(np.diff(rows, axis=0)) / (speed * rows_of(one).period_s)).max(initial=0.0))


def test_every_robot_can_be_drawn() -> None:
    seen = {stage(1, block).profile.name for block in range(30)}

    assert seen == set(ROBOTS)
