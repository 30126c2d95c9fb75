"""The forecast's arithmetic, compiled: poses, how far bodies move, and what certainly lies between them.

Plain loops over plain arrays, compiled once and cached on disk; without fast-math, so that a decision replays to the
same bytes. Nothing here raises: shapes are checked by the callers, and NaN is never more than anything.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .compiled import compiled

BALL, BOX, CYLINDER, CAPSULE, PLANES, FLOOR = range(6)  # PLANES: a convex mesh; FLOOR: all below z = 0
PLENTY_M = 0.1  # a pair that keeps so much more than it needs is bounded no better


@compiled
def poses(
    values: FloatArray,
    base: FloatArray,
    parents: IntArray,
    column: IntArray,
    gain: FloatArray,
    offset: FloatArray,
    terms: FloatArray,
) -> FloatArray:
    """Poses (N, L + 1, 4, 4) of L links and of the world, which is the last; `Kinematics` says what the inputs are.

    terms (4, L, 4, 4): fixed, sine, cosine and slide.
    """
    count, links = len(values), len(parents)
    found = np.zeros((count, links + 1, 4, 4))
    local = np.empty((3, 4))
    for n in range(count):
        for link in range(links + 1):
            found[n, link, 3, 3] = 1.0
        for i in range(3):
            found[n, links, i, i] = 1.0
            for j in range(4):
                found[n, 0, i, j] = base[i, j]
        for link in range(1, links):
            angle = values[n, column[link]] * gain[link] + offset[link]
            sine, cosine = math.sin(angle), math.cos(angle)
            for i in range(3):
                for j in range(4):
                    local[i, j] = (
                        terms[0, link, i, j]
                        + sine * terms[1, link, i, j]
                        + cosine * terms[2, link, i, j]
                        + angle * terms[3, link, i, j]
                    )
            up = found[n, parents[link]]
            for i in range(3):
                for j in range(4):
                    moved = up[i, 0] * local[0, j] + up[i, 1] * local[1, j] + up[i, 2] * local[2, j]
                    found[n, link, i, j] = moved + up[i, 3] if j == 3 else moved
    return found


@compiled
def bends(steps: FloatArray, counts: IntArray, columns: IntArray, gains: FloatArray, reaches: FloatArray) -> FloatArray:
    """The two parts (R, 2, N) of the sagitta of each of R routes on each interval: [0] + reach * [1], in metres.

    steps (N, m); counts (R,) says how many of the columns, gains and reaches (R, K) of a route are its own.
    """
    count = len(steps)
    found = np.zeros((len(counts), 2, count))
    sizes = np.empty((steps.shape[1], count))
    for n in range(count):
        for column in range(steps.shape[1]):
            sizes[column, n] = abs(steps[n, column])
    for r in range(len(counts)):
        for j in range(counts[r]):
            column, gain, reach = columns[r, j], abs(gains[r, j]), reaches[r, j]
            for n in range(count):
                turn, turned = sizes[column, n] * gain, found[r, 1, n]
                found[r, 0, n] += turn * reach * (turn + 2.0 * turned)
                found[r, 1, n] = turned + turn
        for n in range(count):
            found[r, 0, n] /= 8.0
            found[r, 1, n] *= found[r, 1, n] / 8.0
    return found


@compiled
def bend(
    step: FloatArray, count: int, columns: IntArray, gains: FloatArray, reaches: FloatArray
) -> tuple[float, float]:
    """The two parts of the sagitta of one route on one interval, with steps (m,) of the joint values."""
    turned, bent = 0.0, 0.0
    for j in range(count):
        turn = abs(step[columns[j]] * gains[j])
        bent += turn * reaches[j] * (turn + 2.0 * turned)
        turned += turn
    return bent / 8.0, turned * turned / 8.0


@compiled
def sagitta(steps: FloatArray, columns: IntArray, gains: FloatArray, reaches: FloatArray, reach: float) -> FloatArray:
    """The sagitta (N,) [m] of one route for a body with that reach [m]."""
    found = np.empty(len(steps))
    for n in range(len(steps)):
        own, more = bend(steps[n], len(columns), columns, gains, reaches)
        found[n] = own + reach * more
    return found


@compiled
def carry(point: FloatArray, pose: FloatArray, found: FloatArray) -> None:
    """A point (3,) of the frame `pose` (4, 4), in the world; into found (3,)."""
    for i in range(3):
        found[i] = pose[i, 0] * point[0] + pose[i, 1] * point[1] + pose[i, 2] * point[2] + pose[i, 3]


@compiled
def placed(values: FloatArray, furthest: float, tolerance: float) -> FloatArray:
    """Poses (N, 4, 4) of places and quaternions x, y, z, w (N, 7), as `Pose.matrix` has them; NaN where `Pose.fault`
    finds one: not finite, further than that [m] along an axis, or a norm that is not 1 within the tolerance.
    """
    found = np.zeros((len(values), 4, 4))
    for n in range(len(values)):
        x, y, z, w = values[n, 3], values[n, 4], values[n, 5], values[n, 6]
        length = math.sqrt(x * x + y * y + z * z + w * w)
        rigid = abs(length - 1.0) <= tolerance
        for i in range(3):
            rigid = rigid and abs(values[n, i]) <= furthest
        if not rigid:
            found[n] = math.nan
            continue
        x, y, z, w = x / length, y / length, z / length, w / length
        turn = found[n]
        turn[0, 0], turn[0, 1], turn[0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)
        turn[1, 0], turn[1, 1], turn[1, 2] = 2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)
        turn[2, 0], turn[2, 1], turn[2, 2] = 2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)
        for i in range(3):
            found[n, i, 3] = values[n, i]
        found[n, 3, 3] = 1.0
    return found


@compiled
def chosen(still: FloatArray, moved: FloatArray, places: IntArray) -> FloatArray:
    """Poses (O, 4, 4): of those that stand still (O, 4, 4) where the place (O,) is 0, of those that move (M, 4, 4)
    that of this place elsewhere.
    """
    found = still.copy()
    for row in range(len(found)):
        if places[row] > 0:
            found[row] = moved[places[row]]
    return found


@compiled
def centres(frames: FloatArray, links: IntArray, places: FloatArray) -> FloatArray:
    """World places (P, N, 3) of points (P, 3) in the frames (N, L, 4, 4) of their links."""
    found = np.empty((len(links), len(frames), 3))
    for p in range(len(links)):
        for n in range(len(frames)):
            carry(places[p], frames[n, links[p]], found[p, n])
    return found


@compiled
def seen_from(
    point: FloatArray, frames: FloatArray, node: int, link: int, offset: FloatArray
) -> tuple[float, float, float]:
    """A world point (3,) in the frame `offset` (4, 4) of a link at frames[node, link] (4, 4)."""
    x, y, z = (
        point[0] - frames[node, link, 0, 3], point[1] - frames[node, link, 1, 3], point[2] - frames[node, link, 2, 3],
    )  # fmt: skip
    a = frames[node, link, 0, 0] * x + frames[node, link, 1, 0] * y + frames[node, link, 2, 0] * z - offset[0, 3]
    b = frames[node, link, 0, 1] * x + frames[node, link, 1, 1] * y + frames[node, link, 2, 1] * z - offset[1, 3]
    c = frames[node, link, 0, 2] * x + frames[node, link, 1, 2] * y + frames[node, link, 2, 2] * z - offset[2, 3]
    return (
        offset[0, 0] * a + offset[1, 0] * b + offset[2, 0] * c,
        offset[0, 1] * a + offset[1, 1] * b + offset[2, 1] * c,
        offset[0, 2] * a + offset[1, 2] * b + offset[2, 2] * c,
    )


@compiled
def between(frames: FloatArray, node: int, first: int, second: int, offset: FloatArray, found: FloatArray) -> None:
    """The pose (3, 4) of a link in the frame `offset` (4, 4) of another, for frames (N, L, 4, 4); into found."""
    for j in range(4):
        x, y, z = frames[node, first, 0, j], frames[node, first, 1, j], frames[node, first, 2, j]
        if j == 3:
            x, y, z = x - frames[node, second, 0, 3], y - frames[node, second, 1, 3], z - frames[node, second, 2, 3]
        a = frames[node, second, 0, 0] * x + frames[node, second, 1, 0] * y + frames[node, second, 2, 0] * z
        b = frames[node, second, 0, 1] * x + frames[node, second, 1, 1] * y + frames[node, second, 2, 1] * z
        c = frames[node, second, 0, 2] * x + frames[node, second, 1, 2] * y + frames[node, second, 2, 2] * z
        if j == 3:
            a, b, c = a - offset[0, 3], b - offset[1, 3], c - offset[2, 3]
        for i in range(3):
            found[i, j] = offset[0, i] * a + offset[1, i] * b + offset[2, i] * c


@compiled
def apart(one: FloatArray, other: FloatArray) -> float:
    """The distance of two points (3,)."""
    return math.sqrt((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2)


@compiled
def from_box(x: float, y: float, z: float, low: FloatArray, high: FloatArray) -> float:
    """How far a point is from a box, -inf in it."""
    a, b, c = max(low[0] - x, x - high[0]), max(low[1] - y, y - high[1]), max(low[2] - z, z - high[2])
    square = 0.0
    if not a <= 0.0:
        square += a * a
    if not b <= 0.0:
        square += b * b
    if not c <= 0.0:
        square += c * c
    return math.sqrt(square) if square != 0.0 else -math.inf


@compiled
def from_solid(point: FloatArray, kind: int, size: FloatArray, planes: FloatArray) -> float:
    """No more than the distance of a point (3,) from a shape in its own frame, negative or -inf in it.

    size (3,): half the edges of a box; radius and half the length of a cylinder or a capsule; a radius. planes (K, 4):
    outward unit normals and offsets.
    """
    x, y, z = float(point[0]), float(point[1]), float(point[2])
    if kind == BALL:
        return math.sqrt(x * x + y * y + z * z) - float(size[0])
    if kind == BOX:
        return from_box(x, y, z, -size, size)
    if kind == CYLINDER:
        out, above = math.sqrt(x * x + y * y) - float(size[0]), abs(z) - float(size[1])
        if out <= 0.0 and above <= 0.0:
            return -math.inf
        return math.sqrt(max(out, 0.0) ** 2 + max(above, 0.0) ** 2)
    if kind == CAPSULE:
        above = max(abs(z) - float(size[1]), 0.0)
        return math.sqrt(x * x + y * y + above * above) - float(size[0])
    found = -math.inf
    for k in range(len(planes)):
        found = max(found, planes[k, 0] * x + planes[k, 1] * y + planes[k, 2] * z + planes[k, 3])
    return found


@compiled
def highest(values: FloatArray) -> float:
    """The largest of values (N,), NaN where one of them is; -inf of none."""
    most = -math.inf
    for value in values:
        if value > most or math.isnan(value):
            most = value
        if math.isnan(most):
            return most
    return most


@compiled
def largest(bent: FloatArray) -> FloatArray:
    """The largest (R, 2) of each row of values (R, 2, N), NaN where one of them is."""
    found = np.empty((len(bent), 2))
    for r in range(len(bent)):
        found[r, 0], found[r, 1] = highest(bent[r, 0]), highest(bent[r, 1])
    return found


@compiled
def spread(middle: FloatArray, centre: FloatArray) -> float:
    """The radius of a ball that holds the polyline through points (N, 3), none of them NaN; its centre into centre
    (3,). NaN where one is.
    """
    square = 0.0
    for i in range(3):
        low, high = -highest(-middle[:, i]), highest(middle[:, i])
        centre[i] = (low + high) / 2.0
        square += (high - low) ** 2
    return math.sqrt(square) / 2.0


@compiled
def travelled(middles: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of balls that go from middle to middle (F, N, 3): the chords (F, N), 0 for node 0; and the centres (F, 3) and the
    radii (F,) of balls that hold the middles.
    """
    chords = np.zeros(middles.shape[:2])
    paths, spreads = np.empty((len(middles), 3)), np.empty(len(middles))
    for f in range(len(middles)):
        spreads[f] = spread(middles[f], paths[f])
        for n in range(1, middles.shape[1]):
            chords[f, n] = apart(middles[f, n], middles[f, n - 1])
    return chords, paths, spreads


