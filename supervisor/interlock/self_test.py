"""The proof that rules are alive: each refuses its own provocation, here and now, before anything may move (F-44)."""

from __future__ import annotations

from dataclasses import replace

from .errors import SelfTestFailed
from .jsonform import Json
from .judge import judge
from .physics import Physics
from .rules import RuleSet


class SelfTest:
    """What came of provoking every rule of a set on one physics; making one runs it, so that none can be made up."""

    __slots__ = ("_physics", "missing", "refused", "rules")

    def __init__(self, rules: RuleSet, physics: Physics) -> None:
        """Judges every provocation. What failed is in `failed`; nothing is raised."""
        self._physics = physics
        self.rules = rules.digest
        self.refused = tuple(
            (provocation.rule, _refused(rules, index, physics)) for index, provocation in enumerate(rules.provocations)
        )
        provoked = {provocation.rule for provocation in rules.provocations}
        self.missing = tuple(sorted(rule.id for rule in rules.rules if rule.id not in provoked))

    @property
    def failed(self) -> tuple[str, ...]:
        """The rules that did not refuse, and those that nothing provokes."""
        return (*(rule for rule, refused in self.refused if not refused), *self.missing)

    def body(self) -> dict[str, Json]:
        """What goes on record."""
        results: list[Json] = [{"rule": rule, "refused": refused} for rule, refused in self.refused]
        return {"rules": self.rules, "results": results, "missing": list(self.missing)}

    def require(self, rules: RuleSet, physics: Physics) -> None:
        """Raises SelfTestFailed unless every rule of this very set refused, on this very physics."""
        if rules.digest != self.rules or physics is not self._physics:
            raise SelfTestFailed("this self-test was of another rule set or another physics; run one for these")
        if self.failed:
            raise SelfTestFailed(
                f"these rules did not refuse their own provocation: {', '.join(self.failed)}; nothing may move"
            )


def _refused(rules: RuleSet, index: int, physics: Physics) -> bool:
    provocation = rules.provocations[index]
    verdict = judge(replace(provocation.case, rules=rules), physics).verdict
    return any(finding.rule == provocation.rule for finding in verdict.violated)
