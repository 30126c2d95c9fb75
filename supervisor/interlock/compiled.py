"""Functions compiled by numba, and where what was compiled is kept: beside the code, or in the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function, compiled at its first call; kept on disk, unless there is no folder for it that can be written.

    What is kept is trusted as the code is, beside which it lies. It is made anew when the function's own file changes,
    and no other: so a compiled function calls those of its own file alone.
    """
    try:
        found: Any = njit(cache=True)(function)
    except RuntimeError:  # nowhere to keep it: each process compiles it anew
        found = njit(function)
    return cast(Function, found)


def forget(function: Callable[..., Any]) -> int:
    """Removes what is kept of all compiled functions of this one's folder; how many files that were.

    For a cache that a loss of power left unreadable: numba reads half a file as an error, at the first call.
    """
    stats: Any = getattr(function, "stats", None)
    folder = getattr(stats, "cache_path", None)
    found = [path for kind in ("nbi", "nbc") for path in Path(folder).glob(f"*.{kind}")] if folder else []
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
