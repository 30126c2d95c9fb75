"""The same seed draws the same noise, here and anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from interlock_policies.noise import noise


def test_golden_the_first_numbers_of_a_seed() -> None:
    # Of numpy's PCG64 and its ziggurat for float32; NEP 19 promises no stream for ever, so a change must be seen.
    found = noise(7, (2, 2))

    assert found.dtype == np.float32
    assert [[round(number, 4) for number in row] for row in found.tolist()] == [[1.522, -1.1441], [1.1502, -1.7847]]


def test_a_seed_is_all_that_it_depends_on() -> None:
    first, again, other = (noise(seed, (3, 4)) for seed in (11, 11, 12))

    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("seed", [-1, 0.5, True, None], ids=str)
def test_noise_needs_a_seed(seed: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        noise(seed, (1, 2))
