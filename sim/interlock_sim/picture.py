"""A picture of one refusal: the arm where it would have gone wrong, and how the margin runs out on the way there."""

# The keyword arguments of matplotlib have no types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interlock.arrays import FloatArray
from interlock.case import Case
from interlock.chunk import ActionChunk
from interlock.judge import Judgement
from interlock.motion import Motion, Phase
from interlock.rules import Trace
from interlock.verdict import Finding

from .photo import Pixels, photograph

PHASES: Final = {Phase.COMMITTED: "committed", Phase.ROW: "rows", Phase.BRAKE: "brake"}
SHADES: Final = {Phase.COMMITTED: "#e2e2e2", Phase.ROW: "#cfe4f4", Phase.BRAKE: "#f6e3c8"}


def draw(case: Case, judgement: Judgement, path: Path, title: str) -> Finding:
    """Writes a PNG of what was worst in a refused case, under a title, and returns the finding that it shows.

    Above: the arm at the offending instant (or as measured, where a check refused before there was a motion), the links
    and bodies concerned in red. Below: the margin over time, with the limit at zero; for a check, the rows themselves.
    In both the first bad row is marked, where there is one.
    """
    finding = judgement.verdict.violated[0]
    motion = judgement.motion
    trace = _trace(judgement, finding)
    figure = Figure(figsize=(6.4, 7.2), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=[2.2, 1.0])
    if motion is None or trace is None:
        image = photograph(case, case.state.positions, case.state.grippers, case.state.held, finding)
        _rows(below, case, finding)
    else:
        node = int(np.argmin(np.where(np.isnan(trace.margin), -np.inf, trace.margin)))
        image = photograph(case, motion.positions[node], motion.grippers[node], motion.held, finding)
        _margin(below, motion, trace, node)
    figure.suptitle(title, x=0.01, ha="left", fontsize=9, color="dimgrey")
    _show(above, image, finding)
    below.tick_params(labelsize=8)
    below.spines[["top", "right"]].set_visible(False)
    png = BytesIO()
    FigureCanvasAgg(figure)  # a canvas that needs no screen; the figure knows it from now on
    figure.savefig(png, format="png", dpi=110)
    path.write_bytes(png.getvalue())
    return finding


def _trace(judgement: Judgement, finding: Finding) -> Trace | None:
    """The trace that a finding is the worst of."""
    for rule, traces in judgement.traces:
        for trace in traces:
            if rule == finding.rule and trace.quantity == finding.message:
                return trace
    return None


def _show(axes: Axes, image: Pixels, finding: Finding) -> None:
    where = f"row {finding.row}" if finding.row >= 0 else finding.phase or "the chunk as a whole"
    axes.imshow(image)
    axes.set_axis_off()
    axes.set_title(f"{finding.rule}, {where}: {', '.join(finding.links) or 'refused'}", loc="left", fontsize=11)


def _margin(axes: Axes, motion: Motion, trace: Trace, node: int) -> None:
    times_ms = 1e3 * motion.times_s
    margin = np.where(np.isfinite(trace.margin), trace.margin, np.nan)
    for phase, name in PHASES.items():
        inside = np.flatnonzero(motion.phase == phase)
        if len(inside):
            begin, end = float(times_ms[max(int(inside[0]) - 1, 0)]), float(times_ms[inside[-1]])
            axes.axvspan(begin, end, color=SHADES[phase], label=name, lw=0)
    axes.plot(times_ms, margin, color="black", lw=1.2)
    first = first_bad(trace.margin)
    if first is not None:
        _mark(axes, float(times_ms[first]), _place(motion, first))
    axes.axvline(times_ms[node], color="tab:red", lw=0.8, ls=":")  # alone where the margin is NaN
    axes.plot(times_ms[node], margin[node], "o", color="tab:red", ms=6)
    axes.axhline(0.0, color="tab:red", lw=1.0)
    axes.annotate("limit", (times_ms[0], 0.0), xytext=(2, 2), textcoords="offset points", color="tab:red", fontsize=8)
    axes.set_xlabel("time from the review [ms]", fontsize=8, loc="left")
    axes.set_ylabel(f"margin [{trace.unit}]", fontsize=8)
    value, limit = float(trace.value[node]), float(trace.limit[node])
    axes.set_title(f"{trace.quantity}: {value:.4g} {trace.unit}, limit {limit:.4g}", loc="left", fontsize=8)
    axes.legend(
        loc="upper right",
        bbox_to_anchor=(1.0, -0.13),
        frameon=False,
        fontsize=8,
        ncols=4,
        borderpad=0.0,
        columnspacing=1.0,
    )


def first_bad(margin: FloatArray) -> int | None:
    """The first node at which a margin (N,) is below its limit, or NaN; None where there is none."""
    bad = np.flatnonzero(~(margin >= 0.0))
    return int(bad[0]) if len(bad) else None


def _place(motion: Motion, node: int) -> str:
    phase = Phase(motion.phase[node])
    return f"row {motion.row[node]}" if phase is Phase.ROW else PHASES.get(phase, "start")


def _mark(axes: Axes, at: float, what: str) -> None:
    axes.axvline(at, color="tab:red", lw=1.4, label=f"first bad: {what}")


def _rows(axes: Axes, case: Case, finding: Finding) -> None:
    """The joint positions that were proposed, and in grey the range that the joints have."""
    chunk = case.chunk
    joints = case.rules.profile.joints
    axes.set_title(finding.message, loc="left", fontsize=8)
    axes.set_xlabel("row", fontsize=8)
    axes.set_ylabel("proposed [rad]", fontsize=8)
    if not isinstance(chunk, ActionChunk) or chunk.values.shape[1] < len(joints):
        return
    rows: FloatArray = chunk.values[:, : len(joints)]
    for number, joint in enumerate(joints):
        axes.plot(rows[:, number], lw=1.0, label=joint.name[-6:])
    widest = max(abs(bound) for joint in joints for bound in (joint.lower, joint.upper))
    axes.axhspan(-widest, widest, color="#eeeeee", lw=0)
    first = finding.row if finding.row >= 0 else first_bad(np.where(np.isfinite(rows).all(axis=1), 0.0, np.nan))
    if first is not None:
        _mark(axes, first, f"row {first}")
    axes.legend(loc="best", frameon=False, fontsize=8, ncols=4)
