"""The page on speed: docs/speed.md and its pictures, from results.json, growth.json, memory.json, gating.json and
proxying.json alone.

`make bench` writes it after it has measured.
"""

# The keyword arguments of matplotlib have no types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench import gating, growth, memory, proxying, speed
from bench.courses import GAPS, Scenario
from bench.speed import BALLS, DENSE, FORECAST, NAIVE, REVIEW
from bench.waypoints import COAL, MUJOCO

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/speed.md"
PICTURES: Final = ROOT / "docs/pictures"
COLOURS: Final[dict[Scenario, str]] = {"free": "#2a7f9e", "near": "#d08a1d", "hit": "#b0413e"}
BEST_DENSE: Final = 1.0 / 40.0  # of dense sampling, at most
PROXY_MS: Final = 2.0  # of the proxy's own, at the 99th percentile, at most

HEAD: Final = """# Speed

Written by `make bench` (`.venv/bin/python -m bench.speed_page`); do not edit.

A Panda between a table, walls, ten obstacles and a person, 21 shapes in all; chunks of 50 rows by 7 joints, {chunks} of
each scenario: *free*, 80 mm and more from everything; *near*, 7 to 29 mm at the nearest; *hit*, into something. All
methods take turns on the same chunks in one run on one core. Milliseconds are this machine's; the ratios, to the median
and to the 99th percentile of a naive PyBullet loop in the same scenario, hold on others too.

![Time of each method as a ratio to the naive loop](pictures/speed.png)
"""
TIMES: Final = """
| method | scenario | median [ms] | p99 [ms] | ratio to naive | ratio of p99 |
|---|---|---:|---:|---:|---:|"""
WHAT: Final = """
What each of them answers is not the same:

| method | where it looks | the robot itself | clearance, tracking error, uncertainty | between rows |
|---|---|---|---|---|"""
ABOUT: Final = {
    REVIEW: "checks, all rules, brake, torques and the forecast | yes | yes | certain |",
    FORECAST: "all that the rules demand of the motion and its brake | yes | yes | certain |",
    BALLS: "cell and objects at the rows | no | yes | certain, but it leaves open what is near |",
    NAIVE: "contacts at the rows | no | no | nothing |",
    COAL: "contacts at the rows (Pinocchio's kinematics included) | yes | no | nothing |",
    MUJOCO: "contacts at the rows (its kinematics included) | yes | no | nothing |",
    DENSE: "as the forecast, at samples no more than 1 mm apart | yes | yes | as certain as its step is small |",
}
AFTER: Final = """
Dense sampling asks PyBullet about hulls, by pair, at the distance that the rule demands with tracking error and half a
step more; the tests hold its answer against the forecast's. Both it and the naive loop are Python around queries in
C++; written in C++ they would be faster.
"""
GROWTH: Final = """
## Growth

![Time over rows and over obstacles, with both axes logarithmic](pictures/growth.png)

{chunks} chunks of each size, interleaved. The exponent is the slope of the medians with both axes logarithmic, over all
sizes and between the last two, where what every review costs anyway weighs least; 1 is linear. Asked for are at most 1
for rows and less for far obstacles. Five obstacles are near the arm, all others are far. Of things that were seen,
shapes and pairs are kept from one review to the next, wherever each has moved to.

| study | robot | what | sizes | median [ms] | exponent | at the end |
|---|---|---|---:|---:|---:|---:|"""
MEMORY: Final = """
## Memory

{reviews:,} reviews, each of other chunks and of objects that have moved: {first_mb:.1f} MB after the first tenth,
{last_mb:.1f} MB at the end, {growth_mb:+.1f} MB (`make memory`). At each tenth: {seen} MB.
"""


GATE: Final = """
## The gate

One step of `interlock.robots.Gate`, over {steps:,} steps of permitted plans: {median:.0%} of a controller's period of
1 ms at the median, {slow:.0%} at the 99th percentile.
"""
PROXY: Final = """
## The proxy

What `interlock proxy openpi` adds to a request with two images of 224 x 224, over {requests:,} requests on loopback:
the time through the proxy, less that of the same request to the server itself (median {direct_median_ms:.1f} ms), less
the review (median {review_median_ms:.1f} ms). It is {median_ms:.1f} ms at the median and {p99_ms:.1f} ms at the 99th
percentile. Asked for there are at most {limit:g} ms: {met}. Where the median goes; what the proxy's own process said of
its steps, and the last what is left:

| step of a request | median [ms] |
|---|---:|
"""
PROXY_END: Final = """
Images are digested while the server thinks, and add nothing where it thinks for longer than that takes; this one does
not think. In the last line is what a request of 300 kB takes on its second way, and two changes of thread.
"""


