"""The command `interlock` itself; each of its commands has a test file of its own."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from interlock_cli.main import main


def test_version_is_the_distributions(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["interlock", "--version"])

    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == 0
    assert capsys.readouterr().out == f"interlock {version('interlock-vla')}\n"
