"""What every test runs under: one seed, printed, and a command that repeats each failure."""

from __future__ import annotations

import random
import shlex

import pytest
from hypothesis import settings

# No deadline: on a shared machine it would measure the neighbours. The blob of a failing example is always printed.
settings.register_profile("interlock", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("interlock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=random.SystemRandom().randrange(2**32), help="seed of all chance")


def seed_of(config: pytest.Config) -> int:
    chosen: int = config.option.seed
    return chosen


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Hands the seed to hypothesis, before its own plugin asks for one."""
    config.option.hypothesis_seed = str(seed_of(config))


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {seed_of(config)}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints, for each test that failed, the command that runs it again with the same seed."""
    for report in (*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")):
        command = [".venv/bin/pytest", f"--seed={seed_of(config)}", report.nodeid]
        terminalreporter.write_line(f"to repeat: {shlex.join(command)}")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run; every generator of random numbers in a test starts from it."""
    return seed_of(request.config)
