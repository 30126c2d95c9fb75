"""The judgement: every check, every rule, one verdict; pure, total, and closed on NaN, absence and surprise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from operator import itemgetter
from typing import Final

import numpy as np

from . import checks
from .arrays import where_least
from .build import Proposal, propose, rest_of_plan
from .case import Case
from .chunk import ActionChunk, Malformed
from .errors import ForecastExhausted
from .lower import JointPath, joint_limits, layout_of, lower
from .motion import Motion, Phase, Plan
from .physics import Physics
from .rules import SEVERITY, Clearance, Demand, Rule, Trace
from .scene import Scene
from .verdict import Finding, Verdict, share_of

ESCAPE_SPEED_M_S = 0.1
ESCAPE_S = 5.0  # then the supervisor stops
ESCAPE_JOINT_SHARE = 0.1  # of the profile's speed, for robots without a tool point
ESCAPE_SLACK = 1e-5  # how much an exact margin may seem to shrink between two nodes: the distance query's own error
PHASES = {phase.value: phase.name.lower() for phase in Phase}


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """A verdict, and what it was about: the path and motion, unless a check refused before there was one; traces by
    rule id.
    """

    verdict: Verdict
    proposal: Proposal | None = None
    motion: Motion | None = None
    traces: tuple[tuple[str, tuple[Trace, ...]], ...] = ()


def judge(case: Case, physics: Physics, path: JointPath | None = None) -> Judgement:
    """The verdict on a case, or on an amended path of it. Checks first; a chunk that fails one never meets a rule."""
    chunk = case.chunk
    found = tuple(chain.from_iterable(check(case) for check in checks.STANDING))
    if not isinstance(chunk, ActionChunk):
        return Judgement(Verdict(ordered((*found, _unbuilt(chunk)))))
    found += tuple(chain.from_iterable(check(case, chunk) for check in checks.CHECKS))
    layout = layout_of(case, chunk)
    if layout is None or not all(finding.ok for finding in found):
        return Judgement(Verdict(ordered(found)))
    path = lower(case, chunk, layout, physics.model) if path is None else path
    followed = tuple(checks.followed(path))
    found += followed
    if not all(finding.ok for finding in followed):  # what cannot be followed may have no joint path
        return Judgement(Verdict(ordered(found)))
    start = (*checks.seam(case, path), *checks.tracking(case))
    found += start
    if not all(finding.ok for finding in start):
        return Judgement(Verdict(ordered(found)))
    proposal = propose(case, path, physics)
    found += (*checks.stopping(case, proposal), *checks.speed(case, proposal), *checks.hand(case))
    findings, traces, escape = _rules(case, proposal.motion, physics)
    found += _in_time(case) if escape else ()
    return Judgement(Verdict(ordered(found + findings), escape), proposal, proposal.motion, traces)


def _in_time(case: Case) -> tuple[Finding, ...]:
    since = case.memory.escape_since_ns
    seconds = 0.0 if since is None else (case.now_ns - since) / 1e9
    return (checks.within("escape", seconds, ESCAPE_S, "s", "time since the way out of a violation began", "stop"),)


def _unbuilt(chunk: Malformed | None) -> Finding:
    return checks.flag(
        "malformed", False, f"no chunk could be built: {chunk.reason if chunk is not None else 'there is none'}"
    )


def judge_standing(case: Case) -> Verdict:
    """The checks that need no chunk: latch, state, scene, freshness, tracking."""
    found = tuple(chain.from_iterable(check(case) for check in checks.STANDING))
    if all(finding.ok for finding in found):
        found += tuple(checks.tracking(case))
    return Verdict(ordered(found))


def judge_plan(case: Case, plan: Plan, physics: Physics) -> Judgement:
    """The verdict on what is left of a committed plan, with what is known now: state, scene and tracking."""
    standing = judge_standing(case)
    if not standing.allowed:
        return Judgement(standing)
    motion = rest_of_plan(case, plan, physics)
    findings, traces, _ = _rules(case, motion, physics)
    return Judgement(Verdict(ordered(standing.findings + findings)), None, motion, traces)


def ordered(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """All that are violated, by severity, then by how far beyond the limit, relative to it, and last what is undecided
    (F-41); then, of each rule and check that is met, the finding that came nearest to its limit.
    """
    violated = [finding for finding in findings if not finding.ok]
    told = {finding.rule for finding in violated}
    nearest: dict[str, tuple[float, str, Finding]] = {}
    for finding in findings:
        if finding.rule not in told:
            share = _share(finding)
            known = nearest.get(finding.rule)
            if known is None or share < known[0]:
                nearest[finding.rule] = share, finding.rule, finding
    met = sorted(nearest.values(), key=_MET)
    return (*sorted(violated, key=_rank), *(finding for _, _, finding in met))


_MET: Final = itemgetter(0, 1)  # by share, then by rule


def _rank(finding: Finding) -> tuple[int, float, str]:
    return -SEVERITY[finding.reaction], _share(finding), finding.rule


def _share(finding: Finding) -> float:
    share = finding.share
    return math.inf if math.isnan(share) else share


def _rules(
    case: Case, motion: Motion, physics: Physics
) -> tuple[tuple[Finding, ...], tuple[tuple[str, tuple[Trace, ...]], ...], bool]:
    active = [rule for rule in case.rules.rules if rule.when.applies(case.scene.mode)]
    demands = {rule.id: rule.limit.demands(case, motion) for rule in active}
    asked = tuple(chain.from_iterable(demands.values()))
    answers, problem = _forecast(physics, motion, case.scene, asked)
    findings = [
        checks.flag("rules", _enforced(active), f"rules must be enforced in mode {case.scene.mode!r}"),
        checks.flag("forecast", not problem, problem or f"{len(asked)} questions answered"),
    ]
    traces: list[tuple[str, tuple[Trace, ...]]] = []
    escapes = False
    for rule in active:
        mine, answers = answers[: len(demands[rule.id])], answers[len(demands[rule.id]) :]
        undecided = len(mine) != len(demands[rule.id])
        measured = () if undecided else rule.limit.measure(case, motion, mine)
        traces.append((rule.id, measured))
        if not measured:
            findings.append(_unmeasured(rule, "undecided" if undecided else "the rule measured nothing"))
        for trace in _telling(motion, measured):
            finding = worst(rule, motion, trace)
            way_out = _escape(case, rule, motion, trace, finding, physics, demands[rule.id])
            escapes = escapes or way_out is not None
            findings.append(way_out or finding)
    return tuple(findings), tuple(traces), escapes


def _forecast(
    physics: Physics, motion: Motion, scene: Scene, asked: tuple[Demand, ...]
) -> tuple[tuple[Clearance, ...], str]:
    """One answer a demand, or none and why not: then every rule that asked is undecided, which is a violation."""
    try:
        answers = physics.forecast(motion, scene, asked)
    except ForecastExhausted as error:
        return (), f"undecided: {error}"
    return (answers, "") if len(answers) == len(asked) else ((), f"{len(answers)} answers to {len(asked)} questions")


def _enforced(rules: list[Rule]) -> bool:
    return any(SEVERITY[rule.on_violation] >= SEVERITY["slow"] for rule in rules)


def _unmeasured(rule: Rule, why: str) -> Finding:
    return Finding(rule.id, rule.limit.kind, rule.on_violation, math.nan, math.nan, 0.0, "", why)


def _telling(motion: Motion, traces: tuple[Trace, ...]) -> list[Trace]:
    """Those that are violated, and of all others the one that comes nearest to its limit; `ordered` tells no more."""
    told: list[Trace] = []
    nearest, least, shape = None, math.inf, motion.times_s.shape
    for trace in traces:
        if trace.margin.shape != shape:
            told.append(trace)
            continue
        node = where_least(trace.margin)
        margin = trace.margin.item(node)
        share = share_of(margin, trace.limit.item(node), trace.unit)
        if not margin >= 0.0:
            told.append(trace)
        elif nearest is None or share < least:
            nearest, least = trace, share
    return told if nearest is None else [*told, nearest]


def worst(rule: Rule, motion: Motion, trace: Trace) -> Finding:
    """The finding at the trace's smallest margin; NaN counts as smaller than anything; shapes are compared."""
    if trace.margin.shape != motion.times_s.shape:
        return _unmeasured(rule, f"margins of shape {trace.margin.shape} for {len(motion)} nodes")
    node = where_least(trace.margin)
    which = trace.which.item(node)
    x, y, z = (math.nan,) * 3 if trace.points is None else trace.points[node].tolist()
    return Finding(
        rule=rule.id,
        kind=rule.limit.kind,
        reaction=rule.on_violation,
        margin=trace.margin.item(node),
        value=trace.value.item(node),
        limit=trace.limit.item(node),
        unit=trace.unit,
        message=trace.quantity,
        row=motion.row.item(node),
        time_s=motion.times_s.item(node),
        phase=PHASES[motion.phase.item(node)],
        links=trace.names[which] if trace.names and which >= 0 else (),
        point=(x, y, z) if math.isfinite(x) and math.isfinite(y) and math.isfinite(z) else None,
    )


