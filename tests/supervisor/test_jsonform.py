"""What is on record is what was judged, and no JSON gets more out of a reader than UnusableInput."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.arrays import BoolArray, FloatArray, IntArray
from interlock.chunk import ActionChunk
from interlock.errors import UnusableInput
from interlock.geometry import Box, Pose, Shape
from interlock.jsonform import Json, canonical, digest, digest_of, from_json, parse, to_json, written_out
from interlock.motion import Plan
from interlock.scene import RobotState, Scene, SceneObject
from tests.supervisor.toy import chunk, plan, ramp, state
from tests.supervisor.values import EVERY, same

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["NaN", "1", "box"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("form", EVERY)
@given(draw=st.data())
@settings(max_examples=40)
def test_every_form_comes_back_from_its_bytes_as_it_was(form: type[Any], draw: st.DataObject) -> None:
    value = draw.draw(EVERY[form])

    raw = canonical(to_json(value))
    back: Any = from_json(form, parse(raw, "raw"))

    assert same(back, value)
    assert canonical(to_json(back)) == raw


@pytest.mark.parametrize("form", EVERY)
@given(draw=st.data())
@settings(max_examples=60)
def test_hostile_json_is_unusable_input_and_never_another_exception(form: type[Any], draw: st.DataObject) -> None:
    good = to_json(draw.draw(EVERY[form]))
    assert isinstance(good, dict)
    changed = draw.draw(st.dictionaries(st.sampled_from(sorted(good)), JSON, min_size=1, max_size=3))
    value = draw.draw(st.sampled_from([{**good, **changed}, changed]) | JSON)

    try:
        found: Any = from_json(form, value)
    except UnusableInput:
        found = None

    assert found is None or isinstance(found, form)


@dataclass(frozen=True)
class _Odd:
    kind: ClassVar[str] = "odd"
    number: float = 0.0
    count: int = 0
    yes: bool = False
    pair: tuple[int, str] = (0, "")
    when_ns: int = 0
    maybe_ns: int | None = None
    either: int | str = 0
    names: dict[str, int] = field(default_factory=dict[str, int])
    flags: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    counts: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: FloatArray = field(default_factory=lambda: np.zeros(0))
    what: Any = None


UNUSABLE: dict[str, Json] = {
    "a list for an object": [],
    "another kind": {"kind": "even"},
    "an unknown key": {"numbre": 1.0},
    "an unknown key far from all": {"zzzzzzzz": 1.0},
    "text for a number": {"number": "1.0"},
    "a boolean for a number": {"number": True},
    "a number that no float holds": {"number": 10**400},
    "a fraction for a count": {"count": 1.5},
    "NaN for a count": {"count": "NaN"},
    "a boolean for a count": {"count": True},
    "one for true": {"yes": 1},
    "text for a list": {"pair": "ab"},
    "too short a list": {"pair": [1]},
    "a fraction of a nanosecond": {"when_ns": 0.5},
    "a boolean for nanoseconds": {"when_ns": True},
    "no nanoseconds": {"when_ns": None},
    "neither": {"either": []},
    "a list for names": {"names": []},
    "ones for booleans": {"flags": [1, 0]},
    "fractions for whole numbers": {"counts": [1.5]},
    "whole numbers beyond 64 bits": {"counts": [2**63]},
    "ragged rows": {"values": [[1.0], [1.0, 2.0]]},
    "booleans for numbers": {"values": [True]},
    "null for a number in an array": {"values": [None]},
    "an object in an array": {"values": [{}]},
    "a number for an array": {"values": 1.0},
    "text for an array": {"values": "AA=="},
    "no base64": {"values": {"f64": "!", "shape": [0]}},
    "no shape": {"values": {"f64": ""}},
    "text for a shape": {"values": {"f64": "", "shape": "0"}},
    "a negative size": {"values": {"f64": "", "shape": [-1]}},
    "a boolean for a size": {"values": {"f64": "", "shape": [True]}},
    "a size beyond all": {"values": {"f64": "", "shape": [0, 2**31, 2**31]}},
    "too many axes": {"values": {"f64": "", "shape": [0] * 70}},
    "too few bytes": {"values": {"f64": "AAAA", "shape": [1]}},
    "a boolean of two": {"flags": {"b8": "Ag==", "shape": [1]}},
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_F03_what_a_field_does_not_hold_is_unusable(what: str) -> None:
    with pytest.raises(UnusableInput, match="_Odd"):
        from_json(_Odd, UNUSABLE[what])


def test_a_missing_field_an_unknown_tag_and_a_wrong_literal_are_named() -> None:
    body: dict[str, Json] = {"name": "cube", "pose": {}, "seen_ns": "1", "uncertainty_m": 0, "speed_m_s": None}

    with pytest.raises(UnusableInput, match="'shape' is missing"):
        from_json(SceneObject, body)
    with pytest.raises(UnusableInput, match="kind must be one of box, capsule"):
        from_json(SceneObject, {**body, "shape": {"kind": "blob"}})
    with pytest.raises(UnusableInput, match="did you mean 'size'"):
        from_json(SceneObject, {**body, "shape": {"kind": "box", "siez": [1, 1, 1]}})
    with pytest.raises(UnusableInput, match="must be one of 'ok'"):
        from_json(ActionChunk, {**_object(to_json(chunk())), "decode": "maybe" * 20})


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def test_a_constructor_that_refuses_is_unusable_input() -> None:
    with pytest.raises(UnusableInput, match="size_x must be positive"):
        from_json(Box, {"size": [0.0, 1.0, 1.0]})


@pytest.mark.parametrize("deep", [[], {}])
def test_json_nested_a_thousand_deep_is_unusable(deep: Any) -> None:
    value: Any = deep
    for _ in range(5000):
        value = [value]

    with pytest.raises(UnusableInput, match="nested too deeply"):
        from_json(_Odd, {"values": value})


def test_lists_and_packed_arrays_read_alike() -> None:
    packed = to_json(state((0.5, np.nan)))

    plain = written_out(packed)
    back = from_json(RobotState, json.loads(json.dumps(plain)))

    assert same(back, from_json(RobotState, packed))
    assert _object(plain)["velocities"] == [0.0, 0.0]


def test_arrays_of_every_type_read_from_lists() -> None:
    found = from_json(
        _Odd, {"flags": [True], "counts": [1, "9007199254740993", 2.0], "values": ["NaN", 1, "-Infinity"]}
    )

    assert found.flags.tolist() == [True]
    assert found.counts.tolist() == [1, 2**53 + 1, 2]
    assert math.isnan(found.values[0])
    assert found.values.tolist()[1:] == [1.0, -math.inf]


def test_names_pairs_and_either_are_read() -> None:
    body: dict[str, Json] = {
        "kind": "odd",
        "names": {"a": 1},
        "pair": [1, "x"],
        "either": "one",
        "maybe_ns": None,
        "when_ns": 7,
    }

    found = from_json(_Odd, body)

    assert to_json(found.names) == {"a": 1}
    assert (found.names, found.pair, found.either) == ({"a": 1}, (1, "x"), "one")
    assert (found.when_ns, found.maybe_ns) == (7, None)


def test_F42_replay_a_plan_keeps_its_times_to_the_nanosecond() -> None:
    times = 2**60 + np.arange(3, dtype=np.int64) * 20_000_001
    made = Plan(times, ramp(3)[:, :2], ramp(3)[:, 2:], 2**60 + 5, 2**60)

    back = from_json(Plan, parse(canonical(to_json(made)), "plan"))

    assert back.times_ns.tolist() == times.tolist()
    assert (back.rows_end_ns, back.rows_start_ns) == (2**60 + 5, 2**60)


@pytest.mark.parametrize("value", [{1, 2}, 1j, b"x", np.bool_(True)])
def test_what_has_no_json_form_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        to_json(value)


def test_a_field_of_an_unknown_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        from_json(_Odd, {"what": 1})


@pytest.mark.parametrize("value", [math.nan, "\ud800", 2**60])
def test_what_json_cannot_carry_has_no_canonical_bytes(value: Json) -> None:
    with pytest.raises(UnusableInput, match="not canonical JSON"):
        canonical(value)


def test_digests_are_of_canonical_bytes() -> None:
    assert digest({"b": 1, "a": -0.0}) == digest({"a": 0, "b": 1.0})
    assert digest_of(Pose()) == digest_of(Pose((-0.0, 0.0, 0.0)))
    assert digest_of(plan(ramp(2), 0)) != digest_of(plan(ramp(2), 1))


@pytest.mark.parametrize("raw", ["{", '{"a": 1, "a": 2}', "[" * 100_000, b"\xff"])
def test_text_that_is_no_json_is_unusable(raw: bytes | str) -> None:
    with pytest.raises(UnusableInput, match="file"):
        parse(raw, "file")


def test_every_shape_is_told_apart_by_its_kind() -> None:
    kinds = [form.kind for form in Shape.__args__]

    assert len(set(kinds)) == 6
    assert from_json(Scene, to_json(Scene(None, None))) == Scene(None, None)
