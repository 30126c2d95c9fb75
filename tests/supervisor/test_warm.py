"""`interlock warm`: the whole way from a rule set to a refusal is walked once."""

from __future__ import annotations

from pickle import UnpicklingError
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock import kernels, kernels_planes
from interlock_cli import main as command
from interlock_cli.main import app


@pytest.mark.slow
def test_warm_compiles_what_a_review_runs() -> None:
    found = CliRunner().invoke(app, ["warm"])

    assert found.exit_code == 0, found.output
    assert "panda-tabletop: every rule refused its own case" in found.output
    compiled: list[Any] = [kernels.poses, kernels.bends, kernels.coarse, kernels.covered, kernels_planes.gaps]
    assert all(kernel.signatures for kernel in compiled)


@pytest.mark.parametrize("error", [UnpicklingError("pickle data was truncated"), EOFError("Ran out of input")])
def test_compiled_code_that_cannot_be_read_says_what_to_do(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(command, "app", broken)

    with pytest.raises(SystemExit) as ended:
        command.main()

    assert ended.value.code == 2
    assert f"what was compiled before cannot be read ({error}); run `interlock warm --fresh`" in capsys.readouterr().err


def test_warm_forgets_first_if_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def three(_function: object) -> int:
        return 3

    monkeypatch.setattr("interlock.compiled.forget", three)

    assert "3 files of compiled code forgotten" in CliRunner().invoke(app, ["warm", "--fresh"]).output
