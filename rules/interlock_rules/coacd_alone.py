"""The process that coacd runs in: reads meshes from its input as JSON, and writes their convex parts to its output.

It imports nothing of Interlock, so that it starts at once. What it says is not trusted (`splitter.py`).
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from typing import IO, Any, Final

import numpy as np

SEED: Final = 1
ANSWER_BYTES: Final = 16 << 20
# A crash leaves no core behind; what runs away ends itself.
LIMITS: Final = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_FSIZE, ANSWER_BYTES),
    (resource.RLIMIT_AS, 8 << 30),
    (resource.RLIMIT_CPU, 600),  # s, of all its threads: also where nobody is left who waits for it
)


def limit() -> None:
    """From here on this process cannot have more than LIMITS."""
    for what, most in LIMITS:
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def answer(question: IO[str], to: IO[str]) -> None:
    """Writes the corners of all convex parts of the meshes that are asked for, mesh by mesh.

    coacd's preprocessing is off: it replaces the surface by another one, several millimetres off.
    """
    coacd: Any = importlib.import_module("coacd")
    coacd.set_log_level("off")
    asked = json.load(question)
    parts: list[list[list[float]]] = []
    for one in asked["meshes"]:
        mesh = coacd.Mesh(np.array(one["corners"], dtype=np.float64), np.array(one["triangles"], dtype=np.int32))
        found = coacd.run_coacd(mesh, threshold=asked["threshold"], preprocess_mode="off", seed=SEED)
        parts += [corners.tolist() for corners, _ in found]
    to.write(json.dumps({"parts": parts}))


if __name__ == "__main__":
    limit()
    answer(sys.stdin, sys.stdout)
