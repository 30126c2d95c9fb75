from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from interlock_rules.cell_file import CellForm
from interlock_rules.kinds import KINDS
from interlock_rules.problems import BadFile
from interlock_rules.profile_form import ProfileForm
from interlock_rules.reading import Reading, keys_at
from interlock_rules.set_form import RuleForm, SetForm
from interlock_rules.yaml_text import read_text

FORMS = (SetForm, RuleForm, ProfileForm, CellForm, *KINDS.values())


def reading() -> Reading:
    return Reading(read_text(b"a: 1\n", "a.yaml"))


def test_without_a_problem_there_is_a_result() -> None:
    assert reading().end("result") == "result"


def test_without_a_result_there_is_an_error_even_without_a_problem() -> None:
    with pytest.raises(BadFile):
        reading().end(None)


def test_what_cannot_be_made_is_noted_and_left_out() -> None:
    found = reading()

    made = found.each(("a",), ["1", "x", "3"], int)

    assert made == (1, 3)
    assert len(found.problems) == 1


def test_the_keys_of_an_object_are_those_of_its_form() -> None:
    assert "accepts" in keys_at(SetForm, ())
    assert "period" in keys_at(SetForm, ("accepts",))
    assert "go_to" in keys_at(SetForm, ("tests", 3, "chunk"))
    assert "veto" in keys_at(SetForm, ("tests", 3, "expect", "ExpectForm"))
    assert {"from", "in"} <= {*keys_at(SetForm, ("tests", 0)), *keys_at(SetForm, ("tests", 0, "chunk"))}
    assert "radius" in keys_at(CellForm, ("bodies", 0, "cylinder"))
    assert keys_at(CellForm, ("bodies", 0, "name")) == []
    assert keys_at(tuple[CellForm, SetForm], (1,)) == keys_at(SetForm, ())


def bare(form: Any, where: str) -> Iterator[str]:
    """Fields of a form, at any depth, that would take a number or a boolean from any text that looks like one."""
    if typing.get_origin(form) is typing.Annotated:
        if any(is_reader(item) for item in form.__metadata__):
            return
        form = form.__origin__
    if form in {int, float, bool}:
        yield where
    if is_dataclass(form):
        hints = typing.get_type_hints(form, include_extras=True)
        for field in fields(form):
            yield from bare(hints[field.name], f"{where}.{field.name}")
    for argument in typing.get_args(form):
        yield from bare(argument, where)


def is_reader(item: Any) -> bool:
    return hasattr(item, "__get_pydantic_core_schema__") and type(item).__name__ in {"Reader", "BeforeValidator"}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_F04_no_field_takes_a_number_or_a_boolean_without_a_reader_of_ours(form: Any) -> None:
    assert list(bare(form, form.__name__)) == []
