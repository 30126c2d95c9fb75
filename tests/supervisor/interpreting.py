"""The kernels as plain Python, and some convex shapes for them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from interlock import kernels, kernels_dynamics, kernels_motion, kernels_planes
from interlock.geometry import Box, Capsule, ConvexMesh, Cylinder, HalfSpace, Shape, Sphere

MODULES: Final = (kernels, kernels_dynamics, kernels_motion, kernels_planes)
WAYS: Final = pytest.mark.parametrize("way", ["compiled", "interpreted"])
CUBE: Final = np.array([[x, y, z] for x in (-0.1, 0.1) for y in (-0.2, 0.2) for z in (-0.3, 0.3)])
BOUNDED: Final[tuple[Shape, ...]] = (
    Box((0.2, 0.4, 0.6)), Sphere(0.1), Cylinder(0.1, 0.4), Capsule(0.1, 0.2), ConvexMesh(CUBE),
)  # fmt: skip
SHAPES: Final = (*BOUNDED, HalfSpace((0.6, 0.0, 0.8)))


def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs every kernel as plain Python from here on."""
    for module in MODULES:
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)
