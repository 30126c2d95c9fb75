"""A picture of one refusal: the arm where it would have gone wrong, and how the margin runs out on the way there."""

# The keyword arguments of matplotlib have no types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interlock.arrays import FloatArray, where_least
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.judge import Judgement
from interlock.lower import first_row_left
from interlock.motion import Motion, Phase
from interlock.rules import Trace
from interlock.verdict import Finding

from .photo import Photo, photograph

WIDE: Final = 105  # characters of a line over a plot
PHASES: Final = {Phase.COMMITTED: "committed", Phase.ROW: "rows", Phase.BRAKE: "brake"}
LARGE_RAD: Final = 0.1  # no joint turns so far in a period: a step beyond is what made a bound impossible
SHADES: Final = {Phase.COMMITTED: "#e2e2e2", Phase.ROW: "#cfe4f4", Phase.BRAKE: "#f6e3c8"}


def draw(case: Case, judgement: Judgement, path: Path, title: str, rule: str | None = None) -> Finding:
    """Writes a PNG of what was worst in a case, under a title, and returns the finding that it shows.

    rule: the rule or check to show, where it is not the worst; KeyError where there is no finding of it. Above: the arm
    at the offending instant (or as measured, where a check refused before there was a motion), the links and bodies
    concerned in red, the place ringed. Below: the margin over time, with the limit at zero; for a check, the rows
    themselves. In both the row of the caption is marked, and the first bad one, where they differ.
    """
    finding = _shown(judgement, rule)
    motion = judgement.motion
    trace = _trace(judgement, finding)
    figure = Figure(figsize=(6.4, 7.2), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[2.2, 1.0])
    if motion is None or trace is None:
        photo = photograph(case, case.state.positions, case.state.grippers, case.state.held, finding)
        row = _bad_row(case, finding)
        where = "the chunk as a whole" if row is None else f"row {row}"
        _rows(below, case, numbers(finding, _why_undecided(case, judgement, finding, None)), row)
    else:
        node = where_least(trace.margin)
        photo = photograph(case, motion.positions[node], motion.grippers[node], motion.held, finding)
        where = _place(motion, node)
        _margin(below, motion, trace, node)
        _say(below, numbers(finding, _why_undecided(case, judgement, finding, node)) + _others(judgement, finding))
    figure.suptitle(title, x=0.01, ha="left", fontsize=9, color="dimgrey")
    _show(above, photo, finding, where)
    figure.legend(
        *below.get_legend_handles_labels(),
        loc="outside lower center",
        frameon=False,
        fontsize=8,
        ncols=5,
        borderpad=0.0,
        columnspacing=1.0,
    )
    below.tick_params(labelsize=8)
    below.spines[["top", "right"]].set_visible(False)
    png = BytesIO()
    FigureCanvasAgg(figure)  # a canvas that needs no screen; the figure knows it from now on
    figure.savefig(png, format="png", dpi=110)
    path.write_bytes(png.getvalue())
    return finding


def _shown(judgement: Judgement, rule: str | None) -> Finding:
    """The worst finding, or of the rule that is asked for the worst that has a number, if any has."""
    found = judgement.verdict.findings
    mine = [finding for finding in found if rule in {None, finding.rule}]
    if not mine:
        raise KeyError(f"{rule} was not judged; what was: {', '.join(finding.rule for finding in found)}")
    if rule is None:
        return mine[0]
    return next((finding for finding in mine if np.isfinite(finding.margin)), mine[0])


def numbers(finding: Finding, why: str = "") -> str:
    """What was measured, with value, limit and unit; of a check that is met or not its message alone, which has all
    there is to say; `why` in place of a value that is NaN.
    """
    unit = f" {finding.unit}" if finding.unit else ""
    if np.isnan(finding.margin):
        limit = f" (limit {finding.limit:.4g}{unit})" if unit else ""
        return f"{finding.message}{limit}: {why}" if why else f"{finding.message}{limit}"
    if finding.kind == "check" and finding.margin == -1.0 and finding.limit == 1.0 and not unit:
        return finding.message
    return f"{finding.message}: {finding.value:.4g}{unit}, limit {finding.limit:.4g}{unit}"


def _others(judgement: Judgement, finding: Finding) -> str:
    """How many other rules and checks are violated in the same record."""
    others = {other.rule for other in judgement.verdict.violated} - {finding.rule}
    return f"; {len(others)} more violated" if others else ""


def _why_undecided(case: Case, judgement: Judgement, finding: Finding, node: int | None) -> str:
    """Why a margin is NaN, as far as it can be told; empty where it is a number."""
    motion = judgement.motion
    if not np.isnan(finding.margin):
        return ""
    refused = [other.message for other in judgement.verdict.violated if other.rule == "check:forecast"]
    if refused and (node is None or motion is None):
        return refused[0].removeprefix("undecided: ")
    if motion is None or not node:
        return "an input is missing"
    steps = np.abs(motion.positions[node] - motion.positions[node - 1])
    joint = int(np.argmax(steps))
    if steps[joint] > LARGE_RAD:
        turned = f"{case.rules.profile.joint_names[joint]} turns {steps[joint]:.3g} rad in one step"
        return f"undecided, {turned}: nothing bounds what lies between"
    return "undecided, what lies between two rows could not be bounded closely enough"


