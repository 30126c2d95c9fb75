"""The arithmetic of separating planes, compiled: where two convex shapes are nearest, and what the plane between them
there says of all other moments.

As in `kernels.py`: plain loops, nothing raises, and NaN is never more than anything. Any unit normal gives a sound
bound; so what is found here may be wrong, and costs no more than a bound that could be better.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import BoolArray, FloatArray
from .compiled import compiled

BALL, BOX, CYLINDER, CAPSULE, PLANES, FLOOR = range(6)  # as in `kernels.py`, of which nothing compiled is used here
ROUNDS = 40  # of the search for the nearest points; curved shapes take the most
EXACT_M = 1e-7  # what the nearest points may be further apart than the plane between them says
NEXT_TO_NOTHING = 1e-20  # the square of a length [m^2] that has no direction


@compiled
def carry(point: FloatArray, pose: FloatArray, found: FloatArray) -> None:
    """A point (3,) of the frame `pose` (4, 4), in the world; into found (3,)."""
    for i in range(3):
        found[i] = pose[i, 0] * point[0] + pose[i, 1] * point[1] + pose[i, 2] * point[2] + pose[i, 3]


@compiled
def furthest(
    kind: int, size: FloatArray, corners: FloatArray, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """The point of a shape, in its frame, that is furthest along (x, y, z): of a ball its centre, of a capsule the end
    of its axis. The shape as in `support`, and bounded.
    """
    if kind == BOX:
        return math.copysign(size[0], x), math.copysign(size[1], y), math.copysign(size[2], z)
    if kind == PLANES:
        most, best = -math.inf, 0
        for v in range(len(corners)):
            along = x * corners[v, 0] + y * corners[v, 1] + z * corners[v, 2]
            if along > most:
                most, best = along, v
        return corners[best, 0], corners[best, 1], corners[best, 2]
    if kind == CYLINDER:
        across = math.sqrt(x * x + y * y)
        share = size[0] / across if across > 0.0 else 0.0
        return share * x, share * y, math.copysign(size[1], z)
    return 0.0, 0.0, math.copysign(size[1], z) if kind == CAPSULE else 0.0


@compiled
def lengths(one: FloatArray, other: FloatArray) -> float:
    """The scalar product of two vectors (3,)."""
    return float(one[0] * other[0] + one[1] * other[1] + one[2] * other[2])


@compiled
def reduced(simplex: FloatArray, count: int, shares: FloatArray, point: FloatArray) -> int:
    """The corners of a simplex (4, 3) between which it is nearest to the origin, the last of `count` among them.

    Returns which, a bit for each: 0 where the origin is inside. Their shares into shares (4,), which make the nearest
    point (3,), into point.
    """
    last = count - 1
    origin, sides = -simplex[last], np.empty((3, 3))
    for i in range(last):
        sides[i] = simplex[i] - simplex[last]
    if count == 4 and holds(sides, origin):
        return 0
    least, found = lengths(origin, origin), 1 << last
    shares[:] = 0.0
    shares[last] = 1.0
    for i in range(last):
        for k in range(i, last):
            one, two = on_edge(sides[i], origin) if k == i else on_face(sides[i], sides[k], origin)
            rest = 0.0
            for j in range(3):
                rest += (origin[j] - one * sides[i, j] - two * sides[k, j]) ** 2
            if rest < least:  # never for NaN
                least, found = rest, (1 << last) | (1 << i) | (1 << k)
                shares[:] = 0.0
                shares[k], shares[last] = two, 1.0 - one - two
                shares[i] += one
    for j in range(3):
        point[j] = 0.0
        for i in range(count):
            point[j] += shares[i] * simplex[i, j]
    return found


@compiled
def on_edge(side: FloatArray, point: FloatArray) -> tuple[float, float]:
    """The share of a side (3,) that is nearest to a point (3,), and 0; NaN where that is an end, or no side."""
    along, square = lengths(side, point), lengths(side, side)
    return (along / square, 0.0) if 0.0 < along < square else (math.nan, 0.0)


@compiled
def on_face(side: FloatArray, other: FloatArray, point: FloatArray) -> tuple[float, float]:
    """The shares of two sides (3,) of a triangle that make its nearest point to a point (3,); NaN where that is on an
    edge, or the triangle is flat.
    """
    aa, bb, ab = lengths(side, side), lengths(other, other), lengths(side, other)
    ao, bo = lengths(side, point), lengths(other, point)
    square, one, two = aa * bb - ab * ab, ao * bb - bo * ab, bo * aa - ao * ab
    inside = one > 0.0 and two > 0.0 and one + two < square
    return (one / square, two / square) if inside else (math.nan, math.nan)


@compiled
def holds(sides: FloatArray, origin: FloatArray) -> bool:
    """Whether a point (3,) is in the tetrahedron that three sides (3, 3) span; a flat one holds nothing."""
    volume = triple(sides[0], sides[1], sides[2])
    one = triple(origin, sides[1], sides[2])
    two = triple(sides[0], origin, sides[2])
    three = triple(sides[0], sides[1], origin)
    if volume < 0.0:
        volume, one, two, three = -volume, -one, -two, -three
    return volume > 0.0 and one >= 0.0 and two >= 0.0 and three >= 0.0 and one + two + three <= volume


@compiled
def triple(one: FloatArray, two: FloatArray, three: FloatArray) -> float:
    """The scalar triple product of three vectors (3,)."""
    return float(
        one[0] * (two[1] * three[2] - two[2] * three[1])
        + one[1] * (two[2] * three[0] - two[0] * three[2])
        + one[2] * (two[0] * three[1] - two[1] * three[0])
    )


@compiled
def nearest(
    pose: FloatArray,
    kind: int,
    size: FloatArray,
    corners: FloatArray,
    their_kind: int,
    their_size: FloatArray,
    their_corners: FloatArray,
    answer: FloatArray,
) -> bool:
    """Where a shape at a pose (4, 4) in the frame of another is nearest to it, by the method of Gilbert, Johnson and
    Keerthi (IEEE J. Robotics and Automation 4, 1988).

    Into answer (3, 3): the unit normal towards the first, and the nearest points of both. False where the two overlap
    (of balls their centres, of capsules their axes), or their distance is not known to EXACT_M: then there is no
    answer here. The shapes as in `gaps`, bounded.
    """
    simplex, mine, theirs = np.empty((4, 3)), np.empty((4, 3)), np.empty((4, 3))
    shares, along, at, place = np.zeros(4), np.empty(3), np.empty(3), np.empty(3)
    for i in range(3):
        along[i] = pose[i, 3]
    if lengths(along, along) <= NEXT_TO_NOTHING:
        along[2] = 1.0
    count, square = 0, math.inf
    for _ in range(ROUNDS):
        x, y, z = along[0], along[1], along[2]
        at[0], at[1], at[2] = furthest(
            kind, size, corners,
            -(pose[0, 0] * x + pose[1, 0] * y + pose[2, 0] * z),
            -(pose[0, 1] * x + pose[1, 1] * y + pose[2, 1] * z),
            -(pose[0, 2] * x + pose[1, 2] * y + pose[2, 2] * z),
        )  # fmt: skip
        carry(at, pose, place)
        at[0], at[1], at[2] = furthest(their_kind, their_size, their_corners, x, y, z)
        gap = 0.0
        for i in range(3):
            gap += along[i] * (place[i] - at[i])
        length = math.sqrt(square)
        if count > 0 and length - gap / length <= EXACT_M:
            finish(along, length, mine, theirs, shares, count, kind, size, their_kind, their_size, answer)
            return True
        for i in range(3):
            mine[count, i], theirs[count, i], simplex[count, i] = place[i], at[i], place[i] - at[i]
        count += 1
        used = reduced(simplex, count, shares, along)
        new = lengths(along, along)
        if used == 0 or not new > NEXT_TO_NOTHING or not new < square:
            return False
        square, kept = new, 0
        for i in range(count):
            if used & (1 << i):
                shares[kept] = shares[i]
                simplex[kept], mine[kept], theirs[kept] = simplex[i], mine[i], theirs[i]
                kept += 1
        count = kept
    return False


@compiled
def finish(
    along: FloatArray,
    length: float,
    mine: FloatArray,
    theirs: FloatArray,
    shares: FloatArray,
    count: int,
    kind: int,
    size: FloatArray,
    their_kind: int,
    their_size: FloatArray,
    answer: FloatArray,
) -> None:
    """The answer of `nearest`, from what it knows at the end: with the radius of balls and capsules."""
    ours = size[0] if kind in (BALL, CAPSULE) else 0.0
    other = their_size[0] if their_kind in (BALL, CAPSULE) else 0.0
    for i in range(3):
        normal = along[i] / length
        answer[0, i], answer[1, i], answer[2, i] = normal, -ours * normal, other * normal
        for k in range(count):
            answer[1, i] += shares[k] * mine[k, i]
            answer[2, i] += shares[k] * theirs[k, i]


@compiled
def support(kind: int, size: FloatArray, corners: FloatArray, x: float, y: float, z: float) -> float:
    """Largest p . d over the points p of a shape, in its frame, for a direction d = (x, y, z); inf if unbounded.

    kind, size (3,): as in `from_solid`; corners (V, 3) of a convex mesh.
    """
    if kind == BOX:
        return abs(x) * float(size[0]) + abs(y) * float(size[1]) + abs(z) * float(size[2])
    if kind == FLOOR:
        return 0.0 if z > 0.0 and math.sqrt(x * x + y * y) <= 1e-12 else math.inf
    if kind == PLANES:
        most = -math.inf
        for v in range(len(corners)):
            most = max(most, x * corners[v, 0] + y * corners[v, 1] + z * corners[v, 2])
        return most
    if kind == CYLINDER:
        return float(size[0]) * math.sqrt(x * x + y * y) + float(size[1]) * abs(z)
    ball = float(size[0]) * math.sqrt(x * x + y * y + z * z)
    return ball + float(size[1]) * abs(z) if kind == CAPSULE else ball


@compiled
def gaps(
    poses: FloatArray,
    normal: FloatArray,
    kind: int,
    size: FloatArray,
    corners: FloatArray,
    their_kind: int,
    their_size: FloatArray,
    their_corners: FloatArray,
) -> FloatArray:
    """Least of n . p over a shape minus largest over another (N,) [m], for poses (N, 4, 4) of the first in the frame of
    the second and a unit normal n (3,) there; the shapes as `support` takes them.
    """
    a, b, c = normal[0], normal[1], normal[2]
    theirs = support(their_kind, their_size, their_corners, a, b, c)
    found = np.empty(len(poses))
    for n in range(len(poses)):
        pose = poses[n]
        x = -(a * pose[0, 0] + b * pose[1, 0] + c * pose[2, 0])
        y = -(a * pose[0, 1] + b * pose[1, 1] + c * pose[2, 1])
        z = -(a * pose[0, 2] + b * pose[1, 2] + c * pose[2, 2])
        here = a * pose[0, 3] + b * pose[1, 3] + c * pose[2, 3]
        found[n] = here - support(kind, size, corners, x, y, z) - theirs
    return found


@compiled
def relative(frames: FloatArray, first: int, offset: FloatArray, second: int, their_offset: FloatArray) -> FloatArray:
    """Poses (N, 4, 4) of a shape at an offset (4, 4) in the frame of a link, in the frame of another shape."""
    found = np.zeros((len(frames), 4, 4))
    column, spot = np.empty(3), np.empty(3)
    for n in range(len(frames)):
        pose, other = frames[n, first], frames[n, second]
        found[n, 3, 3] = 1.0
        for j in range(4):
            share = 1.0 if j == 3 else 0.0
            for i in range(3):
                spot[i] = share * pose[i, 3] + share * -other[i, 3]
                for k in range(3):
                    spot[i] += pose[i, k] * offset[k, j]
            for i in range(3):
                column[i] = other[0, i] * spot[0] + other[1, i] * spot[1] + other[2, i] * spot[2]
                column[i] -= share * their_offset[i, 3]
            for i in range(3):
                turned = their_offset[0, i] * column[0] + their_offset[1, i] * column[1]
                found[n, i, j] = turned + their_offset[2, i] * column[2]
    return found


@compiled
def placement(pose: FloatArray) -> tuple[float, float, float, float, float, float, float]:
    """The place of a pose (4, 4) and its unit quaternion x, y, z, w, from its largest component, which never vanishes;
    all NaN where any of the pose is not finite.
    """
    if not np.isfinite(pose).all():
        return math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan
    a, b, c, d, e, f = pose[0, 0], pose[0, 1], pose[0, 2], pose[1, 0], pose[1, 1], pose[1, 2]
    g, h, i = pose[2, 0], pose[2, 1], pose[2, 2]
    x, y, z, w = 1.0 + a - e - i, 1.0 - a + e - i, 1.0 - a - e + i, 1.0 + a + e + i
    most = max(x, y, z, w)
    if x == most:
        y, z, w = b + d, c + g, h - f
    elif y == most:
        x, z, w = b + d, f + h, c - g
    elif z == most:
        x, y, w = c + g, f + h, d - b
    else:
        x, y, z = h - f, c - g, d - b
    length = math.sqrt(x * x + y * y + z * z + w * w)
    return pose[0, 3], pose[1, 3], pose[2, 3], x / length, y / length, z / length, w / length


@compiled
def face(
    answer: FloatArray,
    distance: float,
    slack: float,
    pose: FloatArray,
    kind: int,
    size: FloatArray,
    corners: FloatArray,
    their_kind: int,
    their_size: FloatArray,
    their_corners: FloatArray,
) -> None:
    """Turns an answer (3, 3), which is a normal and the nearest points on two shapes, so that its normal is a unit one
    towards the first, and its points are on the first and the second.

    Where the normal is none, up takes its place: any unit normal is sound. Where the gap along it is more than `slack`
    [m] below the distance [m], and less than that along its opposite, the shapes were swapped. The shapes as in `gaps`.
    """
    normal = answer[0]
    length = math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
    swapped = their_kind == FLOOR and not normal[2] > 0.0
    if their_kind == FLOOR or not abs(length - 1.0) < 1e-6:
        normal[0], normal[1], normal[2] = 0.0, 0.0, 1.0
    else:
        normal /= length
        here = np.empty((1, 4, 4))
        here[0] = pose
        gap = gaps(here, normal, kind, size, corners, their_kind, their_size, their_corners)[0]
        if gap < distance - slack:
            swapped = gap < gaps(here, -normal, kind, size, corners, their_kind, their_size, their_corners)[0]
        if swapped:
            normal *= -1.0
    if swapped:
        for i in range(3):
            answer[1, i], answer[2, i] = answer[2, i], answer[1, i]


@compiled
def learn(low: FloatArray, seen: FloatArray, sagitta: FloatArray) -> None:
    """Raises the bounds low (N,) of all intervals by the gaps seen (N,) at their nodes, along one normal."""
    for n in range(len(low)):
        low[n] = max(low[n], min(seen[n], seen[max(n - 1, 0)]) - sagitta[n])


@compiled
def touch(near: FloatArray, points: FloatArray, node: int, gap: float, spots: FloatArray) -> None:
    """Lowers near (N,) of the two intervals that meet at a node to the gap there; their points (N, 2, 3) are then the
    spots (2, 3).
    """
    for n in range(node, min(node + 2, len(near))):
        if gap < near[n]:
            near[n] = gap
            points[n] = spots


@compiled
def is_open(low: float, near: float, need: float, tolerance: float, share: float) -> bool:
    """Whether an interval may come below what it needs, and its worst place is not known well enough."""
    return low < need and low + max(tolerance, share * (need - near)) < near


@compiled
def open_ones(low: FloatArray, near: FloatArray, need: FloatArray, tolerance: float, share: float) -> BoolArray:
    """Which intervals (N,) are open."""
    found = np.empty(len(low), dtype=np.bool_)
    for n in range(len(low)):
        found[n] = is_open(low[n], near[n], need[n], tolerance, share)
    return found


@compiled
def next_node(
    low: FloatArray, near: FloatArray, need: FloatArray, asked: BoolArray, tolerance: float, share: float
) -> int:
    """The middle of the first run of nodes, not asked for yet, at the ends of open intervals; -1: there is none."""
    first = -1
    count = len(low)
    for n in range(count + 1):
        wanted = False
        if n < count and not asked[n]:
            wanted = is_open(low[n], near[n], need[n], tolerance, share)
            if not wanted and n + 1 < count:
                wanted = is_open(low[n + 1], near[n + 1], need[n + 1], tolerance, share)
        if wanted and first < 0:
            first = n
        if not wanted and first >= 0:
            return first + (n - first) // 2
    return -1


@compiled
def take_in(
    low: FloatArray,
    near: FloatArray,
    points: FloatArray,
    need: FloatArray,
    asked: BoolArray,
    sagitta: FloatArray,
    node: int,
    seen: FloatArray,
    spots: FloatArray,
    tolerance: float,
    share: float,
) -> int:
    """Takes in the gaps seen (N,) along the normal found at a node, and the spots (2, 3) nearest there: `learn` and
    `touch`. The node that is asked next, or -1.
    """
    asked[node] = True
    learn(low, seen, sagitta)
    touch(near, points, node, seen[node], spots)
    return next_node(low, near, need, asked, tolerance, share)


@compiled
def carried(points: FloatArray, offset: FloatArray, pose: FloatArray) -> FloatArray:
    """Points (P, 3) of a frame `offset` (4, 4) in a link at `pose` (4, 4), in the world (P, 3)."""
    found, here = np.empty((len(points), 3)), np.empty(3)
    for p in range(len(points)):
        carry(points[p], offset, here)
        carry(here, pose, found[p])
    return found


@compiled
def seek(
    poses: FloatArray,
    frames: FloatArray,
    link: int,
    offset: FloatArray,
    kind: int,
    size: FloatArray,
    corners: FloatArray,
    their_kind: int,
    their_size: FloatArray,
    their_corners: FloatArray,
    low: FloatArray,
    near: FloatArray,
    points: FloatArray,
    need: FloatArray,
    asked: BoolArray,
    sagitta: FloatArray,
    tolerance: float,
    share: float,
    most: int,
) -> tuple[int, int]:
    """Looks for the nearest points at one open node after the other, and takes them in, at most so many times.

    poses (N, 4, 4) of the first in the frame of the second, which is at an offset (4, 4) from a link in
    frames (N, L, 4, 4); the shapes as in `gaps`, the rest as in `take_in`. Returns the node that somebody else must
    answer for, -1 if none is left; and how many were looked at.
    """
    answer, spots = np.empty((3, 3)), np.empty((2, 3))
    node, looked = next_node(low, near, need, asked, tolerance, share), 0
    while node >= 0 and looked < most:
        bounded = kind < FLOOR and their_kind < FLOOR
        if not bounded or not nearest(poses[node], kind, size, corners, their_kind, their_size, their_corners, answer):
            return node, looked
        looked += 1
        seen = gaps(poses, answer[0], kind, size, corners, their_kind, their_size, their_corners)
        place(answer, offset, frames[node, link], spots)
        node = take_in(low, near, points, need, asked, sagitta, node, seen, spots, tolerance, share)
    return node, looked


@compiled
def place(answer: FloatArray, offset: FloatArray, frame: FloatArray, spots: FloatArray) -> None:
    """The nearest points of an answer (3, 3), in the world, into spots (2, 3)."""
    here = np.empty(3)
    for i in range(2):
        carry(answer[i + 1], offset, here)
        carry(here, frame, spots[i])
