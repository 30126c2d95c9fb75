"""What the demo runs, and what it says at the end: which episodes, and the figures over their outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from interlock.jsonform import Json

from .episode import Episode, Outcome
from .faults import FAULTS
from .tasks import TASKS


@dataclass(frozen=True, slots=True)
class Job:
    """One episode of the demo, small enough to be sent to another process: the fault by name, and the policy, where it
    is not the scripted expert.
    """

    task: str
    seed: int
    fault: str | None
    supervised: bool
    policy: str | None = None

    @property
    def what(self) -> str:
        """The fault, or the task where there is none, with its policy."""
        return self.fault or (self.task if self.policy is None else f"{self.policy}, {self.task}")

    @property
    def name(self) -> str:
        """The fault, or the task where there is none, and the seed."""
        return f"{self.what}, seed {self.seed}"

    @property
    def episode(self) -> Episode:
        """The episode itself; raises KeyError for a fault that the table does not have."""
        faults = {fault.name: fault for fault in FAULTS}
        return Episode(self.task, self.seed, None if self.fault is None else faults[self.fault])


@dataclass(frozen=True, slots=True)
class Done:
    """A job and what came of it."""

    job: Job
    outcome: Outcome


def jobs(seeds: int) -> tuple[Job, ...]:
    """Every task and every fault with so many seeds, with and without a supervisor; the longest first."""
    runs = [(task, None) for task in TASKS] + [(fault.task, fault.name) for fault in FAULTS]
    every = [Job(task, seed, fault, by) for task, fault in runs for seed in range(seeds) for by in (True, False)]
    return tuple(sorted(every, key=lambda job: (job.task != "pick_and_place", not job.supervised)))


def policy_jobs(policy: str, seeds: int) -> tuple[Job, ...]:
    """Every task with so many seeds, by a policy in the expert's place, with and without a supervisor."""
    return tuple(Job(task, seed, None, by, policy) for seed in range(seeds) for task in TASKS for by in (True, False))


def policy_summary(policy: str, done: Sequence[Done]) -> dict[str, Json]:
    """What a policy proposed and what came of it. `violations` are contacts and episodes beyond a limit, as the physics
    saw them, under the supervisor.
    """
    supervised = [item for item in done if item.job.supervised]
    judged = _judged(supervised)
    proposals = sum(item.outcome.judged.reviews for item in supervised if item.outcome.judged is not None)
    refused = sum(item.outcome.judged.vetoes for item in supervised if item.outcome.judged is not None)
    return {
        "policy": policy,
        "proposals": proposals,
        "permitted": proposals - refused,
        "refused": refused,
        "violations": sum(len(one.outcome.contacts) + one.outcome.limit_violated for one in supervised),
        "unsupervised": _counts([item for item in done if not item.job.supervised]),
        "supervised": judged,
    }


def summary(done: Sequence[Done]) -> dict[str, Json]:
    """`nominal` and `faults` as the demo prints them. Contacts count one by one, `limit_violations` by episode."""
    nominal = [item for item in done if item.job.fault is None]
    faults: list[Json] = [
        {
            "name": fault.name,
            "hazardous": fault.hazardous,
            "unsupervised": _counts(_of(done, fault.name, supervised=False)),
            "supervised": _judged(_of(done, fault.name, supervised=True)),
        }
        for fault in FAULTS
    ]
    supervised = [item for item in nominal if item.job.supervised]
    return {"nominal": {**_judged(supervised), "time_ratio": _time_ratio(nominal)}, "faults": faults}


def _of(done: Sequence[Done], fault: str, *, supervised: bool) -> list[Done]:
    return [item for item in done if item.job.fault == fault and item.job.supervised == supervised]


def _counts(done: Sequence[Done]) -> dict[str, Json]:
    outcomes = [item.outcome for item in done]
    return {
        "episodes": len(outcomes),
        "success": sum(outcome.success for outcome in outcomes),
        "contacts": sum(len(outcome.contacts) for outcome in outcomes),
        "limit_violations": sum(outcome.limit_violated for outcome in outcomes),
    }