class Target(NamedTuple):
    """What a figure should be at most: its name in the page, the figure, the limit."""

    name: str
    figure: float
    limit: float

    @property
    def met(self) -> bool:
        """NaN is not met."""
        return self.figure <= self.limit


def one(rows: Sequence[speed.Row], method: str, scenario: str) -> speed.Row:
    """The row of a method in a scenario; raises ValueError where there is none."""
    for row in rows:
        if (row["method"], row["scenario"]) == (method, scenario):
            return row
    raise ValueError(f"no row of {method!r} in {scenario!r}; run make bench")


def targets(rows: Sequence[speed.Row]) -> Iterator[Target]:
    """What is asked of the figures."""
    for scenario, limit in (("free", 0.15), ("near", 0.30)):
        yield Target(f"forecast, {scenario}, median", one(rows, FORECAST, scenario)["ratio_to_naive"], limit)
    for scenario in GAPS:
        yield Target(f"review, {scenario}, median", one(rows, REVIEW, scenario)["ratio_to_naive"], 0.45)
    for scenario in GAPS:
        yield Target(f"review, {scenario}, p99 to p99", one(rows, REVIEW, scenario)["p99_ratio_to_naive"], 0.90)
    for scenario in GAPS:
        share = one(rows, FORECAST, scenario)["median_ms"] / one(rows, DENSE, scenario)["median_ms"]
        yield Target(f"forecast, {scenario}, median to that of dense sampling", share, BEST_DENSE)


def page(
    rows: Sequence[speed.Row],
    grown: growth.Growth,
    remembered: memory.Memory,
    stepped: gating.Gating,
    proxied: proxying.Proxying,
) -> str:
    """The whole page."""
    chunks = min(row["chunks"] for row in rows)
    seen = ", ".join(f"{value:.1f}" for value in remembered["seen_mb"])
    parts = [
        HEAD.format(chunks=chunks),
        "| asked | at most | measured | |\n|---|---:|---:|---|",
        *(f"| {aim.name} | {aim.limit:.3g} | {aim.figure:.2g} | {_word(aim.met)} |" for aim in targets(rows)),
        TIMES,
        *_times(rows),
        WHAT,
        *(f"| {method} | {ABOUT[method]}" for method in methods(rows)),
        AFTER,
        GROWTH.format(chunks=grown["chunks"]).strip("\n"),
        *_exponents(grown),
        MEMORY.format(
            reviews=remembered["reviews"],
            first_mb=remembered["first_mb"],
            last_mb=remembered["last_mb"],
            growth_mb=remembered["growth_mb"],
            seen=seen,
        ).rstrip(),
        GATE.format(steps=stepped["steps"], median=stepped["median_share"], slow=stepped["p99_share"]).rstrip(),
        PROXY.format(**proxied, limit=PROXY_MS, met=_word(proxied["p99_ms"] <= PROXY_MS)).rstrip(),
        *(f"| {name} | {spent:.2f} |" for name, spent in proxied["parts_median_ms"].items()),
        PROXY_END.rstrip(),
    ]
    return "\n".join(parts) + "\n"


def _word(met: bool) -> str:  # noqa: FBT001 - what the call is about
    return "met" if met else "**not met**"


def methods(rows: Sequence[speed.Row]) -> tuple[str, ...]:
    """The methods that were measured, in the order in which they are explained."""
    found = {row["method"] for row in rows}
    return tuple(method for method in ABOUT if method in found)


def _times(rows: Sequence[speed.Row]) -> Iterator[str]:
    for method in methods(rows):
        for scenario in GAPS:
            row = one(rows, method, scenario)
            yield (
                f"| {method} | {scenario} | {row['median_ms']:.2f} | {row['p99_ms']:.2f} "
                f"| {row['ratio_to_naive']:.2f} | {row['p99_ratio_to_naive']:.2f} |"
            )


def _exponents(grown: growth.Growth) -> Iterator[str]:
    for line in grown["exponents"]:
        some = _sizes(grown, (line["study"], line["robot"], line["what"]))
        low, high = some[0], some[-1]
        yield (
            f"| {line['study']} | {line['robot']} | {line['what']} | {low['size']} to {high['size']} "
            f"| {low['median_ms']:.2f} to {high['median_ms']:.2f} | {line['whole']:.2f} | {line['end']:.2f} |"
        )


def _sizes(grown: growth.Growth, curve: tuple[str, str, str]) -> list[growth.Row]:
    """The rows of a study, a robot, and what was timed, by size."""
    return [row for row in grown["rows"] if (row["study"], row["robot"], row["what"]) == curve]


