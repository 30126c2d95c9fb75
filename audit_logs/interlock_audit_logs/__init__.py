"""The record: what is written of every decision, and how an outsider checks it."""
