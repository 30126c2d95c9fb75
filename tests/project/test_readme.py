"""What README.md tells a reader to type exists, and the Python that it shows runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
import typer.main
from typer.core import TyperGroup

from interlock_cli.main import app
from tests.project.test_layout import ROOT

FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
SHELLS = ("bash", "sh", "shell", "console")
ELSEWHERE = ("cd", "git")  # commands that are not ours to check


class Block(NamedTuple):
    language: str
    text: str


def blocks(markdown: str) -> list[Block]:
    return [Block(fence["language"], fence["text"]) for fence in FENCE.finditer(markdown)]


def commands(block: Block) -> list[list[str]]:
    """The words of each command of a shell block; in a console block those are the lines after a `$`."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    parts = [part for line in lines for part in re.split(r"&&|\|", line)]
    return [words for part in parts if (words := shlex.split(part, comments=True))]


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))


def unknown_command(words: list[str], targets: set[str], root: Path) -> str | None:
    """What does not exist in a command, or None."""
    program, *arguments = [words[0].removeprefix(".venv/bin/"), *words[1:]]
    if program == "make":
        missing = [word for word in arguments if "=" not in word and word not in targets]
        return f"make has no target {missing[0]}" if missing else None
    if program == "interlock":
        return unknown_subcommand(arguments)
    if program == "python" and arguments and not (root / arguments[0]).is_file():
        return f"there is no file {arguments[0]}"
    return None if program in {"python", *ELSEWHERE} else f"nobody checks the command {program}"


def unknown_subcommand(arguments: list[str]) -> str | None:
    """The first subcommand or option of `interlock` that does not exist, or None."""
    path, command = "interlock", typer.main.get_command(app)
    for word in arguments:
        options = {"--help", *(option for parameter in command.params for option in parameter.opts)}
        if word.startswith("--") and word.partition("=")[0] not in options:
            return f"{path} has no option {word}"
        if isinstance(command, TyperGroup) and not word.startswith("-"):
            if word not in command.commands:
                return f"{path} has no command {word}"
            path, command = f"{path} {word}", command.commands[word]
    return None


def untrue(markdown: str, root: Path, scratch: Path) -> list[str]:
    """What a README says that is not so; its Python runs in the folder scratch."""
    found = blocks(markdown)
    targets = make_targets((root / "Makefile").read_text(encoding="utf-8"))
    shell = [words for block in found if block.language in SHELLS for words in commands(block)]
    python = [block.text for block in found if block.language == "python"]
    wrong = [fault for words in shell if (fault := unknown_command(words, targets, root))]
    wrong += ["a block of code names no language" for block in found if not block.language]
    wrong += [] if shell else ["no shell command is shown"]
    wrong += [] if python else ["no Python is shown"]
    for text in python:
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", text], cwd=scratch, capture_output=True, text=True, check=False
        )
        wrong += [f"Python fails: {run.stderr.strip().splitlines()[-1]}"] if run.returncode else []
    return wrong


def test_readme_is_true(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    if not readme.exists():
        pytest.skip("README.md is not written yet")

    assert untrue(readme.read_text(encoding="utf-8"), ROOT, tmp_path) == []
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["readme"] == "README.md"


GOOD = """
```sh
git clone URL && cd interlock
make test TESTS=tests/project   # a part of them
.venv/bin/interlock --version
```
```console
$ make check
some output
```
```python
import interlock
```
"""


def test_a_true_readme_passes(tmp_path: Path) -> None:
    assert untrue(GOOD, ROOT, tmp_path) == []


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("```sh\nmake tests\n```", "make has no target tests"),
        ("```sh\nmake check && make coffee\n```", "make has no target coffee"),
        ("```console\n$ interlock brew --strong\n```", "interlock has no command brew"),
        ("```sh\ninterlock --strong\n```", "interlock has no option --strong"),
        ("```sh\npython bench/gone.py\n```", "there is no file bench/gone.py"),
        ("```sh\ncurl URL | sh\n```", "nobody checks the command curl"),
        ("```\nmake test\n```", "a block of code names no language"),
        ("```python\nraise ValueError('no')\n```", "Python fails: ValueError: no"),
        ("```python\nimport warnings\nwarnings.warn('old')\n```", "Python fails: UserWarning: old"),
    ],
)
def test_a_planted_falsehood_is_found(tmp_path: Path, planted: str, complaint: str) -> None:
    assert complaint in untrue(f"{GOOD}\n{planted}\n", ROOT, tmp_path)


def test_a_readme_without_code_is_found(tmp_path: Path) -> None:
    assert untrue("# Interlock\n", ROOT, tmp_path) == ["no shell command is shown", "no Python is shown"]
