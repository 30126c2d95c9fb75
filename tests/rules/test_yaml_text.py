"""F-04: strict YAML 1.2, of which nothing is typed before its field is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_rules import nodes
from interlock_rules.problems import BadFile, Problem
from interlock_rules.yaml_text import MAX_BYTES, read_text


def tree(text: str) -> object:
    return read_text(text.encode(), "a.yaml").root.tree


def refusal(raw: bytes) -> str:
    with pytest.raises(BadFile) as refused:
        read_text(raw, "a.yaml")
    return str(refused.value).splitlines()[0]


@pytest.mark.parametrize("text", ["1e3", "1:30", "017", "no", ".nan", "~", "null", "0x10", "2020-01-01", "1_000", "on"])
def test_F04_every_scalar_stays_the_text_that_was_written(text: str) -> None:
    assert tree(f"a: {text}") == {"a": text}


def test_lists_and_objects_keep_their_order() -> None:
    assert tree("b: [x, {y: z}]\na: |\n  two\n  lines\n") == {"b": ["x", {"y": "z"}], "a": "two\nlines\n"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", 'a.yaml:3:1: "a" is here a second time; first in line 1'),
        ("a: {b: 1, b: 2}", 'a.yaml:1:11: "b" is here a second time; first in line 1'),
        ("a: &x 1", "a.yaml:1:4: anchors (&x) are not accepted; write the value out where it is used"),
        ("a: *x", "a.yaml:1:4: aliases (*x) are not accepted; write the value out"),
        ("a: !!str 1", "a.yaml:1:4: tags (tag:yaml.org,2002:str) are not accepted; the field decides what a value is"),
        ("a: ! 1", "a.yaml:1:4: tags (!) are not accepted; the field decides what a value is"),
        ("a: !x [1]", "a.yaml:1:4: tags (!x) are not accepted; the field decides what a value is"),
        ("<<: {a: 1}", "a.yaml:1:1: merge keys (<<) are not accepted; write the values out"),
        ("? [a]\n: 1", "a.yaml:1:3: a key must be one word"),
        ("%YAML 1.1\n---\na: 1", "a.yaml:1:1: directives (%) are not accepted; remove this line"),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: a second document begins here; a file holds one"),
        ("a: [1, 2", "a.yaml:1:9: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n\tb: 2", "a.yaml:2:1: not YAML: found character '\\t' that cannot start any token"),
        ("", "a.yaml:1:1: the file is empty"),
        ("# nothing\n", "a.yaml:1:1: the file is empty"),
        ("a: 1\nb: x\x07", "a.yaml:2:5: the character U+0007 is not accepted; remove it"),
        ("a: x\x85b: 1", "a.yaml:1:5: the character U+0085 is not accepted; remove it"),
        ("\ufeffa: 1", "a.yaml:1:1: the character U+FEFF is not accepted; remove it"),
        ("a: " + "[" * 40 + "]" * 40, "a.yaml:1:35: nested deeper than 32 levels"),
    ],
)
def test_F04_what_would_mean_other_than_it_shows_is_refused(text: str, complaint: str) -> None:
    assert refusal(text.encode()) == complaint


ODD = [
    *range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xAD, 0x034F, 0x061C,
    0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0,
    0x1BCA0, 0x1D173,
    *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0xFFFE, 0xFFFF, 0xE0001, 0xE0FFF,
]  # fmt: skip


@pytest.mark.parametrize("code", ODD, ids="U+{:04X}".format)
@pytest.mark.parametrize("text", ["a: x{}", "a: 'x{}'", "a{}: x", "#  {}\na: 1", "a: |\n  b{}"])
def test_F04_what_nobody_sees_is_refused_anywhere_in_a_file_and_named(code: int, text: str) -> None:
    before, _, _ = text.partition("{}")

    said = refusal(text.format(chr(code)).encode())

    place = f"a.yaml:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"
    assert said == f"{place}: the character U+{code:04X} is not accepted; remove it"


@pytest.mark.parametrize("code", [*ODD, 0x0D, 0xD800], ids="U+{:04X}".format)
@pytest.mark.parametrize("text", ['a: "x{}"', '"x{}": a', '[b, "x{}"]'])
def test_F04_an_escape_makes_nothing_that_nobody_sees(code: int, text: str) -> None:
    said = refusal(text.format(f"\\U{code:08x}").encode())

    assert said.endswith(f": the character U+{code:04X}, written as an escape, is not accepted; remove it")


@pytest.mark.parametrize("text", ["grün · 20 µm → 5 °C", "日本語", "one\u00a0two", "\U0001f916", "e\u0301", "עברית"])
def test_letters_and_signs_of_any_language_are_text(text: str) -> None:
    assert tree(f"a: {text}  # {text}") == {"a": text}


def test_F04_the_number_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nodes.MAX_NODES == 100_000
    monkeypatch.setattr(nodes, "MAX_NODES", 10)  # reading as many as are allowed takes seconds

    assert refusal(b"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]") == "a.yaml:1:29: more than 10 values in one file"
    assert len(str(tree("[1, 2, 3, 4, 5, 6, 7, 8, 9]"))) > 0


def test_every_repeated_key_is_reported() -> None:
    with pytest.raises(BadFile) as refused:
        read_text(b"a: 1\na: 2\na: 3\n", "a.yaml")

    assert [problem.place.line for problem in refused.value.problems] == [2, 3]


def test_F04_a_small_file_cannot_become_a_large_one() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))

    assert "anchors" in refusal(bomb.encode())


def test_bytes_beyond_the_bound_are_not_read() -> None:
    assert refusal(b"#" * (MAX_BYTES + 1)).startswith(f"a.yaml:1:1: the file has {MAX_BYTES + 1} bytes")


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    assert refusal(b"a: 1\nb: \xff\n") == "a.yaml:2:1: this line is not UTF-8; save the file as UTF-8"


def test_a_problem_shows_the_line_and_a_caret_under_the_value() -> None:
    document = read_text(b"a:\n  b: [x, yes]\n", "a.yaml")

    assert document.problem(("a", "b", 1), "no").text == "a.yaml:2:10: no\n    2 |   b: [x, yes]\n" + " " * 17 + "^"


def test_a_problem_with_a_key_stands_at_the_key() -> None:
    document = read_text(b"a:\n  bee: 1\n", "a.yaml")

    assert document.problem(("a", "bee"), "no", at_key=True).place.text == "a.yaml:2:3"


def test_a_problem_beyond_what_is_there_stands_as_near_as_possible() -> None:
    document = read_text(b"a:\n  b: [x]\n", "a.yaml")

    assert document.place(("a", "missing")).text == "a.yaml:2:3"
    assert document.place(("a", "b", 7)).text == "a.yaml:2:6"
    assert document.place(("a", 0)).text == "a.yaml:2:3"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_place(raw: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        read_text(raw, "a.yaml")
    except BadFile as refused:
        problems = refused.problems

    assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in problems)
