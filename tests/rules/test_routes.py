from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from interlock.geometry import Box
from interlock_rules import load_report
from interlock_rules.case_form import CaseForm
from interlock_rules.loading import Loaded
from interlock_rules.reaching import tool_poses
from interlock_rules.reading import adapter
from interlock_rules.routes import Route, route_of
from tests.rules.golden import SMALL

STILL = {"joints": ["0 rad", "0 rad"]}


@pytest.fixture(scope="module")
def panda() -> Loaded:
    return load_report("panda-tabletop")


@pytest.fixture(scope="module")
def small() -> Loaded:
    return load_report(SMALL)


def route(loaded: Loaded, chunk: dict[str, Any], **more: Any) -> Route:
    tree = {"name": "a case", "from": "home", "chunk": chunk, "expect": "permitted", **more}
    case: CaseForm = adapter(CaseForm).validate_python(tree)
    return route_of(case, loaded.rules, loaded.setup.model)


def test_a_straight_path_keeps_the_tool_on_its_line(panda: Loaded) -> None:
    found = route(panda, {"go_to": {"tcp": ["0.4 m", "0.1 m", "0.3 m"], "path": "straight"}, "in": "1 s"})

    assert panda.setup.model is not None
    places = tool_poses(panda.setup.model, found.rows)[:, :3, 3]
    first = tool_poses(panda.setup.model, found.start.positions[None])[0, :3, 3]
    way = np.array([0.4, 0.1, 0.3]) - first
    along = (places - first) @ way / (way @ way)
    assert len(found.rows) == 50
    assert np.abs(places - first - along[:, None] * way).max() < 3e-5
    assert along[-1] == pytest.approx(1.0, abs=1e-4)


def test_the_tool_can_stay_turned_as_it_is(panda: Loaded) -> None:
    goal = {"tcp": ["0.4 m", "0.1 m", "0.4 m"], "orientation": "as_is"}

    found = route(
        panda, {"go_to": goal, "in": "1 s"}, **{"from": ["0 rad"] * 3 + ["-2 rad", "0 rad", "1.5 rad", "0 rad"]}
    )

    assert panda.setup.model is not None
    first, last = tool_poses(panda.setup.model, np.vstack([found.start.positions, found.rows[-1]]))
    assert np.abs(first[:3, :3] - last[:3, :3]).max() < 1e-4


def test_the_base_frame_is_where_the_cell_mounts_the_robot(panda: Loaded) -> None:
    found = route(panda, {"go_to": {"tcp": ["0.4 m", "0 m", "0.4 m"]}, "in": "1 s"})

    assert panda.setup.model is not None
    assert tool_poses(panda.setup.model, found.rows[-1:])[0, :3, 3].round(4).tolist() == [0.4, 0.0, 0.4]


def test_rows_are_taken_as_they_are(small: Loaded) -> None:
    found = route(small, {"rows": [["0 rad", "10 mrad"], ["0 rad", "20 mrad"]]})

    assert found.rows.tolist() == [[0.0, 0.01], [0.0, 0.02]]
    assert found.grippers.tolist() == [[0.08], [0.08]]


def test_the_gripper_moves_with_the_way(small: Loaded) -> None:
    found = route(small, {"go_to": STILL, "in": "1 s", "gripper": "0 mm"})

    assert found.grippers[-1, 0] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(found.grippers[:, 0]) <= 0.0).all()


def test_a_value_in_another_unit_than_the_grippers_is_no_case(small: Loaded) -> None:
    with pytest.raises(ValueError, match='is in m; "gripper" is in ratio'):
        route(small, {"go_to": STILL, "in": "1 s", "gripper": "110 %"})


def test_objects_and_what_is_held_are_there(small: Loaded) -> None:
    box, where = ["1 m", "1 m", "1 m"], ["1 m", "2 m", "3 m"]
    held = {"name": "cup", "box": box, "at": where, "mass": "100 g"}
    seen = {"name": "cube", "box": box, "at": where, "uncertainty": "4 mm", "speed": "10 mm/s"}

    start = route(small, {"go_to": STILL, "in": "1 s"}, objects=[seen], target="cube", held=held, mode="manual").start

    scene = start.scene(7)
    assert (scene.mode, scene.target) == ("manual", "cube")
    assert scene.objects is not None
    assert scene.objects[0].seen_ns == 7
    assert (scene.objects[0].uncertainty_m, scene.objects[0].speed_m_s) == (0.004, 0.01)
    assert start.held is not None
    assert (start.held.shape, start.held.pose.xyz, start.held.mass_kg) == (Box((1.0, 1.0, 1.0)), (1.0, 2.0, 3.0), 0.1)


def test_a_joint_can_end_without_a_number(small: Loaded) -> None:
    found = route(small, {"rows": [["0 rad", "10 mrad"], ["0 rad", "20 mrad"]], "nan": "b"})

    np.testing.assert_array_equal(found.rows, [[0.0, 0.01], [0.0, math.nan]])


@pytest.mark.parametrize(
    ("chunk", "more", "complaint"),
    [
        ({}, {}, 'either "rows" or "go_to"'),
        ({"rows": [["0 rad", "0 rad"]], "go_to": STILL}, {}, 'either "rows" or "go_to"'),
        ({"rows": []}, {}, "every row needs one position for each of 2 joints"),
        ({"rows": [["0 rad"]]}, {}, "every row needs one position for each of 2 joints"),
        ({"go_to": STILL}, {}, '"go_to" needs "in"'),
        ({"go_to": STILL, "in": "1 s", "nan": "C"}, {}, 'unknown joint "C"'),
        ({"go_to": {}, "in": "1 s"}, {}, 'either "tcp" or "joints"'),
        ({"go_to": {"joints": ["0 rad"]}, "in": "1 s"}, {}, '"joints" needs one position for each of 2 joints'),
        ({"go_to": {"tcp": ["1 m", "0 m", "0 m"]}, "in": "1 s"}, {}, "two-joints has no URDF"),
        ({"go_to": STILL, "in": "1 s"}, {"from": "hom"}, 'unknown pose "hom"; did you mean "home"?'),
        ({"go_to": STILL, "in": "1 s"}, {"from": ["0 rad"]}, '"from" needs one position for each of 2 joints'),
        ({"go_to": STILL, "in": "1 s"}, {"mode": "automatc"}, 'unknown mode "automatc"; did you mean "automatic"?'),
    ],
)
def test_a_case_that_describes_no_way_says_why(
    small: Loaded, chunk: dict[str, Any], more: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        route(small, chunk, **more)
