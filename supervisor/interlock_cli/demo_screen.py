"""How the demo looks: decisions as they are made, and a table of figures at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self, cast

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from interlock.jsonform import Json

from .demo_pipe import Finished, Report, Seen
from .plain import plain

SHOWN: Final = 14
COLOURS: Final = {"permit": "green", "slow": "yellow", "truncate": "yellow", "veto": "red", "stop": "bold red"}


class Screen:
    """A live table of the last decisions over a progress bar; silent where `console` is None."""

    def __init__(self, console: Console | None) -> None:
        self._last: deque[tuple[Text, ...]] = deque(maxlen=SHOWN)
        bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*bar, console=console)
        self._live = None if console is None else Live(self._view(), console=console, refresh_per_second=8)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, what: str, total: int) -> None:
        """A new stretch of work with so many steps."""
        if self._task is not None:
            self._progress.update(self._task, visible=False)
        self._task = self._progress.add_task(what, total=total)

    def saw(self, seen: Seen) -> None:
        """A decision was made."""
        name = f"{seen.job.fault or seen.job.task}, seed {seen.job.seed}"
        margin = f"{seen.margin:+.3g} {seen.unit}"
        cells = (name, f"{seen.at_s:.2f} s", seen.reaction, seen.rule, margin)
        self._add(*(Text(plain(cell), style=COLOURS.get(seen.reaction, "")) for cell in cells))

    def took(self, report: Report) -> None:
        """A step of the work is done."""
        if isinstance(report, Finished):
            self._finished(report)
        if self._task is not None:
            self._progress.advance(self._task)

    def _finished(self, finished: Finished) -> None:
        job, outcome = finished.done.job, finished.done.outcome
        harm = f"{len(outcome.contacts)} contacts, {len(outcome.excesses)} limits" if outcome.harmed else "no harm"
        latched = outcome.judged is not None and outcome.judged.latched
        result = "done" if outcome.success else "latched stop" if latched else "not done"
        who = "supervised" if job.supervised else "unsupervised"
        cells = (f"{job.fault or job.task}, seed {job.seed}", f"{outcome.duration_s:.2f} s", result, who, harm)
        self._add(*(Text(cell, style="bold magenta" if outcome.harmed else "bold") for cell in cells))

    def _add(self, *cells: Text) -> None:
        self._last.append(cells)
        if self._live is not None:
            self._live.update(self._view())

    def _view(self) -> Group:
        table = Table("episode", "at", "decision", "worst", "margin", expand=True)
        for cells in self._last:
            table.add_row(*cells)
        return Group(table, self._progress)


def show(console: Console, figures: Mapping[str, Json]) -> None:
    """All figures of the demo, for people."""
    nominal, log, reviews = (cast("Mapping[str, Json]", figures[name]) for name in ("nominal", "log", "review_ms"))
    console.print(_table(cast("Sequence[Mapping[str, Json]]", figures["faults"])))
    console.print(
        f"Without a fault: {nominal['success']} of {nominal['episodes']} tasks done, {nominal['vetoes']} vetoes, "
        f"{nominal['amended']} amended, {nominal['contacts']} contacts; {nominal['time_ratio']} times as long as alone."
    )
    console.print(f"A review took {reviews['p50']} ms (median), {reviews['p99']} ms (99 of 100).")
    verified = "verified" if log["verified"] else "DOES NOT VERIFY"
    same = "all" if log["replayed_identical"] else "NOT ALL"
    console.print(f"{log['records']} records, {verified}; {same} of {log['decisions']} decisions replay byte by byte.")
    console.print(f"Log {log['path']}, head {log['head']}", soft_wrap=True)
    for picture in cast("Sequence[str]", figures["pictures"]):
        console.print(f"Picture {picture}", soft_wrap=True)
    for text in cast("Sequence[str]", figures["broken"]):
        console.print(f"NOT KEPT: {text}", style="bold red")
    console.print(f"{figures['seconds']} s")


def _table(faults: Sequence[Mapping[str, Json]]) -> Table:
    """One line a fault: harm without and with the supervisor, and what refused it."""
    table = Table("fault", "hazard", *("contacts", "limits") * 2, "vetoes", "refused by", padding=(0, 0, 0, 1))
    for fault in faults:
        without, judged = (cast("Mapping[str, Json]", fault[side]) for side in ("unsupervised", "supervised"))
        by_rule = cast("Mapping[str, int]", judged["by_rule"])
        harm = [str(side[name]) for side in (without, judged) for name in ("contacts", "limit_violations")]
        why = ", ".join(f"{rule} {count}" for rule, count in list(by_rule.items())[:2])
        table.add_row(str(fault["name"]), "yes" if fault["hazardous"] else "no", *harm, str(judged["vetoes"]), why)
    table.caption = "Contacts, and episodes beyond a limit: first without the supervisor, then with it."
    return table
