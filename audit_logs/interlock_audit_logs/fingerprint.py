"""The environment that a decision was computed in: what may change a last bit between two machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np

from interlock.jsonform import Json

PACKAGES: Final = ("interlock-vla", "numpy", "pybullet", "scipy", "shapely")
# OpenBLAS and OpenMP take these from the process: another count of threads adds in another order.
VARIABLES: Final = ("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS")


def fingerprint() -> dict[str, Json]:
    """Versions, processor features and BLAS settings of this process, as JSON; two equal ones promise equal bytes."""
    build: Mapping[str, Any] = np.show_config(mode="dicts")
    blas: Mapping[str, Any] = build.get("Build Dependencies", {}).get("blas", {})
    simd: Mapping[str, Any] = build.get("SIMD Extensions", {})
    return {
        "blas": {"name": str(blas.get("name", "unknown")), "version": str(blas.get("version", "unknown"))},
        "cpus": len(os.sched_getaffinity(0)),
        "cpu_features": [*map(str, simd.get("baseline", ())), *map(str, simd.get("found", ()))],
        "libc": " ".join(platform.libc_ver()),
        "machine": platform.machine(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.system(),
        "variables": {name: os.environ.get(name, "") for name in VARIABLES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
