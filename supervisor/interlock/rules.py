"""What a rule set is to the judge: demands on the forecast, measurements with signed margins, and what is accepted at
all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol, TypeAlias

from .arrays import BoolArray, FloatArray, IntArray
from .chunk import Layout, Normalisation
from .fields import check_fields
from .jsonform import Json
from .motion import Motion
from .profile import Profile
from .scene import Cell

if TYPE_CHECKING:
    from .case import Case

MOST_ROWS: Final = 4096  # of a chunk; more would be a recording, and takes its time and memory from the review
RECHECK_NS: Final = (
    100_000_000  # how long a committed plan may run after something around it changed, until it is judged
)
Reaction: TypeAlias = Literal["log", "warn", "slow", "truncate", "veto", "stop"]
SEVERITY: dict[Reaction, int] = {"log": 0, "warn": 1, "slow": 2, "truncate": 3, "veto": 4, "stop": 5}


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """A question to the forecast: whether these links keep `min_m` [m] from those others on the intervals marked (N,).

    `links`: link names, or `held`. `others`: link names and `held` (self), or names of cell bodies, objects and zones.
    What is asked for must remain at every instant after tracking error and the uncertainty of objects. `exclude`:
    unordered pairs of names that are not judged (allowed collisions). `closing`: the fingers' closing is intended, and
    they are taken where they were measured, not where they are told to go. `lagging`: tracking error is taken off; if
    not, the commands alone are judged.
    """

    links: tuple[str, ...]
    others: tuple[str, ...]
    min_m: float
    intervals: BoolArray
    exclude: frozenset[tuple[str, str]] = frozenset()
    closing: bool = False
    lagging: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Clearance:
    """The answer, for each interval i from node i - 1 to node i (N,); +inf where nothing was asked.

    at_least_m: what certainly remains, everything added (exact at the worst place where it is below `min_m`); NaN:
    undecided. pair: for each interval the index into `pairs` of the closest pair (-1: none near); points (N, 2, 3):
    where, on each [m, world]. queries: how many exact distance queries it took.
    """

    at_least_m: FloatArray
    pair: IntArray
    pairs: tuple[tuple[str, str], ...]
    points: FloatArray
    queries: int


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One measured quantity along a motion, shape (N,): signed margin (positive inside; +inf where it does not apply;
    NaN is a violation), the value and the limit it came from, in `unit`. `which` (N,) indexes `names`: the joint, link
    or pair concerned. `points` (N, 3) [m, world] is where, if there is a place.
    """

    margin: FloatArray
    value: FloatArray
    limit: FloatArray
    unit: str
    names: tuple[tuple[str, ...], ...]
    which: IntArray
    points: FloatArray | None = None
    quantity: str = ""  # what was measured, for people: "speed of panda_joint4"


class Limit(Protocol):
    """A rule kind with its parameters: one frozen dataclass a kind. Margins at exactly the limit are inside (0)."""

    kind: ClassVar[str]

    def demands(self, case: Case, motion: Motion) -> tuple[Demand, ...]:
        """What this rule asks of the forecast; empty for most kinds."""
        ...

    def measure(self, case: Case, motion: Motion, clearances: tuple[Clearance, ...]) -> tuple[Trace, ...]:
        """Margins along the motion; `clearances` answers `demands`, in order. No trace at all counts as a violation."""
        ...


@dataclass(frozen=True, slots=True)
class When:
    """When a rule applies: in these modes (empty: always). An unknown mode counts as any."""

    mode: tuple[str, ...] = ()

    def applies(self, mode: str | None) -> bool:
        """True unless the mode is known and not among those named."""
        return not self.mode or mode is None or mode in self.mode


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a set: its id, what it limits, what happens when it is violated, when it applies, and why it is
    there.
    """

    id: str
    limit: Limit
    because: str
    on_violation: Reaction = "veto"
    when: When = When()
    hazard: str = ""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What is taken from a policy: layouts, the period [s] (within 1e-3), the number of rows, the rows executed, the
    kind of normalisation that was undone, and the digest of its statistics (none: none).
    """

    layouts: tuple[Layout, ...]
    period_s: float
    rows_min: int
    rows_max: int
    execute: int
    normalisation: str
    statistics: str = ""

    def __post_init__(self) -> None:
        check_fields(self)
        if (self.normalisation == "none") != (self.statistics == ""):
            raise ValueError(
                f"normalisation {self.normalisation} with statistics {self.statistics[:12] or 'not named'!r}: name the "
                "digest of the statistics that may be undone, and none where nothing is"
            )
        if not 0.0 < self.period_s < math.inf:
            raise ValueError(f"period must be positive and finite, got {self.period_s}")
        if not 1 <= self.rows_min <= self.rows_max <= MOST_ROWS:
            raise ValueError(f"rows must be a range from 1 to {MOST_ROWS}, got {self.rows_min} to {self.rows_max}")
        if not 1 <= self.execute <= self.rows_max:
            raise ValueError(f"execute must be from 1 to {self.rows_max}, got {self.execute}")

    @property
    def undone(self) -> Normalisation:
        """What a chunk must say of its normalisation, but for the key, which the digest covers."""
        return Normalisation(self.normalisation, "", self.statistics)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old [s] an observation, a robot state, the objects and the people of a scene may be; people None: no tracker
    sees them.
    """

    observation_s: float
    state_s: float
    objects_s: float
    people_s: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("observation_s", "state_s", "objects_s", "people_s"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} must be positive and finite, got {value}")


@dataclass(frozen=True, slots=True)
class Provocation:
    """A case that one rule must refuse: checked by the supervisor before it runs (F-44)."""

    rule: str
    case: Case


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One robot, one cell, what is accepted, and the rules. Made by `interlock_rules.load`.

    `people`: `none`, or `tracker` where the scene must say who is there; then `people_lost` is what follows where it
    does not, or not as freshly as it must. `meaning` is the canonical JSON that everything here was built from, and
    `digest` its SHA-256: what the record names. `places` says in which file, line and column each rule stands. Raises
    ValueError for a set without an enforced rule.
    """

    name: str
    serial: int
    profile: Profile
    cell: Cell
    modes: tuple[str, ...]
    accepts: Accepts
    freshness: Freshness
    people: Literal["none", "tracker"]
    rules: tuple[Rule, ...]
    meaning: Json
    digest: str
    profile_digest: str
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    provocations: tuple[Provocation, ...] = ()
    people_lost: Literal["veto", "stop"] = "veto"

    def __post_init__(self) -> None:
        if not any(SEVERITY[rule.on_violation] >= SEVERITY["slow"] for rule in self.rules):
            raise ValueError(
                f"rule set {self.name!r} enforces nothing: at least one rule must slow, truncate, veto or stop"
            )
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise ValueError(f"rule set {self.name!r}: a rule id is used twice")
        if any(name.startswith("check:") for name in ids):
            raise ValueError(f"rule set {self.name!r}: a rule id cannot begin with check:, which names built-in checks")
        if len(set(self.modes)) != len(self.modes):
            raise ValueError(f"rule set {self.name!r}: a mode is named twice")
        if (self.people == "tracker") != (self.freshness.people_s is not None):
            raise ValueError(
                f"rule set {self.name!r}: people {self.people!r} with a freshness of people of "
                f"{self.freshness.people_s} s: a tracker needs one, and nothing else has one"
            )
