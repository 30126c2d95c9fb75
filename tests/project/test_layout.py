"""The folders are as ARCHITECTURE.md says, the tests mirror the sources, and what is tested is what is shipped."""

from __future__ import annotations

import importlib.util
import sysconfig
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Each top-level folder and the packages that it holds.
FOLDERS = {
    "supervisor": ("interlock", "interlock_cli"),
    "policies": ("interlock_policies",),
    "rules": ("interlock_rules",),
    "sim": ("interlock_sim",),
    "audit_logs": ("interlock_audit_logs",),
}

# Tests that mirror no source file: a file, or a folder with all that is in it, and why.
NO_MIRROR = {
    "tests/project": "about the repository as a whole",
    "tests/robots": "about the shipped robots, each as a whole",
    "tests/bench": "about the scripts in bench, which are no package",
    "tests/policies/proxy/test_unmodified_client.py": "about openpi-client as it is published, in its own environment",
    "tests/sim/test_conformance.py": "about the simulated robot and expert, tried by the core's conformance suites",
    "tests/policies/wire/test_size.py": "about the memory that all readers take for the largest messages",
    "tests/rules/test_beside_people.py": "about separation, forecast, slowing and memory together, on a real arm",
    "tests/sim/test_tool_rows.py": "about rules, inverse kinematics, supervisor and simulation together",
}


def packages(root: Path) -> list[Path]:
    return [root / folder / package for folder, names in FOLDERS.items() for package in names]


def misplaced(root: Path) -> list[str]:
    """What is wrong with the folders of packages below root."""
    wrong = [f"{init.relative_to(root)}: a top-level folder is no package" for init in root.glob("*/__init__.py")]
    wrong += [
        f"{init.parent.relative_to(root)}: a package that FOLDERS does not name"
        for init in root.glob("*/*/__init__.py")
        if init.parent not in packages(root)
    ]
    for package in packages(root):
        wrong += [
            f"{package.relative_to(root)}: {name} is missing"
            for name in ("__init__.py", "py.typed")
            if not (package / name).is_file()
        ]
    return wrong


def sources(root: Path) -> set[str]:
    """What a test may mirror: `judge.py` of any package in `supervisor/` is `supervisor/judge`, `_x.py` is `x`."""
    return {
        "/".join((package.parent.name, *path.relative_to(package).parent.parts, path.stem.lstrip("_")))
        for package in packages(root)
        for path in package.rglob("*.py")
    }


def unmatched(root: Path, no_mirror: dict[str, str]) -> list[str]:
    """The tests below root that name no source file, and the exceptions that nothing needs."""
    known = sources(root)
    used: set[str] = set()
    wrong: list[str] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root).as_posix()
        excused = {place for place in no_mirror if name == place or name.startswith(f"{place}/")}
        used |= excused
        mirrored = path.with_name(path.name.removeprefix("test_")).with_suffix("").relative_to(root / "tests")
        if not excused and mirrored.as_posix() not in known:
            wrong.append(f"{name}: mirrors no source file")
    return wrong + [f"{place}: excused, but no test is there" for place in sorted(set(no_mirror) - used)]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.fixture
def tidy(tmp_path: Path) -> Path:
    """A small repository with nothing wrong in it."""
    for package in packages(tmp_path):
        touch(package, "__init__.py", "py.typed")
    touch(tmp_path, "supervisor/interlock/_bullet.py", "supervisor/interlock/robots/fake.py")
    touch(tmp_path, "tests/supervisor/test_bullet.py", "tests/supervisor/robots/test_fake.py")
    return tmp_path


def test_every_package_is_in_its_place_and_typed() -> None:
    assert misplaced(ROOT) == []


def test_every_test_mirrors_a_source_file_or_says_why_not() -> None:
    assert unmatched(ROOT, NO_MIRROR) == []


def test_a_tidy_repository_passes(tidy: Path) -> None:
    assert misplaced(tidy) + unmatched(tidy, {}) == []


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("supervisor/__init__.py", "supervisor/__init__.py: a top-level folder is no package"),
        ("rules/interlock_more/__init__.py", "rules/interlock_more: a package that FOLDERS does not name"),
        ("tests/rules/test_gone.py", "tests/rules/test_gone.py: mirrors no source file"),
        ("tests/supervisor/test_fake.py", "tests/supervisor/test_fake.py: mirrors no source file"),
        ("tests/test_bullet.py", "tests/test_bullet.py: mirrors no source file"),
    ],
)
def test_a_planted_file_is_found(tidy: Path, planted: str, complaint: str) -> None:
    touch(tidy, planted)

    assert misplaced(tidy) + unmatched(tidy, {}) == [complaint]


@pytest.mark.parametrize("missing", ["__init__.py", "py.typed"])
def test_a_missing_file_is_found(tidy: Path, missing: str) -> None:
    (tidy / "sim/interlock_sim" / missing).unlink()

    assert misplaced(tidy) == [f"sim/interlock_sim: {missing} is missing"]


def test_an_excuse_that_nothing_needs_is_found(tidy: Path) -> None:
    assert unmatched(tidy, {"tests/gone": "a reason"}) == ["tests/gone: excused, but no test is there"]


def test_the_wheel_ships_every_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    shipped = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert [ROOT / package for package in shipped] == packages(ROOT)


@pytest.mark.parametrize("package", [package.name for package in packages(ROOT)])
def test_what_is_tested_is_the_installed_wheel(package: str) -> None:
    spec = importlib.util.find_spec(package)

    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(sysconfig.get_path("purelib"))
