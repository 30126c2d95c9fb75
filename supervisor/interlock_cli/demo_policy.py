"""The policies that the demo can put in the expert's place: an untrained Qwen-VLA, in front of the cell's camera."""

from __future__ import annotations

import importlib.util
import os
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from interlock.chunk import ActionChunk
from interlock.errors import UnusableInput
from interlock.jsonform import Json
from interlock.robots import Asked, Policy
from interlock.rules import RuleSet
from interlock_policies.answer import Contract
from interlock_policies.in_loop import InLoop
from interlock_policies.normalisation import Statistics, ZScore
from interlock_policies.qwen_vla import MISSING, QwenVla, Seen, tiny_size, untrained
from interlock_rules import from_meaning
from interlock_sim.episode import MakePolicy
from interlock_sim.tasks import CLOSED_M, Task
from interlock_sim.world import World

QWEN_VLA_TINY: Final = "qwen-vla-tiny"
LAYOUT: Final = "delta_from_previous"  # what a model that knows nothing says then counts from where the arm is
WEIGHTS_SEED: Final = 0
CAMERA: Final = "cell"
PIXELS: Final = (64, 48)
STEPS: Final = 4
SPARE_ROWS: Final = 5  # beyond those that are executed
LATENCY_NS: Final = 100_000_000
# Made up: no data is behind a model that was not trained. A row moves every joint on by about 0.1 rad/s, and by what
# the model says: with less nearly everything would be permitted, with more nothing.
MEAN_STEP_RAD, STEP_RAD = 0.002, 0.001
HAND_M: Final = 0.0004


class TinyQwenVla:
    """A Qwen-VLA of random weights for the robot of a rule set; `rules` is that set, changed in one thing: it accepts
    the statistics of this model, and no other values. Raises UnusableInput without torch, and for a rule set that
    accepts no rows that count from one another.
    """

    def __init__(self, rules: RuleSet) -> None:
        require_torch()
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # which kernels it has not is no news here
        import torch  # noqa: PLC0415 - of an extra

        torch.set_num_threads(1)  # the demo's processes share the cores, and sums depend on how they are shared out
        accepts, profile = rules.accepts, rules.profile
        layouts = [item for item in accepts.layouts if any(one.reference == LAYOUT for one in item.channels)]
        if not layouts:
            raise UnusableInput(f"{rules.name} accepts no layout of {LAYOUT}, which {QWEN_VLA_TINY} needs")
        joints = [channel.quantity == "joint_position" for channel in layouts[0].channels]
        statistics = ZScore(
            QWEN_VLA_TINY,
            tuple(MEAN_STEP_RAD if joint else CLOSED_M for joint in joints),
            tuple(STEP_RAD if joint else HAND_M for joint in joints),
        )
        rows = accepts.execute + SPARE_ROWS
        model = untrained(tiny_size(rows=rows + 2, channels=len(joints) + 4), WEIGHTS_SEED)
        self.rules = accepting(rules, statistics)
        contract = Contract(
            layout=layouts[0],
            profile=rules.profile_digest,
            rows=rows,
            execute=accepts.execute,
            period_s=accepts.period_s,
            statistics=statistics,
            model=model.described(QWEN_VLA_TINY),
        )
        self._adapter = QwenVla(contract, model, profile, profile.name, (CAMERA,), STEPS)

    def maker(self, seed: int) -> MakePolicy:
        """What puts the model before the camera of an episode's world; its noise follows from the seed and the task."""

        def make(world: World, task: Task, session: str) -> Policy:
            def see(asked: Asked) -> Seen:
                del asked
                return Seen(task.instruction, {CAMERA: world.photograph(*PIXELS)})

            drawn = zlib.crc32(f"{task.name} {seed}".encode())
            return InLoop(self._adapter, see, session=session, seed=drawn, latency_ns=LATENCY_NS)

        return make


def require_torch() -> None:
    """Raises UnusableInput where torch or transformers is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        raise UnusableInput(MISSING)


def accepting(rules: RuleSet, statistics: Statistics) -> RuleSet:
    """The same rule set under another name, which accepts values that these statistics made physical and no others."""
    meaning = cast("Mapping[str, Json]", rules.meaning)
    accepts = cast("Mapping[str, Json]", meaning["accepts"])
    undone = {"normalisation": statistics.kind, "statistics": statistics.digest}
    changed = from_meaning({**meaning, "name": f"{rules.name} for {statistics.key}", "accepts": {**accepts, **undone}})
    proposals = [cast("ActionChunk", one.case.chunk) for one in rules.provocations]
    undone_too = [replace(chunk, normalisation=changed.accepts.undone) for chunk in proposals]
    provocations = tuple(
        replace(one, case=replace(one.case, rules=changed, chunk=chunk))
        for one, chunk in zip(rules.provocations, undone_too, strict=True)
    )
    return replace(changed, places=rules.places, provocations=provocations)
