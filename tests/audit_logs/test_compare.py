from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.jsonform import Json, canonical, to_json
from interlock_audit_logs.compare import differences

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_there_is_a_difference_exactly_where_bytes_differ(first: Any, second: Any) -> None:
    assert bool(list(differences(first, second))) == (canonical(first) != canonical(second))


@pytest.mark.parametrize(
    ("first", "second", "path", "recorded", "recomputed", "apart"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, "$.a[1]", "2", "3", 1),
        ({"a": 1}, {}, "$.a", "1", "absent", None),
        ({}, {"a": 1}, "$.a", "absent", "1", None),
        ([1], [1, 2], "$.length", "1", "2", None),
        (1, True, "$", "1", "true", None),
        (0.5, "NaN", "$", "0.5", '"NaN"', None),
        (to_json(np.array([1.0, np.nan])), to_json(np.array([1.0, 2.0])), "$[1]", '"NaN"', "2", None),
    ],
)
def test_a_difference_says_where_and_how_far(
    first: Json, second: Json, path: str, recorded: str, recomputed: str, apart: float | None
) -> None:
    (found,) = differences(first, second)

    assert (found.path, found.recorded, found.recomputed, found.apart) == (path, recorded, recomputed, apart)


@pytest.mark.parametrize(
    "broken", [{"f64": "!", "shape": [1]}, {"f64": 3, "shape": [1]}, {"f64": "AAAA", "shape": [1]}]
)
def test_what_is_no_packed_array_is_compared_as_it_is(broken: Json) -> None:
    assert [found.path for found in differences(broken, {"f64": "AAAAAAAAAAA=", "shape": [1]})] == ["$.f64"]


def test_long_values_are_cut_in_the_report() -> None:
    (found,) = differences("x" * 1_000, "y")

    assert found.recorded.endswith("... (1002 characters)")
