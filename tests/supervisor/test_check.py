"""`interlock check` and its companions, run as a user runs them: files in, a decision and an exit code out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import interlock_cli.check
from interlock_cli.main import main
from interlock_rules import load

RULES = "panda-tabletop"
Files = dict[str, Path]
Edit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


load_once = lru_cache(load)


def interlock(*arguments: object) -> Done:
    """The whole command, in this process; a rule set is read once for all tests."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["interlock", *map(str, arguments)])
        patch.setattr(interlock_cli.check, "load", load_once)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code
    return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("example")
    done = interlock("example", "--rules", RULES, directory)
    assert done.returncode == 0, done.stderr
    return {name: directory / f"{name}.json" for name in ("state", "chunk", "scene")}


def edited(path: Path, to: Path, edit: Edit) -> Path:
    value = json.loads(path.read_text(encoding="utf-8"))
    edit(value)
    to.write_text(json.dumps(value), encoding="utf-8")
    return to


def check(files: Files, *more: object) -> Done:
    scene = ("--scene", files["scene"]) if "scene" in files else ()
    return interlock("check", "--rules", RULES, "--state", files["state"], "--chunk", files["chunk"], *scene, *more)


def test_the_example_is_permitted(example: Files) -> None:
    done = check(example, "--format", "json")
    found = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (found["reaction"], found["permitted"], found["permitted_rows"]) == ("permit", True, 25)
    assert all(finding["ok"] for finding in found["findings"])


@pytest.mark.slow
def test_it_runs_as_a_command_of_its_own(example: Files) -> None:
    files = [part for name in ("state", "chunk", "scene") for part in (f"--{name}", str(example[name]))]

    done = subprocess.run(
        [sys.executable, "-m", "interlock_cli", "check", "--rules", RULES, *files], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_text_says_the_same(example: Files) -> None:
    done = check(example)

    assert done.returncode == 0
    assert done.stdout.startswith(f"permit by rule set {RULES}")


def value(row: int, column: int, number: Any) -> Edit:
    def change(chunk: dict[str, Any]) -> None:
        chunk["values"][row][column] = number

    return change


def field(name: str, found: Any) -> Edit:
    def change(chunk: dict[str, Any]) -> None:
        chunk[name] = found

    return change


@pytest.mark.parametrize(
    ("rule", "edit"),
    [
        ("check:finite", value(3, 0, float("nan"))),
        ("check:finite", value(3, 0, "NaN")),
        ("check:seam", value(0, 0, 2.5)),
        ("check:period", field("period_s", 0.05)),
        ("check:layout", field("layout", "another")),
        ("check:profile", field("profile", "another")),
    ],
    ids=["nan", "nan as text", "jump", "period", "layout", "profile"],
)
def test_a_bad_chunk_is_refused_by_name(example: Files, tmp_path: Path, rule: str, edit: Edit) -> None:
    chunk = edited(example["chunk"], tmp_path / "chunk.json", edit)

    done = check({**example, "chunk": chunk}, "--format", "json")
    found = json.loads(done.stdout)

    assert done.returncode == 1, done.stderr
    assert rule in {finding["rule"] for finding in found["findings"] if not finding["ok"]}
    assert found["permitted_rows"] == 0


def test_F38_a_scene_that_nobody_gave_is_a_missing_input(example: Files) -> None:
    done = check({name: example[name] for name in ("state", "chunk")}, "--format", "json")
    found = json.loads(done.stdout)

    assert done.returncode == 1
    assert "CLEAR-OF-OBJECTS" in {finding["rule"] for finding in found["findings"] if not finding["ok"]}


def test_a_layout_and_a_profile_may_be_named(example: Files, tmp_path: Path) -> None:
    names = {"layout": "panda-joint-absolute", "profile": "franka_panda"}
    chunk = edited(example["chunk"], tmp_path / "chunk.json", lambda value: value.update(names))

    assert check({**example, "chunk": chunk}).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"id": 1}',
        '{"id": "a", "id": "b"}',
        "[" * 100_000,
        '{"values": [[1], [1, 2]]}',
        "\x00",
        '"\\ud800"',
    ],
    ids=[
        "empty",
        "cut off",
        "a list",
        "fields missing",
        "a key twice",
        "deep",
        "ragged",
        "zero byte",
        "half a character",
    ],
)
def test_what_is_no_chunk_is_unusable_and_says_why(example: Files, tmp_path: Path, text: str) -> None:
    chunk = tmp_path / "chunk.json"
    chunk.write_text(text, encoding="utf-8")

    done = check({**example, "chunk": chunk})

    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("missing", ["state", "chunk", "scene"])
def test_a_file_that_is_not_there_is_unusable(example: Files, tmp_path: Path, missing: str) -> None:
    done = check({**example, missing: tmp_path / "nowhere.json"})

    assert done.returncode == 2
    assert "nowhere.json" in done.stderr


def test_unknown_rules_are_unusable(example: Files) -> None:
    done = interlock("check", "--rules", "panda-tabletpo", "--state", example["state"], "--chunk", example["chunk"])

    assert done.returncode == 2
    assert "panda-tabletop" in done.stderr


@pytest.mark.parametrize("form", ["chunk", "state", "scene"])
def test_the_examples_fit_the_published_schemas(example: Files, form: str) -> None:
    schema = json.loads(interlock("schema", form).stdout)

    jsonschema.validate(json.loads(example[form].read_text(encoding="utf-8")), schema)
