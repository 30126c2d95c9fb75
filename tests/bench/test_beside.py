"""The bench beside people measures reviews that are permitted, with as many people as it says."""

from __future__ import annotations

import numpy as np
import pytest

from bench.beside import case_of, main, person, timed, with_people
from interlock_rules import load


def test_every_size_is_measured_once_for_each_turn() -> None:
    found = timed(1, 1, (0, 2))

    assert list(found) == [0, 2]
    assert all(median > 0.0 for median in found.values())


def test_as_many_people_are_there_as_it_says_and_the_rule_reads_them() -> None:
    rules = with_people(load("panda-tabletop"))
    people = [person(index, 3, np.random.default_rng(1)) for index in range(3)]

    assert case_of(rules, people).scene.people == tuple(people)
    assert rules.rules[0].limit.kind == "separation"
    assert [len(one.parts) for one in people] == [8, 8, 8]


def test_a_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "1"]) == 0
    assert "ratio" in capsys.readouterr().out
