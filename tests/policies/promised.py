"""A contract for the toy robot, and which checks refuse the chunk of an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from interlock.chunk import Model
from interlock.judge import judge
from interlock_policies.answer import Contract, Decoded
from tests.supervisor.toy import ABSOLUTE, PERIOD_S, Physics, case, profile, rules, stamps


def contract(**changes: Any) -> Contract:
    return replace(Contract(ABSOLUTE, profile().digest, 2, 2, PERIOD_S, None, Model("toy")), **changes)


def refused_by(promised: Contract, decoded: Decoded, **accepts: Any) -> set[str]:
    """The checks of a rule set that refuse the chunk of an answer; `accepts` is what it takes otherwise."""
    chunk = promised.chunk(decoded, session="s", sequence=1, stamps=stamps())
    taking = rules(accepts=replace(rules().accepts, **accepts))
    return {finding.rule for finding in judge(case(chunk, rules=taking), Physics()).verdict.violated}
