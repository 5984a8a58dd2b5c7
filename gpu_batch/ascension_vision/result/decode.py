"""The reference decoder: a compact result (``ascension.analysis.compact/3``) in, the verbose one out.

It needs nothing but Python and may be copied into any client; docs/result-format.md describes the same in words.
Usable as a command too: ``python decode.py < compact.json > verbose.json``.
"""

import json
import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from math import atan2, floor, pi, sqrt
from typing import Any

COMPACT_SCHEMA = "ascension.analysis.compact/3"
VERBOSE_SCHEMA = "ascension.analysis/1"

# Each landmark is coded relative to another, its parent; in this order, parents first.
TREE = {
    23: None, 24: 23, 11: 23, 12: 11, 0: 11, **dict.fromkeys(range(1, 11), 0), 13: 11, 14: 12, 15: 13, 16: 14,
    17: 15, 18: 16, 19: 15, 20: 16, 21: 15, 22: 16, 25: 23, 26: 24, 27: 25, 28: 26, 29: 27, 30: 28, 31: 27, 32: 28,
}  # fmt: skip
CORNERS = {0: None, 1: 0, 2: 0, 3: 0}
ALONE = dict.fromkeys(range(33))
ANGLES = {
    "left_elbow": (11, 13, 15), "right_elbow": (12, 14, 16), "left_shoulder": (13, 11, 23),
    "right_shoulder": (14, 12, 24), "left_hip": (11, 23, 25), "right_hip": (12, 24, 26), "left_knee": (23, 25, 27),
    "right_knee": (24, 26, 28), "left_ankle": (25, 27, 31), "right_ankle": (26, 28, 32),
}  # fmt: skip
# (mass, where between the means of two pairs of landmarks its centre lies, the pairs)
SEGMENTS = [(0.0681, 0.5, (11, 12), (7, 8)), (0.43015, 0.5035, (11, 12), (23, 24))]
for _mass, _centre, _from, _to in (
    (0.0263, 0.576, 11, (13, 13)), (0.015, 0.4565, 13, (15, 15)), (0.00585, 0.766, 15, (17, 19)),
    (0.1447, 0.3895, 23, (25, 25)), (0.0457, 0.4385, 25, (27, 27)), (0.0133, 0.4215, 29, (31, 31)),
):  # fmt: skip
    SEGMENTS += [(_mass, _centre, (_from + side,) * 2, (_to[0] + side, _to[1] + side)) for side in (0, 1)]

Tree = Mapping[int, int | None]
Coded = Mapping[str, Any]
Columns = list[list[float]]


def plane(coded: Coded, rows: int, tree: Tree, links: Sequence[Sequence[int]] | None = None) -> list[list[int]]:
    """``[channel][row]`` whole numbers: corrections of interpolations, plus the parent's channel, plus a share of
    ``links``."""
    bits = "".join(f"{byte:08b}" for byte in b64decode(coded["data"]))
    at = 0

    def take(length: int) -> int:
        nonlocal at
        at += length
        return int("0" + bits[at - length : at], 2)

    def count(order: int) -> int:
        nonlocal at
        start, at = at, bits.index("0", at) + 1
        return (at - 1 - start) << order | take(order)

    curves = {i: [0] * rows for i in tree}
    order, half, first = list(curves.values()), 1 << max(rows - 1, 0).bit_length(), 0
    while half and rows:
        skips, sizes = take(4), take(4)
        places = range(first, rows, 2 * half)
        for values in order if first else ():
            for i in places:
                values[i] = predicted(values, i, half)
        position = count(skips)
        while position < len(places) * len(order):
            size, channel = count(sizes), position // len(places)
            change = ~(size >> 1) if size & 1 else (size >> 1) + 1
            order[channel][places[position % len(places)]] += coded["step"] * change
            position += 1 + count(skips)
        half //= 2
        first = half
    if at > len(bits):
        raise ValueError("a plane is damaged: its bits end too early")
    for i, parent in tree.items():
        if parent is not None:
            curves[i] = [a + b for a, b in zip(curves[i], curves[parent], strict=True)]
    for i, link in enumerate(links or ()):
        curves[i] = [a + (coded["gain"] * b >> 17) for a, b in zip(curves[i], link, strict=True)]
    return [curves[i] for i in range(len(tree))]


def predicted(values: Sequence[int], i: int, half: int) -> int:
    """What row i is before it is corrected, from rows ``half`` and three times as far away."""
    if i + half >= len(values):
        return values[i - half]
    near = values[i - half] + values[i + half]
    if i < 3 * half or i + 3 * half >= len(values):
        return near >> 1
    return 9 * near - values[i - 3 * half] - values[i + 3 * half] + 8 >> 4


