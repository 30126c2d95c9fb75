"""The published schemas describe what the reader takes, and nothing else."""

from __future__ import annotations

import dataclasses
from typing import Literal

import jsonschema
import numpy as np
import pytest

from interlock.arrays import BoolArray, FloatArray
from interlock.chunk import ActionChunk, Malformed
from interlock.geometry import Box, Pose
from interlock.jsonform import Json, to_json, written_out
from interlock.scene import BodyPart, Cell, Person, RobotState, Scene, SceneObject
from interlock.schema import json_schema
from interlock.verdict import Decision

STATE = RobotState(2**60, ("a", "b"), np.array([0.0, np.nan]), np.zeros(2), np.zeros(0))
ANNA = Person("anna", (BodyPart("head", (0.0, 0.0, np.inf), (0.0, 0.0, 1.7), 0.1),), 7, 0.05, np.nan)
SCENE = Scene("automatic", (SceneObject("cube", Box((0.1, 0.1, 0.1)), Pose(), 5, 0.004, None),), "cube", (ANNA,))


@pytest.mark.parametrize("form", [ActionChunk, Malformed, RobotState, Scene, Cell, Decision])
def test_every_form_has_a_valid_schema(form: type) -> None:
    schema = json_schema(form)

    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("value", [STATE, SCENE])
def test_what_is_written_fits_its_schema_packed_and_written_out(value: object) -> None:
    schema = json_schema(type(value))

    packed, plain = to_json(value), written_out(to_json(value))

    jsonschema.validate(packed, schema)
    jsonschema.validate(plain, schema)


@pytest.mark.parametrize(
    "change",
    [{"seen_ns": "soon"}, {"joints": "a"}, {"positions": {"f64": "AA=="}}, {"speed": 1.0}],
)
def test_what_the_reader_refuses_does_not_fit(change: dict[str, Json]) -> None:
    state = to_json(STATE)
    assert isinstance(state, dict)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**state, **change}, json_schema(RobotState))


def test_a_form_without_json_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        json_schema(complex)


@dataclasses.dataclass
class _Every:
    flag: bool
    word: Literal["a", 1]
    pair: tuple[float, str]
    mask: BoolArray
    row: FloatArray
    again: _Every | None = None


def test_every_kind_of_field_is_described() -> None:
    value = {"flag": True, "word": 1, "pair": [0.5, "x"], "mask": [[True]], "row": [1, "NaN"], "again": None}

    jsonschema.validate(value, json_schema(_Every))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**value, "pair": [0.5]}, json_schema(_Every))
