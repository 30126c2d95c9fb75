"""A profile that no robot can have is refused (F-03)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from interlock.profile import Gripper, Inertia
from tests.supervisor.toy import joint, profile

HAND = Gripper("hand", 0.0, 0.08, "m", 0.1, "made up")


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
@pytest.mark.parametrize("name", ["velocity", "acceleration", "tracking", "jerk", "torque"])
def test_F03_a_limit_is_positive_and_finite(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive and finite"):
        joint("a", **{name: bad})


@pytest.mark.parametrize(
    ("lower", "upper"), [(1.0, 1.0), (1.0, -1.0), (math.nan, 1.0), (0.0, math.nan), (0.0, math.inf)]
)
def test_F03_the_lower_end_is_below_the_upper(lower: float, upper: float) -> None:
    with pytest.raises(ValueError, match="lower must be below upper"):
        joint("a", lower=lower, upper=upper)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"joints": ()}, "must be named"),
        ({"joints": (joint("a"), joint("a"))}, "each once"),
        ({"grippers": (HAND, HAND)}, "each once"),
        ({"grippers": (replace(HAND, name="a"),)}, "each once"),
        ({"control_rate_hz": math.nan}, "control_rate_hz"),
        ({"control_rate_hz": 0.0}, "control_rate_hz"),
        ({"vetoes_before_stop": 0}, "vetoes_before_stop"),
    ],
)
def test_F03_a_profile_names_each_part_once_and_has_a_rate(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        profile(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"open": 0.0}, "must differ"),
        ({"open": math.nan}, "must differ"),
        ({"closed": -math.inf}, "must differ"),
        ({"speed": 0.0}, "speed must be positive"),
        ({"force_n": math.nan}, "force_n must be positive"),
    ],
)
def test_F10_a_gripper_has_a_range_and_a_speed(changes: dict[str, Any], problem: str) -> None:
    assert replace(HAND, closed=1.0, open=0.0).closed == 1.0
    with pytest.raises(ValueError, match=problem):
        replace(HAND, **changes)


def test_the_digest_is_of_everything() -> None:
    assert profile().joint_names == ("a", "b")
    assert profile().digest == profile().digest != profile(vetoes_before_stop=6).digest


@pytest.mark.parametrize("tensor", [(1.0, 0.0, 0.0, 1.0, 0.0, 2.0), (0.0, 0.0, 0.0, 1.0, 0.0, 1.0), (0.0,) * 6])
def test_F33_a_rod_a_plate_and_a_point_have_an_inertia(tensor: tuple[float, float, float, float, float, float]) -> None:
    assert Inertia("a", 1.0, (0.0, 0.0, 0.0), tensor, "source").moments[2] == max(tensor)


@pytest.mark.parametrize(
    ("mass", "tensor", "problem"),
    [
        (1.0, (1.0, 0.0, 0.0, 1.0, 0.0, 2.1), "principal moments 1, 1 and 2.1"),
        (1.0, (1.0, 1.0, 0.0, 1.0, 0.0, 1.0), "principal moments 0, 1 and 2"),
        (1.0, (-0.1, 0.0, 0.0, 1.0, 0.0, 1.0), "none may be negative"),
        (1.0, (-1e-5, 0.0, 0.0, 1.0, 0.0, 1.0), "none may be negative"),
        (1.0, (-1.0, 0.0, 0.0, -1.0, 0.0, -1.0), "none may be negative"),
        (1.0, (math.nan, 0.0, 0.0, 1.0, 0.0, 1.0), "must be finite"),
        (-1.0, (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), "mass not negative"),
        (math.nan, (1.0, 0.0, 0.0, 1.0, 0.0, 1.0), "must be finite"),
    ],
)
def test_F33_what_no_body_can_have_is_no_inertia(
    mass: float, tensor: tuple[float, float, float, float, float, float], problem: str
) -> None:
    """PyBullet answers with no torque at all where a moment is more than the other two together."""
    with pytest.raises(ValueError, match=problem):
        Inertia("a", mass, (0.0, 0.0, 0.0), tensor, "source")