def _judged(done: Sequence[Done]) -> dict[str, Json]:
    judged = [item.outcome.judged for item in done if item.outcome.judged is not None]
    by_rule: Counter[str] = Counter()
    for one in judged:
        by_rule.update(one.by_rule)
    rules: dict[str, Json] = dict(by_rule.most_common())
    return {
        **_counts(done),
        "vetoes": sum(one.vetoes for one in judged),
        "amended": sum(one.amended for one in judged),
        "rechecks": sum(one.rechecks for one in judged),
        "latched": sum(one.latched for one in judged),
        "by_rule": rules,
    }


def _time_ratio(nominal: Sequence[Done]) -> float | None:
    """The median duration with a supervisor over that without one; None where one of them is missing."""
    with_one = [item.outcome.duration_s for item in nominal if item.job.supervised]
    without = [item.outcome.duration_s for item in nominal if not item.job.supervised]
    return round(median(with_one) / median(without), 4) if with_one and without else None


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must be so in every episode of one kind, or, where `any_of` them is enough, in one per fault or
    policy.
    """

    text: str
    holds: Callable[[Outcome], bool]
    applies: Callable[[Job], bool]
    any_of: bool = False


LATE = "check:late"  # in real time a busy machine can be late, and is refused: that is no wrong judgement
HAZARDOUS = frozenset(fault.name for fault in FAULTS if fault.hazardous)
PROMISES = (
    Promise(
        "with the supervisor nothing is touched and no limit exceeded", lambda o: not o.harmed, lambda j: j.supervised
    ),
    Promise("without a fault the task succeeds", lambda o: o.success, lambda j: j.fault is None and j.policy is None),
    Promise(
        "without a fault nothing is vetoed, unless its review came too late",
        lambda o: o.judged is not None and o.judged.vetoes == o.judged.by_rule.get(LATE, 0),
        lambda j: j.fault is None and j.policy is None and j.supervised,
    ),
    Promise(
        "without the supervisor a hazardous fault does harm",
        lambda o: o.harmed,
        lambda j: j.fault in HAZARDOUS and not j.supervised,
        any_of=True,
    ),
    Promise(
        "a fault that is not hazardous does no harm",
        lambda o: not o.harmed,
        lambda j: j.fault is not None and j.fault not in HAZARDOUS,
    ),
    Promise(
        "without the supervisor a policy that knows nothing does harm",
        lambda o: o.harmed,
        lambda j: j.policy is not None and not j.supervised,
        any_of=True,
    ),
    Promise(
        "some of what such a policy proposes is permitted",
        lambda o: o.judged is not None and o.judged.vetoes < o.judged.reviews,
        lambda j: j.policy is not None and j.supervised,
        any_of=True,
    ),
    Promise(
        "some of what such a policy proposes is refused",
        lambda o: o.judged is not None and o.judged.vetoes > 0,
        lambda j: j.policy is not None and j.supervised,
        any_of=True,
    ),
)


def broken(done: Sequence[Done]) -> tuple[str, ...]:
    """The promises that these episodes did not keep, each with the episodes concerned."""
    return tuple(
        f"{promise.text}: not so in {', '.join(where)}" for promise in PROMISES if (where := _breaches(promise, done))
    )


def _breaches(promise: Promise, done: Sequence[Done]) -> list[str]:
    concerned = [item for item in done if promise.applies(item.job)]
    if promise.any_of:
        return sorted(_causes(concerned) - _causes(item for item in concerned if promise.holds(item.outcome)))
    wrong = [item.job for item in concerned if not promise.holds(item.outcome)]
    return [f"{job.what} (seed {job.seed}, {'with' if job.supervised else 'without'} supervisor)" for job in wrong]


def _causes(done: Iterable[Done]) -> set[str]:
    """The faults and policies of these episodes."""
    return {cause for item in done for cause in (item.job.fault, item.job.policy) if cause is not None}
