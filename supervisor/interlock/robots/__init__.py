"""Robots behind one port, and the closed loop between a policy and a robot."""

from .gate import Gate, Sent
from .loop import run
from .port import Asked, Clock, Policy, Robot

__all__ = ["Asked", "Clock", "Gate", "Policy", "Robot", "Sent", "run"]