@compiled
def followed(
    frames: FloatArray,
    middle: FloatArray,
    chord: FloatArray,
    bent: FloatArray,
    second: int,
    offset: FloatArray,
    shape: FloatArray,
    lost: FloatArray,
    times: FloatArray,
    need: float,
    judged: BoolArray,
    remains: FloatArray,
) -> bool:
    """What remains (N,) between one ball and one box, interval by interval; whether that is what is needed wherever it
    is judged (N,).

    middle (N, 3): where the ball is, with its chords (N,); bent (2, N), of its route; the rest as in `coarse`, for one
    pair.
    """
    radius, reach, low, high = shape[0], shape[1], shape[2:5], shape[5:8]
    x, y, z = seen_from(middle[0], frames, 0, second, offset)
    gap = from_box(x, y, z, low, high) - radius  # at the last node that was looked at
    gone, clear = 0.0, True  # how far the ball has gone since
    for n in range(len(remains)):
        sagitta, taken = bent[0, n] + reach * bent[1, n], lost[0] + lost[1] * times[n]
        bound = gap - gone - chord[n] - sagitta
        if n > 0 and second < 0 and bound >= need + taken + PLENTY_M:
            gone += chord[n]
        elif n > 0:
            if gone > 0.0:
                x, y, z = seen_from(middle[n - 1], frames, n - 1, second, offset)
                gap = from_box(x, y, z, low, high) - radius
            a, b, c = seen_from(middle[n], frames, n, second, offset)
            new = from_box(a, b, c, low, high) - radius
            bound = (gap + new - math.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2)) / 2.0 - sagitta
            gap, gone, x, y, z = new, 0.0, a, b, c
        remains[n] = bound - taken if judged[n] else math.inf
        clear = clear and remains[n] >= need
    return clear


