"""What the Makefile installs is pinned: exact versions in constraints.txt, and no word about where they come from."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.project.test_layout import ROOT

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==[0-9][A-Za-z0-9.]*")


def faults(constraints: str, pyproject: str) -> list[str]:
    """The lines that are no pins, and the requirements that have none."""
    lines = [line for line in constraints.splitlines() if not line.startswith("#")]
    pins = {canonicalize_name(pin["name"]) for line in lines if (pin := PIN.fullmatch(line))}
    project = tomllib.loads(pyproject)
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["project"]["optional-dependencies"]["fuzz"],
        *project["project"]["optional-dependencies"]["proxy"],
        *project["project"]["optional-dependencies"]["referee"],
    ]
    names = [canonicalize_name(Requirement(requirement).name) for requirement in wanted]
    return [f"not a pin: {line}" for line in lines if not PIN.fullmatch(line)] + [
        f"not pinned: {name}" for name in names if name not in pins
    ]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_everything_is_pinned() -> None:
    assert faults(read("constraints.txt"), read("pyproject.toml")) == []


def test_the_environment_of_openpi_client_is_pinned_and_has_its_numpy() -> None:
    lines = [line for line in read("constraints-openpi.txt").splitlines() if not line.startswith("#")]

    assert all(PIN.fullmatch(line) for line in lines)
    assert {line.partition("==")[0] for line in lines} >= {"numpy", "openpi-client", "typing_extensions", "websockets"}


@pytest.mark.parametrize("planted", ["--extra-index-url URL", "numpy>=2", "numpy @ URL", ""])
def test_a_line_that_is_no_pin_is_found(planted: str) -> None:
    assert faults(f"{read('constraints.txt')}{planted}\n", read("pyproject.toml")) == [f"not a pin: {planted}"]


def test_a_requirement_without_a_pin_is_found() -> None:
    constraints = re.sub("^numpy==.*\n", "", read("constraints.txt"), flags=re.MULTILINE)

    assert faults(constraints, read("pyproject.toml")) == ["not pinned: numpy"]
