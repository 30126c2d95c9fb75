from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from interlock.jsonform import Json, to_json
from interlock_audit_logs import BlobReader, Question, ReplayResult, blob_reader, open_log, read_log, replay

HERE: dict[str, Json] = {"python": "3.11", "packages": {"numpy": "2.0"}}
ELSEWHERE: dict[str, Json] = {"python": "3.11", "packages": {"numpy": "2.1"}}
SCALE = b"2"
SCALE_NAME = hashlib.sha256(SCALE).hexdigest()


def decide(case: Json, scale: float, drift: float = 0.0) -> Json:
    assert isinstance(case, float | int)
    return {"allowed": case > 0, "margins": to_json(np.array([case * scale + drift, case])), "worst": case + drift}


def again(drift: float = 0.0) -> Callable[[Mapping[str, Json], BlobReader], Json]:
    def recompute(body: Mapping[str, Json], read_blob: BlobReader) -> Json:
        assert "decision" not in body  # or it could be copied
        return decide(body["case"], float(read_blob(SCALE_NAME)), drift)

    return recompute


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    with open_log(tmp_path, environment=HERE) as log:
        log.append("note", {})
        for case in (0.5, -0.25, 0.1):
            log.append(
                "review", {"case": case, "decision": decide(case, 2.0), "lateness": 0}, blobs={SCALE_NAME: SCALE}
            )
    return tmp_path


def replayed(directory: Path, drift: float = 0.0, environment: Mapping[str, Json] = HERE) -> ReplayResult:
    return replay(read_log(directory), blob_reader(directory), again(drift), environment=environment)


def test_every_decision_comes_out_as_it_is_on_record(recorded: Path) -> None:
    found = replayed(recorded)

    assert (found.ok, found.replayed, found.identical, found.others) == (True, 3, 3, ())


def test_a_last_bit_counts_in_the_same_environment(recorded: Path) -> None:
    found = replayed(recorded, 1e-12)

    assert (found.ok, found.identical, found.same_decision) == (False, 0, 0)
    assert [other.outcome for other in found.others] == ["different"] * 3
    first = found.others[0].differences
    assert [difference.path for difference in first] == ["$.margins[0]", "$.worst"]
    assert first[1].recorded == "0.5"
    assert first[1].apart is not None
    assert 0.0 < first[1].apart < 2e-12


def test_a_last_bit_in_another_environment_is_the_same_decision_with_every_difference_listed(recorded: Path) -> None:
    found = replayed(recorded, 1e-12, ELSEWHERE)

    assert (found.ok, found.identical, found.same_decision) == (True, 0, 3)
    assert found.others[0].environment[0].path == "environment.packages.numpy"
    assert len(found.others[0].differences) == 2


def test_more_than_the_tolerance_is_different_everywhere(recorded: Path) -> None:
    assert not replayed(recorded, 2e-9, ELSEWHERE).ok


def test_another_verdict_is_different_everywhere(recorded: Path) -> None:
    def contrary(body: Mapping[str, Json], read_blob: BlobReader) -> Json:
        found = again()(body, read_blob)
        assert isinstance(found, Mapping)
        return {**found, "allowed": not found["allowed"]}

    result = replay(read_log(recorded), blob_reader(recorded), contrary, environment=ELSEWHERE)

    assert result.same_decision == 0
    assert [difference.path for difference in result.others[0].differences] == ["$.allowed"]


def test_a_decision_that_cannot_be_computed_is_a_finding_and_the_others_still_count(recorded: Path) -> None:
    def sometimes(body: Mapping[str, Json], read_blob: BlobReader) -> Json:
        if body["case"] == -0.25:
            raise RuntimeError("no such rule")
        return again()(body, read_blob)

    result = replay(read_log(recorded), blob_reader(recorded), sometimes, environment=HERE)

    assert (result.ok, result.identical) == (False, 2)
    assert [(other.index, other.problem) for other in result.others] == [(3, "RuntimeError: no such rule")]


def test_nothing_replayed_is_not_ok(recorded: Path) -> None:
    question = Question(kind="absent")

    assert not replay(read_log(recorded), blob_reader(recorded), again(), environment=HERE, question=question).ok


def test_a_record_without_an_answer_fails(recorded: Path) -> None:
    question = Question(kind="note")

    result = replay(read_log(recorded), blob_reader(recorded), again(), environment=HERE, question=question)

    assert result.others[0].problem == "the record holds no 'decision'"