def draw_speed(rows: Sequence[speed.Row], path: Path) -> None:
    """A PNG of each method's median as a ratio to the naive loop's, a line from there to its p99, and the targets."""
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    axes = figure.subplots()
    names = methods(rows)
    for offset, (scenario, colour) in zip((-0.22, 0.0, 0.22), COLOURS.items(), strict=True):
        naive = one(rows, NAIVE, scenario)["median_ms"]
        for place, method in enumerate(names):
            row = one(rows, method, scenario)
            ends = [row["median_ms"] / naive, row["p99_ms"] / naive]
            axes.plot(ends, [place + offset] * 2, color=colour, linewidth=1.2)
            axes.plot(ends[:1], [place + offset], "o", color=colour, markersize=6, label="" if place else scenario)
            axes.annotate(
                f"{ends[0]:.2g}", (ends[0], place + offset), (-6, 0), textcoords="offset points",
                ha="right", va="center", fontsize=7, color=colour,
            )  # fmt: skip
    asked = ((FORECAST, -0.22, 0.15), (FORECAST, 0.0, 0.30), *((REVIEW, offset, 0.45) for offset in (-0.22, 0.0, 0.22)))
    for index, (method, offset, limit) in enumerate(asked):
        low, high = (names.index(method) + offset + half for half in (-0.1, 0.1))
        label = "" if index else "median asked for, at most"
        axes.plot([limit] * 2, [low, high], color="black", linewidth=2.2, label=label)
    axes.axvline(1.0, color="lightgrey", linewidth=1.0, zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(left=0.02)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("time of a chunk, naive loop's median = 1; a line ends at the 99th percentile", fontsize=8)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    _save(figure, [axes], path)


def draw_growth(grown: growth.Growth, path: Path) -> None:
    """A PNG of the medians over the sizes, a row for each robot: rows, things that stand still, things that move."""
    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    columns = ("rows", "obstacles that stand still", "obstacles that move")
    robots = tuple(growth.ROBOTS)
    grid: list[list[Axes]] = figure.subplots(len(robots), len(columns), sharey=True).tolist()
    for robot, line in zip(robots, grid, strict=True):
        for axes, title, end in zip(line, columns, ("rows", "still", "moving"), strict=True):
            studies = [study for study in dict.fromkeys(row["study"] for row in grown["rows"]) if study.endswith(end)]
            for study, colour in zip(studies, ("#2a7f9e", "#b0413e"), strict=False):
                for what, style in ((FORECAST, "o-"), (REVIEW, "s--")):
                    mine = [
                        row
                        for row in grown["rows"]
                        if (row["study"], row["robot"], row["what"]) == (study, robot, what)
                    ]
                    sizes, medians = [row["size"] for row in mine], [row["median_ms"] for row in mine]
                    label = what if study == "rows" else f"{what}, {study.partition(',')[0]}"
                    axes.plot(sizes, medians, style, color=colour, markersize=4, linewidth=1.2, label=label)
                    if (study, what) == (studies[0], FORECAST):
                        linear = [medians[-1] * size / sizes[-1] for size in sizes]
                        axes.plot(sizes, linear, ":", color="grey", linewidth=1.0, label="linear")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(f"{robot}: {title}", fontsize=9)
            axes.legend(frameon=False, fontsize=7)
        line[0].set_ylabel("median [ms]", fontsize=8)
    _save(figure, [axes for line in grid for axes in line], path)


def _save(figure: Figure, every: Sequence[Axes], path: Path) -> None:
    for axes in every:
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    FigureCanvasAgg(figure)  # a canvas that needs no screen; the figure knows it from now on
    figure.savefig(path, format="png", dpi=110)


def main(text: Path = PAGE, pictures: Path = PICTURES) -> int:
    """The command; its exit code. What is asked and not met is printed."""
    rows: list[speed.Row] = json.loads(speed.RESULTS.read_text(encoding="utf-8"))
    grown: growth.Growth = json.loads(growth.RESULTS.read_text(encoding="utf-8"))
    remembered: memory.Memory = json.loads(memory.RESULTS.read_text(encoding="utf-8"))
    stepped: gating.Gating = json.loads(gating.RESULTS.read_text(encoding="utf-8"))
    proxied: proxying.Proxying = json.loads(proxying.RESULTS.read_text(encoding="utf-8"))
    text.write_text(page(rows, grown, remembered, stepped, proxied), encoding="utf-8")
    draw_speed(rows, pictures / "speed.png")
    draw_growth(grown, pictures / "growth.png")
    for aim in targets(rows):
        if not aim.met:
            print(f"not met: {aim.name}: {aim.figure:.3g}, asked for at most {aim.limit:.3g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
