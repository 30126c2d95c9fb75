"""Imports go only where ARCHITECTURE.md draws an arrow; the syntax tree shows also those inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.test_layout import ROOT, packages

# Which of our packages each package may import.
ARROWS = {
    "interlock": (),
    "interlock_policies": ("interlock",),
    "interlock_rules": ("interlock",),
    "interlock_sim": ("interlock",),
    "interlock_audit_logs": ("interlock",),
    "interlock_cli": ("interlock", "interlock_policies", "interlock_rules", "interlock_sim", "interlock_audit_logs"),
}

# What the core does without.
NOT_IN_CORE = ("pint", "pydantic", "structlog", "torch")

# Who imports PyBullet: this file of the core, and one file of this package.
BULLET_FILE, BULLET_PACKAGE = "interlock._bullet", "interlock_sim"

# What opens connections, and the only folder whose files may import it.
NETWORK = (
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "requests", "select", "selectors", "smtplib", "socket",
    "socketserver", "ssl", "urllib", "urllib3", "uvicorn", "websockets", "xmlrpc", "zmq",
)  # fmt: skip
NETWORK_PACKAGE = "interlock_policies.proxy"

# The files and folders of the core, lowest first: each imports only from its own layer and from those before it.
LAYERS = (
    ("errors", "arrays", "fields", "kept", "jsonform", "schema", "quiet", "compiled"),
    ("kernels", "kernels_dynamics", "kernels_motion", "kernels_planes", "kernels_solids"),
    ("geometry", "chunk", "scene", "profile", "log", "rotations"),
    ("motion", "measured"),
    ("rules", "case", "verdict"),
    ("physics",),
    (
        "shapes",
        "covers",
        "mesh_formats",
        "urdf",
        "assembly",
        "kinematics",
        "hulls",
        "reach",
        "pairs",
        "fingers",
        "robot_model",
    ),
    ("_bullet", "torques", "obstacles", "forecast", "question", "bullet_physics"),
    ("cartesian", "inverse"),
    ("lower", "braking", "stopping"),
    ("build",),
    ("checks",),
    ("judge",),
    ("slowing",),
    ("amend",),
    ("decide",),
    ("permit", "record", "self_test", "supervisor"),
    ("robots",),
)
LAYER_OF = {name: number for number, layer in enumerate(LAYERS) for name in layer}


def modules(root: Path) -> dict[str, Path]:
    """The files of all packages below root by the dotted name under which they are imported."""
    found: dict[str, Path] = {}
    for package in packages(root):
        for path in sorted(package.rglob("*.py")):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The dotted names that a file imports, none relative; `from a import b` is `a.b` where that is a module."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=source, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*above, *([source] if source else [])])
                yield from (full if (full := f"{base}.{alias.name}") in known else base for alias in names)
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name
            case _:
                pass


def top(module: str) -> str:
    return module.partition(".")[0]


def between_packages(module: str, target: str) -> str | None:
    """What is wrong with an import from another package, or None."""
    package, other = top(module), top(target)
    if other in ARROWS and other != package and other not in ARROWS[package]:
        return f"{package} may not import {other}"
    if package == "interlock" and other in NOT_IN_CORE:
        return f"the core may not import {other}"
    if other in NETWORK and module != NETWORK_PACKAGE and not module.startswith(f"{NETWORK_PACKAGE}."):
        return f"only files of {NETWORK_PACKAGE} may open connections, with {other}"
    if other == "pybullet" and package != BULLET_PACKAGE and module != BULLET_FILE:
        return f"only {BULLET_FILE} and one file of {BULLET_PACKAGE} may import pybullet"
    return None


def inside_core(module: str, target: str) -> str | None:
    """What is wrong with an import from one file of the core to another, or None."""
    if not module.startswith("interlock.") or top(target) != "interlock":
        return None
    if target == "interlock":
        return "the core may not import its own public face"
    here, there = module.split(".")[1], target.split(".")[1]
    if here in LAYER_OF and there in LAYER_OF and LAYER_OF[here] < LAYER_OF[there]:
        return f"{here} lies below {there}"
    return None


def violations(root: Path) -> list[str]:
    """Every import below root that no arrow allows, and every file of the core that is in no layer."""
    known = modules(root)
    wrong = [
        f"{module}: in no layer"
        for module in known
        if module.startswith("interlock.") and module.split(".")[1] not in LAYER_OF
    ]
    bullets: set[str] = set()
    for module, path in known.items():
        for target in imports(module, path, known):
            fault = between_packages(module, target) or inside_core(module, target)
            wrong += [f"{module}: {fault}"] if fault else []
            bullets |= {module} if top(module) == BULLET_PACKAGE and top(target) == "pybullet" else set()
    return wrong + ([f"pybullet is imported by {', '.join(sorted(bullets))}"] if len(bullets) > 1 else [])


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def tidy(tmp_path: Path) -> Path:
    """A small repository in which every kind of import that is allowed occurs."""
    write(tmp_path, {f"{package.relative_to(tmp_path)}/__init__.py": "" for package in packages(tmp_path)})
    core = "supervisor/interlock"
    write(
        tmp_path,
        {
            f"{core}/__init__.py": "from .judge import judge\n",
            f"{core}/errors.py": "import math\n",
            f"{core}/arrays.py": "import numpy\nfrom . import errors\n",
            f"{core}/_bullet.py": "import pybullet\n",
            f"{core}/judge.py": "from .arrays import floats\nfrom interlock import forecast\n",
            f"{core}/forecast.py": "from ._bullet import distance\n",
            f"{core}/robots/__init__.py": "",
            f"{core}/robots/fake.py": "from ..judge import judge\nfrom . import port\n",
            f"{core}/robots/port.py": "",
            "policies/interlock_policies/proxy/__init__.py": "",
            "policies/interlock_policies/proxy/openpi.py": "import websockets.sync.server\nfrom . import openpi\n",
            "rules/interlock_rules/reader.py": "import pydantic\nfrom interlock import judge\nfrom . import reader\n",
            "sim/interlock_sim/world.py": "import pybullet\nimport pybullet_data\n",
            "supervisor/interlock_cli/main.py": "import interlock_rules\nimport interlock_sim\n",
        },
    )
    return tmp_path


def test_imports_follow_the_arrows() -> None:
    assert violations(ROOT) == []


def test_a_tidy_repository_passes(tidy: Path) -> None:
    assert violations(tidy) == []


CORE = "supervisor/interlock"


@pytest.mark.parametrize(
    ("planted", "text", "complaint"),
    [
        (f"{CORE}/motion.py", "import interlock_rules", "interlock.motion: interlock may not import interlock_rules"),
        (f"{CORE}/motion.py", "def f():\n    import pydantic.v1", "interlock.motion: the core may not import pydantic"),
        (f"{CORE}/motion.py", "from pint import Unit", "interlock.motion: the core may not import pint"),
        (f"{CORE}/__init__.py", "import structlog", "interlock: the core may not import structlog"),
        (f"{CORE}/motion.py", "import_module('torch')", "interlock.motion: the core may not import torch"),
        (
            f"{CORE}/robots/real.py",
            "import importlib\nimportlib.import_module('torch.nn')",
            "interlock.robots.real: the core may not import torch",
        ),
        (f"{CORE}/motion.py", "from .judge import judge", "interlock.motion: motion lies below judge"),
        (f"{CORE}/motion.py", "from . import judge", "interlock.motion: motion lies below judge"),
        (f"{CORE}/motion.py", "import interlock.robots.fake", "interlock.motion: motion lies below robots"),
        (f"{CORE}/motion.py", "from .robots import fake", "interlock.motion: motion lies below robots"),
        (
            f"{CORE}/motion.py",
            "from interlock import x",
            "interlock.motion: the core may not import its own public face",
        ),
        (f"{CORE}/motion.py", "from . import x", "interlock.motion: the core may not import its own public face"),
        (f"{CORE}/odd.py", "", "interlock.odd: in no layer"),
        (
            "rules/interlock_rules/reader.py",
            "from interlock_audit_logs import open_log",
            "interlock_rules.reader: interlock_rules may not import interlock_audit_logs",
        ),
        (
            "policies/interlock_policies/script.py",
            "import interlock_cli.main",
            "interlock_policies.script: interlock_policies may not import interlock_cli",
        ),
        (
            "policies/interlock_policies/wire/openpi.py",
            "import ssl",
            "interlock_policies.wire.openpi: only files of interlock_policies.proxy may open connections, with ssl",
        ),
        (
            "policies/interlock_policies/proxying.py",
            "import zmq",
            "interlock_policies.proxying: only files of interlock_policies.proxy may open connections, with zmq",
        ),
        (
            f"{CORE}/motion.py",
            "from http.server import HTTPServer",
            "interlock.motion: only files of interlock_policies.proxy may open connections, with http",
        ),
        (
            "audit_logs/interlock_audit_logs/replay.py",
            "import pybullet",
            "interlock_audit_logs.replay: only interlock._bullet and one file of interlock_sim may import pybullet",
        ),
        (
            f"{CORE}/hulls.py",
            "from pybullet import VERTEX",
            "interlock.hulls: only interlock._bullet and one file of interlock_sim may import pybullet",
        ),
        (
            "sim/interlock_sim/camera.py",
            "import pybullet as p",
            "pybullet is imported by interlock_sim.camera, interlock_sim.world",
        ),
    ],
)
def test_a_planted_import_is_found(tidy: Path, planted: str, text: str, complaint: str) -> None:
    write(tidy, {planted: text})

    assert violations(tidy) == [complaint]
