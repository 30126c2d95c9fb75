"""Every operator changes what it says it changes, and nothing that only people read."""

from __future__ import annotations

import ast
import textwrap

import pytest

from bench.mutants import mutants


def changed(text: str) -> list[str]:
    """What the mutants of a source put in place of what, without where."""
    source = textwrap.dedent(text).encode()
    found = mutants(source, "file")
    for mutant in found:
        ast.parse(mutant.applied(source))
    return [mutant.name.partition(": ")[2] for mutant in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["'a < b' -> 'a <= b'", "'a < b' -> 'a >= b'"]),
        ("a >= b", ["'a >= b' -> 'a < b'", "'a >= b' -> 'a > b'"]),
        ("a is None", ["'a is None' -> 'a is not None'"]),
        ("a and b", ["'a and b' -> 'a or b'"]),
        ("not a", ["'not a' -> 'a'"]),
        ("a + b", ["'a + b' -> 'a - b'"]),
        ("a * b", ["'a * b' -> 'a / b'"]),
        ("x = 3", ["'3' -> '2'", "'3' -> '4'"]),
        ("x = 0.5", ["'0.5' -> '0.25'", "'0.5' -> '1.0'"]),
        ("x = 0.0", ["'0.0' -> '-1.0'", "'0.0' -> '1.0'"]),
        ("x = True", ["'True' -> 'False'"]),
        ("x = min(a, b)", ["'min(a, b)' -> 'max(a, b)'"]),
        ("x = np.maximum(a, b)", ["'np.maximum(a, b)' -> 'np.minimum(a, b)'"]),
        ("x = a if b else c", ["'a if b else c' -> 'c if b else a'"]),
        ("if a: b = c", ["'a' -> 'not a'"]),
        ("x = [a for a in b if c(a)]", ["'c(a)' -> 'not c(a)'"]),
        ("f(x)", ["'f(x)' -> 'pass'"]),
        ("x[i] = y", ["'x[i] = y' -> 'pass'"]),
        ("raise ValueError(f'{1 + 1}')", ["\"raise ValueError(f'{1 + 1}')\" -> 'pass'"]),
        ("def f():\n    return a", ["'return a' -> 'return None'"]),
        ("def f() -> bool:\n    return a", ["'return a' -> 'return False'", "'return a' -> 'return True'"]),
    ],
)
def test_an_operator_changes_what_it_says(source: str, expected: list[str]) -> None:
    found = changed(source)

    assert [name for name in expected if name not in found] == []


@pytest.mark.parametrize(
    "source",
    [
        '"""A text."""',
        "x: Annotated[int, 3]",
        "@dataclass(frozen=True)\nclass A: ...",
        "def f(a: Literal[1]) -> Literal[2]: ...",
        "x = f'{1 + 1}'",
        "x = '; '.join(a) or 'none'",
        "def f():\n    return None",
    ],
)
def test_what_no_verdict_depends_on_is_left_alone(source: str) -> None:
    assert changed(source) == []


def test_a_name_outlives_moved_lines() -> None:
    before = mutants(b"def f():\n    return a < b\n", "file")
    after = mutants(b"# A comment.\n\n\ndef f():\n    return a < b\n", "file")

    assert [mutant.name for mutant in before] == [mutant.name for mutant in after]
    assert [mutant.line for mutant in before] != [mutant.line for mutant in after]


def test_names_are_unique() -> None:
    names = [mutant.name for mutant in mutants(b"def f():\n    x(1)\n    x(1)\n", "file")]

    assert len(set(names)) == len(names) == 6
    assert "file.f: 'x(1)' -> 'pass' #2" in names


def test_columns_are_bytes() -> None:
    source = "x = 'ü' if a < b else 'ö'\n".encode()

    mutant = next(mutant for mutant in mutants(source, "file") if "<=" in mutant.name)

    assert mutant.applied(source).decode() == "x = 'ü' if (a <= b) else 'ö'\n"
