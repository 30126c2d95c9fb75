"""Robots behind one port, and the closed loop between a policy and a robot."""

from .loop import run
from .port import Asked, Clock, Policy, Robot

__all__ = ["Asked", "Clock", "Policy", "Robot", "run"]