def _bad_row(case: Case, finding: Finding) -> int | None:
    """The row that a check or an unmeasured rule is about, or None: that it names, or what its message is about."""
    chunk = case.chunk
    if finding.row >= 0 or not isinstance(chunk, ActionChunk):
        return finding.row if finding.row >= 0 else None
    if finding.rule == "check:seam":
        return first_row_left(chunk, case.now_ns)
    if finding.rule == "check:finite":
        return first_bad(np.where(np.isfinite(chunk.values).all(axis=1), 0.0, np.nan))
    return None


def _trace(judgement: Judgement, finding: Finding) -> Trace | None:
    """The trace that a finding is the worst of."""
    for rule, traces in judgement.traces:
        for trace in traces:
            if rule == finding.rule and trace.quantity == finding.message:
                return trace
    return None


def _show(axes: Axes, photo: Photo, finding: Finding, where: str) -> None:
    axes.imshow(photo.image)
    if photo.point is not None:
        axes.plot(*photo.point, "o", ms=22, mfc="none", mec="tab:red", mew=1.2)
    height, width, _ = photo.image.shape
    axes.set_xlim(-0.5, width - 0.5)  # a ring at the rim must not widen the picture
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_title(
        f"{finding.rule}, {where}: {', '.join(finding.links) or ('nothing near' if finding.ok else 'refused')}",
        loc="left",
        fontsize=11,
    )


def _margin(axes: Axes, motion: Motion, trace: Trace, node: int) -> None:
    times_ms = 1e3 * motion.times_s
    margin = np.where(np.isfinite(trace.margin), trace.margin, np.nan)
    for phase, name in PHASES.items():
        inside = np.flatnonzero(motion.phase == phase)
        if len(inside):
            begin, end = float(times_ms[max(int(inside[0]) - 1, 0)]), float(times_ms[inside[-1]])
            axes.axvspan(begin, end, color=SHADES[phase], label=name, lw=0)
    for there, name, colour in ((np.isposinf, "nothing near", "#8a8a8a"), (np.isnan, "undecided", "tab:red")):
        if there(trace.margin).any():
            across = axes.get_xaxis_transform()
            axes.fill_between(
                times_ms, 0.0, 1.0, where=there(trace.margin), transform=across, step="pre", label=name,
                hatch="///", facecolor="none", edgecolor=colour, lw=0.0,
            )  # fmt: skip
    axes.plot(times_ms, margin, color="black", lw=1.2)
    first = first_bad(trace.margin)
    what = "undecided" if np.isnan(trace.margin[node]) else "closest" if first is None else "worst"
    if first == node:
        _mark(axes, float(times_ms[node]), f"first bad and {what}: {_place(motion, node)}")
    else:
        _mark(axes, float(times_ms[node]), f"{what}: {_place(motion, node)}")
        if first is not None:
            axes.axvline(
                float(times_ms[first]), color="tab:red", lw=0.9, ls=":", label=f"first bad: {_place(motion, first)}"
            )
    axes.plot(times_ms[node], margin[node], "o", color="tab:red", ms=6)
    axes.axhline(0.0, color="tab:red", lw=1.0)
    axes.annotate("limit", (times_ms[0], 0.0), xytext=(2, 2), textcoords="offset points", color="tab:red", fontsize=8)
    axes.set_xlabel("time from the review [ms]", fontsize=8, loc="left")
    axes.set_ylabel(f"margin [{trace.unit}]", fontsize=8)


def first_bad(margin: FloatArray) -> int | None:
    """The first node at which a margin (N,) is below its limit, or NaN; None where there is none."""
    bad = np.flatnonzero(~(margin >= 0.0))
    return int(bad[0]) if len(bad) else None


def _place(motion: Motion, node: int) -> str:
    phase = Phase(motion.phase[node])
    return f"row {motion.row[node]}" if phase is Phase.ROW else PHASES.get(phase, "start")


def _mark(axes: Axes, at: float, what: str) -> None:
    axes.axvline(at, color="tab:red", lw=1.4, label=what)


def _say(axes: Axes, text: str) -> None:
    axes.set_title(textwrap.fill(text, WIDE), loc="left", fontsize=8)


def _rows(axes: Axes, case: Case, text: str, row: int | None) -> None:
    """The joint positions that were proposed, and in grey the widest range that a joint has; the bad row is marked."""
    chunk = case.chunk
    joints = case.rules.profile.joints
    _say(axes, text)
    axes.set_xlabel("row; before the first, the dots: as measured", fontsize=8, loc="left")
    axes.set_ylabel("proposed [rad]", fontsize=8)
    if not isinstance(chunk, ActionChunk) or chunk.values.shape[1] < len(joints):
        return
    rows: FloatArray = chunk.values[:, : len(joints)]
    for number, joint in enumerate(joints):
        (line,) = axes.plot(rows[:, number], lw=1.0, label=joint.name[-6:])
        if number < len(case.state.positions):
            axes.plot(-1.0, case.state.positions[number], "o", ms=3.5, color=line.get_color())
    widest = max(abs(bound) for joint in joints for bound in (joint.lower, joint.upper))
    axes.axhspan(-widest, widest, color="#eeeeee", lw=0, label="widest range")
    if row is not None:
        _mark(axes, row, f"first bad: row {row}")
