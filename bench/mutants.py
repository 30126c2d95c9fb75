"""Mutants of a source file: every small change that a test should notice, each with a name that outlives moved lines.

Knows Python's syntax tree only; what is mutated, and which tests run, is left to `mutate`.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

# Each comparison with its other side of the boundary, where it has one, and its opposite.
COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
OPPOSITES: Final = {"min": "max", "any": "all", "minimum": "maximum", "argmin": "argmax", "ceil": "floor"}
SWAPS: Final = OPPOSITES | {opposite: name for name, opposite in OPPOSITES.items()}
LONGEST: Final = 70  # characters of source in a name


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the bytes from start to end become `text`.

    The name says where and what: `interlock.judge.worst: 'a < b' -> 'a <= b'`.
    """

    name: str
    line: int
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """The source with this change."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants(source: bytes, module: str) -> tuple[Mutant, ...]:
    """All mutants of a file, in order of place; those of one name are numbered from the second on."""
    found = sorted(_Finder(source, module).found, key=lambda mutant: (mutant.start, mutant.end, mutant.text))
    seen: Counter[str] = Counter()
    numbered: list[Mutant] = []
    for mutant in found:
        seen[mutant.name] += 1
        count = seen[mutant.name]
        numbered.append(mutant if count == 1 else replace(mutant, name=f"{mutant.name} #{count}"))
    return tuple(numbered)


class _Finder:
    """Walks a file and collects mutants; leaves alone what no verdict depends on: annotations, texts, decorators."""

    def __init__(self, source: bytes, module: str) -> None:
        self.found: list[Mutant] = []
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scope = [module]
        self._returns_bool = False
        self._walk(ast.parse(source))

    def _walk(self, node: ast.AST) -> None:
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.expr):
            for other in _expressions(node):
                self._note(node, f"({ast.unparse(other)})", ast.unparse(other))
        if isinstance(node, ast.stmt):
            for text in _statements(node, returns_bool=self._returns_bool):
                self._note(node, text, text)
        for condition in _plain_conditions(node):
            text = f"not {ast.unparse(condition)}"
            self._note(condition, f"({text})", text)
        self._inside(node)

    def _inside(self, node: ast.AST) -> None:
        match node:
            case ast.ClassDef():
                self._scoped(node.name, node.body)
            case ast.FunctionDef():
                before, self._returns_bool = self._returns_bool, _is_bool(node.returns)
                self._scoped(node.name, [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body])
                self._returns_bool = before
            case ast.AnnAssign():
                self._all([node.value] if node.value else [])
            case ast.Raise():
                pass  # its deletion was noted; the message is for people
            case _:
                self._all(ast.iter_child_nodes(node))

    def _scoped(self, name: str, nodes: Iterable[ast.AST]) -> None:
        self._scope.append(name)
        self._all(nodes)
        self._scope.pop()

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self._walk(node)

    def _note(self, node: ast.expr | ast.stmt, text: str, shown: str) -> None:
        last_line, last_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        start = self._starts[node.lineno - 1] + node.col_offset
        end = self._starts[last_line - 1] + last_column
        name = f"{'.'.join(self._scope)}: {_short(ast.unparse(node))!r} -> {_short(shown)!r}"
        self.found.append(Mutant(name, node.lineno, start, end, text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _is_bool(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "bool"


def _expressions(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be replaced by; what is inside it has its own turn."""
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp() if not any(_is_text(value) for value in node.values):
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            yield ast.BinOp(node.left, ARITHMETIC[type(op)](), node.right)
        case ast.IfExp() if not isinstance(node.test, ast.Compare):
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Constant():
            yield from _constants(node.value)
        case ast.Call(func=ast.Name(id=name)) if name in SWAPS:
            yield ast.Call(ast.Name(SWAPS[name]), node.args, node.keywords)
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in SWAPS:
            yield ast.Call(ast.Attribute(owner, SWAPS[name]), node.args, node.keywords)
        case _:
            pass


def _comparisons(node: ast.Compare) -> Iterator[ast.expr]:
    for index, op in enumerate(node.ops):
        for other in COMPARISONS[type(op)]:
            turned = copy.copy(node)
            turned.ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield turned


def _constants(value: object) -> Iterator[ast.expr]:
    """One more and one less of a whole number, twice and half of another; the other truth."""
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, float):
        yield from (
            (ast.Constant(1.0), ast.Constant(-1.0))
            if value == 0.0
            else (
                ast.Constant(value * 2.0),
                ast.Constant(value / 2.0),
            )
        )


def _statements(node: ast.stmt, *, returns_bool: bool) -> Iterator[str]:
    """What a statement may be replaced by, as source."""
    match node:
        case ast.Expr(value=ast.Constant()):
            pass  # a docstring, or the body of a protocol's method
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            yield "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "pass"
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield from ("return True", "return False") if returns_bool else ("return None",)
        case _:
            pass


def _plain_conditions(node: ast.AST) -> list[ast.expr]:
    """The conditions of a node that have no other mutant: a name, a call."""
    match node:
        case ast.If(test=test) | ast.While(test=test):
            tests = [test]
        case ast.comprehension(ifs=ifs):
            tests = ifs
        case _:
            tests = []
    return [test for test in tests if isinstance(test, ast.Name | ast.Call | ast.Attribute)]


def _is_text(value: ast.expr) -> bool:
    """A choice between messages is for people."""
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
