"""The search: certified, exact at the worst place, undecided where it must give up, and bounded."""

from __future__ import annotations

import numpy as np
import pytest

from interlock import forecast
from interlock._bullet import Bullet
from interlock.arrays import FloatArray
from interlock.errors import ForecastExhausted
from interlock.forecast import Bounds, Search, known, path
from interlock.geometry import Cylinder, Pose
from interlock.pairs import Pair, Pairs
from interlock.robot_model import UrdfRobot
from interlock.shapes import WORLD, side
from tests.supervisor import panda

MODEL = UrdfRobot(panda.profile(), panda.cell())
BULLET = Bullet()
ENDS = np.array([[-0.4, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0], [0.4, 0.9, 0.0, -0.7, 0.0, 1.6, 0.0]])


def post(x: float, y: float) -> Pair:
    """The hand and a thin post."""
    pole = side(Cylinder(0.004, 2.0), Pose((x, y, 0.5)).matrix(), WORLD)
    return Pair(("panda_hand", "post"), MODEL.sides["panda_hand"], pole, MODEL.route("", "panda_hand"))


def settled(pair: Pair, need: FloatArray, search: Search, depth: int) -> Bounds:
    along = path(MODEL, ENDS)
    one = Pairs([pair], MODEL.errors)
    bent = one.bends(along.steps)
    found = known(one.lows(along.frames, bent)[0])
    search.settle(pair, along, one.sagitta(bent, 0), need, found, depth)
    return found


MIDDLE = MODEL.frames(ENDS.mean(axis=0, keepdims=True))[0, MODEL.index("panda_hand"), :3, 3]
NEED = np.array([0.0, 0.01])


def test_F21_a_post_between_two_nodes_is_found() -> None:
    found = settled(post(float(MIDDLE[0]), float(MIDDLE[1])), NEED, Search(MODEL, BULLET), forecast.DEPTH)

    assert found.low[0] > 0.15
    assert found.low[1] < -0.03
    assert found.near[1] - found.low[1] <= 1e-3
    assert np.linalg.norm(found.points[1].mean(axis=0)[:2] - MIDDLE[:2]) < 0.06


def test_depth_used_up_is_undecided_and_never_clear() -> None:
    found = settled(post(float(MIDDLE[0]), float(MIDDLE[1])), NEED, Search(MODEL, BULLET), depth=0)

    assert np.isnan(found.low[1])


def test_a_violation_that_is_seen_is_reported_even_without_depth() -> None:
    start = MODEL.frames(ENDS[:1])[0, MODEL.index("panda_hand"), :3, 3]

    found = settled(post(float(start[0]), float(start[1])), NEED, Search(MODEL, BULLET), depth=0)

    assert found.near[1] < 0.0
    assert found.low[1] <= found.near[1]


def test_what_is_not_asked_for_is_not_looked_at() -> None:
    search = Search(MODEL, BULLET)

    found = settled(post(float(MIDDLE[0]), float(MIDDLE[1])), np.full(2, -np.inf), search, forecast.DEPTH)

    assert search.left == forecast.QUERIES
    assert np.isinf(found.near).all()


def test_the_budget_ends_in_an_error() -> None:
    with pytest.raises(ForecastExhausted, match="budget"):
        settled(post(float(MIDDLE[0]), float(MIDDLE[1])), NEED, Search(MODEL, BULLET, budget=3), forecast.DEPTH)


def test_the_inside_of_an_interval_is_straight_and_computed_once() -> None:
    along = path(MODEL, ENDS)

    inside = along.inside(1, MODEL)

    assert along.inside(1, MODEL) is inside
    np.testing.assert_allclose(inside.positions, panda.sweep(ENDS[0], ENDS[1], forecast.PARTS + 1), atol=1e-15)


def test_an_interval_is_left_open_until_it_is_certified_or_its_worst_place_is_known() -> None:
    low = np.array([0.0199, 0.0200, 0.0100, 0.0100, -0.5000, -0.5000])
    near = np.array([np.inf, np.inf, 0.0101, 0.0103, -0.4910, -0.4800])

    open_ = Bounds(low, near, np.zeros((6, 2, 3))).open(np.full(6, 0.02))

    assert open_.tolist() == [True, False, False, True, False, True]
