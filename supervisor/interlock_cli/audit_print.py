"""What `interlock audit` says of records, of a verification and of a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from interlock.errors import UnusableInput
from interlock.jsonform import Json, from_json, written_out
from interlock.record import resolved
from interlock.verdict import Decision, Verdict
from interlock_audit_logs import Record, Replayed, ReplayResult, Verification

from .findings import COLOURS, print_decision, print_verdict, telling, worst
from .printing import counted, print_line, print_rows

MOST_SHOWN: Final = 20  # records of a replay, and differences of each; the JSON form has all
LONGEST: Final = 60  # characters of what a record says, in a list
PACKED: Final = ("f64", "i64", "b8")

ReadBlob = Callable[[str], Json]


def what(record: Record, read_blob: ReadBlob) -> str:
    """What a record says, on one short line: what was decided and by which rule, a reason, or the names in its body."""
    decision = _decision(record, read_blob)
    verdict = _verdict(record, read_blob)
    if decision is not None:
        amended = decision.reaction in ("slow", "truncate")
        refused = "" if decision.permitted else telling(decision).rule
        text = f"{decision.reaction} {decision.attempts[-1].amendment if amended else refused}".rstrip()
        text += f", for {telling(decision).rule}" if amended else ""
    elif verdict is not None:
        wrong = worst(verdict.findings)
        text = "" if wrong is None else f"{wrong.reaction} {wrong.rule}"
    else:
        text = _reason(record.body)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _reason(body: Mapping[str, Json]) -> str:
    said = [body.get("reason"), body.get("why"), body.get("error"), _object(body.get("decision")).get("reaction")]
    results = body.get("results")
    if isinstance(results, Sequence) and not isinstance(results, str):
        refused = sum(_object(result).get("refused") is True for result in results)
        said.append(f"{refused} of {counted(len(results), 'rule')} refused their own case")
    if body.get("records") is not None:
        said.append(f"{_scalar(body.get('records'))} records in this session")
    return next((text for text in said if isinstance(text, str)), ", ".join(body))


def _decision(record: Record, read_blob: ReadBlob) -> Decision | None:
    """The decision of a record, or None where it holds none that can be read."""
    try:
        return from_json(Decision, resolved(record.body.get("decision"), read_blob))
    except UnusableInput:
        return None


def _verdict(record: Record, read_blob: ReadBlob) -> Verdict | None:
    try:
        return from_json(Verdict, resolved(record.body.get("verdict"), read_blob))
    except UnusableInput:
        return None


def print_record(record: Record, read_blob: ReadBlob, places: Mapping[str, str], *, every: bool) -> None:
    """Prints a record for people: its decision first, then what the rules say that were violated, then every other
    field on a line of its own, arrays by shape and range. Blobs are read where they are needed for that; of others
    their names are shown. `places`: where each rule stands. `every`: the findings that hold too, one by one.
    """
    print_line(f"record {record.index}: {record.kind}, written {record.written}", "bold")
    print_line(f"digest {record.digest}, previous {record.previous}")
    decision, verdict = _decision(record, read_blob), _verdict(record, read_blob)
    left = dict(record.body)
    if decision is not None:
        print_decision(decision, "on record", places, every=every)
        print_rules(decision.attempts[0].verdict, record, read_blob)
        found = left["decision"]
        said = ("attempts", "reaction", "rows", "start_row", "progress")
        left["decision"] = {key: value for key, value in _object(found).items() if key not in said}
    elif verdict is not None:
        done = "the committed plan runs on" if verdict.allowed else "the committed plan is braked at once"
        print_line(f"{verdict.reaction}: {done}", f"bold {COLOURS.get(verdict.reaction, 'red')}")
        print_verdict(verdict, places, every=every)
        print_rules(verdict, record, read_blob)
        del left["verdict"]
    print_rows(("field", "value"), list(_leaves("", left, read_blob)))


def print_rules(verdict: Verdict, record: Record, read_blob: ReadBlob) -> None:
    """Prints what each violated rule says, its exceptions too, and why it is there; from the record's own rules."""
    found = rules_of(record, read_blob)
    told = {finding.rule for finding in verdict.violated}
    rows = [(rule, says, because) for rule, says, because in _rules(found, read_blob) if rule in told]
    if rows:
        print_rows(
            ("rule", "says", "because"),
            rows,
            f"in rule set {_scalar(found.get('name'))} (m, rad, s, N and kg)",
            give=("says", "because"),
        )


