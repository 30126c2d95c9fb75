"""What the demo runs, counts and promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pytest

from interlock.jsonform import Json
from interlock_sim.demo import HAZARDOUS, Done, Job, broken, jobs, policy_jobs, policy_summary, summary
from interlock_sim.episode import Judged, Outcome
from interlock_sim.faults import FAULTS
from interlock_sim.tasks import TASKS
from interlock_sim.watch import Contact

TOUCH = Contact(("panda_hand", "post"), 1, 0.001, (0.0, 0.0, 0.0))


def outcome(*, success: bool = True, harm: bool = False, vetoes: int | None = None, seconds: float = 2.0) -> Outcome:
    judged = None if vetoes is None else Judged(vetoes, 0, {"KEEP-IN": vetoes} if vetoes else {}, latched=vetoes > 4)
    return Outcome(success, (TOUCH,) if harm else (), (), blind=False, duration_s=seconds, judged=judged)


def good(job: Job) -> Done:
    """As it ought to be."""
    refused = job.fault in HAZARDOUS
    if job.supervised:
        return Done(job, outcome(success=job.fault is None, vetoes=5 if refused else 0, seconds=2.1))
    return Done(job, outcome(success=job.fault is None, harm=refused))


def figures(done: list[Done]) -> tuple[Mapping[str, Json], list[Mapping[str, Json]]]:
    found = summary(done)
    return cast("Mapping[str, Json]", found["nominal"]), cast("list[Mapping[str, Json]]", found["faults"])


def test_every_task_and_fault_runs_with_every_seed_both_ways() -> None:
    found = jobs(3)

    assert len(set(found)) == len(found) == (len(TASKS) + len(FAULTS)) * 3 * 2
    assert all(job.episode.seed == job.seed for job in found)


def test_an_unknown_fault_is_an_error() -> None:
    with pytest.raises(KeyError):
        _ = Job("reach", 0, "hiccup", supervised=True).episode


def test_figures_count_contacts_and_vetoes() -> None:
    nominal, faults = figures([good(job) for job in jobs(2)])

    through = next(fault for fault in faults if fault["name"] == "through_table")
    assert nominal["episodes"] == nominal["success"] == 4
    assert nominal["time_ratio"] == 1.05
    assert through["unsupervised"] == {"episodes": 2, "success": 0, "contacts": 2, "limit_violations": 0}
    assert cast("Mapping[str, Json]", through["supervised"])["by_rule"] == {"KEEP-IN": 10}


def test_kept_promises_are_not_reported() -> None:
    assert broken([good(job) for job in jobs(2)]) == ()


@pytest.mark.parametrize(
    ("job", "what", "text"),
    [
        (Job("reach", 0, "nan", supervised=True), outcome(harm=True, vetoes=5), "nothing is touched"),
        (Job("reach", 0, None, supervised=True), outcome(success=False, vetoes=0), "the task succeeds"),
        (Job("reach", 0, None, supervised=True), outcome(vetoes=1), "nothing is vetoed"),
        (Job("reach", 0, "frozen", supervised=False), outcome(harm=True), "does no harm"),
    ],
)
def test_a_broken_promise_is_reported_with_its_episode(job: Job, what: Outcome, text: str) -> None:
    (found,) = broken([Done(one, what) if one == job else good(one) for one in jobs(1)])

    assert text in found
    assert f"{job.fault or job.task} (seed 0, {'with' if job.supervised else 'without'} supervisor)" in found


def test_a_review_that_is_too_late_breaks_no_promise_but_another_veto_does() -> None:
    def with_vetoes(by_rule: Mapping[str, int]) -> tuple[str, ...]:
        nominal = Job("reach", 0, None, supervised=True)
        judged = Judged(2, 0, by_rule, latched=False)
        return broken([Done(nominal, replace(outcome(), judged=judged))])

    assert with_vetoes({"check:late": 2}) == ()
    assert with_vetoes({"check:late": 1, "KEEP-IN": 1}) != ()


def test_a_hazardous_fault_needs_one_seed_that_does_harm() -> None:
    def harmless(seed: int, done: Done) -> Done:
        mine = done.job.fault == "drift" and done.job.seed <= seed and not done.job.supervised
        return Done(done.job, outcome()) if mine else done

    every = [good(job) for job in jobs(2)]

    assert broken([harmless(0, done) for done in every]) == ()
    assert broken([harmless(1, done) for done in every]) == (
        "without the supervisor a hazardous fault does harm: not so in drift",
    )


def by_policy(*, harm: bool = True, vetoes: int = 3, violated: bool = False) -> list[Done]:
    """Two seeds of every task by a policy, as they ought to be unless told otherwise; five reviews each."""
    judged = Judged(vetoes, 1, {"KEEP-IN": vetoes} if vetoes else {}, reviews=5)
    with_one = replace(outcome(success=False, harm=violated), judged=judged)
    alone = outcome(success=False, harm=harm)
    return [Done(job, with_one if job.supervised else alone) for job in policy_jobs("guess", 2)]


def test_a_policy_does_every_task_with_every_seed_both_ways() -> None:
    found = policy_jobs("guess", 3)

    assert len(set(found)) == len(found) == len(TASKS) * 3 * 2
    assert {(job.policy, job.fault) for job in found} == {("guess", None)}
    assert found[0].name == "guess, pick_and_place, seed 0"


def test_figures_of_a_policy_count_what_it_proposed_and_what_the_physics_saw() -> None:
    found = policy_summary("guess", by_policy())
    wrong = policy_summary("guess", by_policy(violated=True))

    supervised = cast("Mapping[str, Json]", found["supervised"])
    assert [found[name] for name in ("proposals", "permitted", "refused", "violations")] == [20, 8, 12, 0]
    assert (supervised["by_rule"], supervised["amended"]) == ({"KEEP-IN": 12}, 4)
    assert cast("Mapping[str, Json]", found["unsupervised"])["contacts"] == 4
    assert wrong["violations"] == 4


@pytest.mark.parametrize(
    ("done", "text"),
    [
        (by_policy(violated=True), "with the supervisor nothing is touched and no limit exceeded: not so in guess, "),
        (by_policy(harm=False), "without the supervisor a policy that knows nothing does harm: not so in guess"),
        (by_policy(vetoes=5), "some of what such a policy proposes is permitted: not so in guess"),
        (by_policy(vetoes=0), "some of what such a policy proposes is refused: not so in guess"),
    ],
    ids=["harm under the supervisor", "harmless alone", "all refused", "nothing refused"],
)
def test_a_promise_about_a_policy_that_is_not_kept_is_reported(done: list[Done], text: str) -> None:
    (found,) = broken(done)

    assert found.startswith(text)
    assert broken(by_policy()) == ()