def _escape(
    case: Case, rule: Rule, motion: Motion, trace: Trace, finding: Finding, physics: Physics,
    demands: tuple[Demand, ...],
) -> Finding | None:  # fmt: skip
    """F-31: where the start already violates, a slow motion that never makes it worse and ends better is let through.

    Between two nodes a distance can dip by at most half of what 100 mm/s covers in a period. The pair that violates at
    the start is judged by its exact distances; every other pair must keep the whole limit.
    """
    if finding.ok or not finding.enforced or trace.margin.shape != motion.times_s.shape:
        return None
    lead = motion.phase == Phase.MEASURED
    margin = np.minimum(trace.margin, 0.0)  # how far inside it ends does not matter
    if not bool((margin[lead] < 0.0).all()) or not _slow(case, motion):
        return None
    best = np.maximum.accumulate(margin)  # so that many small steps back do not add up
    grows = bool((margin >= best - ESCAPE_SLACK).all()) and bool(margin[-1] > margin[0] + ESCAPE_SLACK)
    same = bool((trace.which[margin < 0.0] == trace.which[0]).all())
    if not grows or not same or not _others_clear(case, rule, motion, trace, physics, demands):
        return None
    text = f"escape: {finding.message} grows from {margin[0]:.4g} to {margin[-1]:.4g} {trace.unit}"
    return replace(finding, margin=float(margin[-1] - margin[0]), message=text)


