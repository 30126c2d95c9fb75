"""An adapter as a policy of the closed loop: asked with what is seen, it thinks in a thread of its own and answers with
a chunk; what it thinks with is the adapter's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from interlock.chunk import ActionChunk, Stamps
from interlock.robots import Asked

from .answer import Contract, Decoded

Observation = TypeVar("Observation")
Observed_contra = TypeVar("Observed_contra", contravariant=True)
LIFETIME_NS = 2_000_000_000


class Adapter(Protocol[Observed_contra]):
    """What samples an answer: `Pi0` and `QwenVla` do."""

    @property
    def contract(self) -> Contract:
        """What its chunks are."""
        ...

    def answer(self, seen: Observed_contra, seed: int) -> Decoded:
        """The rows that follow from an observation and a seed."""
        ...


class InLoop(Generic[Observation]):
    """A `Policy` of `interlock.robots.run`. Question k is asked with the noise of `seed + k`.

    `see` makes the observation: it is called in the loop's own thread, and must be quick. What the adapter raises comes
    out of `answer`, and the loop brakes. `latency_ns`, for simulated time, makes it think at once and answer so much
    later on the clock that `answer` is told.
    """

    def __init__(
        self,
        adapter: Adapter[Observation],
        see: Callable[[Asked], Observation],
        *,
        session: str,
        seed: int,
        lifetime_ns: int = LIFETIME_NS,
        latency_ns: int | None = None,
    ) -> None:
        self._adapter = adapter
        self._see = see
        self._session = session
        self._seed = seed
        self._lifetime_ns = lifetime_ns
        self._latency_ns = latency_ns
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=session) if latency_ns is None else None
        self._coming: tuple[Asked, Future[Decoded]] | None = None
        self.reasons: list[str] = []  # why decodes failed, the last ones last

    def ask(self, asked: Asked) -> None:
        """Looks, and starts to think."""
        seen, seed = self._see(asked), self._seed + asked.sequence
        if self._thread is not None:
            self._coming = asked, self._thread.submit(self._adapter.answer, seen, seed)
            return
        thought: Future[Decoded] = Future()
        thought.set_result(self._adapter.answer(seen, seed))
        self._coming = asked, thought

    def answer(self, now_ns: int) -> ActionChunk | None:
        """The chunk once it is thought out, else None; raises what the adapter raised."""
        if self._coming is None:
            return None
        asked, thought = self._coming
        if not thought.done() or now_ns < asked.request_ns + (self._latency_ns or 0):
            return None
        self._coming = None
        decoded = thought.result()
        if decoded.reason:
            self.reasons.append(decoded.reason)
        stamps = Stamps(
            observation_ns=asked.state.seen_ns,
            request_ns=asked.request_ns,
            received_ns=now_ns,
            first_row_ns=asked.first_row_ns,
            expiry_ns=asked.first_row_ns + self._lifetime_ns,
        )
        return self._adapter.contract.chunk(
            decoded, session=self._session, sequence=asked.sequence, stamps=stamps, anchor=asked.state.positions
        )

    def close(self) -> None:
        """Waits for no answer any more."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
