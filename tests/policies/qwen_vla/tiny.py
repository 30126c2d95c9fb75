"""A tiny Qwen-VLA for the toy robot: a contract, an adapter, and what it sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from interlock.chunk import Model
from interlock_policies.normalisation import Quantile
from interlock_policies.qwen_vla import QwenVla, QwenVlaModel, Seen, Sizes, tiny_size
from tests.policies.promised import contract
from tests.supervisor.toy import profile

ROWS, CHANNELS, STEPS = 32, 12, 3
SIZES: Final = tiny_size(rows=ROWS, channels=CHANNELS)
ACTIONS: Final = Quantile("toy", (-1.0, -1.0, 0.0), (1.0, 1.0, 0.08), (True,) * 3, 0.0)


class Says:
    """A model that says what it is told to; asked or not is in `asked`."""

    training = False
    sizes: Sizes = SIZES

    def __init__(self, actions: Any = None, mask: Any = None) -> None:
        self.said = actions, mask
        self.asked: list[str] = []

    def described(self, name: str) -> Model:
        return Model(name, "r", "w")

    def actions(self, sentence: str, images: Any, noise: Any, mask: Any, steps: int) -> Any:
        del images, steps
        self.asked.append(sentence)
        actions, counts = self.said
        return (np.where(mask, noise, 0.0) if actions is None else actions), (mask if counts is None else counts)


def adapter(model: QwenVlaModel, **changes: Any) -> QwenVla:
    promised = contract(rows=16, execute=8, statistics=ACTIONS, model=model.described("tiny"))
    return replace(QwenVla(promised, model, profile(), "toy", ("front",), STEPS), **changes)


def seen(image: Any = None, **changes: Any) -> Seen:
    pixels = np.arange(48 * 64 * 3, dtype=np.uint8).reshape(48, 64, 3) if image is None else image
    return replace(Seen("wait", {"front": pixels}), **changes)
