"""Asks coacd for convex parts in a process of its own: on some meshes it crashes, or never ends."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from interlock.arrays import FloatArray
from interlock.errors import UnusableInput
from interlock.jsonform import from_json, parse

from . import coacd_alone
from .surfaces import Surface

LONGEST_S: Final = 120.0  # for one threshold
REMEDY: Final = "repair the mesh (its surface may cut through itself), or give its bodies as files of their own"


class MissingSplitter(ValueError):
    """coacd is not installed."""


class SplitterFailed(ValueError):
    """coacd crashed on a mesh, did not end, or answered what is no parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The corners (V, 3) [m] of each convex part."""

    parts: tuple[FloatArray, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("there are no parts")
        for part in self.parts:
            if part.ndim != 2 or part.shape[1] != 3 or len(part) < 4 or not np.isfinite(part).all():
                raise ValueError(f"a part needs at least 4 finite corners, got shape {part.shape}")


def pieces_of(bodies: Sequence[Surface], threshold: float) -> list[FloatArray]:
    """The corners (V, 3) [m] of each convex part that coacd makes of bodies, of each on its own, at a threshold.

    What it answers is looked at for its form alone; whether the parts contain the bodies is for the caller to show.
    Raises MissingSplitter, or SplitterFailed where it does not answer: never some of the parts.
    """
    if importlib.util.find_spec("coacd") is None:
        raise MissingSplitter("it is not convex, and splitting it needs coacd: pip install 'interlock-vla[meshes]'")
    meshes = [{"corners": body.corners.tolist(), "triangles": body.triangles.tolist()} for body in bodies]
    raw = _asked(json.dumps({"threshold": threshold, "meshes": meshes}).encode())
    try:
        return list(from_json(Answer, parse(raw, "answer")).parts)
    except UnusableInput as error:
        raise SplitterFailed(f"the splitter answered what is no parts ({error}); {REMEDY}") from error


def _asked(question: bytes) -> bytes:
    """What coacd's process answers. Files and no pipes: neither side waits for the other, and the answer is bounded."""
    command = [sys.executable, "-P", str(Path(coacd_alone.__file__))]  # -P: beside that file are names like `files`
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answered:
        asked.write(question)
        asked.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - this Python, and a file of ours
                command, stdin=asked, stdout=answered, stderr=subprocess.DEVNULL, timeout=LONGEST_S, check=False
            )
        except OSError as error:
            raise SplitterFailed(f"the splitter does not start: {sys.executable!r}: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise SplitterFailed(f"the splitter did not end within {LONGEST_S:g} s on it; {REMEDY}") from error
        if done.returncode:
            raise SplitterFailed(f"the splitter crashed on it (exit code {done.returncode}); {REMEDY}")
        answered.seek(0)
        return answered.read(coacd_alone.ANSWER_BYTES)