def numbers(channels: Sequence[Sequence[int]], coded: Coded) -> Columns:
    """A plane's whole numbers as the decimal numbers that they stand for."""
    unit = 10 ** coded["decimals"]
    return [[value / unit for value in channel] for channel in channels]


def spread(rows: Sequence[Any], runs: Sequence[int], count: int) -> list[Any]:
    """One entry a frame: the rows in turn, None where the runs, alternately without and with, say so."""
    following = iter(rows)
    told = [next(following) if i % 2 else None for i, length in enumerate(runs) for _ in range(length)]
    if len(told) != count:
        raise ValueError(f"{len(told)} frames in the runs, {count} expected")
    return told


def series(coded: Coded, count: int, channels: int) -> list[list[float] | None]:
    """Some numbers a frame, or None."""
    columns = numbers(plane(coded, sum(coded["known"][1::2]), dict.fromkeys(range(channels))), coded)
    return spread([[max(value, 0) for value in row] for row in zip(*columns, strict=True)], coded["known"], count)


def poses(coded: Coded, times: Sequence[float]) -> list[dict[str, Any]]:
    """``poses.frames`` of the verbose result."""
    rows = sum(coded["seen"][1::2])
    whole = {axis: plane(coded[axis], rows, TREE) for axis in ("x", "y", "world_z")}
    for axis in "xy":
        hips = [a + b for a, b in zip(whole[axis][23], whole[axis][24], strict=True)]
        links = [[2 * a - b for a, b in zip(values, hips, strict=True)] for values in whole[axis]]
        whole[f"world_{axis}"] = plane(coded[f"world_{axis}"], rows, TREE, links)
    whole["z"] = plane(coded["z"], rows, TREE, [[2 * value for value in values] for values in whole["world_z"]])
    whole["visibility"] = plane(coded["visibility"], rows, ALONE)
    told = {name: numbers(channels, coded[name]) for name, channels in whole.items()}
    bodies = []
    for row in range(rows):
        landmarks = [[told[name][i][row] for name in ("x", "y", "z", "visibility")] for i in range(33)]
        for mark in landmarks:
            mark[3] = min(max(mark[3], 0), 1)
        world = [[told[name][i][row] for name in ("world_x", "world_y", "world_z")] for i in range(33)]
        angles = {name: angle(*(world[i] for i in joint)) for name, joint in ANGLES.items()}
        bodies.append(
            {"landmarks": landmarks, "world": world, "angles": angles, "center_of_gravity": gravity(landmarks)}
        )
    nobody = dict.fromkeys(("landmarks", "world", "angles", "center_of_gravity"))
    phases = [name for name, n in zip(("before", "climb", "after"), coded["phases"], strict=True) for _ in range(n)]
    seen = spread(bodies, coded["seen"], len(times))
    return [{"t": t, "phase": phase, **(body or nobody)} for t, phase, body in zip(times, phases, seen, strict=True)]


def angle(a: list[float], joint: list[float], b: list[float]) -> float:
    """Degrees between the ways from a joint to its neighbours."""
    (ux, uy, uz), (vx, vy, vz) = ([end[k] - joint[k] for k in range(3)] for end in (a, b))
    cx, cy, cz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return rounded(atan2(sqrt(cx * cx + cy * cy + cz * cz), ux * vx + uy * vy + uz * vz) * 180 / pi, 1)


def gravity(points: list[list[float]]) -> list[float]:
    """Where the centre of gravity is seen."""
    total, masses = [0.0, 0.0], 0.0
    for mass, centre, start, end in SEGMENTS:
        for k in range(2):
            a, b = ((points[i][k] + points[j][k]) / 2 for i, j in (start, end))
            total[k] += mass * (a + centre * (b - a))
        masses += mass
    return [rounded(value / masses, 5) for value in total]


def rounded(value: float, decimals: int) -> float:
    """To the nearest, halves upwards."""
    power: int = 10**decimals
    return floor(value * power + 0.5) / power


def camera(coded: Coded | None, count: int) -> dict[str, Any]:
    """``camera`` of the verbose result: from the frame's corners (0, 0), (1, 0), (1, 1), (0, 1) as the reference has
    them (P. Heckbert 1989, section 2.2.3)."""
    if coded is None:
        return {"frames": [None] * count, "still": False}
    rows = sum(coded["known"][1::2])
    if coded["still"]:
        same = [[[1, 0, 0], [0, 1, 0], [0, 0, 1]] for _ in range(rows)]
        return {"frames": spread(same, coded["known"], count), "still": True}
    across, down = (numbers(plane(coded[axis], rows, CORNERS), coded[axis]) for axis in "xy")
    matrices = []
    for x0, x1, x2, x3, y0, y1, y2, y3 in zip(*across, *down, strict=True):
        ax, bx, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
        ay, by, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
        area = ax * by - bx * ay
        g, h = (sx * by - bx * sy) / area, (ax * sy - sx * ay) / area
        matrix = [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1]]
        matrices.append([[rounded(value, 7) for value in line] for line in matrix])
    return {"frames": spread(matrices, coded["known"], count), "still": False}


