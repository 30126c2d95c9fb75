"""The Python in which openpi-client is installed, which wants an older numpy than we do; and a patient log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "INTERLOCK_OPENPI_PYTHON"


@pytest.fixture(scope="session")
def openpi_python() -> str:
    """`make test` makes it and says where it is; where it says so, it must be there."""
    named = os.environ.get(VARIABLE)
    if named is None:
        pytest.skip(f"{VARIABLE} does not name a Python with openpi-client; `make test` does")
    assert Path(named).is_file(), f"{VARIABLE} names {named}, which is not there; run make test again"
    return str(Path(named).absolute())


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else refuses nothing here."""
    monkeypatch.setattr("interlock.supervisor.WRITTEN_S", 60.0)
