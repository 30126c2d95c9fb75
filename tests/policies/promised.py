"""A contract for the toy robot, and which checks refuse the chunk of an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from interlock.chunk import Model
from interlock.judge import judge
from interlock_policies.answer import Contract, Decoded
from interlock_policies.normalisation import Quantile, Statistics
from tests.supervisor.toy import ABSOLUTE, PERIOD_S, Physics, case, profile, rules, stamps

UNIT = Quantile("unit", (-1.0,) * 3, (1.0,) * 3, (True,) * 3, 0.0)  # makes of normalised values the same


def contract(**changes: Any) -> Contract:
    return replace(Contract(ABSOLUTE, profile().digest, 2, 2, PERIOD_S, None, Model("toy")), **changes)


def refused_by(promised: Contract, decoded: Decoded, accepted: Statistics | None = None) -> set[str]:
    """The checks and rules that refuse the chunk of an answer, where these statistics are accepted."""
    chunk = promised.chunk(decoded, session="s", sequence=1, stamps=stamps())
    undone: dict[str, Any] = {} if accepted is None else {"normalisation": accepted.kind, "statistics": accepted.digest}
    taking = rules(accepts=replace(rules().accepts, **undone))
    return {finding.rule for finding in judge(case(chunk, rules=taking), Physics()).verdict.violated}