def hold(coded: Coded) -> dict[str, Any]:
    """An entry of the verbose ``holds``."""
    x0, y0, x1, y1 = coded["box"]
    x = y = 0
    outline = []
    for right, down in zip(coded["outline"][::2], coded["outline"][1::2], strict=True):
        x, y = x + right, y + down
        outline.append([x / 10000, y / 10000])
    return {**coded, "center": [rounded((x0 + x1) / 2, 5), rounded((y0 + y1) / 2, 5)], "outline": outline}


def ghost(coded: Coded, projection: Columns, times: Sequence[float], homographies: Sequence[Any]) -> dict[str, Any]:
    """``ghost`` of the verbose result."""
    count = coded["count"]
    [climber] = numbers(plane(coded["climber_t"], count, {0: None}), coded["climber_t"])
    space = [numbers(plane(coded[axis], count, TREE), coded[axis]) for axis in "xyz"]
    loads = series(coded["loads"], count, 4)
    frames, near = [], 0
    for i, t in enumerate(climber):
        while near + 1 < len(times) and abs(times[near + 1] - t) < abs(times[near] - t):
            near += 1
        world = [[axis[mark][i] for axis in space] for mark in range(33)]
        seen = homographies[near] and seen_from(projection, homographies[near], world)
        own = rounded(i / coded["rate"], 4)
        frames.append({"t": own, "climber_t": t, "landmarks": seen, "world": world, "loads": loads[i]})
    measures = {name: series(values, count, 1) for name, values in coded["certificate"]["frames"].items()}
    told = {name: [value and value[0] for value in values] for name, values in measures.items()}
    same = {key: coded[key] for key in ("contacts", "cues")}
    return {**same, "certificate": {**coded["certificate"], "frames": told}, "frames": frames}


def seen_from(projection: Columns, to_reference: Columns, points: Columns) -> Columns:
    """Points on the wall as a frame sees them, with depth from the middle of the hips."""
    (a, b, c), (d, e, f), (g, h, k) = to_reference
    back = [
        [e * k - f * h, c * h - b * k, b * f - c * e],
        [f * g - d * k, a * k - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    eye = [[row[0] * p + row[1] * q + row[2] * r for p, q, r in zip(*projection, strict=True)] for row in back]
    seen = [[row[0] * x + row[1] * y + row[2] * z + row[3] for row in eye] for x, y, z in points]
    u, w = ((seen[23][k] + seen[24][k]) / 2 for k in (0, 2))  # the middle of the hips
    ax, ay, az = (eye[0][j] - u / w * eye[2][j] for j in range(3))
    lx, ly, lz, _ = eye[2]
    far = sqrt(lx * lx + ly * ly + lz * lz)
    depth = sqrt(ax * ax + ay * ay + az * az) / far if far else 0.0
    return [[rounded(x / z, 5), rounded(y / z, 5), rounded((z / w - 1) * depth, 4), 1] for x, y, z in seen]


def verbose(compact: Mapping[str, Any]) -> dict[str, Any]:
    """Spell a compact result out. Raises ``ValueError`` for another schema or a malformed part."""
    if compact.get("schema") != COMPACT_SCHEMA:
        raise ValueError(f"not a compact result: schema {compact.get('schema')!r}")
    count, clock = compact["video"]["frame_count"], compact["poses"]["t"]
    [times] = numbers(plane(clock, count, {0: None}), clock)
    seen_by = camera(compact["camera"], count)
    holds, loads, ghosted = compact["holds"], compact["loads"], compact["ghost"]
    return {
        **compact,
        "schema": VERBOSE_SCHEMA,
        "poses": {"frames": poses(compact["poses"], times)},
        "camera": seen_by,
        "holds": holds and [hold(coded) for coded in holds],
        "loads": loads and {"frames": series(loads, count, 4)},
        "ghost": ghosted and ghost(ghosted, compact["wall"]["projection"], times, seen_by["frames"]),
    }


if __name__ == "__main__":
    json.dump(verbose(json.load(sys.stdin)), sys.stdout, separators=(",", ":"))