@compiled
def coarse(
    frames: FloatArray,
    bent: FloatArray,
    which: IntArray,
    middles: FloatArray,
    shapes: FloatArray,
    offsets: FloatArray,
    lost: FloatArray,
    times: FloatArray,
    needs: FloatArray,
    marked: BoolArray,
    when: BoolArray,
) -> tuple[FloatArray, BoolArray, FloatArray]:
    """A ball around the first of each of P pairs, a box around the second: what certainly remains between them.

    which (P, 7): the link of the second (the world, -1: it never moves), route, two rows of `when`, the pair's row
    of `middles` (F, N, 3), where the balls are, its demand, and its row of `offsets` (O, 4, 4), the frame of the second
    in that of its link. shapes (P, 8): radius and reach of the first; low and high of the box, in the second's frame.
    lost (P, 2): what is lost at the time 0 and each second. The row of `marked` (D, N) of its demand, and the two rows
    of `when` (W, N): where a pair is judged at all; needs (D,): what each demand asks for.

    Returns the least (D, N) of all pairs that keep what they need wherever they are judged; which those are (P,); and
    what remains (P, N), +inf where they are not judged: no better than the need and PLENTY_M where that takes no look,
    and then judged or not.
    """
    pairs, count = len(which), len(frames)
    least = np.full((len(needs), count), math.inf)
    clear = np.empty(pairs, dtype=np.bool_)
    remains = np.empty((pairs, count))
    chords, paths, spreads = travelled(middles)
    most, latest = largest(bent), highest(times)
    floors = np.full(len(needs), math.inf)
    for p in range(pairs):
        second, route, row, offset = which[p, 0], which[p, 1], which[p, 4], offsets[which[p, 6]]
        need, whole = float(needs[which[p, 5]]), math.nan  # what no interval is below, where that is plenty
        if second < 0:
            x, y, z = seen_from(paths[row], frames, 0, second, offset)
            gap = from_box(x, y, z, shapes[p, 2:5], shapes[p, 5:8]) - shapes[p, 0] - spreads[row]
            whole = gap - most[route, 0] - shapes[p, 1] * most[route, 1] - lost[p, 0] - lost[p, 1] * latest
        if whole >= need + PLENTY_M:
            clear[p], remains[p] = True, whole
            floors[which[p, 5]] = min(floors[which[p, 5]], whole)
            continue
        judged = marked[which[p, 5]] & when[which[p, 2]] & when[which[p, 3]]
        clear[p] = followed(
            frames, middles[row], chords[row], bent[route], second, offset, shapes[p], lost[p], times, need, judged,
            remains[p],
        )  # fmt: skip
        if clear[p]:
            least[which[p, 5]] = np.minimum(least[which[p, 5]], remains[p])
    for d in range(len(needs)):
        for n in range(count):
            if marked[d, n]:
                least[d, n] = min(least[d, n], floors[d])
    return least, clear, remains


