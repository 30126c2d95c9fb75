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
from .findings import OUTCOMES
from .plain import plain
from .printing import counted, print_line, print_rows, print_table, table

SHOWN: Final = 10  # of each table: 26 lines in all, with their heads and the bar
DECISIONS: Final = ("episode", "at", "decision", "turns on", "margin")
EPISODES: Final = ("episode", "took", "supervisor", "result", "harm")


class Screen:
    """The last decisions and the last episodes over a progress bar, in a terminal; silent where there is none."""

    def __init__(self, console: Console | None) -> None:
        self._decisions: deque[tuple[Text, ...]] = deque(maxlen=SHOWN)
        self._episodes: deque[tuple[Text, ...]] = deque(maxlen=SHOWN)
        bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*bar, console=console)
        live = console is not None and console.is_terminal
        self._live = Live(self.view(), console=console, refresh_per_second=8) if live else None
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
        margin = f"{seen.margin:+.3g} {seen.unit}"
        cells = (seen.job.name, f"{seen.at_s:.2f} s", seen.reaction, seen.rule, margin)
        self._decisions.append(tuple(Text(plain(cell), OUTCOMES.get(seen.reaction, "")) for cell in cells))
        self._update()

    def took(self, report: Report) -> None:
        """A step of the work is done."""
        if isinstance(report, Finished):
            self._finished(report)
        if self._task is not None:
            self._progress.advance(self._task)

    def _finished(self, finished: Finished) -> None:
        job, outcome = finished.done.job, finished.done.outcome
        harm = [counted(len(outcome.contacts), "contact")] if outcome.contacts else []
        harm += [counted(len(outcome.excesses), "limit") + " exceeded"] if outcome.excesses else []
        latched = outcome.judged is not None and outcome.judged.latched
        result = "done" if outcome.success else "latched stop" if latched else "not done"
        with_one = "with" if job.supervised else "without"
        cells = (job.name, f"{outcome.duration_s:.2f} s", with_one, result, ", ".join(harm) or "none")
        style = "bold magenta" if outcome.harmed else "bold"
        self._episodes.append(tuple(Text(plain(cell), style) for cell in cells))
        self._update()

    def _update(self) -> None:
        if self._live is not None:
            self._live.update(self.view())

    def view(self) -> Group:
        """What is on the screen now."""
        decisions, episodes = table(DECISIONS, DECISIONS[-1:]), table(EPISODES, EPISODES[-1:])
        for shown, rows in ((decisions, self._decisions), (episodes, self._episodes)):
            for cells in rows:
                shown.add_row(*cells)
        return Group(decisions, episodes, self._progress)


def show(figures: Mapping[str, Json]) -> None:
    """The figures of the demo, for people."""
    nominal = cast("Mapping[str, Json]", figures["nominal"])
    print_table(_table(cast("Sequence[Mapping[str, Json]]", figures["faults"])))
    print_line("Contacts, and episodes beyond a limit: without / with the supervisor.")
    print_line(
        f"Without a fault: {nominal['success']} of {nominal['episodes']} tasks done, "
        f"{counted(nominal['vetoes'], 'veto')}, {nominal['amended']} amended, "
        f"{counted(nominal['rechecks'], 'plan')} braked by a recheck, "
        f"{counted(nominal['contacts'], 'contact')}; {nominal['time_ratio']} times as long as alone."
    )
    _show_record(figures)


def _show_record(figures: Mapping[str, Json]) -> None:
    """How long reviews took, the record, and the promises that were not kept."""
    log, reviews = (cast("Mapping[str, Json]", figures[name]) for name in ("log", "review_ms"))
    print_line(f"A review took {reviews['p50']} ms (median), {reviews['p99']} ms (99 of 100).")
    verified = "verified" if log["verified"] else "DOES NOT VERIFY"
    same = "all" if log["replayed_identical"] else "NOT ALL"
    print_line(f"{log['records']} records, {verified}; {same} of {log['decisions']} decisions replay byte by byte.")
    print_line(f"Log {log['path']}, head {log['head']}")
    for text in cast("Sequence[str]", figures["broken"]):
        print_line(f"NOT KEPT: {text}", "bold red")
    print_line(f"{figures['seconds']} s")


def show_policy(figures: Mapping[str, Json]) -> None:
    """The figures of a policy in the expert's place, for people."""
    judged, alone = (cast("Mapping[str, Json]", figures[side]) for side in ("supervised", "unsupervised"))
    by_rule = cast("Mapping[str, int]", judged["by_rule"])
    print_rows(("refused by", "proposals"), [(rule, str(count)) for rule, count in by_rule.items()])
    print_line(
        f"{figures['policy']}, in {counted(judged['episodes'], 'episode')}: "
        f"{counted(figures['proposals'], 'proposal')}, {figures['refused']} refused, {figures['permitted']} permitted, "
        f"{judged['amended']} of them amended; "
        f"{counted(judged['rechecks'], 'plan')} braked by a recheck, {counted(judged['latched'], 'latched stop')}."
    )
    print_line(
        f"{counted(figures['violations'], 'violation')} by the physics' own count, with the supervisor: "
        f"{counted(judged['contacts'], 'contact')}, {counted(judged['limit_violations'], 'episode')} beyond a limit; "
        f"without: {alone['contacts']} and {alone['limit_violations']}, in {counted(alone['episodes'], 'episode')}."
    )
    _show_record(figures)


def show_pictures(figures: Mapping[str, Json]) -> None:
    """Where the pictures are, and why some are not there."""
    for picture in cast("Sequence[str]", figures["pictures"]):
        print_line(f"Picture {picture}")
    for text in cast("Sequence[str]", figures["picture_problems"]):
        print_line(f"NOT DRAWN: {text}", "bold red")


def _table(faults: Sequence[Mapping[str, Json]]) -> Table:
    """One line a fault: harm without and with the supervisor, and what refused it."""
    shown = table(("fault", "hazard", "contacts", "limits", "vetoes", "refused by"), ("refused by",))
    for fault in faults:
        without, judged = (cast("Mapping[str, Json]", fault[side]) for side in ("unsupervised", "supervised"))
        by_rule = cast("Mapping[str, int]", judged["by_rule"])
        harm = [f"{without[name]} / {judged[name]}" for name in ("contacts", "limit_violations")]
        first, others = list(by_rule.items())[:2], list(by_rule.values())[2:]
        why = ", ".join(f"{rule} {count}" for rule, count in [*first, *([("others", sum(others))] if others else [])])
        shown.add_row(
            str(fault["name"]), "yes" if fault["hazardous"] else "no", *harm, str(judged["vetoes"]), plain(why)
        )
    return shown
