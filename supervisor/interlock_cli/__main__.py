"""`python -m interlock_cli` is the command `interlock`."""

from __future__ import annotations

from .main import main

main()