@compiled
def covered(
    frames: FloatArray,
    links: IntArray,
    balls: FloatArray,
    offset: FloatArray,
    kind: int,
    size: FloatArray,
    planes: FloatArray,
    theirs: FloatArray,
    sagitta: FloatArray,
    wanted: FloatArray,
    low: FloatArray,
) -> None:
    """Raises low (N,) [m], a bound of the distance of a pair on each interval, where it is below wanted (N,), and where
    the two are apart: how deep one is in another is not how deep its balls are.

    links (2,): of the first and the second. balls (S, 4): centres in the frame of the first's link, and radii; they
    contain the first. The second: a shape for `from_solid` in the frame `offset` (4, 4) of its link, and balls
    (T, 4) in that frame that contain it; either may be left out (no planes, no balls).
    """
    mine = len(balls)
    if mine == 0:
        return
    gaps, spots = np.full((2, mine), -math.inf), np.zeros((2, mine, 3))
    pose = np.empty((3, 4))
    at = -1  # the node that row 0 is about
    for n in range(len(frames)):
        if low[n] >= wanted[n]:
            continue
        for step in range(2):
            node = max(n - 1 + step, 0)
            if step == 1 or at != node:
                between(frames, node, links[0], links[1], offset, pose)
                for s in range(mine):
                    for i in range(3):
                        turned = pose[i, 0] * balls[s, 0] + pose[i, 1] * balls[s, 1] + pose[i, 2] * balls[s, 2]
                        spots[step, s, i] = turned + pose[i, 3]
                    gap = max(from_solid(spots[step, s], kind, size, planes), from_balls(spots[step, s], theirs))
                    gaps[step, s] = gap - balls[s, 3]
        bound = math.inf
        for s in range(mine):
            bound = min(bound, (gaps[0, s] + gaps[1, s] - apart(spots[1, s], spots[0, s])) / 2.0)
        if bound - sagitta[n] > 0.0:  # many balls that are all apart; of a depth they say nothing
            low[n] = max(low[n], bound - sagitta[n])
        gaps[0], spots[0] = gaps[1], spots[1]
        at = n


