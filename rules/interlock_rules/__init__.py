"""Rule sets: what a safety engineer writes, and the kinds of rule that they are made of."""

from .loading import load, load_cell, load_profile, load_report
from .meaning import from_meaning

__all__ = ["from_meaning", "load", "load_cell", "load_profile", "load_report"]
