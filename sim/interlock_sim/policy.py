"""A policy that answers after a simulated latency, around anything that can say the next rows."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from interlock.arrays import FloatArray
from interlock.chunk import ActionChunk, Malformed, Model, Normalisation, Stamps, all_commanded
from interlock.profile import Profile
from interlock.robots import Asked

LATENCY_S = (0.1, 0.3)
PERIOD_S = 0.02
ROWS = 50
EXECUTED = 25
LIFETIME_NS = 2_000_000_000  # after its first row a chunk is of no use for longer


class RowSource(Protocol):
    """What thinks: says what to do next."""

    def rows(self, asked: Asked) -> FloatArray:
        """Joint positions [rad] and gripper values of the next rows, shape (T, n + g).

        Row k is reached at `asked.first_row_ns + (k + 1) * period`.
        """
        ...


class SimPolicy:
    """Answers with the rows of a source, as a chunk of the profile's first layout, 100 to 300 ms after the question."""

    def __init__(
        self,
        source: RowSource,
        profile: Profile,
        rng: np.random.Generator,
        *,
        session: str = "sim",
        instruction: str = "",
    ) -> None:
        self._source = source
        self._profile = profile.digest
        self._layout = profile.layouts[0].digest
        self._rng = rng
        self._instruction = instruction
        self._session = session
        self._coming: ActionChunk | None = None

    def ask(self, asked: Asked) -> None:
        """Starts to think about an answer."""
        values = self._source.rows(asked)
        received_ns = asked.request_ns + round(self._rng.uniform(*LATENCY_S) * 1e3) * 1_000_000
        self._coming = ActionChunk(
            id=f"{self._session}-{asked.sequence}",
            session=self._session,
            sequence=asked.sequence,
            layout=self._layout,
            profile=self._profile,
            values=values,
            mask=all_commanded(values),
            period_s=PERIOD_S,
            horizon=EXECUTED,
            stamps=Stamps(
                observation_ns=asked.state.seen_ns,
                request_ns=asked.request_ns,
                received_ns=received_ns,
                first_row_ns=asked.first_row_ns,
                expiry_ns=asked.first_row_ns + LIFETIME_NS,
            ),
            anchor=asked.state.positions,
            normalisation=Normalisation("none", "", ""),
            instruction=self._instruction,
            model=Model("scripted-expert"),
        )

    def answer(self, now_ns: int) -> ActionChunk | Malformed | None:
        """The chunk once its latency is over, else None."""
        chunk = self._coming
        if chunk is None or chunk.stamps.received_ns is None or now_ns < chunk.stamps.received_ns:
            return None
        self._coming = None
        return chunk
