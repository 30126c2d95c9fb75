"""What README.md tells a reader to type exists, and the Python and the commands that it shows run."""

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
from typer.testing import CliRunner

from interlock.bullet_physics import BulletPhysics
from interlock.case import Case, Memory
from interlock.decide import decide
from interlock.record import review_body
from interlock_audit_logs import open_log
from interlock_cli.check import EXAMPLE_NS
from interlock_cli.demo import RUNS
from interlock_cli.main import app
from interlock_rules import load
from interlock_rules.example import standing_still
from tests.project.test_layout import ROOT

FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(interlock [^`\n]+)`")
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


def own_commands(markdown: str) -> list[list[str]]:
    """The words after `interlock` of each command, in blocks and between backticks, in order."""
    prose = Block("sh", "\n".join(INLINE.findall(FENCE.sub("", markdown))))
    shell = [block for block in blocks(markdown) if block.language in SHELLS]
    found = [words for block in (*shell, prose) for words in commands(block)]
    return [words[1:] for words in found if words[0].removeprefix(".venv/bin/") == "interlock"]


def failing(markdown: str, scratch: Path) -> list[str]:
    """The commands of `interlock` that fail when they are run one after the other, and how; /tmp is a folder of ours.

    A demo is not run here (`tests/supervisor/test_demo.py` runs a small one): `recorded` stands for what it leaves.
    """
    wrong: list[str] = []
    for words in own_commands(markdown):
        if words[:1] == ["demo"]:
            continue
        ran = CliRunner().invoke(app, [re.sub(r"^/tmp/", f"{scratch}/", word) for word in words])
        if ran.exit_code:
            wrong.append(f"interlock {' '.join(words)}: exit {ran.exit_code}, {ran.output.strip()[-300:]}")
    return wrong


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a demo seems to have run: its log of a few reviews is where `latest` leads."""
    folder = tmp_path_factory.mktemp("recorded")
    rules = load("panda-tabletop")
    state, chunk, scene = standing_still(rules, EXAMPLE_NS)
    case = Case(EXAMPLE_NS, chunk, state, scene, Memory(), rules)
    body = review_body(case, decide(case, BulletPhysics(rules.profile, rules.cell)), 0, EXAMPLE_NS)
    with open_log(folder / RUNS / "latest") as log:
        for _ in range(3):
            log.append("review", body.body, blobs=body.blobs)
    return folder


@pytest.mark.slow
def test_every_command_of_the_readme_runs(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(recorded)

    assert len(own_commands(readme)) >= 10
    assert failing(readme, recorded) == []


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("```sh\ninterlock audit show 3 audit_logs/runs/latest\n```", "audit show 3 audit_logs/runs/latest: exit 2"),
        (
            "```sh\n.venv/bin/interlock audit verify audit_logs/runs/gone\n```",
            "audit verify audit_logs/runs/gone: exit 2",
        ),
        ("Now `interlock schema chunks` prints it.", "schema chunks: exit 2"),
        ("```console\n$ interlock rules lint gone\n```", "rules lint gone: exit 2"),
    ],
)
def test_a_planted_command_that_fails_is_found(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, planted: str, complaint: str
) -> None:
    monkeypatch.chdir(recorded)

    (found,) = failing(f"{planted}\n", recorded)

    assert complaint in found


def test_readme_is_true(tmp_path: Path) -> None:
    readme = ROOT / "README.md"

    assert untrue(readme.read_text(encoding="utf-8"), ROOT, tmp_path) == []
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["readme"] == "README.md"


@pytest.mark.slow
def test_the_loop_of_the_page_on_running_reviews_chunks_that_only_a_slow_machine_refuses(tmp_path: Path) -> None:
    page = (ROOT / "docs/running.md").read_text(encoding="utf-8")
    program = next(block.text for block in blocks(page) if block.language == "python")

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert run.stdout.split()[0] in {"permit", "veto"}
    assert "check:stamps: observation" not in run.stdout


POLICIES = (ROOT / "docs/policies.md").read_text(encoding="utf-8")
RUNNING = (ROOT / "docs/running.md").read_text(encoding="utf-8")
IN_PROCESS = (ROOT / "docs/in-process.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL
)
EXAMPLES = [found for page in (POLICIES, RUNNING, IN_PROCESS) for found in EXAMPLE.findall(page)]


@pytest.mark.parametrize(("page", "least"), [(POLICIES, 5), (IN_PROCESS, 1)])
def test_every_python_of_a_page_is_an_example_with_its_output(page: str, least: int) -> None:
    languages = [block.language for block in blocks(page)]

    assert languages.count("python") == languages.count("text") == len(EXAMPLE.findall(page)) >= least


def test_the_page_on_running_shows_a_loop_and_examples_with_their_output() -> None:
    assert [block.language for block in blocks(RUNNING)] == ["python", *2 * ["python", "text"]]
    assert len(EXAMPLE.findall(RUNNING)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("about", "program", "output"), EXAMPLES, ids=[about for about, _, _ in EXAMPLES])
def test_the_examples_of_the_pages_print_what_they_say(about: str, program: str, output: str, tmp_path: Path) -> None:
    if about in {"pi0", "Qwen-VLA"}:
        pytest.importorskip("transformers", reason="needs torch and transformers, of the extra `policies`")

    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    said = [line for line in run.stdout.splitlines(keepends=True) if not line.startswith("argv[")]  # panda-gym's own
    assert "".join(said) == output


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