def _slow(case: Case, motion: Motion) -> bool:
    moving = motion.proposed()
    if motion.tool_points:
        seconds = np.diff(motion.times_s, prepend=motion.times_s[0])
        for poses in motion.tool_points.values():
            travel = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0, prepend=poses[:1, :3, 3]), axis=1)
            if not bool((travel[moving] <= ESCAPE_SPEED_M_S * seconds[moving] + 1e-12).all()):
                return False
        return True
    limits = joint_limits(case.rules.profile, "velocity") * ESCAPE_JOINT_SHARE
    return bool((np.abs(motion.velocities[moving]) <= limits).all())


def _others_clear(
    case: Case, rule: Rule, motion: Motion, trace: Trace, physics: Physics,
    demands: tuple[Demand, ...],
) -> bool:  # fmt: skip
    """Asks again without the pair that violates at the start: what hid behind it must be clear."""
    if not demands:
        return len(trace.names) == 1  # nothing can hide in a trace of one thing
    start = int(trace.which[0])
    if start < 0 or len(trace.names[start]) != 2:
        return False
    a, b = trace.names[start]
    again = tuple(replace(demand, exclude=demand.exclude | {(a, b), (b, a)}) for demand in demands)
    clearances, problem = _forecast(physics, motion, case.scene, again)
    measured = () if problem else rule.limit.measure(case, motion, clearances)
    return bool(measured) and all(worst(rule, motion, other).ok for other in measured)
