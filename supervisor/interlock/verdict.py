"""What the judge found and what was decided: values only, each with its margin, its place and its reason."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .geometry import Vector
from .motion import Plan
from .rules import SEVERITY, Reaction

SCALE: Final = {"m": 0.1}  # by unit: what a margin is compared with where the limit is 0; 1 where the unit is another


def share_of(margin: float, limit: float, unit: str) -> float:
    """A margin as a share of its limit; of what stands for it in that unit, where the limit is 0."""
    return margin / (abs(limit) or SCALE.get(unit, 1.0))


@dataclass(frozen=True, slots=True)
class Finding:
    """One signed margin at its worst place. Positive is inside; NaN is a violation.

    rule: the rule's id, or `check:...`. reaction: what follows when it is violated. value, limit: in `unit`. row: the
    chunk's row (-1: before or after the rows); time_s: seconds after now; links: joints, links or bodies concerned;
    point: where [m, world].
    """

    rule: str
    kind: str
    reaction: Reaction
    margin: float
    value: float
    limit: float
    unit: str
    message: str
    row: int = -1
    time_s: float = 0.0
    phase: str = ""
    links: tuple[str, ...] = ()
    point: Vector | None = None

    @property
    def ok(self) -> bool:
        """Inside, the limit itself included; NaN never is."""
        return self.margin >= 0.0

    @property
    def enforced(self) -> bool:
        """Whether a violation changes what the robot does."""
        return SEVERITY[self.reaction] >= SEVERITY["slow"]

    @property
    def share(self) -> float:
        """Its margin as a share of its limit, so that quantities compare; of 0.1 m, or of 1, where the limit is 0."""
        return share_of(self.margin, self.limit, self.unit)

    @property
    def details(self) -> tuple[str, ...]:
        """Its numbers with their unit, how far beyond the limit or within it, when, between what, where [m, world]."""
        return tuple(_details(self))

    def __str__(self) -> str:
        """The rule, what it measured, and the details, on one line."""
        details = f" ({'; '.join(self.details)})" if self.details else ""
        return f"{self.rule}: {self.message}{details}"


def _details(finding: Finding) -> Iterator[str]:
    unit = f" {finding.unit}" if finding.unit else ""
    if finding.kind != "check" or finding.unit:  # other checks are met or not
        yield _measured(finding, unit)
    if finding.row >= 0:
        yield f"row {finding.row}, {finding.time_s:.2f} s ahead"
    elif finding.phase:
        yield finding.phase
    if finding.links:
        yield ", ".join(finding.links)
    if finding.point is not None:
        yield f"at ({', '.join(f'{axis:.3f}' for axis in finding.point)}) m"


def _measured(finding: Finding, unit: str) -> str:
    if math.isnan(finding.margin):
        return (
            "undecided: something that it rests on is unknown or no number, or the forecast found no answer in bounds"
        )
    if finding.margin == math.inf:
        return "nothing to measure"
    beyond = "margin" if finding.ok else "beyond it by"
    said = f"{finding.value:.4g}{unit}, limit {finding.limit:.4g}{unit}"
    return f"{said}, {beyond} {abs(finding.margin):.4g}{unit}" if math.isfinite(finding.margin) else said


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of one judgement, violated ones first, worst first. Allowed needs at least one enforced finding, and
    all of them ok.
    """

    findings: tuple[Finding, ...]
    escape: bool = False  # the start already violated, and this motion leads out of it

    @property
    def allowed(self) -> bool:
        """A conjunction with at least one enforced term."""
        enforced = [finding for finding in self.findings if finding.enforced]
        return bool(enforced) and all(finding.ok for finding in enforced)

    @property
    def violated(self) -> tuple[Finding, ...]:
        """The findings that are not ok, advisory ones included."""
        return tuple(finding for finding in self.findings if not finding.ok)

    @property
    def reaction(self) -> Reaction:
        """The strictest reaction of an enforced violation; `veto` where none was enforced; `log` where all is well."""
        violated: list[Reaction] = [finding.reaction for finding in self.violated if finding.enforced]
        if violated:
            return max(violated, key=SEVERITY.__getitem__)
        return "log" if self.allowed else "veto"


Outcome: TypeAlias = Literal["permit", "slow", "truncate", "veto", "stop"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One judged motion: what was done to the proposal (`as proposed`, `slowed to 0.62`, `cut to 12 rows`), and its
    verdict.
    """

    amendment: str
    rows: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What is permitted: nothing (veto, stop), or `plan`: rows start_row to start_row + rows - 1, amended or not, and
    their brake.

    progress: the share (0 to 1) of the proposed path that the permitted rows cover. attempts: every judgement on the
    way, in order.
    """

    reaction: Outcome
    start_row: int
    rows: int
    progress: float
    attempts: tuple[Attempt, ...]
    plan: Plan | None
    motion_digest: str = ""

    def __post_init__(self) -> None:
        permitted = self.reaction in ("permit", "slow", "truncate")
        if not self.attempts:
            raise ValueError("a decision needs at least one judgement")
        if permitted and (self.plan is None or self.rows < 1 or not self.attempts[-1].verdict.allowed):
            raise ValueError(f"a {self.reaction!r} needs a plan, rows, and a last verdict that allows them")
        if not permitted and (self.plan is not None or self.rows != 0):
            raise ValueError(f"a {self.reaction!r} permits nothing")

    @property
    def permitted(self) -> bool:
        """Whether the robot may move as `plan` says."""
        return self.plan is not None

    @property
    def verdict(self) -> Verdict:
        """The last judgement if it permits; otherwise the first, of what the policy proposed."""
        return self.attempts[-1].verdict if self.permitted else self.attempts[0].verdict
