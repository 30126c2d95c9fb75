"""The dialects whose protocol has no connections, before the toy robot: a shell, an upstream, and a real log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from interlock.scene import Scene
from interlock.supervisor import Supervisor
from interlock_audit_logs import open_log, verify
from interlock_policies.proxy.answering import Shell
from interlock_policies.proxy.frame import Rows, Session, Timing
from interlock_policies.proxy.observing import HandAt, JointsAt, Observing
from tests.policies.proxy.bench_of_toys import ROWS, Desk, smooth
from tests.policies.proxy.wired import Loop
from tests.supervisor.toy import ABSOLUTE, OPEN, profile

Place = tuple[str, ...]
MakeShell = Callable[[Supervisor, Session], Shell]


class Standing:
    """A toy's desk behind a shell; the names are those of its observation."""

    def __init__(self, folder: Path, joints: Place, speeds: Place, hand: Place, prompt: Place) -> None:
        self._stack, self._folder = ExitStack(), folder
        self.observing = Observing(
            profile(), JointsAt(joints, ("a", "b"), "rad"), (HandAt(hand, "hand", 0.0, OPEN),),
            JointsAt(speeds, ("a", "b"), "rad/s"), prompt,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.loop = self._stack.enter_context(Loop())
        self.desk = Desk(log=self._stack.enter_context(open_log(self._folder)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        assert verify(self._folder).ok

    def listen(self, make: MakeShell) -> str:
        """The address of the shell that is made."""
        desk = self.desk
        desk.session = Session(
            "s", desk.supervisor, desk.physics, desk.playing, self.observing, lambda _: Scene("automatic", ()),
            desk.time, Timing(desk.lead_ns, ROWS),
        )  # fmt: skip
        shell = make(desk.supervisor, desk.session)
        address = self.loop.run(shell.start())
        self._stack.callback(lambda: self.loop.run(shell.stop()))
        return address

    def until_left(self, work: Callable[[], object]) -> None:
        """Does this when the block is left, before the shell is stopped."""
        self._stack.callback(work)

    def holds(self, rows: np.ndarray[Any, Any]) -> bool:
        """Whether these are the usual rows, which all keep the robot where it is."""
        still = np.append(self.desk.joints, self.desk.hand)
        return rows.shape == (ROWS, 3) and bool(np.abs(rows - still).max() < 1e-7)


def smooth_from(joints: np.ndarray[Any, Any], hand: float) -> Rows:
    """Good rows from wherever the robot is."""
    desk = Desk.__new__(Desk)
    desk.layout, desk.joints, desk.hand = ABSOLUTE, joints.astype(np.float64), hand
    return smooth(desk)