@compiled
def from_balls(point: FloatArray, balls: FloatArray) -> float:
    """How far a point (3,) is from the nearest of balls (T, 4), negative in one; -inf if there are none."""
    nearest = math.inf if len(balls) > 0 else -math.inf
    for t in range(len(balls)):
        nearest = min(nearest, apart(point, balls[t]) - balls[t, 3])
    return nearest


@compiled
def deviation(
    frames: FloatArray,
    first: int,
    centre: FloatArray,
    ball: float,
    reach: float,
    steps: FloatArray,
    errors: FloatArray,
    columns: IntArray,
    gains: FloatArray,
    links: IntArray,
    axes: FloatArray,
    reaches: FloatArray,
) -> FloatArray:
    """How far [m] tracking errors (m,) can bring any point of a body from its commanded place, relative to another, on
    each interval (N,); `reach.py` has the derivation, `Route` the inputs from columns on.
    """
    count, joints = len(frames), len(columns)
    found = np.zeros(count)
    levers = np.zeros((2, joints))
    point = np.empty(3)
    for n in range(count):
        carry(centre, frames[n, first], point)
        for j in range(joints):
            pose = frames[n, links[j]]
            a, b, c = axes[j, 0], axes[j, 1], axes[j, 2]
            u = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2] * c
            v = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2] * c
            w = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2] * c
            x, y, z = point[0] - pose[0, 3], point[1] - pose[1, 3], point[2] - pose[2, 3]
            levers[1, j] = math.sqrt((v * z - w * y) ** 2 + (w * x - u * z) ** 2 + (u * y - v * x) ** 2) + ball
        if n == 0:
            levers[0] = levers[1]
        later, total = 0.0, 0.0
        for j in range(joints - 1, -1, -1):
            turned = abs(errors[columns[j]] * gains[j])
            most = reaches[j] + reach
            lever = max(levers[0, j], levers[1, j])
            total += min(lever + later, most) * turned
            later += (turned + 0.5 * abs(steps[n, columns[j]] * gains[j])) * most
        found[n] = total
        levers[0] = levers[1]
    return found


