"""Decides whether what a policy proposes may move a robot, and keeps the record of every decision."""
