"""Qwen-VLA (arXiv 2605.30280): its sentence, its sizes, its decoder, and its adapter. torch is imported when a model is
made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from interlock.errors import UnusableInput

from .adapter import Pixels, QwenVla, QwenVlaModel, Seen
from .prompt import Embodiment, embodiment, prompt
from .sizes import Sizes, full_size, tiny_size

if TYPE_CHECKING:
    from .model import LocalQwenVla

__all__ = [
    "Embodiment", "Pixels", "QwenVla", "QwenVlaModel", "Seen", "Sizes", "embodiment", "from_pretrained", "full_size",
    "prompt", "tiny_size", "untrained",
]  # fmt: skip

MISSING: Final = "Qwen-VLA needs torch and transformers; install them with: pip install 'interlock-vla[policies]'"


def same(name: str) -> str:
    """The name that a file gives a weight."""
    return name


def from_pretrained(folder: str | Path, names: Callable[[str], str | None] = same) -> LocalQwenVla:
    """The model in a local folder: `config.json` (the JSON form of `Sizes`), `tokenizer.json` and *.safetensors.
    Nothing is downloaded, and nothing is unpickled.

    `names` gives the weight that a file's name stands for, None for one that is to be left out; two for one weight are
    refused. Raises UnusableInput for a file that is too large or not there, an unknown key, weights that are missing,
    surplus or of another shape, which it names, and without torch.
    """
    try:
        from .model import load  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise UnusableInput(MISSING) from error
    return load(Path(folder), names)


def untrained(sizes: Sizes, seed: int) -> LocalQwenVla:
    """A model of random weights that knows no words: the same for the same sizes and seed. Raises UnusableInput without
    torch.
    """
    try:
        from .model import letters  # noqa: PLC0415 - of an extra
        from .model import untrained as made  # noqa: PLC0415
    except ImportError as error:
        raise UnusableInput(MISSING) from error
    return made(sizes, letters(), seed)
