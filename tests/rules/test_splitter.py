"""F-26: a splitter that crashes, never ends or answers nonsense is a refusal, and takes nothing else down."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interlock.arrays import FloatArray
from interlock_rules import coacd_alone, splitter
from interlock_rules.splitter import MissingSplitter, SplitterFailed, pieces_of
from tests.rules.solids import ANGLE, drawn

WHOLE = drawn(ANGLE)
Stub = Callable[[str], None]


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """Puts another coacd in its place, in the process of the splitter alone: what it does instead of splitting."""

    def put(doing: str) -> None:
        text = "\n    ".join(["def run_coacd(mesh, threshold, preprocess_mode, seed):", *doing.splitlines()])
        (tmp_path / "coacd.py").write_text(
            "import ctypes, os, resource, sys, time\n"
            "def set_log_level(level): pass\n"
            "def Mesh(corners, triangles): return corners, triangles\n"
            f"{text}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    return put


def test_every_number_reaches_the_splitter_and_comes_back_as_it_is(stub: Stub, seed: int) -> None:
    body = drawn(ANGLE)
    corners = np.random.default_rng(seed).normal(size=body.corners.shape) * 1e-3
    stub(
        "assert preprocess_mode == 'off' and seed == 1 and mesh[0].dtype == 'f8' and mesh[1].dtype == 'i4'\n"
        "return [(mesh[0] * threshold, 0), (mesh[0][mesh[1]].reshape(-1, 3), 0)]"
    )

    found = pieces_of([type(body)(corners, body.triangles), WHOLE], 0.3)

    expected = [
        *(corners * 0.3, corners[body.triangles].reshape(-1, 3)),
        *(WHOLE.corners * 0.3, WHOLE.pieces.reshape(-1, 3)),
    ]
    assert [part.tolist() for part in found] == [part.tolist() for part in expected]


FAILURES = {
    "a crash": ("ctypes.string_at(0)", r"crashed on it \(exit code -11\); repair the mesh"),
    "an abort": ("os.abort()", r"crashed on it \(exit code -6\)"),
    "an exception": ("raise RuntimeError('no')", r"crashed on it \(exit code 1\)"),
    "an end that looks well": ("os._exit(0)", "is no parts .answer: not JSON"),
    "a word before the answer": ("print('hello')\nreturn [(mesh[0], 0)]", "is no parts .answer: not JSON"),
    "no parts": ("return []", "no parts .*there are no parts"),
    "no corners": ("return [(mesh[0][:0], 0)]", "no parts .*got shape"),
    "three corners": ("return [(mesh[0], 0), (mesh[0][:3], 0)]", r"no parts .*got shape \(3, 3\)"),
    "flat corners": ("return [(mesh[0][:, :2], 0)]", r"no parts .*got shape \(12, 2\)"),
    "one row": ("return [(mesh[0][:, 0], 0)]", r"no parts .*got shape \(12,\)"),
    "NaN": ("return [(mesh[0] * float('nan'), 0)]", "no parts .*finite"),
    "infinity": ("return [(mesh[0] / 0.0, 0)]", "no parts .*finite"),
    "an answer without an end": ("return [((mesh[0] + 0.1) / 3, 0)] * 30_000", "crashed on it|not JSON"),
    "too much memory": ("return [(mesh[0], bytearray(resource.getrlimit(resource.RLIMIT_AS)[0]))]", "exit code 1"),
    "no words": ("class Words:\n  def tolist(self): return [['a'] * 3] * 4\nreturn [(Words(), 0)]", "is no parts"),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_F26_a_splitter_that_fails_is_a_refusal(stub: Stub, failure: str) -> None:
    doing, message = FAILURES[failure]
    stub(doing)

    with pytest.raises(SplitterFailed, match=message):
        pieces_of([WHOLE], 0.1)


def test_F26_a_splitter_that_does_not_end_is_stopped(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    stub("while True: time.sleep(1)")
    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(splitter, "LONGEST_S", 0.5)

    with pytest.raises(SplitterFailed, match=r"the splitter did not end within 0\.5 s on it; repair the mesh"):
        pieces_of([WHOLE], 0.1)

    assert [process.returncode for process in started] == [-signal.SIGKILL]


@pytest.mark.parametrize("python", ["", "/no/such/python"])
def test_F26_a_splitter_that_does_not_start_is_a_refusal(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", python)

    with pytest.raises(SplitterFailed, match=f"the splitter does not start: '{python}': "):
        pieces_of([WHOLE], 0.1)


def test_a_missing_splitter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coacd", None)

    with pytest.raises(MissingSplitter, match=r"pip install 'interlock-vla\[meshes\]'"):
        pieces_of([WHOLE], 0.1)


def test_the_splitter_finds_none_of_our_files_by_their_names(stub: Stub) -> None:
    stub(
        "import importlib.util\n"
        "assert importlib.util.find_spec('splitter') is None and not any('interlock' in name for name in sys.modules)\n"
        "return [(mesh[0], 0)]"
    )

    assert len(pieces_of([WHOLE], 0.1)) == 1


def test_the_splitter_runs_within_its_limits(stub: Stub) -> None:
    stub(
        "limits = [resource.getrlimit(what) for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)]\n"
        f"assert limits == [(0, 0), ({coacd_alone.ANSWER_BYTES},) * 2]\n"
        "assert resource.getrlimit(resource.RLIMIT_AS)[0] > 0\n"
        "return [(mesh[0], 0)]"
    )

    assert len(pieces_of([WHOLE], 0.1)) == 1


def test_coacd_splits_an_angle_into_its_legs() -> None:
    parts: list[FloatArray] = pieces_of([WHOLE], 0.05)

    low, high = (
        np.min([part.min(axis=0) for part in parts], axis=0),
        np.max([part.max(axis=0) for part in parts], axis=0),
    )
    assert len(parts) == 2
    assert low.tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert math.dist(high, [0.3, 0.3, 0.2]) < 1e-6
