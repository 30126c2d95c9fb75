"""The public names are there, and fetched only when asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import interlock


@pytest.mark.parametrize("name", interlock.__all__)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(interlock, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Guard'"):
        interlock.Guard  # noqa: B018


def test_reading_a_log_needs_no_physics() -> None:
    code = "import sys, interlock_audit_logs; assert 'pybullet' not in sys.modules"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
