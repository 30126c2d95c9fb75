"""Standard error while a C library is imported: one line is kept back, all else arrives."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from interlock.quiet import without_line


def test_only_the_line_named_is_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with without_line(b"build time"):
        os.write(2, b"build time: today\nsomething is wrong\n")
    os.write(2, b"build time: later\n")

    assert capfd.readouterr().err == "something is wrong\nbuild time: later\n"


def test_nothing_is_lost_where_the_import_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_line(b"build time"):
            os.write(2, b"why it fails\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()

    os.write(2, b"and on\n")
    assert capfd.readouterr().err == "why it fails\nand on\n"


def test_without_a_place_for_its_lines_the_import_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    def closed(_descriptor: int) -> int:
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "dup", closed)
        with without_line(b"build time"):
            os.write(2, b"build time: today\n")

    assert capfd.readouterr().err == "build time: today\n"


@pytest.mark.parametrize("module", ["interlock.bullet_physics", "interlock_sim.world"])
def test_the_physics_is_imported_without_a_word(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
