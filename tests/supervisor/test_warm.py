"""`interlock warm`: the whole way from a rule set to a refusal is walked once."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from interlock import kernels
from interlock_cli.main import app


@pytest.mark.slow
def test_warm_compiles_what_a_review_runs() -> None:
    found = CliRunner().invoke(app, ["warm"])

    assert found.exit_code == 0, found.output
    assert "panda-tabletop: every rule refused its own case" in found.output
    compiled: list[Any] = [kernels.poses, kernels.bends, kernels.coarse, kernels.covered, kernels.gaps]
    assert all(kernel.signatures for kernel in compiled)
