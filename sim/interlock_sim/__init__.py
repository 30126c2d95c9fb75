"""Simulated cells and robots, the faults that a policy can have, and the demo's scenes."""
