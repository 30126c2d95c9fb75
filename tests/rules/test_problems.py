from __future__ import annotations

from interlock_rules.problems import BadFile, Place, Problem, nearest


def test_problems_stand_in_order_of_place_and_each_once() -> None:
    late, early = Problem(Place("a", 3, 1), "late"), Problem(Place("a", 2, 9), "early")

    assert BadFile([late, early, late]).problems == (early, late)


def test_a_problem_without_a_line_is_one_line() -> None:
    assert Problem(Place("a", 3, 1), "wrong").text == "a:3:1: wrong"


def test_a_tab_does_not_move_the_caret() -> None:
    assert Problem(Place("a", 1, 3), "wrong", "\t\tx").text.splitlines()[1:] == ["    1 |   x", "          ^"]


def test_nothing_in_a_line_that_is_shown_moves_the_cursor() -> None:
    shown = Problem(Place("a", 1, 5), "wrong", "\x1b[2Jx\u202ey\x9b1m").text

    assert shown.splitlines()[1] == "    1 |  [2Jx y 1m"


def test_a_column_far_out_is_not_drawn() -> None:
    assert Problem(Place("a", 1, 500), "wrong", "x" * 600).text == "a:1:500: wrong"


def test_the_nearest_word_is_suggested() -> None:
    assert nearest("margn", ["margin", "max"]) == '; did you mean "margin"?'


def test_without_a_near_word_all_are_named() -> None:
    assert nearest("zzz", ["b", "a"]) == "; known: a, b"


def test_without_words_nothing_is_said() -> None:
    assert nearest("zzz", []) == ""
