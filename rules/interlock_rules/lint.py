"""What an author should look at in a rule set that loads: remarks, each with an id, a severity and a place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from interlock.cartesian import is_cartesian
from interlock.errors import UnusableInput
from interlock.jsonform import Json, to_json
from interlock.profile import Profile
from interlock.rules import SEVERITY, Rule

from .amounts import OfProfile
from .approach import Approach
from .clearance import MinimumClearance
from .loading import Loaded, load_report
from .problems import BadFile, Place, Problem, nearest
from .singularity import Singularity
from .tool import TcpSpeed
from .yaml_text import Document
from .yaml_text import Path as Steps

Severity: TypeAlias = Literal["error", "warning", "note"]

WALKING_M_S: Final = 1.6  # ISO 13855, from secondary sources
MANUAL_SPEED_M_S: Final = 0.25  # ISO 10218-1:2025, manual reduced speed
OUTCOMES: Final = ("veto", "stop", "slowed", "cut")
BUILT_IN: Final = "check:"  # no rules of a set; a misspelt one makes its case fail


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark. An error is a mistake, a warning needs an answer, a note is good to know."""

    id: str
    severity: Severity
    problem: Problem


Found: TypeAlias = Iterator[tuple[Steps, str]]


def lint(name_or_path: str | Path) -> tuple[Remark, ...]:
    """Every remark on a rule set, in order of place; a set that does not load has its errors as `unreadable`."""
    try:
        loaded = load_report(name_or_path)
    except BadFile as error:
        return tuple(Remark("unreadable", "error", problem) for problem in error.problems)
    except UnusableInput as error:
        return (Remark("unreadable", "error", Problem(Place(str(name_or_path), 1, 1), str(error))),)
    found = [
        Remark(name, severity, _document(name, loaded).problem(steps, message))
        for name, (severity, check) in CHECKS.items()
        for steps, message in check(loaded)
    ]
    return tuple(sorted(found, key=lambda remark: (remark.problem.place.source, remark.problem.place.line, remark.id)))


def _document(name: str, loaded: Loaded) -> Document:
    """The file that a check's steps lead through."""
    if name.startswith("urdf-"):
        return loaded.robot.document
    return loaded.cell_document if name in {"unused-hazard", "unused-zone"} else loaded.document


def _never_stops(loaded: Loaded) -> Found:
    stopped = {getattr(case.expect, word, None) for case in loaded.form.tests for word in OUTCOMES}
    for index, rule in enumerate(loaded.rules.rules):
        if rule.id not in stopped:
            yield ("rules", index), f"no case shows that {rule.id} stops anything; add one to tests"


def _never_passes(loaded: Loaded) -> Found:
    modes = {case.mode or loaded.rules.modes[0] for case in loaded.form.tests if case.expect == "permitted"}
    for index, rule in enumerate(loaded.rules.rules):
        if not any(rule.when.applies(mode) for mode in modes):
            yield ("rules", index), f"no case shows that {rule.id} lets anything pass; add one to tests"


def _unknown_rule(loaded: Loaded) -> Found:
    known = [rule.id for rule in loaded.rules.rules]
    for index, case in enumerate(loaded.form.tests):
        for word in OUTCOMES:
            rule = getattr(case.expect, word, None)
            if rule is not None and rule not in known and not rule.startswith(BUILT_IN):
                yield ("tests", index, "expect", word), f'no rule "{rule}" in this set{nearest(rule, known)}'


def _unused_mode(loaded: Loaded) -> Found:
    named = {mode for rule in loaded.rules.rules for mode in rule.when.mode}
    for index, mode in enumerate(loaded.rules.modes[1:], start=1):
        if mode not in named:
            yield ("modes", index), f'no rule names mode "{mode}", so it means the same as "{loaded.rules.modes[0]}"'


def _no_hazard(loaded: Loaded) -> Found:
    for index, rule in enumerate(loaded.rules.rules):
        if not rule.hazard:
            yield ("rules", index), f"{rule.id} names no hazard of the cell's register"


def _unused_hazard(loaded: Loaded) -> Found:
    named = {rule.hazard for rule in loaded.rules.rules}
    for index, hazard in enumerate(loaded.rules.cell.hazards):
        if hazard.id not in named:
            yield ("hazards", index), f"no rule of {loaded.rules.name} is there for {hazard.id}: {hazard.what}"


def _unused_zone(loaded: Loaded) -> Found:
    named = {word for rule in loaded.rules.rules for word in _zones(to_json(rule.limit))}
    for index, zone in enumerate(loaded.rules.cell.zones):
        if zone.name not in named:
            yield ("zones", index), f'no rule of {loaded.rules.name} names zone "{zone.name}"'


