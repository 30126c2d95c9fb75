from __future__ import annotations

import copy
from typing import Any

import pytest

from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock_rules import from_meaning, load
from tests.rules.golden import SMALL


@pytest.fixture
def meaning() -> Any:
    return copy.deepcopy(load(SMALL).meaning)


def test_what_is_no_meaning_is_refused() -> None:
    nothings: list[Json] = [None, [], {}, {"rules": "text"}]
    for nothing in nothings:
        with pytest.raises(UnusableInput, match="the meaning of a rule set is an object with rules"):
            from_meaning(nothing)


def spoil(meaning: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        meaning = meaning[step]
    meaning[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("format",), "interlock/meaning/2", "meaning.format: must be one of"),
        (("serial",), None, "meaning.serial: expected int"),
        (("rules", 0), [], r"meaning.rules\[0\]: expected an object with a limit"),
        (("rules", 0, "limit"), 1, r"meaning.rules\[0\]: expected an object with a limit"),
        (("rules", 0, "limit", "kind"), "joint_postion", r"meaning.rules\[0\].limit: kind must be one of"),
        (("rules", 0, "limit", "margin"), "2 deg", r"meaning.rules\[0\].limit.margin: expected a finite number"),
        (("rules", 0, "limit", "margin"), True, r"meaning.rules\[0\].limit.margin: expected a finite number"),
        (("rules", 0, "limit", "more"), 1, r"meaning.rules\[0\].limit.more: "),
        (("rules", 0, "more"), 1, r"meaning.rules\[0\]: unknown key 'more'"),
        (("rules",), [], "meaning: rule set 'small' enforces nothing"),
        (("rules", 0, "limit", "margin"), 0, None),
    ],
)
def test_a_meaning_that_was_spoilt_is_refused_or_is_another(
    meaning: Any, path: tuple[Any, ...], value: Any, complaint: str | None
) -> None:
    before = from_meaning(meaning).digest
    spoil(meaning, path, value)

    if complaint is None:
        assert from_meaning(meaning).digest != before
    else:
        with pytest.raises(UnusableInput, match=complaint):
            from_meaning(meaning)


def test_a_meaning_with_something_left_out_is_not_filled_in(meaning: Any) -> None:
    del meaning["rules"][0]["limit"]["kind"]

    with pytest.raises(UnusableInput, match="kind must be one of"):
        from_meaning(meaning)


def test_F39_a_meaning_that_reads_back_differently_is_refused(meaning: Any) -> None:
    del meaning["cell"]["hazards"]  # a default would fill this in, and the digest would be another

    with pytest.raises(UnusableInput, match="has another digest"):
        from_meaning(meaning)