def rules_of(record: Record, read_blob: ReadBlob) -> Mapping[str, Json]:
    """The rule set that a record was judged by, as it holds it; empty where it holds none."""
    try:
        return _object(resolved(_object(record.body.get("case")).get("rules"), read_blob))
    except UnusableInput:
        return {}


def _rules(meaning: Mapping[str, Json], read_blob: ReadBlob) -> Iterator[tuple[str, str, str]]:
    rules = meaning.get("rules")
    for rule in rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ():
        parts = _object(rule)
        says = (f"{path} {value}" for path, value in _leaves("", parts.get("limit"), read_blob) if value != "none")
        yield _scalar(parts.get("id")), "; ".join(says), _scalar(parts.get("because"))


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _leaves(path: str, value: Json, read_blob: ReadBlob) -> Iterator[tuple[str, str]]:
    """Every field below a path, and what it holds on one line."""
    if isinstance(value, Mapping) and value:
        summary = _summary(value, read_blob)
        if summary is not None:
            yield path, summary
            return
        for key, item in value.items():
            yield from _leaves(f"{path}.{key}" if path else key, item, read_blob)
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(one, Mapping) for one in value):
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item, read_blob)
    else:
        yield path, _scalar(value)


def _scalar(value: Json) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_scalar(item) for item in value) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _summary(value: Mapping[str, Json], read_blob: ReadBlob) -> str | None:
    """What an array, or what a blob, is in short; None for anything else."""
    name = value.get("blob")
    if set(value) == {"blob"} and isinstance(name, str):
        try:
            held = read_blob(name)
        except UnusableInput as error:
            return str(error)
        inside = _array(held) if isinstance(held, Mapping) else None
        return inside or f"blob {name}"
    return _array(value)


def _array(value: Mapping[str, Json]) -> str | None:
    kind = next((kind for kind in PACKED if set(value) == {kind, "shape"}), None)
    if kind is None:
        return None
    try:
        numbers = np.array(written_out(value))
    except UnusableInput as error:
        return str(error)
    shape = " x ".join(map(str, numbers.shape))
    if not numbers.size:
        return f"{shape}: empty"
    if kind == "b8":
        return f"{shape}: {np.count_nonzero(numbers)} of {numbers.size} true"
    if numbers.size <= 8:
        return f"{shape}: {', '.join(map(_number, numbers.ravel().tolist()))}"
    known = numbers[np.isfinite(numbers)].tolist()
    span = f"{_number(min(known))} to {_number(max(known))}" if known else "nothing finite"
    lost = numbers.size - len(known)
    return f"{shape}: {span}, {lost} not finite" if known and lost else f"{shape}: {span}"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def print_verification(found: Verification, *, noted: bool) -> None:
    """Prints what is wrong, what is worth knowing, and the answer; `noted`: a head was given."""
    if found.problems:
        cells = ((problem.where, _index(problem.index), problem.text) for problem in found.problems)
        print_rows(("where", "record", "problem"), cells)
    for note in found.notes:
        print_line(f"note: {note}")
    records = counted(found.records, "record")
    if not found.ok:
        print_line(f"does not verify: {counted(len(found.problems), 'problem')} in {records}")
        return
    print_line(f"verified: {records}, head {found.head}")
    if not noted:
        print_line("Without --head this does not show whether the end was cut off, or all of it written anew.")


def print_replay(found: ReplayResult) -> None:
    """Prints where decisions came out differently, and the count."""
    for other in found.others[:MOST_SHOWN]:
        _print_differences(other)
    if len(found.others) > MOST_SHOWN:
        print_line(f"and {len(found.others) - MOST_SHOWN} more; --format json lists all")
    different = found.replayed - found.identical - found.same_decision
    counts = f"{found.identical} identical, {found.same_decision} same decision elsewhere, {different} different"
    print_line(f"{found.replayed} replayed: {counts}")


def _index(index: int | None) -> str:
    return "" if index is None else str(index)


def _print_differences(other: Replayed) -> None:
    rows = [("", "", other.problem, "")] if other.problem else []
    for difference in (*other.environment, *other.differences)[:MOST_SHOWN]:
        apart = "" if difference.apart is None else f"{difference.apart:.3g}"
        rows.append((difference.path, difference.recorded, difference.recomputed, apart))
    columns = ("place", "recorded", "recomputed", "apart")
    print_rows(columns, rows, f"record {other.index}: {other.outcome}", give=columns[:3])
