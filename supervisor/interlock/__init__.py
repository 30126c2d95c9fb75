"""Decides whether what a policy proposes may move a robot, and keeps the record of every decision."""

from .bullet_physics import BulletPhysics
from .chunk import ActionChunk, Channel, Layout, Malformed, Model, Normalisation, Stamps
from .errors import InterlockError, UnusableInput
from .permit import Permit
from .scene import Held, RobotState, Scene, SceneObject
from .supervisor import Review, Supervisor
from .verdict import Decision, Finding, Verdict

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
    "Normalisation",
    "Permit",
    "Review",
    "RobotState",
    "Scene",
    "SceneObject",
    "Stamps",
    "Supervisor",
    "UnusableInput",
    "Verdict",
]
