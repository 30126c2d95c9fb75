"""Decides whether what a policy proposes may move a robot, and keeps the record of every decision."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .bullet_physics import BulletPhysics
    from .chunk import ActionChunk, Channel, Layout, Malformed, Model, Noise, Normalisation, Stamps
    from .errors import InterlockError, UnusableInput
    from .permit import Permit
    from .scene import Held, RobotState, Scene, SceneObject
    from .stopping import Stop
    from .supervisor import Review, Supervisor
    from .verdict import Decision, Finding, Verdict

# Where each public name is. They are fetched when they are asked for: who reads a log need not wait for the physics.
_HOMES: Final = {
    "ActionChunk": "chunk",
    "BulletPhysics": "bullet_physics",
    "Channel": "chunk",
    "Decision": "verdict",
    "Finding": "verdict",
    "Held": "scene",
    "InterlockError": "errors",
    "Layout": "chunk",
    "Malformed": "chunk",
    "Model": "chunk",
    "Noise": "chunk",
    "Normalisation": "chunk",
    "Permit": "permit",
    "Review": "supervisor",
    "RobotState": "scene",
    "Scene": "scene",
    "SceneObject": "scene",
    "Stamps": "chunk",
    "Stop": "stopping",
    "Supervisor": "supervisor",
    "UnusableInput": "errors",
    "Verdict": "verdict",
}

__all__ = [
    "ActionChunk",
    "BulletPhysics",
    "Channel",
    "Decision",
    "Finding",
    "Held",
    "InterlockError",
    "Layout",
    "Malformed",
    "Model",
    "Noise",
    "Normalisation",
    "Permit",
    "Review",
    "RobotState",
    "Scene",
    "SceneObject",
    "Stamps",
    "Stop",
    "Supervisor",
    "UnusableInput",
    "Verdict",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