@compiled
def asked(
    deviation: FloatArray,
    growth: FloatArray,
    times: FloatArray,
    need: float,
    least: FloatArray,
    marked: BoolArray,
    one: BoolArray,
    other: BoolArray,
) -> tuple[FloatArray, bool]:
    """What is asked of the distance of a pair on each interval: found (3, N) [m] is the distance at which it is of no
    interest, -inf where it is not judged; what of that must remain; and what is lost of it.

    deviation (N,) and growth (2,), at the time 0 and each second, are lost; of no interest is what remains above the
    need and above the least (N,) that is known. Whether all of what is lost is finite comes second.
    """
    found, sound = np.empty((3, len(times))), True
    for n in range(len(times)):
        lost = growth[0] + growth[1] * times[n] + deviation[n]
        sound = sound and math.isfinite(lost)
        remaining = min(need, least[n])
        wanted = 0.0 if math.isnan(lost) else remaining + lost
        found[0, n] = wanted if marked[n] and one[n] and other[n] else -math.inf
        found[1, n], found[2, n] = remaining, lost
    return found, sound


@compiled
def closer(
    frames: FloatArray,
    steps: FloatArray,
    bent: FloatArray,
    remains: FloatArray,
    lost: FloatArray,
    growth: FloatArray,
    times: FloatArray,
    need: float,
    least: FloatArray,
    marked: BoolArray,
    one: BoolArray,
    other: BoolArray,
    first: int,
    centre: FloatArray,
    ball: float,
    reach: float,
    balls: FloatArray,
    errors: FloatArray,
    columns: IntArray,
    gains: FloatArray,
    axis_links: IntArray,
    axes: FloatArray,
    reaches: FloatArray,
    second: int,
    offset: FloatArray,
    kind: int,
    size: FloatArray,
    planes: FloatArray,
    theirs: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, bool, bool]:
    """A closer look at one pair, of which `coarse` says what remains (N,) and what it took as lost (2,): by how far
    tracking error really brings it, and by the balls of `covered`.

    The arguments as in `coarse`, `deviation`, `asked` and `covered`; errors of no joint: tracking error is not taken
    off. Returns the bound of the distance (N,); what is asked (3, N); the sagitta (N,); whether all that is lost is
    finite; and whether the bound is below what is asked anywhere.
    """
    count = len(times)
    low, bow = np.empty(count), np.empty(count)
    for n in range(count):
        low[n] = remains[n] + (lost[0] + lost[1] * times[n])
        bow[n] = bent[0, n] + reach * bent[1, n]
    off = np.zeros(count)
    if len(errors) > 0:
        off = deviation(frames, first, centre, ball, reach, steps, errors, columns, gains, axis_links, axes, reaches)
    wanted, sound = asked(off, growth, times, need, least, marked, one, other)
    if not sound:
        return low, wanted, bow, False, True
    links = np.array([first, second])
    covered(frames, links, balls, offset, kind, size, planes, theirs, bow, wanted[0], low)
    below = False
    for n in range(count):
        below = below or not low[n] >= wanted[0, n]
    return low, wanted, bow, True, below


