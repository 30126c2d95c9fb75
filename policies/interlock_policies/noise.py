"""The noise that a policy samples from: from a seed that goes on record, so that a replay draws the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from interlock.arrays import whole


def noise(seed: int, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Standard normal noise of a seed that is not negative, by numpy's PCG64: it does not depend on torch or its
    device. Its digest says whether a replay drew the same.
    """
    generator = np.random.Generator(np.random.PCG64(whole("seed", seed)))
    return generator.standard_normal(shape, dtype=np.float32)
