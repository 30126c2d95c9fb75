"""The command `interlock` itself; each of its commands has a test file of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from interlock_audit_logs import open_log
from interlock_cli.main import main


def test_version_is_the_distributions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["interlock", "--version"])

    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == 0
    assert capsys.readouterr().out == f"interlock {version('interlock-vla')}\n"


WITHOUT_PHYSICS = ("--help", "demo --help", "check --help", "audit --help", "rules schema ruleset", "schema chunk")
AUDIT = ("audit list {}", "audit show {} 0", "audit verify {}")


@pytest.mark.parametrize("command", [*WITHOUT_PHYSICS, *AUDIT])
def test_a_command_that_needs_no_physics_imports_none_and_says_nothing_on_the_side(
    tmp_path: Path, command: str
) -> None:
    open_log(tmp_path).close()
    code = "import sys; from interlock_cli.main import app; app(standalone_mode=False)"
    code += "; sys.exit('pybullet' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code, *command.format(tmp_path).split()], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout
