"""The process of the splitter says what coacd says, and limits itself before it begins."""

from __future__ import annotations

import importlib
import io
import json
import resource
from typing import Any

import numpy as np
import pytest

from interlock_rules import coacd_alone
from tests.rules.solids import ANGLE, drawn

WHOLE = drawn(ANGLE)


def test_the_answer_is_what_coacd_says_here() -> None:
    coacd: Any = importlib.import_module("coacd")
    coacd.set_log_level("off")
    mesh = coacd.Mesh(WHOLE.corners, WHOLE.triangles.astype(np.int32))
    expected = coacd.run_coacd(mesh, threshold=0.05, preprocess_mode="off", seed=coacd_alone.SEED)
    one = {"corners": WHOLE.corners.tolist(), "triangles": WHOLE.triangles.tolist()}
    written = io.StringIO()

    coacd_alone.answer(io.StringIO(json.dumps({"threshold": 0.05, "meshes": [one, one]})), written)

    parts = json.loads(written.getvalue())["parts"]
    assert parts == 2 * [np.asarray(corners).tolist() for corners, _ in expected]


@pytest.mark.parametrize(
    ("hard", "limit"), [(resource.RLIM_INFINITY, coacd_alone.ANSWER_BYTES), (1 << 10, 1 << 10), (1 << 60, 16 << 20)]
)
def test_a_limit_is_never_raised(hard: int, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[int, tuple[int, int]] = {}

    def both(_: int) -> tuple[int, int]:
        return hard, hard

    monkeypatch.setattr(resource, "getrlimit", both)
    monkeypatch.setattr(resource, "setrlimit", found.__setitem__)

    coacd_alone.limit()

    assert found[resource.RLIMIT_FSIZE] == (limit, limit)
    assert found[resource.RLIMIT_CORE] == (0, 0)
    assert set(found) == {resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_CPU}
