"""The forecast as a whole, against PyBullet's own robot at many poses along the way."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pybullet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock import question
from interlock._bullet import Bullet, PhysicsFailed
from interlock.bullet_physics import BulletPhysics
from interlock.geometry import Box, Capsule, Cylinder, HalfSpace, Pose, Shape, Sphere
from interlock.motion import Motion
from interlock.physics import Physics
from interlock.robot_model import UrdfRobot
from interlock.rules import Clearance, Demand
from interlock.scene import Body, Cell, Scene
from tests.supervisor import panda
from tests.supervisor.truth import SLACK_M, Truth

LINKS = ("panda_link0", *panda.MOVING)
SHAPES: tuple[Shape, ...] = (Box((0.1, 0.2, 0.1)), Sphere(0.05), Cylinder(0.004, 0.6), Capsule(0.03, 0.3))
FLOOR = Body("floor", HalfSpace((0.0, 0.0, 1.0)), Pose((0.0, 0.0, -0.3)))
AROUND = Body("around", Box((4.0, 4.0, 4.0)), Pose())  # all that the arm can reach is in it


class Question(NamedTuple):
    motion: Motion
    scene: Scene
    demands: tuple[Demand, ...]


BARE = UrdfRobot(panda.profile(), panda.cell())
ALLOWED = {frozenset(pair) for pair in panda.ALLOWED}
SELF = [(a, b) for i, a in enumerate(LINKS) for b in LINKS[i + 1 :] if frozenset((a, b)) not in ALLOWED]


def sees_nothing(**_: object) -> tuple[()]:
    return ()


def model(physics: BulletPhysics) -> UrdfRobot:
    assert physics.model is not None
    return physics.model


def scattered(generator: np.random.Generator) -> list[Body]:
    bodies = [FLOOR]
    for number, shape in enumerate(SHAPES):
        turn = generator.normal(size=4)
        x, y, z = generator.uniform([0.2, -0.5, 0.1], [0.7, 0.5, 0.7]).tolist()
        a, b, c, d = (turn / np.linalg.norm(turn)).tolist()
        bodies.append(Body(f"body{number}", shape, Pose((x, y, z), (a, b, c, d))))
    return bodies


def same(first: Clearance, second: Clearance) -> bool:
    return all(
        np.array_equal(one, other, equal_nan=True)
        for one, other in (
            (first.at_least_m, second.at_least_m),
            (first.pair, second.pair),
            (first.points, second.points),
        )
    ) and (first.pairs, first.queries) == (second.pairs, second.queries)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.3))
def test_F21_the_certificate_is_never_above_the_truth_and_exact_where_violated(chance: int, size: float) -> None:
    generator = np.random.default_rng(chance)
    bodies = scattered(generator)
    referee = Truth()
    for body in bodies:
        referee.add(body.name, body.convex[0], body.pose)
    physics = BulletPhysics(panda.profile(), panda.cell(bodies))
    start = generator.uniform(panda.LOWER, panda.UPPER)
    rows = panda.sweep(start, np.clip(start + generator.normal(size=7) * size, panda.LOWER, panda.UPPER), 4)
    names = [body.name for body in bodies]
    demands = (panda.demand(names, 0.02, 4), panda.demand(LINKS, 0.02, 4, LINKS, panda.ALLOWED))

    found = physics.forecast(panda.motion(model(physics), rows), panda.scene(), demands)

    for interval in range(1, 4):
        least = [math.inf, math.inf]
        for positions in panda.sweep(rows[interval - 1], rows[interval], 21):
            referee.pose(positions)
            least[0] = min(least[0], *(referee.distance(link, name) for link in panda.MOVING for name in names))
            least[1] = min(least[1], *(referee.distance(*pair) for pair in SELF))
        for clearance, true in zip(found, least, strict=True):
            at_least = clearance.at_least_m[interval]
            assert at_least <= true + SLACK_M
            assert not true > 0.02 + 2.0 * SLACK_M or at_least >= 0.02
            if true < 0.02 - SLACK_M:
                # The sampled least lies above the true one by what a link moves in half a twentieth of the interval.
                assert at_least == pytest.approx(true, abs=2.0 * SLACK_M + 0.02 * size)
    referee.close()


@pytest.mark.slow
def test_F21_where_no_query_was_needed_pybullet_asked_afterwards_agrees(seed: int) -> None:
    generator, referee, cleared = np.random.default_rng(seed), Truth(), 0
    physics = BulletPhysics(panda.profile(), panda.cell())
    for number, shape in enumerate(SHAPES):
        referee.add(f"body{number}", shape, Pose())

    for _ in range(200):
        bodies = scattered(generator)[1:]
        for body in bodies:
            referee.place(body.name, body.pose)
        start = generator.uniform(panda.LOWER, panda.UPPER)
        end = np.clip(start + generator.normal(size=7) * 0.2, panda.LOWER, panda.UPPER)
        scene = panda.scene(*(panda.thing(body.name, body.convex[0], body.pose) for body in bodies))
        pairs = [*((link, body.name) for link in panda.MOVING for body in bodies), *SELF]
        demands = tuple(panda.demand([other], 0.02, 3, [link]) for link, other in pairs)
        found = physics.forecast(panda.motion(model(physics), panda.sweep(start, end, 3)), scene, demands)
        least = np.full((len(pairs), 3), math.inf)
        for sample, positions in enumerate(panda.sweep(start, end, 9)):
            referee.pose(positions)
            distances = [referee.distance(*pair) for pair in pairs]
            for interval in (1, 2):
                if 4 * (interval - 1) <= sample <= 4 * interval:
                    least[:, interval] = np.minimum(least[:, interval], distances)
        for clearance, true in zip(found, least, strict=True):
            if clearance.queries == 0:
                cleared += 1
                assert (clearance.at_least_m[1:] >= 0.02).all()
                assert (clearance.at_least_m[1:] <= true[1:] + SLACK_M).all()
    referee.close()

    assert cleared > 200 * 20


SWING = np.array([[-0.3, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0], [0.3, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0]])


def swing(bodies: list[Body], links: tuple[str, ...] = panda.HAND, min_m: float = 0.0) -> tuple[Clearance, Motion]:
    physics = BulletPhysics(panda.profile(), panda.cell(bodies))
    motion = panda.motion(model(physics), SWING)
    names = [body.name for body in bodies]
    return physics.forecast(motion, panda.scene(), (panda.demand(names, min_m, 2, links),))[0], motion


def test_F21_a_thin_post_between_two_rows_is_hit() -> None:
    hand = BARE.forward(SWING.mean(axis=0, keepdims=True))[0, BARE.links.index("panda_hand")]
    post = Body("post", Cylinder(0.004, 1.0), Pose((float(hand[0, 3]), float(hand[1, 3]), float(hand[2, 3]))))
    referee = Truth()
    referee.add("post", post.convex[0], post.pose)

    found, _ = swing([post])

    assert referee.least(SWING, panda.HAND, ("post",)) > 0.1
    assert referee.least(panda.sweep(SWING[0], SWING[1], 61), panda.HAND, ("post",)) < -0.03
    assert found.at_least_m[0] > 0.1
    assert found.at_least_m[1] < -0.03
    assert found.pairs[int(found.pair[1])][1] == "post"
    referee.close()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_F21_no_thin_post_in_the_way_is_missed(chance: int) -> None:
    generator = np.random.default_rng(chance)
    start = generator.uniform(panda.LOWER, panda.UPPER)
    rows = np.array([start, start + generator.uniform(-0.3, 0.3, 7)])
    link = panda.MOVING[generator.integers(2, 8)]
    share = generator.uniform()
    pose = BARE.forward((1.0 - share) * rows[:1] + share * rows[1:])[0, BARE.links.index(link)]
    x, y, z = (pose[:3, :3] @ BARE.vertices[link].mean(axis=0) + pose[:3, 3]).tolist()
    physics = BulletPhysics(panda.profile(), panda.cell([Body("needle", Sphere(0.001), Pose((x, y, z)))]))

    found = physics.forecast(panda.motion(model(physics), rows), panda.scene(), (panda.demand(["needle"], 0.0, 2),))[0]

    assert not found.at_least_m[1] >= 0.0


def test_F24_the_elbow_is_seen_where_the_hand_is_free() -> None:
    elbow = BARE.forward(SWING.mean(axis=0, keepdims=True))[0, BARE.links.index("panda_link4"), :3, 3].tolist()
    lamp = Body("lamp", Sphere(0.05), Pose((elbow[0], elbow[1], elbow[2] + 0.02)))

    hand, _ = swing([lamp], panda.HAND)
    all_links, _ = swing([lamp], panda.MOVING)

    assert hand.at_least_m.min() >= 0.0
    assert all_links.at_least_m[1] < 0.0
    assert all_links.pairs[int(all_links.pair[1])][0] in {"panda_link3", "panda_link4", "panda_link5"}


def test_F23_tracking_error_is_taken_off_and_only_once() -> None:
    table = Body("table", Box((2.0, 2.0, 0.1)), Pose((0.5, 0.0, 0.1)))
    sharp = BulletPhysics(panda.profile(1e-6), panda.cell([table]))
    blurred = BulletPhysics(panda.profile(0.01), panda.cell([table]))
    motion = panda.motion(model(sharp), panda.READY[None])
    demand = (panda.demand(["table"], 1.0, 1, ("panda_hand",)),)

    exact = sharp.forecast(motion, panda.scene(), demand)[0].at_least_m
    certain = blurred.forecast(motion, panda.scene(), demand)[0].at_least_m

    error = model(blurred).reach_error(panda.READY[None], "panda_hand")
    np.testing.assert_allclose(exact - certain, error, atol=2e-4)


def test_without_its_lag_a_body_is_where_it_was_told_to_be_and_both_answers_stand_side_by_side() -> None:
    table = Body("table", Box((2.0, 2.0, 0.1)), Pose((0.5, 0.0, 0.1)))
    sharp = BulletPhysics(panda.profile(1e-9), panda.cell([table]))
    blurred = BulletPhysics(panda.profile(0.01), panda.cell([table]))
    motion = panda.motion(model(sharp), panda.READY[None])
    lagging = panda.demand(["table"], 1.0, 1, ("panda_hand",))
    commanded = replace(lagging, lagging=False)

    (exact,) = sharp.forecast(motion, panda.scene(), (lagging,))
    first, second = blurred.forecast(motion, panda.scene(), (lagging, commanded))
    (alone,) = blurred.forecast(motion, panda.scene(), (commanded,))

    np.testing.assert_allclose(second.at_least_m, exact.at_least_m, atol=1e-6)
    assert same(second, alone)
    assert first.at_least_m[0] < second.at_least_m[0] - 0.005


def test_F23_between_two_links_only_the_joints_between_them_count() -> None:
    wild = panda.profile()
    wild = replace(wild, joints=(replace(wild.joints[0], tracking=0.5), *wild.joints[1:]))
    calm, shaky = (BulletPhysics(profile, panda.cell()) for profile in (panda.profile(), wild))
    demand = (panda.demand(("panda_link2",), 1.0, 1, ("panda_hand",)),)
    motion = panda.motion(model(calm), panda.READY[None])

    first, second = (physics.forecast(motion, panda.scene(), demand)[0] for physics in (calm, shaky))

    assert same(first, second)


def test_F22_answers_do_not_depend_on_what_came_before(seed: int) -> None:
    generator = np.random.default_rng(seed)
    cell = panda.cell(scattered(generator))
    names = [body.name for body in cell.bodies]
    worn = BulletPhysics(panda.profile(0.002), cell)
    things = [panda.thing("box", Box((0.05, 0.05, 0.1 + 0.01 * n)), Pose((0.5, 0.1 * n, 0.3))) for n in range(4)]
    starts = generator.uniform(panda.READY - 0.6, panda.READY + 0.6, (4, 7))
    questions = [
        Question(
            panda.motion(model(worn), panda.sweep(start, start + 0.3, 6), opening=0.02 * n),
            panda.scene(thing),
            (panda.demand([*names, "box"], 0.02, 6), panda.demand(LINKS, 0.02, 6, LINKS, panda.ALLOWED)),
        )
        for n, (start, thing) in enumerate(zip(starts, things, strict=True))
    ]
    still = np.zeros((6, 7))

    ordered = [worn.forecast(*question) for question in questions]
    shuffled: list[int] = generator.permutation(4).tolist()
    for number in shuffled:
        again = worn.forecast(*questions[number])
        fresh = BulletPhysics(panda.profile(0.002), cell)
        new = fresh.forecast(*questions[number])
        for first, second, third in zip(ordered[number], again, new, strict=True):
            assert same(first, second)
            assert same(first, third)
        rows = questions[number].motion.positions
        torques = [physics.torques(rows, still, still, None) for physics in (worn, fresh)]
        assert torques[0] is not None
        assert torques[1] is not None
        assert torques[0].tobytes() == torques[1].tobytes()


def test_far_obstacles_change_nothing_and_cost_no_query(seed: int) -> None:
    generator = np.random.default_rng(seed)
    near = scattered(generator)
    far = [Body(f"far{n}", Box((0.3, 0.3, 0.3)), Pose((4.0 + n, 3.0, 1.0))) for n in range(20)]
    rows = panda.sweep(panda.READY, panda.READY + 0.3, 8)
    names = [body.name for body in near]
    bare, full = (BulletPhysics(panda.profile(), panda.cell(bodies)) for bodies in (near, [*near, *far]))
    motion = panda.motion(model(bare), rows)

    first = bare.forecast(motion, panda.scene(), (panda.demand(names, 0.02, 8),))[0]
    second = full.forecast(motion, panda.scene(), (panda.demand([*names, *(body.name for body in far)], 0.02, 8),))[0]

    assert first.queries == second.queries
    assert first.at_least_m.tolist() == second.at_least_m.tolist()


def test_demands_together_are_answered_as_each_alone_and_old_ones_are_forgotten(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(question, "BATCHES", 1)
    near = scattered(np.random.default_rng(seed))
    physics = BulletPhysics(panda.profile(), panda.cell(near))
    motion = panda.motion(model(physics), panda.sweep(panda.READY, panda.READY + 0.3, 8))
    demands = tuple(panda.demand([body.name], least, 8) for body in near for least in (0.02, 0.2))

    together = physics.forecast(motion, panda.scene(), demands)
    alone = [physics.forecast(motion, panda.scene(), (demand,))[0] for demand in demands]

    assert [found.queries for found in together] == [found.queries for found in alone]
    for one, other in zip(together, alone, strict=True):
        assert same(one, other)


def test_only_marked_intervals_are_judged() -> None:
    floor = Body("floor", HalfSpace((0.0, 0.0, 1.0)), Pose((0.0, 0.0, 0.6)))
    physics = BulletPhysics(panda.profile(), panda.cell([floor]))
    demand = replace(panda.demand(["floor"], 0.0, 3), intervals=np.array([False, True, False]))

    motion = panda.motion(model(physics), np.tile(panda.READY, (3, 1)))

    found = physics.forecast(motion, panda.scene(), (demand,))[0]

    assert found.at_least_m[1] < 0.0
    assert found.at_least_m[[0, 2]].tolist() == [math.inf, math.inf]


def test_F02_joints_that_are_not_finite_are_never_clear() -> None:
    physics = BulletPhysics(panda.profile(), panda.cell([FLOOR]))
    rows = np.tile(panda.READY, (3, 1))
    motion = replace(panda.motion(model(physics), rows), positions=np.where(np.eye(3, 7) > 0.0, math.nan, rows))

    found = physics.forecast(motion, panda.scene(), (panda.demand(["floor"], 0.0, 3),))[0]

    assert np.isnan(found.at_least_m).all()
    assert found.pairs == ()  # nothing was looked at


def test_F02_the_canary_is_looked_at_in_every_forecast_that_asks_pybullet(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[None]()
    check = Bullet.check_canary

    def counted(bullet: Bullet) -> None:
        looks.append(None)
        check(bullet)

    physics = BulletPhysics(panda.profile(), panda.cell([AROUND]))
    motion = panda.motion(model(physics), panda.READY[None])
    monkeypatch.setattr(Bullet, "check_canary", counted)

    for count in (1, 2):
        found = physics.forecast(motion, panda.scene(), (panda.demand(["around"], 0.0, 1),))[0]
        assert found.queries > 0
        assert len(looks) == count
    monkeypatch.setattr(pybullet, "getClosestPoints", sees_nothing)
    with pytest.raises(PhysicsFailed):
        physics.forecast(motion, panda.scene(), (panda.demand(["around"], 0.0, 1),))


def test_F02_where_pybullet_is_not_asked_it_does_not_matter_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    physics = BulletPhysics(panda.profile(), panda.cell([FLOOR]))
    motion = panda.motion(model(physics), panda.READY[None])
    monkeypatch.setattr(pybullet, "getClosestPoints", sees_nothing)

    (found,) = physics.forecast(motion, panda.scene(), (panda.demand(["floor"], 0.0, 1),))

    assert found.at_least_m[0] > 0.0


def test_a_profile_without_a_urdf_has_no_shape_and_is_never_clear() -> None:
    physics: Physics = BulletPhysics(replace(panda.profile(), urdf=None), panda.cell([FLOOR]))
    rows = np.tile(panda.READY, (3, 1))
    demand = replace(panda.demand(["floor"], 0.0, 3), intervals=np.array([False, True, True]))

    found = physics.forecast(panda.motion(None, rows), panda.scene(), (demand,))[0]

    assert physics.model is None
    assert physics.torques(rows, rows, rows, None) is None
    assert np.array_equal(found.at_least_m, [math.inf, math.nan, math.nan], equal_nan=True)
    assert found.pair.tolist() == [-1, -1, -1]


def test_a_profile_without_inertias_has_no_torques() -> None:
    physics = BulletPhysics(replace(panda.profile(), inertias=()), Cell("c", Pose(), (), ()))

    assert physics.torques(panda.READY[None], panda.READY[None], panda.READY[None], None) is None