@compiled
def keep_least(
    low: FloatArray,
    asked: FloatArray,
    seen: FloatArray,
    index: int,
    remains: FloatArray,
    which: IntArray,
    points: FloatArray,
) -> None:
    """Lowers what remains (N,) to what remains of a pair that is at least low (N,) apart, where that is less; NaN is
    less than anything. Then which (N,) is its index, and points (N, 2, 3) are those where it was seen, if it was; -1
    and NaN if not.

    asked (3, N): as `asked` finds it. seen (N, 2, 3), NaN where the pair was not looked at; or () if nowhere.
    """
    for n in range(len(low)):
        if asked[0, n] == -math.inf:
            continue
        left = low[n] - asked[2, n]
        if low[n] >= asked[0, n]:
            left = max(left, asked[1, n])
        if not left >= remains[n] and not math.isnan(remains[n]):
            remains[n], which[n] = left, -1
            points[n] = math.nan
            if len(seen) > 0:
                points[n] = seen[n]
            if math.isnan(left) or math.isfinite(points[n, 0, 0]):
                which[n] = index


@compiled
def least_along(poses: FloatArray, corners: FloatArray, directions: FloatArray) -> FloatArray:
    """The smallest component (N, K) along world directions (K, 3) of finite corners (V, 3) in frames with poses
    (N, 4, 4); NaN where a frame is nowhere.
    """
    count = len(directions)
    found = np.full((len(poses), count), math.inf)
    turned = np.empty((count, 3))  # the directions as the frame has them
    for n in range(len(poses)):
        pose, least = poses[n], found[n]
        for k in range(count):
            for j in range(3):
                turned[k, j] = (
                    pose[0, j] * directions[k, 0] + pose[1, j] * directions[k, 1] + pose[2, j] * directions[k, 2]
                )
        for v in range(len(corners)):
            x, y, z = corners[v, 0], corners[v, 1], corners[v, 2]
            for k in range(count):
                least[k] = min(least[k], turned[k, 0] * x + turned[k, 1] * y + turned[k, 2] * z)
        for k in range(count):
            here = pose[0, 3] * directions[k, 0] + pose[1, 3] * directions[k, 1] + pose[2, 3] * directions[k, 2]
            somewhere = math.isfinite(here + turned[k, 0] + turned[k, 1] + turned[k, 2])
            least[k] = least[k] + here if somewhere else math.nan
    return found