def _zones(value: Json) -> Iterator[str]:
    """Every text under a key `zone`, at any depth of a rule's JSON form."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item) if key == "zone" else _zones(item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _zones(item)


def _texts(value: Json) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []


def _fast_in_manual(loaded: Loaded) -> Found:
    rules = [rule for rule in loaded.rules.rules if rule.when.applies("manual")]
    limits = [rule.limit.max for rule in rules if isinstance(rule.limit, TcpSpeed)]
    if "manual" in loaded.rules.modes and not min(limits, default=1e9) <= MANUAL_SPEED_M_S:
        at = loaded.rules.modes.index("manual")
        yield ("modes", at), "no tcp_speed rule keeps manual mode at 250 mm/s or below (ISO 10218-1:2025)"


def _no_singularity(loaded: Loaded) -> Found:
    limited = any(isinstance(rule.limit, Singularity) for rule in loaded.rules.rules)
    for index, layout in enumerate(loaded.rules.accepts.layouts):
        if not limited and any(is_cartesian(channel) for channel in layout.channels):
            said = "says where the tool is to be, and no singularity rule limits how fast the joints must be for it"
            yield ("accepts", "layout", index), f"{layout.name} {said}"


JOINT_KINDS: Final = {
    "joint_velocity": "velocity",
    "joint_acceleration": "acceleration",
    "joint_jerk": "jerk",
    "joint_torque": "torque",
}


# The limits that a set asks for if its robot has them, each as an author can add it.
WANTED: Final = {
    "joint_position": "margin: 2 deg",
    "joint_velocity": "max: 90 % of profile",
    "joint_acceleration": "max: 80 % of profile",
    "joint_torque": "max: 80 % of profile",
}


def _missing_limit(loaded: Loaded) -> Found:
    rules, profile = loaded.rules, loaded.rules.profile
    weighable = bool(profile.inertias) and any(joint.torque is not None for joint in profile.joints)
    for kind, remedy in WANTED.items():
        enforced = [one for one in rules.rules if one.limit.kind == kind and _enforced(one)]
        bare = [mode for mode in rules.modes if not any(rule.when.applies(mode) for rule in enforced)]
        if bare and (weighable or kind != "joint_torque"):
            missing = f"no {kind} rule is enforced in mode {', '.join(bare)}, though {profile.name} has such limits"
            yield ("rules",), f"{missing}; add one, as in: kind: {kind}, {remedy}"


def _bottomless(loaded: Loaded) -> Found:
    for index, rule in enumerate(loaded.rules.rules):
        for place, less in enumerate(rule.limit.exceptions if isinstance(rule.limit, MinimumClearance) else ()):
            if less.min == "contact" and less.depth is None:
                said = f"{rule.id} lets {' and '.join(less.pair)} be pressed into each other without limit"
                yield ("rules", index, "except", place), f"{said}; say how deep at most, as in: depth: 10 mm"


def _slow_people(loaded: Loaded) -> Found:
    for index, rule in enumerate(loaded.rules.rules):
        approach = getattr(rule.limit, "approach", None)
        if isinstance(approach, Approach) and approach.person_speed < WALKING_M_S:
            said = f"{rule.id} takes people for slower than {WALKING_M_S:g} m/s, at which they walk (ISO 13855)"
            yield ("rules", index, "approach", "person_speed"), said


def _enforced(rule: Rule) -> bool:
    return SEVERITY[rule.on_violation] >= SEVERITY["slow"]


def _above_profile(loaded: Loaded) -> Found:
    for index, rule in enumerate(loaded.rules.rules):
        name = JOINT_KINDS.get(rule.limit.kind)
        limit = getattr(rule.limit, "max", None)
        if name is None or isinstance(limit, OfProfile) or limit is None:
            continue
        over = _over(loaded.rules.profile, name, limit)
        if over:
            yield ("rules", index, "max"), f"{limit:g} is above the profile's {name} of {', '.join(over)}, which holds"


def _over(profile: Profile, name: str, limit: float) -> list[str]:
    return [joint.name for joint in profile.joints if (own := getattr(joint, name)) is not None and limit > own]


def _short_chunks(loaded: Loaded) -> Found:
    accepts = loaded.rules.accepts
    if accepts.execute > accepts.rows_min:
        yield (
            ("accepts", "execute"),
            f"a chunk may have {accepts.rows_min} rows, fewer than the {accepts.execute} to be executed",
        )


def _urdf_tighter(loaded: Loaded) -> Found:
    found = [one for one in loaded.robot.differences if one.tighter != one.profile]
    for path in dict.fromkeys(one.path for one in found):
        yield path, "; ".join(one.text for one in found if one.path == path)


def _urdf_looser(loaded: Loaded) -> Found:
    """One remark for all joints: each limit that the URDF gives more widely, and the joints concerned."""
    found = [one for one in loaded.robot.differences if one.tighter == one.profile]
    if found:
        joints = {one.limit: ", ".join(other.joint for other in found if other.limit == one.limit) for one in found}
        same = {names: ", ".join(limit for limit in joints if joints[limit] == names) for names in joints.values()}
        said = "; ".join(f"{limits} of {names}" for names, limits in same.items())
        yield found[0].path, f"the URDF is looser than this profile, which holds: {said}"


# Every remark by its id, in plain sight.
CHECKS: Final[dict[str, tuple[Severity, Callable[[Loaded], Found]]]] = {
    "no-must-stop": ("warning", _never_stops),
    "no-must-pass": ("warning", _never_passes),
    "unknown-rule": ("error", _unknown_rule),
    "unused-mode": ("warning", _unused_mode),
    "no-hazard": ("note", _no_hazard),
    "unused-hazard": ("warning", _unused_hazard),
    "unused-zone": ("warning", _unused_zone),
    "fast-in-manual": ("error", _fast_in_manual),
    "missing-limit": ("warning", _missing_limit),
    "no-singularity": ("warning", _no_singularity),
    "bottomless": ("warning", _bottomless),
    "slow-people": ("warning", _slow_people),
    "above-profile": ("warning", _above_profile),
    "short-chunks": ("note", _short_chunks),
    "urdf-tighter": ("warning", _urdf_tighter),
    "urdf-looser": ("note", _urdf_looser),
}