@compiled
def in_prism(
    poses: FloatArray,
    corners: FloatArray,
    normals: FloatArray,
    offsets: FloatArray,
    growth: FloatArray,
    least_depth: float,
    inside: bool,  # noqa: FBT001 - a kernel's arguments have no names
    most: int,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """How deep [m] corners (V, 3), in frames with poses (N, 4, 4), are at both ends of each interval inside of a prism,
    less their growth (N,): negative for the furthest across a plane, NaN where that is not finite. Of its floor and
    ceiling alone, growth left out. And where its sides do not say it, because they must be `least_depth` away for that:
    they say it of what is inside of all of them if `inside`, and of what is across at most that many of them.

    normals (K, 3), inward, and offsets (K,): a point p is n . p + c inside of a plane; the last two are the floor and
    the ceiling.
    """
    sides = len(normals) - 2
    least = least_along(poses, corners, normals)
    margin, heights = np.empty(len(poses)), np.full(len(poses), math.inf)
    open_ = np.empty(len(poses), dtype=np.bool_)
    for n in range(len(poses)):
        across, crossed = math.inf, 0
        for k in range(sides + 2):
            depth = min(least[n, k], least[max(n - 1, 0), k]) + offsets[k]
            if k < sides:
                across = min(across, depth)
                crossed += depth < 0.0
            else:
                heights[n] = min(heights[n], depth)
        known = inside and across > least_depth
        known = known or (across < -least_depth and crossed <= most)
        somewhere = math.isfinite(least[n, sides] + least[max(n - 1, 0), sides] + heights[n] + growth[n])
        open_[n] = somewhere and not known
        deep = min(across, heights[n]) - growth[n]
        margin[n] = deep if somewhere and math.isfinite(deep) else math.nan
    return margin, heights, open_


@compiled
def middles(poses: FloatArray, corners: FloatArray) -> FloatArray:
    """The mean (N, 3) of corners (V, 3) in frames with poses (N, 4, 4)."""
    mean = np.zeros(3)
    for v in range(len(corners)):
        for i in range(3):
            mean[i] += corners[v, i] / len(corners)
    found = np.empty((len(poses), 3))
    for n in range(len(poses)):
        carry(mean, poses[n], found[n])
    return found


@compiled
def sticking_out(pose: FloatArray, points: FloatArray, other: FloatArray, corners: FloatArray) -> float:
    """How far [m] the furthest of points (P, 3) of a frame `pose` (4, 4) is from the nearest of corners (V, 3) of
    another frame (4, 4); NaN where one of them is.
    """
    most, here, there = 0.0, np.empty(3), np.empty(3)
    for p in range(len(points)):
        carry(points[p], pose, here)
        least = math.inf
        for v in range(len(corners)):
            carry(corners[v], other, there)
            gap = apart(here, there)
            if gap < least or math.isnan(gap):
                least = gap
        if least > most or math.isnan(least):
            most = least
    return most


@compiled
def grown(sagitta: FloatArray, error: FloatArray, radius: float) -> FloatArray:
    """The sum (N,) of sagitta (N,), the larger error (N,) of both ends of each interval, and a radius."""
    found = np.empty(len(error))
    for n in range(len(error)):
        before = error[max(n - 1, 0)]
        most = error[n] if error[n] >= before or math.isnan(error[n]) else before
        found[n] = sagitta[n] + most + radius
    return found


@compiled
def rates(travel: FloatArray, times: FloatArray) -> FloatArray:
    """A travel (N,) over the time (N,) since the node before; 0 where nothing moved, +inf where no time passed, NaN
    where one of them is.
    """
    found = np.empty(len(travel))
    for n in range(len(travel)):
        seconds = times[n] - times[max(n - 1, 0)]
        if math.isnan(travel[n] + seconds):
            found[n] = math.nan
        elif seconds > 0.0:
            found[n] = travel[n] / seconds
        else:
            found[n] = 0.0 if travel[n] == 0.0 else math.inf
    return found


@compiled
def longest_chords(poses: FloatArray, corners: FloatArray) -> FloatArray:
    """How far (N,) the corner that goes furthest goes from node i - 1 to node i, of corners (V, 3) in frames with poses
    (N, 4, 4); 0 for node 0; NaN where one of them is.
    """
    found = np.zeros(len(poses))
    for n in range(len(poses)):
        step = poses[n] - poses[max(n - 1, 0)]
        most = 0.0
        for v in range(len(corners)):
            square = 0.0
            for i in range(3):
                gone = step[i, 3]
                for j in range(3):
                    gone += step[i, j] * corners[v, j]
                square += gone * gone
            if square > most or math.isnan(square):
                most = square
        found[n] = math.sqrt(most)
    return found
